"""What a preview of a version found, as it is answered and printed."""

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, Field

from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.effects import Change, CreditChange, Effects
from app.flow.agreement.preview import Preview
from app.flow.query.serialize import instant_text, seconds
from app.sla.agreement.agreement import Kind
from app.web.http.instant import InstantOut

MOST_CHANGES: Final = 1_000
"""Changes that a preview lists. Beyond it the answer gives their number."""


class DueChange(BaseModel):
    """A clock of an open ticket whose due date would be another; null: it does not run, or does not exist."""

    desk: str
    ticket: str
    commitment: str
    cycle: int
    old_due_at: InstantOut | None
    new_due_at: InstantOut | None


class MovedDueDates(BaseModel):
    """Due dates that move, and how far in seconds; negative is earlier. Null where none moves."""

    count: int
    earliest_seconds: int | None = Field(examples=[-86400])
    latest_seconds: int | None
    median_seconds: int | None


class ChangedBreaches(BaseModel):
    """Breaches of a kind of commitment that appear or fall away."""

    appear: int
    fall_away: int


class ChangedCredits(BaseModel):
    """The sum of credits in a currency, as `GET /v1/credits` adds them up."""

    currency: str = Field(examples=["EUR"])
    before: str = Field(examples=["10.00"])
    after: str = Field(examples=["12.50"])


class PreviewSummary(BaseModel):
    """What a version would change for open tickets, at the instant at which it would be in force."""

    sentence: str = Field(examples=["3 due dates move by 1 d later; 1 breach falls away."])
    complete: bool = Field(
        description="false: the time budget did not suffice for every ticket, or for the credits of every contract"
    )
    tickets: int = Field(description="open tickets that were compared")
    tickets_unchanged: int = Field(description="open tickets that cannot change, and were not compared")
    tickets_left: int = Field(description="open tickets that were not compared for lack of time")
    due_dates: MovedDueDates
    worst: list[DueChange] = Field(description="the ten due dates that move furthest")
    clocks_begin: int
    clocks_end: int
    breaches: dict[Kind, ChangedBreaches] = Field(description="by kind of commitment")
    credits: list[ChangedCredits] = Field(
        description="the currencies in which another sum is credited to the desks' contracts; compared after the tickets"
    )


def change_json(change: Change) -> dict[str, Any]:
    """A change of a due date."""
    return {
        "desk": change.desk,
        "ticket": change.ticket,
        "commitment": change.commitment,
        "cycle": change.cycle,
        "old_due_at": instant_text(change.old_due_at),
        "new_due_at": instant_text(change.new_due_at),
    }


def credits_json(changes: Iterable[CreditChange]) -> list[dict[str, Any]]:
    """What is credited otherwise, by currency."""
    return [
        {"currency": each.currency, "before": each.amounts[0], "after": each.amounts[1]} for each in changes
    ]


def contracts_summary(seen: ContractsPreview | None) -> dict[str, Any]:
    """What a preview of contracts found; None: it was no preview, and all of it is null."""
    if seen is None:
        names = ("changes", "changes_in_all", "late_added", "late_removed", "sentence", "complete", "credits")
        return dict.fromkeys((*names, "closed_tickets", "closed_tickets_in_all"))
    effects = seen.effects
    return {
        "changes": [change_json(each) for each in effects.changes],
        "changes_in_all": effects.changed,
        "late_added": seen.late_added,
        "late_removed": seen.late_removed,
        "closed_tickets": seen.closed,
        "closed_tickets_in_all": seen.closed_changed,
        "sentence": effects.sentence,
        "complete": seen.is_complete,
        "credits": credits_json(effects.money),
    }


def summary(run: Preview) -> dict[str, Any]:
    """All that a preview found but the list of changes."""
    effects = run.effects
    return {
        "sentence": effects.sentence,
        "complete": run.is_complete,
        "tickets": run.compared,
        "tickets_unchanged": run.skipped,
        "tickets_left": run.total - run.compared,
        "due_dates": _moved(effects),
        "worst": [change_json(each) for each in effects.worst],
        "clocks_begin": effects.begin,
        "clocks_end": effects.end,
        "breaches": {
            kind.value: {"appear": effects.appear[kind], "fall_away": effects.fall_away[kind]}
            for kind in Kind
        },
        "credits": credits_json(effects.money),
    }


def _moved(effects: Effects) -> dict[str, Any]:
    shifts = effects.shifts
    return {
        "count": effects.moved,
        "earliest_seconds": None if shifts is None else seconds(shifts.earliest),
        "latest_seconds": None if shifts is None else seconds(shifts.latest),
        "median_seconds": None if shifts is None else seconds(shifts.median),
    }
