"""Subscriptions: which signals go to which endpoint, and the endpoint's health.

An active subscription is delivered to. A paused one collects deliveries that wait. A disabled one gets no deliveries;
what it missed can be retried afterwards. Secrets and URLs are encrypted by the vault where it has a key: signing needs
them. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import RowMapping, bindparam, func, select

from app.principal import EVERY, Desks
from app.sla.fields import SUBSCRIPTION_FILTERS
from app.sla.report.subscribed import CADENCES as _CADENCES
from app.sla.report.subscribed import REPORT_READY
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.engine.prepared import Prepared
from app.store.engine.vault import vault
from app.store.tables import delivery as _delivery
from app.store.tables import subscription as _subscription

CADENCES: Final = tuple(each.value for each in _CADENCES)
"""Of which periods reports can be subscribed to."""
SIGNAL_FILTERS: Final = ("commitment", "commitment_kind")
"""Fields of the signal that a filter may name."""
TICKET_FILTERS: Final = SUBSCRIPTION_FILTERS
"""Fields of the ticket that a filter may name, compared as of when the signal is recorded."""


class Channel(StrEnum):
    """Webhooks to systems, or messages to people."""

    WEBHOOK = "webhook"
    NOTICE = "notice"


class SubscriptionState(StrEnum):
    """Whether deliveries are made, wait, or are not inserted."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret; one that was replaced signs until `expires_at`."""

    secret: str
    expires_at: Micros | None = None


FilterValues = Mapping[str, str | None]
"""What filters compare with, by field."""


