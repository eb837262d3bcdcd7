"""Tables of what is judged: events, tickets, other subjects, clocks, signals, wait intervals, failures, the archive.

An index says which query it serves. Instants are microseconds UTC.
"""

from typing import Any, ClassVar, Final

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    MetaData,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from app.sla.subject import Subject
from app.store.tables.columns import (
    NEVER,
    CodedText,
    SubjectTexts,
    instant_column,
    renamed_instant_column,
    serial_column,
    subject_column,
    table_of,
    text_column,
)

LATE_CLOCKS: Final = ("clock.breached", "clock.missed", "clock.lapsed")
"""Kinds of signals that report a clock as late."""
LATE_KINDS: Final = (*LATE_CLOCKS, "availability.breached", "average.breached")
"""Kinds of signals that report something as late, in the order in which the indexes name them: SQLite uses a partial
index only for a condition that is written like the index's own."""


def _is_one_of(kinds: tuple[str, ...]) -> TextClause:
    return text("kind IN ({})".format(", ".join(f"'{kind}'" for kind in kinds)))


_LATE: Final = _is_one_of(LATE_KINDS)
_LATE_CLOCK: Final = _is_one_of(LATE_CLOCKS)

LATE_CAUSES: Final = ("deadline", "target_changed", "applied_later", "merged")
PAUSES: Final = ("new", "open", "pending", "on_hold", "solved", "closed", "exclusion")
"""Texts by their codes in columns: new ones go to the end."""

OF_OTHER_SUBJECT: Final = "ticket IS NULL OR ticket <> subject"
"""Events that are about another subject than their ticket, or than any."""

COUNTED_FACTS: Final = (
    "type IN ('call.answered', 'call.offered', 'call.registered', 'intervention.started', 'part.replaced')"
)
"""Events that averages, allowances and charges count by the month."""
UNREPORTED: Final = "reported_revision IS NULL OR reported_revision <> revision"
"""Tickets whose clocks lack what reports count."""


def _index_in_time(name: str, column: str, *covered: str) -> Index:
    """An index of a desk's rows in the order of an instant, of those that have it. `covered`: read from it as well."""
    has_it = text(f"{column} IS NOT NULL")
    return Index(name, "desk", column, *covered, sqlite_where=has_it, postgresql_where=has_it)


class EventRow(SQLModel, table=True):
    """An event as received. Only `known` ever changes; a row is deleted when the desk's agreement drops old events."""

    __tablename__: ClassVar[Any] = "event"

    seq: int | None = serial_column()
    desk: str = text_column()
    event_id: str = text_column()
    type: str = text_column()
    known: bool = Field(sa_type=Boolean)
    subject: str = text_column()
    ticket: str | None = text_column(nullable=True)
    at: int = instant_column()
    sequence: int = instant_column()
    received_at: int = instant_column()
    data: str = text_column()
    digest: str = text_column()
    trace: str | None = text_column(nullable=True)
    """The id of the request that brought it."""
    attributes: str | None = text_column(nullable=True)
    """Attributes of CloudEvents without a column, as JSON; null when there are none."""

    __table_args__ = (
        # On PostgreSQL the log is partitioned, and `event_key` holds what is unique in all partitions.
        UniqueConstraint("desk", "event_id", name="event_once").ddl_if(dialect="sqlite"),
        # Serves the log of a ticket.
        Index("event_log", "desk", "ticket"),
        # Serves the log of a subject that is no ticket; those are few.
        Index(
            "event_subject",
            "desk",
            "subject",
            sqlite_where=text(OF_OTHER_SUBJECT),
            postgresql_where=text(OF_OTHER_SUBJECT),
        ),
        # Serves the forecast of a queue: the desk's replies of the last days.
        Index(
            "event_reply",
            "desk",
            "at",
            sqlite_where=text("type = 'agent.replied'"),
            postgresql_where=text("type = 'agent.replied'"),
        ),
        # Serves the facts of a month that averages, allowances and charges count.
        Index(
            "event_counted",
            "desk",
            "type",
            "at",
            sqlite_where=text(COUNTED_FACTS),
            postgresql_where=text(COUNTED_FACTS),
        ),
        # Serves the count of unknown types; those events are few.
        Index(
            "event_unknown",
            "desk",
            "type",
            sqlite_where=text("NOT known"),
            postgresql_where=text("NOT known"),
        ),
    )


