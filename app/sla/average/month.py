"""A month of an average: the mean so far, whether it is kept, and since when it was worth a warning.

Answered calls count by the month of their offer, from their answer on. What is decided is decided in whole
microseconds; the mean itself is an exact fraction. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import groupby

from app.sla.agreement.average import AverageRule
from app.sla.average.call import Call
from app.sla.period import Period
from app.sla.span import SECOND, Micros


class AverageState(StrEnum):
    """How a month stands. `none`: it has no answered call, so it is neither kept nor breached."""

    RUNNING = "running"
    KEPT = "kept"
    BREACHED = "breached"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls of a month: how many were answered, how long their callers waited together, how many were not answered."""

    answered: int = 0
    waited: Micros = 0
    unanswered: int = 0

    @property
    def mean(self) -> Fraction | None:
        """The mean wait in micros."""
        return Fraction(self.waited, self.answered) if self.answered else None


@dataclass(frozen=True, slots=True)
class Month:
    """A month of an average, as it stands at an instant."""

    rule: AverageRule
    period: Period
    tally: Tally
    at: Micros
    warned_at: Micros | None = None

    @property
    def state(self) -> AverageState:
        """Judged when the month is over; until then it runs."""
        if self.at < self.period.end:
            return AverageState.RUNNING
        if not self.tally.answered:
            return AverageState.NONE
        kept = self.rule.target.is_kept(self.tally.waited, self.tally.answered)
        return AverageState.KEPT if kept else AverageState.BREACHED

    @property
    def breached_at(self) -> Micros | None:
        """The end of the month, if the mean missed the target."""
        return self.period.end if self.state is AverageState.BREACHED else None

    @property
    def mean_seconds(self) -> Fraction | None:
        """The mean in seconds, to the microsecond, rounded so that it reads as it is judged: what is missed never reads
        as kept, nor what is kept as missed."""
        mean = self.tally.mean
        if mean is None:
            return None
        whole = mean.numerator // mean.denominator
        up = not self.rule.target.strict and mean != whole
        return Fraction(whole + up, SECOND)


def tally_of(calls: Iterable[Call], at: Micros) -> Tally:
    """The calls that were offered by an instant, those of them that were answered by then, and their wait."""
    offered = [call for call in calls if call.offered_at <= at]
    waits = [call.waited for call in offered if call.is_answered(at) and call.waited is not None]
    return Tally(len(waits), sum(waits), len(offered) - len(waits))


def crossed_at(
    rule: AverageRule, answered: Sequence[tuple[Micros, Micros]], before: Tally | None = None
) -> Micros | None:
    """The first instant at which, after at least `warn_after` calls, the mean so far is at or above the target.

    `answered` are (answered_at, waited) in order; `before` are the calls that were answered before the first of them.
    """
    count, waited = (0, 0) if before is None else (before.answered, before.waited)
    for at, group in groupby(answered, key=lambda each: each[0]):
        for _, wait in group:
            count, waited = count + 1, waited + wait
        if count >= rule.warn_after and rule.target.is_reached(waited, count):
            return at
    return None


def month_of(rule: AverageRule, period: Period, calls: Iterable[Call], at: Micros) -> Month:
    """A month at an instant, of all calls that count in it."""
    counted = list(calls)
    answers = sorted(
        (call.answered_at, call.waited)
        for call in counted
        if call.answered_at is not None
        and call.waited is not None
        and call.is_answered(min(at, period.end - 1))
    )
    return Month(rule, period, tally_of(counted, at), at, crossed_at(rule, answers))


def calls_within(rule: AverageRule, period: Period, calls: Iterable[Call]) -> list[Call]:
    """Those of these calls that count in a month of an average. Raises UncoveredYear."""
    return [
        call for call in calls if call.offered_at in period.span and rule.counts(call.line, call.offered_at)
    ]
