"""Verdicts before and after: counts by commitment, and the clocks that flip, each with both explanations.

A clock flips when its verdict differs and is met or missed on either side. So the counts after are the counts before
with every flip applied. Instants are microseconds UTC, lengths microseconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.flow.importing.counts import Counts, count_clock, verdict_of
from app.flow.query.reasons import text
from app.flow.query.serialize import instant_text, seconds
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.view import ClockView
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

ABSENT: Final = "absent"
"""The verdict of a clock that does not exist on one side."""
_DECIDED: Final = frozenset({"met", "missed"})

Json = dict[str, Any]
ClockKey = tuple[str, int]
"""(commitment, cycle)."""


@dataclass(slots=True)
class Side:
    """The clocks of one commitment on one side. `overdue` is real time past the due dates, of all clocks."""

    counts: Counts = field(default_factory=Counts)
    overdue: Micros = 0

    def document(self) -> Json:
        """The counts as JSON."""
        counts = self.counts
        return {
            "clocks": counts.clocks,
            "met": counts.met,
            "missed": counts.missed,
            "running": counts.running,
            "awaiting": counts.awaiting,
            "cancelled": counts.cancelled,
            "overdue_seconds": seconds(self.overdue),
        }


@dataclass(slots=True)
class Verdicts:
    """The counts of all commitments, before and after."""

    before: dict[str, Side] = field(default_factory=dict[str, Side])
    after: dict[str, Side] = field(default_factory=dict[str, Side])

    def compare(self, ticket: str, old: Evaluation | None, new: Evaluation | None) -> Iterator[Json]:
        """Count the clocks of a ticket on both sides. Gives its flips as JSON."""
        before, after = _views(old), _views(new)
        for views, sides in ((before, self.before), (after, self.after)):
            for view in views.values():
                side = sides.setdefault(view.commitment, Side())
                count_clock(side.counts, view)
                side.overdue += view.overdue or 0
        if old is new:
            return
        for key in sorted(before.keys() | after.keys()):
            if is_flip(before.get(key), after.get(key)):
                commitment, cycle = key
                yield {
                    "ticket": ticket,
                    "commitment": commitment,
                    "cycle": cycle,
                    "before": _document(old, key, before.get(key)),
                    "after": _document(new, key, after.get(key)),
                }

    def document(self) -> Json:
        """The counts by commitment as JSON."""
        nothing = Side()
        return {
            name: {
                "before": self.before.get(name, nothing).document(),
                "after": self.after.get(name, nothing).document(),
            }
            for name in sorted(self.before.keys() | self.after.keys())
        }


def is_flip(before: ClockView | None, after: ClockView | None) -> bool:
    """Whether a clock flips between two views of it; None: there is none."""
    verdicts = {_verdict(before), _verdict(after)}
    return len(verdicts) > 1 and bool(verdicts & _DECIDED)


def _verdict(view: ClockView | None) -> str:
    return ABSENT if view is None else verdict_of(view)


def _views(evaluation: Evaluation | None) -> Mapping[ClockKey, ClockView]:
    views = () if evaluation is None else evaluation.clocks
    return {(view.commitment, view.cycle): view for view in views}


def _document(evaluation: Evaluation | None, key: ClockKey, view: ClockView | None) -> Json:
    """A clock on one side. All instants and lengths are null for one that does not exist."""
    verdict = _verdict(view)
    if view is None or evaluation is None:
        return {
            "verdict": verdict,
            "met": None,
            "started_at": None,
            "due_at": None,
            "stopped_at": None,
            "counted_seconds": None,
            "target": None,
            "calendar": None,
            "explanation": _why_absent(evaluation, key[0]),
        }
    return {
        "verdict": verdict,
        "met": view.met,
        "started_at": instant_text(view.started_at),
        # A missed clock that runs on or was cancelled was due when it was missed.
        "due_at": instant_text(view.due_at or view.breached_at),
        "stopped_at": instant_text(view.stopped_at),
        "counted_seconds": seconds(view.counted),
        "target": view.target,
        "calendar": view.calendar,
        "explanation": _explanation(view, evaluation.histories[view.commitment, view.cycle_id]),
    }


def _why_absent(evaluation: Evaluation | None, commitment: str) -> str:
    reasons = () if evaluation is None else evaluation.not_applicable
    why = next((text(reason) for name, reason in reasons if name == commitment), None)
    return "No such clock." if why is None else f"No such clock: {why}."


def _explanation(view: ClockView, account: TimeAccount) -> str:
    """A clock in one sentence, in English and in the times of its calendar's zone."""
    zone = None if account.regime is None else account.regime.calendar

    def local(at: Micros | None) -> str | None:
        return None if at is None else str(instant_text(at)) if zone is None else zone.local(at).isoformat()

    due = view.due_at or view.breached_at
    parts = [
        f"{view.target or 'no target'} in {view.calendar or 'no calendar'}",
        None if view.started_at is None else f"started {local(view.started_at)}",
        None if due is None else f"due {local(due)}",
        f"stopped {local(view.stopped_at)}" if view.stopped_at is not None else view.state.value,
        f"{_in_words(view.counted, _HOURS)} counted",
        f"late by {_in_words(view.overdue, _DAYS)}" if view.overdue else None,
    ]
    return f"{', '.join(part for part in parts if part is not None)}."


_HOURS: Final = ((HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))
_DAYS: Final = ((DAY, "d"), *_HOURS)


def _in_words(length: Micros, units: Iterable[tuple[Micros, str]]) -> str:
    """A length in these units, rounded down: `30h 5m`. Open time is not written in days, which it has no length of."""
    words: list[str] = []
    for unit, letter in units:
        count, length = divmod(length, unit)
        if count:
            words.append(f"{count}{letter}")
    return " ".join(words) or "0s"
