"""Counts of a commitment's clocks: how they stand at an instant, each in exactly one count."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.flow.query.answer import TicketAnswer
from app.sla.clock.transition import State
from app.sla.clock.view import ClockView


@dataclass(slots=True)
class Counts:
    """A commitment's clocks, each counted in exactly one of the five."""

    met: int = 0
    missed: int = 0
    running: int = 0
    awaiting: int = 0
    cancelled: int = 0

    @property
    def clocks(self) -> int:
        """How many there are."""
        return self.met + self.missed + self.running + self.awaiting + self.cancelled


def count(counts: dict[str, Counts], answers: Iterable[TicketAnswer]) -> None:
    """Add the clocks of these tickets to the counts by commitment."""
    for answer in answers:
        for view in answer.evaluation.clocks:
            count_clock(counts.setdefault(view.commitment, Counts()), view)


def count_clock(counts: Counts, view: ClockView) -> None:
    """Add one clock."""
    name = verdict_of(view)
    setattr(counts, name, getattr(counts, name) + 1)


def verdict_of(view: ClockView) -> str:
    """The count that a clock belongs to, the first that applies: missed, met, cancelled, awaiting, running."""
    if view.breached_at is not None or view.met is False:
        return "missed"
    match view.state:
        case State.STOPPED:
            return "met"
        case State.CANCELLED:
            return "cancelled"
        case State.AWAITING:
            return "awaiting"
        case _:
            return "running"
