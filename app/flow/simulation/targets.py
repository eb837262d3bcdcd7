"""Targets that would have been kept: of each commitment, in 90, 95 and 99 % of the cases, overall and by weekday.

A case is a clock that was met or missed. Its length is what it had counted when it stopped; one that was missed and
never stopped is longer than any target, so a share may have no target at all. Lengths are microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.flow.importing.counts import verdict_of
from app.sla.calendar.zone import zone
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.transition import State
from app.sla.document.difference import WEEKDAYS
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

SHARES: Final = (90, 95, 99)
"""Per cent of the cases."""
_WHOLE: Final = 100
_EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday; 0 is Monday."""

Json = dict[str, Any]


@dataclass(slots=True)
class _Cases:
    """The cases of a commitment. `in_days`: its targets count real time, so they are written in days."""

    in_days: bool = False
    lengths: list[tuple[int, Micros | None]] = field(default_factory=list[tuple[int, Micros | None]])
    """(weekday of the start, length)."""


@dataclass(slots=True)
class KeptTargets:
    """The cases of all commitments."""

    _cases: dict[str, _Cases] = field(default_factory=dict[str, _Cases])

    def add(self, evaluation: Evaluation) -> None:
        """Add the cases of a ticket."""
        local = zone(evaluation.agreement.time_zone)
        for view in evaluation.clocks:
            if view.started_at is None or verdict_of(view) not in ("met", "missed"):
                continue
            cases = self._cases.setdefault(view.commitment, _Cases())
            regime = evaluation.histories[view.commitment, view.cycle_id].regime
            cases.in_days = cases.in_days or (regime is not None and regime.target.is_real_time)
            weekday = ((view.started_at + local.offset(view.started_at)) // DAY + _EPOCH_WEEKDAY) % 7
            cases.lengths.append((weekday, view.counted if view.state is State.STOPPED else None))

    def document(self) -> Json:
        """The targets by commitment as JSON."""
        return {name: _document(self._cases[name]) for name in sorted(self._cases)}


def _document(cases: _Cases) -> Json:
    by_weekday: dict[int, list[Micros | None]] = {}
    for weekday, length in cases.lengths:
        by_weekday.setdefault(weekday, []).append(length)
    overall = [length for _, length in cases.lengths]
    return _targets(overall, in_days=cases.in_days) | {
        "weekdays": {
            WEEKDAYS[weekday]: _targets(by_weekday[weekday], in_days=cases.in_days)
            for weekday in sorted(by_weekday)
        }
    }


def _targets(lengths: Sequence[Micros | None], *, in_days: bool) -> Json:
    ordered = sorted(length for length in lengths if length is not None)
    found: Json = {"cases": len(lengths)}
    for share in SHARES:
        length = quantile(ordered, len(lengths), share)
        found[f"p{share}"] = None if length is None else written_target(length, in_days=in_days)
        found[f"p{share}_seconds"] = None if length is None else -(-length // SECOND)
    return found


def quantile(ordered: Sequence[Micros], cases: int, share: int) -> Micros | None:
    """The least length that this share of the cases does not exceed; None where too many never ended."""
    rank = -(-cases * share // _WHOLE)
    return ordered[rank - 1] if 0 < rank <= len(ordered) else None


def written_target(length: Micros, *, in_days: bool = False) -> str:
    """A length as a target of an agreement file, rounded up to a minute, or to a day: `6h12m`, `3 days`."""
    if in_days:
        days = max(1, -(-length // DAY))
        return f"{days} day" if days == 1 else f"{days} days"
    minutes = max(1, -(-length // MINUTE))
    hours, minutes = divmod(minutes, HOUR // MINUTE)
    return "".join(_part(*each) for each in ((hours, "h"), (minutes, "m")))


def _part(count: int, letter: str) -> str:
    return f"{count}{letter}" if count else ""
