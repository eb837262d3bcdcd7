"""A ticket as the API shows it: its clocks, and its place in a queue."""

from typing import Literal

from pydantic import BaseModel, Field

from app.flow.query import serialize
from app.flow.query.answer import ArchivedAnswer, TicketAnswer
from app.web.http.instant import InstantOut
from app.web.http.reason import Detail
from app.web.http.running import WebRuntime

State = Literal["awaiting", "running", "paused", "stopped", "cancelled"]

CommitmentKind = Literal["guarantee", "objective", "customer"]


class Clock(BaseModel):
    """One commitment on one ticket, one cycle. Durations are whole seconds, rounded down."""

    commitment: str = Field(examples=["ticket-response"])
    label: str = Field(examples=["First response"])
    kind: CommitmentKind
    measure: str = Field(examples=["response"])
    cycle: int = Field(description="1..n, for display", examples=[1])
    state: State
    open_now: bool | None = Field(description="whether its calendar is open; null when it does not run")
    awaiting: list[str] = Field(description="the start events that are missing")
    awaiting_since: InstantOut | None
    started_at: InstantOut | None
    due_at: InstantOut | None
    calendar_local_due: str | None = Field(description="`due_at` in the calendar's zone")
    stopped_at: InstantOut | None
    counted_seconds: int
    target: str | None = Field(examples=["2h"])
    target_seconds: int | None = Field(examples=[7200])
    remaining_seconds: int | None = Field(description="counted time left; negative when overdue")
    overdue_seconds: int | None = Field(description="real time since `due_at`")
    due_if_resumed_now: InstantOut | None
    breached_at: InstantOut | None
    detected_at: InstantOut | None = Field(description="when the breach was recorded")
    met: bool | None
    calendar: str | None = Field(examples=["haisoft/tickets"])
    calendar_reason: str | None = Field(default=None, description="why this one, where there is another")
    calendar_reason_detail: Detail = None
    next_at: InstantOut | None = Field(description="when time alone changes it next")
    cause: str | None = Field(description="why it is paused, stopped or cancelled")
    cause_detail: Detail = None
    flags: list[str]


class NotApplicable(BaseModel):
    """A commitment that the agreement excludes for this ticket."""

    commitment: str
    reason: str
    reason_detail: Detail = None


class Move(BaseModel):
    """A change of a ticket's place in its queue."""

    at: InstantOut
    kind: Literal["joined", "moved", "left"]
    cause: str = Field(examples=["repeat_message"])
    cause_detail: Detail = None
    queue: str


class QueuePlace(BaseModel):
    """Where a ticket waits. Position and length are null in answers `as_of` an earlier instant."""

    name: str
    position: int | None = Field(description="1 is served next")
    length: int | None
    joined_at: InstantOut
    moves: list[Move]
    expected_reply_at: InstantOut | None
    expected_reply_reason: str | None = Field(description="why no reply can be forecast")
    expected_reply_reason_detail: Detail = None


class TicketView(BaseModel):
    """A ticket and all its clocks at an instant."""

    desk: str
    ticket: str
    title: str | None
    url: str | None
    customer: str | None
    organisation: str | None
    contract: str | None = Field(
        default=None,
        description="the contract that it belongs to; the flags say why it has none",
        examples=["C-1001"],
    )
    priority: str | None
    plan: str | None
    level: str | None
    service: str | None
    category: str | None
    domain: str | None
    assignee: str | None
    group: str | None
    status: str
    created_at: InstantOut | None = Field(description="null when its creation was never received")
    at: InstantOut
    as_of: InstantOut
    clocks: list[Clock]
    earlier_cycles: dict[str, int] = Field(
        default_factory=dict[str, int],
        description="by commitment: how many cycles came before the first one shown, where not all are shown; page them "
        "with `cycles_before`",
    )
    not_applicable: list[NotApplicable]
    queue: QueuePlace | None
    merged_into: str | None = Field(default=None, description="where what happens in this ticket counts now")
    merged_from: list[str] = Field(default=[], description="the tickets that were merged into this one")
    flags: list[str]


def ticket_json(
    parts: WebRuntime, answer: TicketAnswer | ArchivedAnswer, before: int | None = None
) -> serialize.Json:
    """The TicketView, with as many cycles and moves as one answer shows."""
    if isinstance(answer, TicketAnswer):
        answer = answer.limited(parts.settings.answer_cycles, before=before)
    return serialize.ticket(answer)
