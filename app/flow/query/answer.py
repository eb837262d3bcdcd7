"""Answers to queries of tickets: evaluations joined with what the store knows besides.

A ticket's evaluation comes with when its breaches were recorded and where it waits. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.sla.clock.evaluation import Evaluation
from app.sla.clock.view import ClockView
from app.sla.queue.waiting import Move
from app.sla.reason import Reason
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class QueueAnswer:
    """Where a ticket waits. Position and length are none in answers `as_of` an earlier instant: they are not stored."""

    name: str
    position: int | None
    length: int | None
    joined_at: Micros
    moves: tuple[Move, ...]
    expected_reply_at: Micros | None = None
    reason: Reason | None = None
    """Why no reply can be forecast."""


@dataclass(frozen=True, slots=True)
class ArchivedAnswer:
    """An archived ticket: its final view, as JSON."""

    desk: str
    ticket: str
    view: str
    now: Micros
    events_dropped: bool
    """Whether its events were deleted."""


@dataclass(frozen=True, slots=True)
class TicketAnswer:
    """A ticket at `evaluation.at`, by what was known at `as_of`."""

    desk: str
    ticket: str
    evaluation: Evaluation
    as_of: Micros
    detected: Mapping[tuple[str, Micros], Micros]
    """When each breach that stands was recorded, by (commitment, cycle)."""
    queue: QueueAnswer | None = None
    """None: it does not wait."""
    merged_into: str | None = None
    """The ticket in which what happens in this one counts."""
    merged_from: tuple[str, ...] = ()
    """The tickets of which this one counts what happens."""
    is_capped: bool = False
    """Whether it waits behind more tickets on its subject than it may move."""
    earlier_cycles: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many cycles before the first one shown a commitment has, where not all are shown."""

    def limited(self, count: int, *, before: int | None = None) -> "TicketAnswer":
        """With the latest `count` cycles of each commitment and moves of its queue at most.

        `before`: of the cycles, those before this number.
        """
        of: dict[str, list[ClockView]] = {}
        for view in self.evaluation.clocks:
            if before is None or view.cycle < before:
                of.setdefault(view.commitment, []).append(view)
        kept = {name: views[-count:] for name, views in of.items()}
        earlier = {name: views[0].cycle - 1 for name, views in kept.items() if views[0].cycle > 1}
        if not earlier and before is None and (self.queue is None or len(self.queue.moves) <= count):
            return self
        return replace(
            self,
            evaluation=replace(self.evaluation, clocks=tuple(v for views in kept.values() for v in views)),
            queue=None if self.queue is None else replace(self.queue, moves=self.queue.moves[-count:]),
            earlier_cycles=earlier,
        )
