"""A simulation as the API shows it: how far it is, and what it came to."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.flow.query.serialize import instant_text
from app.store.tickets.simulations import SimulationState, StoredSimulation
from app.web.http.instant import InstantOut


class SimulatedClocks(BaseModel):
    """The clocks of a commitment at the end of the span."""

    clocks: int
    met: int
    missed: int
    running: int
    awaiting: int
    cancelled: int
    overdue_seconds: int = Field(description="real time past the due dates, of all clocks together")


class ComparedClocks(BaseModel):
    """As it was, and under the draft."""

    before: SimulatedClocks
    after: SimulatedClocks


class FlipSide(BaseModel):
    """A clock on one side. Where there is none, everything but the verdict and its explanation is null."""

    verdict: Literal["met", "missed", "running", "awaiting", "cancelled", "absent"]
    met: bool | None
    started_at: InstantOut | None
    due_at: InstantOut | None
    stopped_at: InstantOut | None
    counted_seconds: int | None
    target: str | None
    calendar: str | None
    explanation: str


class Flip(BaseModel):
    """A clock whose verdict differs, and is met or missed on one of the sides."""

    ticket: str
    commitment: str
    cycle: int
    before: FlipSide
    after: FlipSide


class SpanCredits(BaseModel):
    """What contracts are credited for the span, in one currency."""

    currency: str
    before: str
    after: str


class ShareTargets(BaseModel):
    """The targets that would have been kept in 90, 95 and 99 % of the cases; null where too many never ended."""

    cases: int = Field(description="clocks that were met or missed")
    p90: str | None = Field(description="as an agreement file takes it", examples=["6h12m"])
    p90_seconds: int | None
    p95: str | None
    p95_seconds: int | None
    p99: str | None
    p99_seconds: int | None


class KeptTargets(ShareTargets):
    """The same by the weekday on which the clock started, in the desk's zone."""

    weekdays: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ShareTargets]


class BestHour(BaseModel):
    """The hour of the week outside of opening in which an answer would have saved most missed clocks."""

    calendar: str = Field(examples=["phpnet/desk"])
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    since: str = Field(alias="from", examples=["19:00"])
    until: str = Field(alias="to", examples=["20:00"])
    saved: int = Field(
        description="missed clocks that were running when this hour began, before they were late"
    )
    missed: int


class SimulationResult(BaseModel):
    """What a simulation came to."""

    at: InstantOut = Field(description="when the tickets are judged: the end of the span")
    as_of: InstantOut = Field(description="no event received later counts")
    tickets: int
    tickets_without_events: int = Field(description="left out, since their events are no longer kept")
    tickets_not_judged: list[str] = Field(
        description="left out, since they cannot be evaluated; the first 200"
    )
    commitments: dict[str, ComparedClocks]
    flips: list[Flip]
    flips_next: str | None = Field(description="the `cursor` of the next page of flips; null at the end")
    flips_in_all: int = Field(
        description="also those beyond SLATIMER_SIMULATION_FLIPS_MAX, which are not listed"
    )
    credits: list[SpanCredits]
    targets: dict[str, KeptTargets] = Field(description="counted in the calendars of the draft")
    best_hour: BestHour | None = Field(description="under the draft; null where no hour would have saved any")


class SimulationOutline(BaseModel):
    """A simulation without its result."""

    id: str
    desk: str
    state: SimulationState
    progress: float = Field(description="from 0 to 1", examples=[0.42])
    reason: str | None = Field(description="why it failed or was cancelled")
    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    changes: dict[str, Any]
    drafts: list[Literal["agreement", "calendars", "contracts"]]
    author: str | None
    created_at: InstantOut
    ended_at: InstantOut | None


class SimulationView(SimulationOutline):
    """A simulation, and its result once it is done."""

    result: SimulationResult | None


def outline(found: StoredSimulation) -> dict[str, Any]:
    """A simulation without its result as JSON."""
    question = found.question
    drafts = [file["kind"] for file in question["files"]]
    return {
        "id": found.id,
        "desk": found.desk,
        "state": found.state.value,
        "progress": found.progress,
        "reason": found.reason,
        "from": instant_text(question["from"]),
        "to": instant_text(question["to"]),
        "changes": question["changes"],
        "drafts": [*drafts, *(["contracts"] if question["contracts"] else [])],
        "author": found.author,
        "created_at": instant_text(found.created_at),
        "ended_at": instant_text(found.ended_at),
    }
