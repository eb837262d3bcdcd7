"""What is kept, and under which keys?

Every instant is a BigInteger of microseconds UTC: a database's own date type loses the offset or the precision
somewhere. Documents are JSON text. The tables hold on SQLite and on PostgreSQL alike. Rows never leave `store`.
"""

from typing import Any, ClassVar, cast

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint, text
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

    __table_args__ = (
        UniqueConstraint("desk", "event_id", name="event_once"),
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

    __table_args__ = (
        # Serves the sweep: which tickets are due, and which instant is the next.
        Index(
            "ticket_next",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        # Serves the lists: next due first.
        Index("ticket_due", "due_at", "desk", "ticket"),
        Index("ticket_group", "desk", "group_key"),
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
            sqlite_where=text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')"),
            postgresql_where=text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')"),
        ),
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