class FilteredSignal(Protocol):
    """The columns of a signal that filters compare with."""

    @property
    def kind(self) -> str: ...
    @property
    def commitment(self) -> str: ...
    @property
    def commitment_kind(self) -> str | None: ...
    @property
    def queue(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SubscriptionFilter:
    """Which signals a subscription receives: its kinds, and for each named field the accepted values, casefolded."""

    kinds: frozenset[str]
    fields: Mapping[str, frozenset[str]]
    reports: frozenset[str] = frozenset(CADENCES)
    """Of which periods it receives reports."""

    @property
    def needs_ticket(self) -> bool:
        """Whether it compares a field of the ticket."""
        return any(name in TICKET_FILTERS for name in self.fields)

    def matches(self, signal: FilteredSignal, ticket: FilterValues) -> bool:
        """Whether a signal and the fields of its ticket match. A queue signal's own queue replaces the ticket's."""
        if signal.kind not in self.kinds:
            return False
        if signal.kind == REPORT_READY:
            # A report is about a desk: no field of a ticket or commitment selects it, only its period.
            return signal.commitment in self.reports
        if not self.fields:
            return True
        own = {"commitment": signal.commitment, "commitment_kind": signal.commitment_kind}
        values = {**ticket, **own, **({"queue": signal.queue} if signal.queue else {})}
        return all((values.get(name) or "").casefold() in accepted for name, accepted in self.fields.items())


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What the outbox needs of a subscription to decide which signals it receives."""

    id: str
    desk: str
    channel: Channel
    filter: SubscriptionFilter


@dataclass(frozen=True, slots=True)
class Wanting:
    """A subscription that has wanted a kind of signal for some time."""

    desk: str
    since: Micros
    filter: SubscriptionFilter


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. Secrets are ordered newest first."""

    id: str
    desk: str
    channel: Channel
    url: str
    kinds: tuple[str, ...]
    filter: Mapping[str, tuple[str, ...]]
    secrets: tuple[Secret, ...]
    language: str
    description: str
    state: SubscriptionState
    created_at: Micros
    wanted_since: Micros
    omit: tuple[str, ...] = ()
    """Fields of the ticket that deliveries leave out."""
    reports: tuple[str, ...] = CADENCES
    """Of which periods it receives reports."""
    failures: int = 0
    failing_since: Micros | None = None
    quiet_until: Micros | None = None
    disabled_reason: str | None = None

    @property
    def signal_filter(self) -> SubscriptionFilter:
        """Its kinds and filter, parsed."""
        return parse_filter(_json(self.kinds), _json(self.filter), _json(self.reports))

    def live_secrets(self, now: Micros) -> list[str]:
        """The secrets that have not expired."""
        return [each.secret for each in self.secrets if each.expires_at is None or each.expires_at > now]


@dataclass(frozen=True, slots=True)
class Health:
    """An endpoint's failures in a row since its last success, and until when it asked not to be called."""

    failures: int
    failing_since: Micros | None
    quiet_until: Micros | None


_ALL: Final = select(_subscription).order_by(_subscription.c.created_at, _subscription.c.id)
_SOME: Final = _ALL.where(_subscription.c.id.in_(bindparam("ids", expanding=True)))
_ONE: Final = select(_subscription).where(_subscription.c.id == bindparam("which"))
_DESK: Final = select(_subscription.c.desk).where(_subscription.c.id == bindparam("which"))
_SUBSCRIBERS: Final = Prepared(
    select(
        _subscription.c.id,
        _subscription.c.desk,
        _subscription.c.channel,
        _subscription.c.kinds,
        _subscription.c.filter,
        _subscription.c.reports,
    ).where(
        _subscription.c.state != SubscriptionState.DISABLED.value,
        _subscription.c.desk.in_(bindparam("desks", expanding=True)),
    )
)
_WANTING: Final = select(
    _subscription.c.desk,
    _subscription.c.wanted_since,
    _subscription.c.kinds,
    _subscription.c.filter,
    _subscription.c.reports,
).where(_subscription.c.state != SubscriptionState.DISABLED.value)
_COUNT: Final = select(func.count()).where(_subscription.c.desk == bindparam("desk"))
_INSERT: Final = _subscription.insert()
_THIS: Final = _subscription.c.id == bindparam("_id")
_UPDATE: Final = (
    _subscription.update()
    .where(_THIS)
    .values({f.name: bindparam(f.name) for f in fields(Subscription) if f.name != "id"})
)
_RECORD_HEALTH: Final = (
    _subscription.update().where(_THIS).values({f.name: bindparam(f.name) for f in fields(Health)})
)
_DELETE: Final = _subscription.delete().where(_THIS)
_DELETE_DELIVERIES: Final = _delivery.delete().where(_delivery.c.subscription == bindparam("_id"))


@lru_cache(maxsize=1024)
def parse_filter(kinds: str, filters: str, reports: str | None = None) -> SubscriptionFilter:
    """The filter of a subscription's JSON columns. Cached: it is needed for every signal, and there are few."""
    read: dict[str, list[str]] = orjson.loads(filters)
    casefolded = {name: frozenset(value.casefold() for value in values) for name, values in read.items()}
    periods = CADENCES if reports is None else orjson.loads(reports)
    return SubscriptionFilter(frozenset(orjson.loads(kinds)), casefolded, frozenset(periods))


def add(conn: Connection, subscription: Subscription) -> None:
    """Insert a subscription."""
    conn.execute(_INSERT, {"id": subscription.id} | _values(conn, subscription))
    audit.record(conn, Action.SUBSCRIPTION_CREATED, [subscription.desk], subscription.id)


def change(conn: Connection, subscription: Subscription) -> None:
    """Update all columns of a subscription."""
    conn.execute(_UPDATE, {"_id": subscription.id} | _values(conn, subscription))
    audit.record(conn, Action.SUBSCRIPTION_CHANGED, [subscription.desk], subscription.id)


def record_health(conn: Connection, which: str, health: Health) -> None:
    """Update the health of a subscription's endpoint."""
    values = {f.name: getattr(health, f.name) for f in fields(Health)}
    conn.execute(_RECORD_HEALTH, {"_id": which} | values)


def remove(conn: Connection, which: str) -> None:
    """Delete a subscription and its deliveries."""
    conn.execute(_DELETE_DELIVERIES, {"_id": which})
    desks = conn.execute(_DESK, {"which": which}).scalars().all()
    conn.execute(_DELETE, {"_id": which})
    audit.record(conn, Action.SUBSCRIPTION_REMOVED, desks, which)


def find(conn: Connection, which: str) -> Subscription | None:
    """A subscription by its id."""
    row = conn.execute(_ONE, {"which": which}).mappings().first()
    return None if row is None else _subscription_of(conn, row)


def some(conn: Connection, ids: Iterable[str], *, lock: bool = False) -> dict[str, Subscription]:
    """Subscriptions by id. `lock`: their rows are locked (FOR UPDATE) until the transaction ends."""
    query = dialect.for_update(conn, _SOME) if lock else _SOME
    return {
        row["id"]: _subscription_of(conn, row)
        for part in parts(sorted(set(ids)))
        for row in conn.execute(query, {"ids": part}).mappings()
    }


def listed(conn: Connection, desks: Desks = EVERY) -> list[Subscription]:
    """The subscriptions of these desks, oldest first."""
    query = _ALL.where(in_desks(_subscription.c.desk, desks))
    return [_subscription_of(conn, row) for row in conn.execute(query).mappings()]


def count(conn: Connection, desk: str) -> int:
    """The subscriptions of a desk, disabled ones too. Until the transaction ends no other one adds to them."""
    dialect.advisory_lock(conn, [f"subscriptions of {desk}"])
    return conn.execute(_COUNT, {"desk": desk}).scalar_one()


def subscribers(conn: Connection, desks: Iterable[str]) -> list[Subscriber]:
    """The subscriptions of these desks that are not disabled."""
    return [
        Subscriber(which, desk, Channel(channel), parse_filter(kinds, filters, reports))
        for part in parts(sorted(set(desks)))
        for which, desk, channel, kinds, filters, reports in _SUBSCRIBERS.rows(conn, {"desks": part})
    ]


def wanting(conn: Connection, kind: str) -> list[Wanting]:
    """The subscriptions of all desks that are not disabled and receive signals of a kind."""
    found = (
        Wanting(desk, since, parse_filter(kinds, filters, reports))
        for desk, since, kinds, filters, reports in conn.execute(_WANTING).all()
    )
    return [each for each in found if kind in each.filter.kinds]


def _values(conn: Connection, subscription: Subscription) -> dict[str, Any]:
    values = {f.name: getattr(subscription, f.name) for f in fields(Subscription) if f.name != "id"}
    secrets = [{"secret": each.secret, "expires_at": each.expires_at} for each in subscription.secrets]
    return values | {
        "kinds": _json(subscription.kinds),
        "filter": _json(subscription.filter),
        "omit": _json(subscription.omit),
        "reports": _json(subscription.reports),
        "secrets": vault(conn).seal(_json(secrets)),
        "url": vault(conn).seal(subscription.url),
        "channel": subscription.channel.value,
        "state": subscription.state.value,
    }


def _subscription_of(conn: Connection, row: RowMapping) -> Subscription:
    filters: dict[str, list[str]] = orjson.loads(row["filter"])
    secrets = orjson.loads(vault(conn).unseal(row["secrets"]))
    read: dict[str, Any] = {
        "kinds": tuple(orjson.loads(row["kinds"])),
        "omit": tuple(orjson.loads(row["omit"])),
        "reports": CADENCES if row["reports"] is None else tuple(orjson.loads(row["reports"])),
        "filter": {name: tuple(values) for name, values in filters.items()},
        "secrets": tuple(Secret(**each) for each in secrets),
        "url": vault(conn).unseal(row["url"]),
        "channel": Channel(row["channel"]),
        "state": SubscriptionState(row["state"]),
    }
    return Subscription(**{f.name: row[f.name] for f in fields(Subscription)} | read)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
