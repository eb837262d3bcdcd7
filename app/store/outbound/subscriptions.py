"""Who wants to hear of what, where, and how has its endpoint been doing?

A subscription is active (told), paused (its deliveries wait) or disabled (nothing is kept for it; what it missed can be
sent again afterwards). Secrets are kept as they are: signing needs them. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, bindparam, select

from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import EVERY_DESK, Connection
from app.store.tables import delivery as _delivery
from app.store.tables import subscription as _subscription

SIGNAL_FILTERS: Final = ("commitment", "commitment_kind")
"""What a filter may ask of the signal itself."""
TICKET_FILTERS: Final = (
    "queue",
    "plan",
    "level",
    "priority",
    "category",
    "service",
    "kind",
    "customer",
    "organisation",
    "group",
    "assignee",
)
"""What a filter may ask of the ticket, as it stood when the signal was told."""


class Channel(StrEnum):
    """To whom: a system, by webhook; or people, by a message."""

    WEBHOOK = "webhook"
    NOTICE = "notice"


class State(StrEnum):
    """Whether deliveries are made, wait, or are not kept."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that signs, until `expires_at` if it was replaced."""

    secret: str
    expires_at: Micros | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription wants to hear of. Each filter names the values of which one must hold, in lower case."""

    kinds: frozenset[str]
    filters: Mapping[str, frozenset[str]]

    @property
    def asks_of_ticket(self) -> bool:
        """Whether it can be judged only with the ticket at hand."""
        return any(name in TICKET_FILTERS for name in self.filters)

    def covers(self, kind: str, values: Mapping[str, str | None]) -> bool:
        """Whether it wants a signal of this kind, about a commitment and a ticket with these values."""
        return kind in self.kinds and all(
            (values.get(name) or "").casefold() in wanted for name, wanted in self.filters.items()
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants to hear of what. The secrets are the newest first."""

    id: str
    desk: str
    channel: Channel
    url: str
    kinds: tuple[str, ...]
    filter: Mapping[str, tuple[str, ...]]
    secrets: tuple[Secret, ...]
    language: str
    description: str
    state: State
    created_at: Micros
    wanted_since: Micros
    failures: int = 0
    failing_since: Micros | None = None
    quiet_until: Micros | None = None
    disabled_reason: str | None = None

    @property
    def wish(self) -> Wish:
        """What it wants to hear of, ready to be asked."""
        return wish_of(_json(self.kinds), _json(self.filter))

    def is_about(self, desk: str) -> bool:
        """Whether it wants to hear of this desk."""
        return self.desk in (desk, EVERY_DESK)

    def live_secrets(self, now: Micros) -> list[str]:
        """The secrets that sign now."""
        return [each.secret for each in self.secrets if each.expires_at is None or each.expires_at > now]


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint has been doing since its last success."""

    failures: int
    failing_since: Micros | None
    quiet_until: Micros | None


_ALL: Final = select(_subscription).order_by(_subscription.c.created_at, _subscription.c.id)
_SOME: Final = _ALL.where(_subscription.c.id.in_(bindparam("ids", expanding=True)))
_ONE: Final = select(_subscription).where(_subscription.c.id == bindparam("which"))
_WISHES: Final = select(
    _subscription.c.id,
    _subscription.c.desk,
    _subscription.c.channel,
    _subscription.c.kinds,
    _subscription.c.filter,
).where(_subscription.c.state != State.DISABLED.value)
_ADD: Final = _subscription.insert()
_THIS: Final = _subscription.c.id == bindparam("_id")
_CHANGE: Final = (
    _subscription.update()
    .where(_THIS)
    .values({f.name: bindparam(f.name) for f in fields(Subscription) if f.name != "id"})
)
_NOTE: Final = _subscription.update().where(_THIS).values({f.name: bindparam(f.name) for f in fields(Health)})
_REMOVE: Final = _subscription.delete().where(_THIS)
_REMOVE_DELIVERIES: Final = _delivery.delete().where(_delivery.c.subscription == bindparam("_id"))


@lru_cache(maxsize=1024)
def wish_of(kinds: str, filters: str) -> Wish:
    """What the two JSON texts ask for. Kept: they are asked for every signal, and there are few."""
    asked: dict[str, list[str]] = orjson.loads(filters)
    folded = {name: frozenset(value.casefold() for value in values) for name, values in asked.items()}
    return Wish(frozenset(orjson.loads(kinds)), folded)


def add(conn: Connection, subscription: Subscription) -> None:
    """Keep a new one."""
    conn.execute(_ADD, {"id": subscription.id} | _values(subscription))


def change(conn: Connection, subscription: Subscription) -> None:
    """Keep it as it is now."""
    conn.execute(_CHANGE, {"_id": subscription.id} | _values(subscription))


def note(conn: Connection, which: str, health: Health) -> None:
    """Keep how an endpoint has been doing."""
    values = {f.name: getattr(health, f.name) for f in fields(Health)}
    conn.execute(_NOTE, {"_id": which} | values)


def remove(conn: Connection, which: str) -> None:
    """Forget it, with its deliveries."""
    conn.execute(_REMOVE_DELIVERIES, {"_id": which})
    conn.execute(_REMOVE, {"_id": which})


def find(conn: Connection, which: str) -> Subscription | None:
    """One, by its id."""
    row = conn.execute(_ONE, {"which": which}).mappings().first()
    return None if row is None else _subscription_of(row)


def some(conn: Connection, ids: Iterable[str], *, lock: bool = False) -> dict[str, Subscription]:
    """Some, by id. `hold`: nobody else changes them until the transaction ends."""
    query = dialect.for_update(conn, _SOME) if lock else _SOME
    return {
        row["id"]: _subscription_of(row)
        for part in parts(sorted(set(ids)))
        for row in conn.execute(query, {"ids": part}).mappings()
    }


def listed(conn: Connection, desk: str | None = None) -> list[Subscription]:
    """Those of a desk, or all, the oldest first."""
    query = _ALL if desk is None else _ALL.where(_subscription.c.desk == desk)
    return [_subscription_of(row) for row in conn.execute(query).mappings()]


def wishes(conn: Connection) -> list[tuple[str, str, Channel, Wish]]:
    """(id, desk, channel, wish) of all for which deliveries are kept."""
    return [
        (which, desk, Channel(channel), wish_of(kinds, filters))
        for which, desk, channel, kinds, filters in conn.execute(_WISHES).all()
    ]


def _values(subscription: Subscription) -> dict[str, Any]:
    values = {f.name: getattr(subscription, f.name) for f in fields(Subscription) if f.name != "id"}
    written = [{"secret": each.secret, "expires_at": each.expires_at} for each in subscription.secrets]
    return values | {
        "kinds": _json(subscription.kinds),
        "filter": _json(subscription.filter),
        "secrets": _json(written),
        "channel": subscription.channel.value,
        "state": subscription.state.value,
    }


def _subscription_of(row: RowMapping) -> Subscription:
    filters: dict[str, list[str]] = orjson.loads(row["filter"])
    read: dict[str, Any] = {
        "kinds": tuple(orjson.loads(row["kinds"])),
        "filter": {name: tuple(values) for name, values in filters.items()},
        "secrets": tuple(Secret(**each) for each in orjson.loads(row["secrets"])),
        "channel": Channel(row["channel"]),
        "state": State(row["state"]),
    }
    return Subscription(**{f.name: row[f.name] for f in fields(Subscription)} | read)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
