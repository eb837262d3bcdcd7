"""What is kept, and under which keys?

Every instant is a BigInteger of microseconds UTC: a database's own date type loses the offset or the precision
somewhere. Documents are JSON text. The tables hold on SQLite and on PostgreSQL alike. Rows never leave `store`.
"""

from typing import Any, ClassVar, Final, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

# SQLite numbers rows by itself for an INTEGER key only.
_SERIAL = BigInteger().with_variant(Integer(), "sqlite")

NEVER = 2**62
"""An instant that does not come: sorts what is not due after everything that is."""


def _instant(**given: Any) -> Any:
    return Field(sa_type=BigInteger, **given)


def _text(**given: Any) -> Any:
    return Field(sa_type=Text, **given)


def _serial() -> Any:
    return Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))


LATE_KINDS: Final = ("clock.breached", "clock.missed", "clock.lapsed")
"""Kinds of signals that say that a clock was late. Their order is the indexes': SQLite uses a partial index only for a
condition that is written like its own."""
_LATE: Final = text("kind IN ({})".format(", ".join(f"'{kind}'" for kind in LATE_KINDS)))


class DeskVersionRow(SQLModel, table=True):
    """One version of what a desk promises: its agreement and the calendars that it counts in."""

    __tablename__: ClassVar[Any] = "desk_version"

    desk: str = _text(primary_key=True)
    number: int = Field(primary_key=True)
    applied_at: int = _instant()
    applies_to: str = _text()
    agreement: str | None = _text(nullable=True)
    calendars: str = _text()
    agreement_text: str | None = _text(nullable=True)
    calendars_text: str = _text()
    digest: str = _text()


class EventRow(SQLModel, table=True):
    """A fact, as it came. Never changed, never removed."""

    __tablename__: ClassVar[Any] = "event"

    seq: int | None = _serial()
    desk: str = _text()
    event_id: str = _text()
    type: str = _text()
    known: bool = Field(sa_type=Boolean)
    subject: str = _text()
    ticket: str | None = _text(nullable=True)
    at: int = _instant()
    sequence: int = _instant()
    received_at: int = _instant()
    data: str = _text()
    digest: str = _text()
    trace: str | None = _text(nullable=True)
    """The request that brought it."""

    __table_args__ = (
        # On PostgreSQL the log is in parts, and `event_key` holds what is unique in all of them.
        UniqueConstraint("desk", "event_id", name="event_once").ddl_if(dialect="sqlite"),
        Index("event_log", "desk", "ticket"),
        # Serves the forecast of a queue: the desk's replies of the last days.
        Index(
            "event_reply",
            "desk",
            "at",
            sqlite_where=text("type = 'agent.replied'"),
            postgresql_where=text("type = 'agent.replied'"),
        ),
        # Serves the count of types that nobody knows; those are few.
        Index(
            "event_unknown",
            "desk",
            "type",
            sqlite_where=text("NOT known"),
            postgresql_where=text("NOT known"),
        ),
    )


