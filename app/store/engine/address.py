"""The hosts of a PostgreSQL URL, and a driver connection to the one of them that accepts it.

A URL names one host, or several as SQLAlchemy writes them: `postgresql+asyncpg://slatimer@/slatimer?host=db1:5432&
host=db2:5432`. Each connection tries them in turn, so that the service follows a standby that was promoted without a
restart. The driver's own list of hosts has one timeout for all: a machine that is off would use it up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy.engine import URL, make_url

from app.store.engine.unreachable import Unreachable

PORT: Final = 5432
HOSTS: Final = "host"
"""The query parameter that names a host. It may occur several times."""
SESSION: Final = "target_session_attrs"
DRIVER_OPTIONS: Final = frozenset({"ssl", "passfile", SESSION})
"""Query parameters of the URL that are passed to the driver."""
WRITABLE: Final = "read-write"
"""Of several hosts, the one to use if the URL does not say: a standby refuses to write."""
_PREFERENCES: Final = {"prefer-standby": ("standby", "any")}
"""The kinds of session to look for on all hosts, one after the other, where that is more than one."""

TEMPORARY: Final = frozenset({"57P03", "53300"})
"""SQLSTATE cannot_connect_now and too_many_connections: another host, or a later attempt, may accept."""
_UNSUPPORTED_PARAMETER: Final = "unsupported startup parameter"
"""PgBouncer's refusal of a session setting."""

_PLACE: Final = re.compile(r"(?P<host>\[[^\[\]]+\]|[^:\[\],]+)(:(?P<port>[0-9]{1,5}))?")


class UnusableDatabase(ValueError):
    """The database URL cannot be used. Name a file, as in sqlite:////var/lib/slatimer/slatimer.db, or a server, as in
    postgresql+asyncpg://slatimer@db/slatimer."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect: the hosts in order, the kind of session wanted, and the other arguments of the driver."""

    hosts: tuple[tuple[str, int], ...]
    session: str
    arguments: Mapping[str, Any]


def address_of(url: str | URL) -> Address:
    """The address that a URL names. Raises UnusableDatabase for a host that is not one."""
    parsed = make_url(url)
    options = {name: value for name, value in parsed.query.items() if name in DRIVER_OPTIONS}
    hosts = _hosts(parsed)
    session = str(options.pop(SESSION, WRITABLE if len(hosts) > 1 else "any"))
    login = {"user": parsed.username, "password": parsed.password, "database": parsed.database}
    return Address(hosts, session, login | options)


def _hosts(parsed: URL) -> tuple[tuple[str, int], ...]:
    named = parsed.query.get(HOSTS, ())
    places = (named,) if isinstance(named, str) else named
    own = ((parsed.host, parsed.port or PORT),) if parsed.host else ()
    return own + tuple(map(_host, places))


def _host(place: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UnusableDatabase(
            f"{place!r} is not a host. Name each in a parameter of its own: ?host=db1:5432&host=db2:5432"
        )
    return found["host"].strip("[]"), int(found["port"] or PORT)


async def connect(address: Address, timeout: timedelta, **arguments: Any) -> Any:  # noqa: ASYNC109 - of each host
    """A driver connection to the first host that accepts it. `timeout` is that of each host.

    Raises Unreachable when no host does for now, UnusableDatabase for a pooler that is not named as one, and the
    driver's exceptions for what no other host would do better, such as a wrong password.
    """
    failure: BaseException | None = None
    for session in _PREFERENCES.get(address.session, (address.session,)):
        for host, port in address.hosts:
            place = {"host": host, "port": port, SESSION: session, "timeout": timeout.total_seconds()}
            try:
                return await _attempt({**address.arguments, **place, **arguments})
            except (OSError, TimeoutError) as error:
                failure = error
    places = ", ".join(f"{host}:{port}" for host, port in address.hosts)
    reason = str(failure) or type(failure).__name__
    raise Unreachable(f"no connection to {places}: {reason}") from failure


async def _attempt(arguments: Mapping[str, Any]) -> Any:
    """One host. Raises Unreachable for what passes."""
    import asyncpg  # pyright: ignore[reportMissingTypeStubs] - no process on SQLite needs it

    try:
        return await cast(Any, asyncpg).connect(**arguments)
    except asyncpg.TargetServerAttributeNotMatched as error:
        raise Unreachable(f"the server is not {arguments[SESSION]}") from error
    except asyncpg.PostgresError as error:
        if _UNSUPPORTED_PARAMETER in str(error):
            raise UnusableDatabase(
                "there is a PgBouncer at this address; name the server behind it in SLATIMER_DATABASE_DIRECT_URL"
            ) from error
        if getattr(error, "sqlstate", None) not in TEMPORARY:
            raise
        raise Unreachable(str(error)) from error