class TicketRow(SQLModel, table=True):
    """A ticket as last evaluated: what lists filter by, and when it must be evaluated again."""

    __tablename__: ClassVar[Any] = "ticket"

    desk: str = text_column(primary_key=True)
    ticket: str = text_column(primary_key=True)
    revision: int = instant_column()
    evaluated_at: int = instant_column()
    next_at: int | None = instant_column(nullable=True)
    due_at: int = instant_column(sa_column_kwargs={"server_default": text(str(NEVER))})
    version: int = Field()
    status: str = text_column()
    created_at: int | None = instant_column(nullable=True)
    merged_into: str | None = text_column(nullable=True)
    queue: str | None = text_column(nullable=True)
    group_key: str | None = text_column(nullable=True)
    customer: str | None = text_column(nullable=True)
    organisation: str | None = text_column(nullable=True)
    plan: str | None = text_column(nullable=True)
    level: str | None = text_column(nullable=True)
    priority: str | None = text_column(nullable=True)
    category: str | None = text_column(nullable=True)
    service: str | None = text_column(nullable=True)
    kind: str | None = text_column(nullable=True)
    assignee: str | None = text_column(nullable=True)
    group: str | None = text_column(nullable=True)
    title: str | None = text_column(nullable=True)
    url: str | None = text_column(nullable=True)
    known_since: int | None = instant_column(nullable=True)
    """When its first event was received: the lower bound for reading its log."""
    contract: str | None = text_column(nullable=True)
    contract_key: str | None = text_column(nullable=True)
    """The contract that it names, casefolded; on desks with contracts only."""
    customer_key: str | None = text_column(nullable=True)
    """Its customer, casefolded; on desks with contracts only."""
    reported_revision: int | None = instant_column(nullable=True)
    """The revision by which its clocks have what reports count; another, or none, after a release that knows no
    reports."""

    __table_args__ = (
        # Serves a change of a contract: the tickets that it may concern. Null, and so free, without contracts.
        Index(
            "ticket_contract_key",
            "desk",
            "contract_key",
            sqlite_where=text("contract_key IS NOT NULL"),
            postgresql_where=text("contract_key IS NOT NULL"),
        ),
        Index(
            "ticket_customer_key",
            "desk",
            "customer_key",
            sqlite_where=text("customer_key IS NOT NULL"),
            postgresql_where=text("customer_key IS NOT NULL"),
        ),
        # Serves the sweep: which tickets are due, and which instant is the next.
        Index(
            "ticket_next",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        # Serves the archive: tickets that wait for nothing, the longest unchanged first.
        Index(
            "ticket_rest",
            "evaluated_at",
            sqlite_where=text("next_at IS NULL"),
            postgresql_where=text("next_at IS NULL"),
        ),
        # Serves the lists: next due first.
        Index("ticket_due", "due_at", "desk", "ticket"),
        # Serves the duplicate groups, in the order of creation. Partial: before ANALYZE, PostgreSQL would pick a full
        # index for single-ticket look-ups.
        Index(
            "ticket_group_order",
            "desk",
            "group_key",
            "created_at",
            "ticket",
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
        # Serves the search for tickets whose clocks lack what reports count; usually there is none.
        Index(
            "ticket_unreported",
            "desk",
            "ticket",
            sqlite_where=text(UNREPORTED),
            postgresql_where=text(UNREPORTED),
        ),
    )


class SubjectRow(SQLModel, table=True):
    """A subject other than a ticket as last evaluated, and when it must be evaluated again."""

    __tablename__: ClassVar[Any] = "subject"

    desk: str = text_column(primary_key=True)
    subject: Subject = subject_column("subject", primary_key=True)
    revision: int = instant_column()
    evaluated_at: int = instant_column()
    next_at: int | None = instant_column(nullable=True)
    written: tuple[Subject, ...] = Field(sa_column=Column(SubjectTexts, nullable=True))
    """The ways in which events write a service or a contract, the first one first; null: as in `subject` only."""

    __table_args__ = (
        # Serves the sweep: which subjects are due, and which instant is the next.
        Index(
            "subject_next",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )


class ClockRow(SQLModel, table=True):
    """A clock as last recorded: signals of a moved due date compare with its `state` and `due_at`."""

    __tablename__: ClassVar[Any] = "clock"

    desk: str = text_column(primary_key=True)
    subject: Subject = subject_column(primary_key=True)
    commitment: str = text_column(primary_key=True)
    cycle: int = instant_column(primary_key=True)
    state: str = text_column()
    kind: str = text_column()
    due_at: int | None = instant_column(nullable=True)
    breached_at: int | None = instant_column(nullable=True)
    met: bool | None = Field(sa_type=Boolean, nullable=True)
    started_at: int | None = instant_column(nullable=True)
    ended_at: int | None = instant_column(nullable=True)
    counted: int | None = instant_column(nullable=True)
    target_length: int | None = instant_column(nullable=True)
    late_cause: str | None = Field(sa_column=Column(CodedText(*LATE_CAUSES), nullable=True))
    first_pause: str | None = Field(sa_column=Column(CodedText(*PAUSES), nullable=True))

    __table_args__ = (
        # Serves the counts of a desk and the filters by state and due date.
        Index("clock_due", "desk", "state", "due_at"),
        # Serve the reports: clocks that started, were late and ended in a period. Attainment, the most usual report, is
        # counted from the index alone.
        _index_in_time("clock_started", "started_at"),
        _index_in_time("clock_breached", "breached_at"),
        _index_in_time("clock_ended", "ended_at", "kind", "commitment", "met"),
    )


class SignalRow(SQLModel, table=True):
    """A signal. The natural key makes it unique for good, whatever crashes or runs twice."""

    __tablename__: ClassVar[Any] = "signal"

    seq: int | None = serial_column()
    id: str = text_column()
    desk: str = text_column()
    subject: Subject = subject_column()
    commitment: str = text_column(default="", sa_column_kwargs={"server_default": ""})
    queue: str = text_column(default="", sa_column_kwargs={"server_default": ""})
    cycle: int = instant_column()
    kind: str = text_column()
    occurrence: str = text_column()
    generation: int = Field()
    at: int = instant_column()
    detected_at: int = instant_column()
    commitment_kind: str | None = text_column(nullable=True)
    late: bool = Field(sa_type=Boolean)
    deliver: bool = Field(sa_type=Boolean)
    retracted_by: str | None = text_column(nullable=True)
    retracted_at: int | None = instant_column(nullable=True)
    corrected_at: int | None = instant_column(nullable=True)
    stands: bool = Field(sa_type=Boolean)
    rank: int | None = Field(nullable=True)
    joined_at: int | None = instant_column(nullable=True)
    body: str = text_column()
    trace: str | None = text_column(nullable=True)
    """The id of the request, or of the sweep's batch, that caused it."""

    __table_args__ = (
        UniqueConstraint("id", name="signal_id"),
        UniqueConstraint(
            "desk",
            "subject",
            "commitment",
            "queue",
            "cycle",
            "kind",
            "occurrence",
            "generation",
            name="signal_once",
        ),
        # Serves the signals that happened in a period, of one desk or of several. The instant comes first, so that no
        # query of single tickets reads a whole desk by it.
        Index("signal_at", "at", "desk"),
        # Serves the list of breaches, which are few among the signals.
        Index("signal_late", "at", "seq", sqlite_where=_LATE, postgresql_where=_LATE),
        Index("signal_late_desk", "desk", "at", "seq", sqlite_where=_LATE, postgresql_where=_LATE),
        # The same for processes of the release before, which knows clocks only.
        Index("signal_breach", "at", "seq", sqlite_where=_LATE_CLOCK, postgresql_where=_LATE_CLOCK),
        Index(
            "signal_breach_desk",
            "desk",
            "at",
            "seq",
            sqlite_where=_LATE_CLOCK,
            postgresql_where=_LATE_CLOCK,
        ),
    )


class AcknowledgementRow(SQLModel, table=True):
    """A person's acknowledgement of a breach."""

    __tablename__: ClassVar[Any] = "acknowledgement"

    breach: str = text_column(primary_key=True)
    author: str = text_column()
    note: str | None = text_column(nullable=True)
    at: int = instant_column()


class WaitIntervalRow(SQLModel, table=True):
    """A ticket's wait at one place of a queue. Open while `to_at` is null.

    The table keeps its former name in the database: a process of the release before reads and writes it beside.
    """

    __tablename__: ClassVar[Any] = "stint"

    desk: str = text_column(primary_key=True)
    ticket: str = text_column(primary_key=True)
    number: int = Field(primary_key=True)
    queue: str = text_column()
    from_at: int = instant_column()
    to_at: int | None = instant_column(nullable=True)
    rank: int = Field()
    joined_at: int = instant_column()
    created_at: int = instant_column()
    cause: str = text_column()
    ended_by: str | None = text_column(nullable=True)

    # Serves the positions of a queue in their order; tickets that no longer wait are not in it.
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
        # Serves the report of queues: the waits that ended in a period.
        _index_in_time("stint_ended", "to_at"),
    )


class ParkedRow(SQLModel, table=True):
    """A subject whose evaluation failed, why, and when it is tried again."""

    __tablename__: ClassVar[Any] = "parked"

    desk: str = text_column(primary_key=True)
    subject: Subject = subject_column(primary_key=True)
    error: str = text_column()
    first_at: int = instant_column()
    last_at: int = instant_column()
    times: int = Field()
    retry_at: int = instant_column()

    __table_args__ = (Index("parked_retry", "retry_at"),)


class ArchivedTicketRow(SQLModel, table=True):
    """The final view of a ticket that ended long ago.

    The table and two columns keep their former names in the database: a process of the release before this one reads
    and writes them beside. A migration of the next release renames them.
    """

    __tablename__: ClassVar[Any] = "folded"

    desk: str = text_column(primary_key=True)
    ticket: str = text_column(primary_key=True)
    archived_at: int = renamed_instant_column("archived_at", former="folded_at")
    closed_at: int = instant_column()
    events_dropped_at: int | None = renamed_instant_column(
        "events_dropped_at", former="emptied_at", nullable=True
    )
    """When its events were deleted; null while they are there."""
    view: str = text_column()

    __table_args__ = (
        # Serves the retention: those whose events still exist, the longest ended first.
        Index(
            "folded_with_events",
            "desk",
            "closed_at",
            sqlite_where=text("emptied_at IS NULL"),
            postgresql_where=text("emptied_at IS NULL"),
        ),
    )


event = table_of(EventRow)
ticket = table_of(TicketRow)
subject = table_of(SubjectRow)
clock = table_of(ClockRow)
signal = table_of(SignalRow)
acknowledgement = table_of(AcknowledgementRow)
wait_interval = table_of(WaitIntervalRow)
parked = table_of(ParkedRow)
archived_ticket = table_of(ArchivedTicketRow)

event_key = Table(
    "event_key",
    MetaData(),
    Column("desk", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)
"""On PostgreSQL only: the identity of every event, whichever partition of the log holds it."""
