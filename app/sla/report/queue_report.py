"""The report of queues: who joined, moved and left, how long the waits were, and replies an hour.

Everything is counted from wait intervals. A wait is a ticket's time in one queue without a gap, however often it was
moved there, and counts when it ends. Instants and durations are microseconds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from app.sla.queue.interval import Cause, WaitInterval
from app.sla.report.clock_report import Figures, Report, ReportRow
from app.sla.report.cut import Piece, piece_at
from app.sla.span import HOUR, SECOND, Micros


class Step(StrEnum):
    """What a ticket did in a queue. Part of the API: never renamed."""

    JOINED = "joined"
    MOVED = "moved"
    """It got another place in the same queue."""
    LEFT = "left"


class QueueStep(NamedTuple):
    """A step of a ticket. `waited`: of one that left, how long it was in the queue."""

    at: Micros
    ticket: str
    step: Step
    queue: str
    cause: str
    waited: Micros | None
    split: tuple[str | None, ...] = ()


def steps(intervals: Sequence[WaitInterval], split: tuple[str | None, ...] = ()) -> Iterator[QueueStep]:
    """The steps of one ticket, from its wait intervals in order."""
    before: WaitInterval | None = None
    since: Micros = 0
    for each in intervals:
        stays = before is not None and before.to_at == each.from_at and before.queue == each.queue
        if before is not None and not stays:
            yield from _left(before, since, split)
        since = since if stays else each.from_at
        step = Step.MOVED if stays else Step.JOINED
        yield QueueStep(each.from_at, each.ticket, step, each.queue, each.cause, None, split)
        before = each
    if before is not None:
        yield from _left(before, since, split)


def _left(last: WaitInterval, since: Micros, split: tuple[str | None, ...]) -> Iterator[QueueStep]:
    if last.to_at is not None:
        cause = last.ended_by or Cause.ANSWERED.value
        yield QueueStep(last.to_at, last.ticket, Step.LEFT, last.queue, cause, last.to_at - since, split)


@dataclass(slots=True)
class _Tally:
    counts: Counter[tuple[Step, str]]
    waited: Micros = 0
    longest: Micros = 0


Of = tuple[int, tuple[str | None, ...], str]
"""Period, split, queue."""

Kept = tuple[Sequence[str | None], str, Sequence[tuple[str, str, int]], Micros, Micros]
"""What a period has of a split and queue: counts by step and cause, the length of all waits, and of the longest."""

_HOURS: Final = 10_000
"""Steps of a rate: four decimals."""


class QueueTally:
    """Counts steps by period, split and queue. Steps outside the periods are left out."""

    def __init__(self, parts: Sequence[Piece]) -> None:
        self._parts = parts
        self._tallies: dict[Of, _Tally] = {}

    def add(self, found: Iterable[QueueStep]) -> None:
        """Count these steps."""
        for each in found:
            period = self.period_of(each.at)
            if period is None:
                continue
            of = (period, each.split, each.queue)
            tally = self._tallies.get(of)
            if tally is None:
                tally = self._tallies[of] = _Tally(Counter())
            tally.counts[each.step, each.cause] += 1
            if each.waited is not None:
                tally.waited += each.waited
                tally.longest = max(tally.longest, each.waited)

    def kept(self, period: int) -> list[Kept]:
        """What was counted of a period, to be kept."""
        return [
            (
                of[1],
                of[2],
                [(step.value, cause, count) for (step, cause), count in tally.counts.items()],
                tally.waited,
                tally.longest,
            )
            for of, tally in self._tallies.items()
            if of[0] == period
        ]

    def add_kept(self, period: int, found: Iterable[Kept]) -> None:
        """Add what was kept of a period of which nothing is counted."""
        for split, queue, counts, waited, longest in found:
            counted = Counter({(Step(step), cause): count for step, cause, count in counts})
            self._tallies[period, tuple(split), queue] = _Tally(counted, waited, longest)

    def period_of(self, at: Micros) -> int | None:
        """The period in which an instant lies."""
        part = piece_at(self._parts, at)
        return None if part is None else part.period

    @property
    def rows(self) -> int:
        """How many rows the report has so far."""
        return len(self._tallies)

    def report(self, open_time: Mapping[int, Micros | None]) -> Report:
        """The report; `open_time`: of the queues' calendar in each period, None where it is not known."""
        causes = {
            step: sorted({c for t in self._tallies.values() for s, c in t.counts if s is step})
            for step in Step
        }
        rows = [
            ReportRow(
                of[0], of[1], {"queue": of[2]}, _figures(self._tallies[of], causes, open_time.get(of[0]))
            )
            for of in sorted(self._tallies, key=_order)
        ]
        known = [length for length in open_time.values() if length is not None]
        return Report(tuple(rows), self._totals(causes, sum(known) if len(known) == len(open_time) else None))

    def _totals(self, causes: Mapping[Step, Sequence[str]], open_time: Micros | None) -> dict[str, Figures]:
        whole: dict[str, _Tally] = {}
        for (_, _, queue), tally in self._tallies.items():
            total = whole.setdefault(queue, _Tally(Counter()))
            total.counts.update(tally.counts)
            total.waited += tally.waited
            total.longest = max(total.longest, tally.longest)
        return {queue: _figures(whole[queue], causes, open_time) for queue in sorted(whole)}


def _figures(tally: _Tally, causes: Mapping[Step, Sequence[str]], open_time: Micros | None) -> Figures:
    by_step = {step.value: {cause: tally.counts[step, cause] for cause in causes[step]} for step in Step}
    waits = sum(by_step[Step.LEFT.value].values())
    replies = tally.counts[Step.LEFT, Cause.ANSWERED.value]
    return {
        "waits": waits,
        "waited_seconds": tally.waited // SECOND,
        "mean_seconds": tally.waited // waits // SECOND if waits else None,
        "longest_seconds": tally.longest // SECOND if waits else None,
        **by_step,
        "replies": replies,
        "replies_an_hour": _rate(replies, open_time),
    }


def _rate(replies: int, open_time: Micros | None) -> str | None:
    """Replies an open hour, with four decimals, rounded down."""
    if not open_time:
        return None
    steps_an_hour = replies * HOUR * _HOURS // open_time
    return f"{steps_an_hour // _HOURS}.{steps_an_hour % _HOURS:04d}"


def _order(of: Of) -> tuple[int, tuple[tuple[bool, str], ...], str]:
    period, split, queue = of
    return period, tuple((value is None, value or "") for value in split), queue