class TicketRow(SQLModel, table=True):
    """A ticket as last evaluated: what lists filter by, and when it must be looked at again."""

    __tablename__: ClassVar[Any] = "ticket"

    desk: str = _text(primary_key=True)
    ticket: str = _text(primary_key=True)
    revision: int = _instant()
    evaluated_at: int = _instant()
    next_at: int | None = _instant(nullable=True)
    due_at: int = _instant(sa_column_kwargs={"server_default": text(str(NEVER))})
    version: int = Field()
    status: str = _text()
    created_at: int | None = _instant(nullable=True)
    merged_into: str | None = _text(nullable=True)
    queue: str | None = _text(nullable=True)
    group_key: str | None = _text(nullable=True)
    customer: str | None = _text(nullable=True)
    organisation: str | None = _text(nullable=True)
    plan: str | None = _text(nullable=True)
    level: str | None = _text(nullable=True)
    priority: str | None = _text(nullable=True)
    category: str | None = _text(nullable=True)
    service: str | None = _text(nullable=True)
    kind: str | None = _text(nullable=True)
    assignee: str | None = _text(nullable=True)
    group: str | None = _text(nullable=True)
    known_since: int | None = _instant(nullable=True)
    """When the first fact of it was received: where in the log to begin to read."""

    __table_args__ = (
        # Serves the sweep: which tickets are due, and which instant is the next.
        Index(
            "ticket_next",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        # Serves the folding: what nobody need look at any more, the longest first.
        Index(
            "ticket_rest",
            "evaluated_at",
            sqlite_where=text("next_at IS NULL"),
            postgresql_where=text("next_at IS NULL"),
        ),
        # Serves the lists: next due first.
        Index("ticket_due", "due_at", "desk", "ticket"),
        # Serves the duplicate groups, of the tickets that have one: a whole one would do for any question about one
        # ticket of a desk, as far as a server that has not counted the rows yet can tell.
        Index(
            "ticket_group",
            "desk",
            "group_key",
            sqlite_where=text("group_key IS NOT NULL"),
            postgresql_where=text("group_key IS NOT NULL"),
        ),
        Index(
            "ticket_merged",
            "desk",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )


class ClockRow(SQLModel, table=True):
    """A clock as it was when the ticket's signals were last told: `state` and `due_at` are what was told."""

    __tablename__: ClassVar[Any] = "clock"

    desk: str = _text(primary_key=True)
    ticket: str = _text(primary_key=True)
    commitment: str = _text(primary_key=True)
    cycle: int = _instant(primary_key=True)
    state: str = _text()
    kind: str = _text()
    due_at: int | None = _instant(nullable=True)
    breached_at: int | None = _instant(nullable=True)
    met: bool | None = Field(sa_type=Boolean, nullable=True)

    # Serves the counts of a desk and the filters by state and due date.
    __table_args__ = (Index("clock_due", "desk", "state", "due_at"),)


class SignalRow(SQLModel, table=True):
    """What was told, once ever: the natural key says so, whatever crashes or runs twice."""

    __tablename__: ClassVar[Any] = "signal"

    seq: int | None = _serial()
    id: str = _text()
    desk: str = _text()
    ticket: str = _text()
    commitment: str = _text(default="", sa_column_kwargs={"server_default": ""})
    queue: str = _text(default="", sa_column_kwargs={"server_default": ""})
    cycle: int = _instant()
    kind: str = _text()
    occurrence: str = _text()
    generation: int = Field()
    at: int = _instant()
    detected_at: int = _instant()
    commitment_kind: str | None = _text(nullable=True)
    late: bool = Field(sa_type=Boolean)
    deliver: bool = Field(sa_type=Boolean)
    retracted_by: str | None = _text(nullable=True)
    retracted_at: int | None = _instant(nullable=True)
    corrected_at: int | None = _instant(nullable=True)
    stands: bool = Field(sa_type=Boolean)
    rank: int | None = Field(nullable=True)
    joined_at: int | None = _instant(nullable=True)
    body: str = _text()
    trace: str | None = _text(nullable=True)
    """The request that made it known, or the pass of the sweep that found it."""

    __table_args__ = (
        UniqueConstraint("id", name="signal_id"),
        UniqueConstraint(
            "desk",
            "ticket",
            "commitment",
            "queue",
            "cycle",
            "kind",
            "occurrence",
            "generation",
            name="signal_once",
        ),
        # Serves the list of breaches, which are few among the signals.
        Index(
            "signal_breach",
            "at",
            "seq",
            sqlite_where=_LATE,
            postgresql_where=_LATE,
        ),
        Index("signal_breach_desk", "desk", "at", "seq", sqlite_where=_LATE, postgresql_where=_LATE),
    )


class AcknowledgementRow(SQLModel, table=True):
    """A person has seen a breach."""

    __tablename__: ClassVar[Any] = "acknowledgement"

    breach: str = _text(primary_key=True)
    author: str = _text()
    note: str | None = _text(nullable=True)
    at: int = _instant()


class StintRow(SQLModel, table=True):
    """A ticket's wait at one place of a queue. Open while `to_at` is null."""

    __tablename__: ClassVar[Any] = "stint"

    desk: str = _text(primary_key=True)
    ticket: str = _text(primary_key=True)
    number: int = Field(primary_key=True)
    queue: str = _text()
    from_at: int = _instant()
    to_at: int | None = _instant(nullable=True)
    rank: int = Field()
    joined_at: int = _instant()
    created_at: int = _instant()
    cause: str = _text()
    ended_by: str | None = _text(nullable=True)

    # Serves the line of a queue in its order; tickets that no longer wait are not in it.
    __table_args__ = (
        Index(
            "stint_line",
            "desk",
            "queue",
            "rank",
            "joined_at",
            "created_at",
            "ticket",
            sqlite_where=text("to_at IS NULL"),
            postgresql_where=text("to_at IS NULL"),
        ),
    )


class ApiKeyRow(SQLModel, table=True):
    """A key or a signed-in session, by its hash. The key itself is nowhere."""

    __tablename__: ClassVar[Any] = "api_key"

    id: str = _text(primary_key=True)
    hash: str = _text()
    parent: str | None = _text(nullable=True)
    """The key that a session was signed in with: it ends with it."""
    desk: str = _text()
    scopes: str = _text()
    created_at: int = _instant()
    expires_at: int | None = _instant(nullable=True)
    revoked_at: int | None = _instant(nullable=True)

    __table_args__ = (UniqueConstraint("hash", name="api_key_hash"),)


class ParkedRow(SQLModel, table=True):
    """A ticket whose evaluation failed, why, and when it is tried again."""

    __tablename__: ClassVar[Any] = "parked"

    desk: str = _text(primary_key=True)
    ticket: str = _text(primary_key=True)
    error: str = _text()
    first_at: int = _instant()
    last_at: int = _instant()
    times: int = Field()
    retry_at: int = _instant()

    __table_args__ = (Index("parked_retry", "retry_at"),)


class FoldedRow(SQLModel, table=True):
    """A ticket long closed, as it was in the end. `emptied_at`: its facts are no longer kept since then."""

    __tablename__: ClassVar[Any] = "folded"

    desk: str = _text(primary_key=True)
    ticket: str = _text(primary_key=True)
    folded_at: int = _instant()
    closed_at: int = _instant()
    emptied_at: int | None = _instant(nullable=True)
    view: str = _text()

    __table_args__ = (Index("folded_closed", "desk", "closed_at"),)


def table_of(row: type[SQLModel]) -> Table:
    """The Core table behind a row class: statements are written on tables, never through the ORM's session."""
    return cast(Table, row.__dict__["__table__"])


metadata = SQLModel.metadata
desk_version = table_of(DeskVersionRow)
event = table_of(EventRow)
ticket = table_of(TicketRow)
clock = table_of(ClockRow)
signal = table_of(SignalRow)
acknowledgement = table_of(AcknowledgementRow)
stint = table_of(StintRow)
api_key = table_of(ApiKeyRow)
parked = table_of(ParkedRow)
folded = table_of(FoldedRow)

event_key = Table(
    "event_key",
    MetaData(),
    Column("desk", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)
"""On PostgreSQL only: the identity of every event, whichever part of the log it is in."""


class ConnectionRow(SQLModel, table=True):
    """A ticket system that may send to a desk, with the secrets that its deliveries are signed with, newest first.

    A signature can only be checked with the secret itself, so these are kept as they are, unlike keys.
    """

    __tablename__: ClassVar[Any] = "connection"

    desk: str = _text(primary_key=True)
    system: str = _text(primary_key=True)
    secrets: str = _text()
    created_at: int = _instant()
    changed_at: int = _instant()


class SourceRow(SQLModel, table=True):
    """How a desk's ticket systems are read: the file that was applied last."""

    __tablename__: ClassVar[Any] = "source"

    desk: str = _text(primary_key=True)
    applied_at: int = _instant()
    document: str = _text()
    text: str = _text()
    digest: str = _text()


class HookRow(SQLModel, table=True):
    """A delivery as it came, and what became of it."""

    __tablename__: ClassVar[Any] = "hook"

    seq: int | None = _serial()
    id: str = _text()
    desk: str = _text()
    system: str = _text()
    once: str = _text()
    """A digest of what tells the delivery from all others: a repetition has the same."""
    received_at: int = _instant()
    headers: str = _text()
    body: bytes = Field(sa_type=LargeBinary)
    state: str = _text()
    reason: str | None = _text(nullable=True)
    warnings: str | None = _text(nullable=True)
    interpreted_at: int | None = _instant(nullable=True)
    tries: int = Field()

    __table_args__ = (
        UniqueConstraint("id", name="hook_id"),
        UniqueConstraint("once", name="hook_once"),
        # Serves the interpretation: what has not been read yet, in the order in which it came.
        Index(
            "hook_pending",
            "seq",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        # Serves the inbox, which is small among all that came.
        Index(
            "hook_inbox",
            "desk",
            "seq",
            sqlite_where=text("state = 'kept' OR warnings IS NOT NULL"),
            postgresql_where=text("state = 'kept' OR warnings IS NOT NULL"),
        ),
        # Serves the removal of what was understood long ago.
        Index("hook_received", "received_at"),
    )


class SnapshotRow(SQLModel, table=True):
    """A ticket as its system showed it at an instant. What changed is what two neighbours differ in."""

    __tablename__: ClassVar[Any] = "snapshot"

    desk: str = _text(primary_key=True)
    system: str = _text(primary_key=True)
    ticket: str = _text(primary_key=True)
    at: int = _instant(primary_key=True)
    digest: str = _text(primary_key=True)
    created_at: int | None = _instant(nullable=True)
    state: str = _text()
    hook: str = _text()

    # Serves the second reading of a delivery: which snapshots came of the first.
    __table_args__ = (Index("snapshot_hook", "hook"),)


class OriginRow(SQLModel, table=True):
    """Which delivery or snapshot says an event. One that nobody says any more is withdrawn."""

    __tablename__: ClassVar[Any] = "origin"

    desk: str = _text(primary_key=True)
    origin: str = _text(primary_key=True)
    name: str = _text(primary_key=True)
    event_id: str = _text()
    subject: str = _text()
    at: int = _instant()

    # Serves the question whether anybody else says an event.
    __table_args__ = (Index("origin_event", "desk", "event_id"),)


connection = table_of(ConnectionRow)
source = table_of(SourceRow)
hook = table_of(HookRow)
snapshot = table_of(SnapshotRow)
origin = table_of(OriginRow)


class SubscriptionRow(SQLModel, table=True):
    """Who wants to hear of what, where, and how its endpoint has been doing."""

    __tablename__: ClassVar[Any] = "subscription"

    id: str = _text(primary_key=True)
    desk: str = _text()
    """A desk, or `*` for every one."""
    channel: str = _text()
    url: str = _text()
    kinds: str = _text()
    filter: str = _text()
    secrets: str = _text()
    language: str = _text()
    description: str = _text()
    state: str = _text()
    created_at: int = _instant()
    wanted_since: int = _instant()
    """Since when it has wanted what it wants now: what was told from then on has its row in the outbox."""
    failures: int = Field()
    """Failures in a row."""
    failing_since: int | None = _instant(nullable=True)
    quiet_until: int | None = _instant(nullable=True)
    """The endpoint asked for patience until then."""
    disabled_reason: str | None = _text(nullable=True)

    __table_args__ = (Index("subscription_desk", "desk"),)


class DeliveryRow(SQLModel, table=True):
    """A signal on its way to a subscription: the outbox. Of one ticket's only the first has a `next_at`."""

    __tablename__: ClassVar[Any] = "delivery"

    subscription: str = _text(primary_key=True)
    signal: int = _instant(primary_key=True)
    """The signal's place in the stream."""
    desk: str = _text()
    ticket: str = _text()
    state: str = _text()
    created_at: int = _instant()
    next_at: int | None = _instant(nullable=True)
    """When to try next; while an attempt is under way, when to take it for lost. None: others go first, or done."""
    claim: str | None = _text(nullable=True)
    """The mark of the attempt under way: another's result is not written over it."""
    attempts: int = Field()
    attempted_at: int | None = _instant(nullable=True)
    outcome: str | None = _text(nullable=True)
    reason: str | None = _text(nullable=True)
    status: int | None = Field(nullable=True)

    __table_args__ = (
        # Serves the courier: what is due at an endpoint, and when something will be.
        Index(
            "delivery_next",
            "subscription",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        # Serves the order: what of a ticket goes first.
        Index(
            "delivery_line",
            "subscription",
            "desk",
            "ticket",
            "signal",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        # Serves the list of what was given up.
        Index(
            "delivery_parked",
            "subscription",
            "signal",
            sqlite_where=text("state = 'parked'"),
            postgresql_where=text("state = 'parked'"),
        ),
    )


subscription = table_of(SubscriptionRow)
delivery = table_of(DeliveryRow)
