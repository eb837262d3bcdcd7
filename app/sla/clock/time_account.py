"""How much of a clock's life has counted, and in which hours?

An `Account` keeps the stretches of one clock: what ran, in which calendar, and what stood still, and why. A change of
target counts them anew. A year that a calendar does not cover is flagged here, once, and fails nothing else.
Microseconds throughout.
"""

from typing import NamedTuple

from app.sla.agreement.agreement import Regime
from app.sla.calendar import Calendar, NeverOpen, UncoveredYear
from app.sla.clock.transition import AWAITING, RUNNING, State
from app.sla.reason import Reason
from app.sla.span import Micros


class Stretch(NamedTuple):
    """A piece of a clock's life in one condition. `calendar` is the one that a running stretch counts in."""

    start: Micros
    end: Micros
    state: State
    cause: Reason | None = None
    calendar: Calendar | None = None
    discounted: bool = False
    """A running stretch that a change with `reset` put out of the count."""


class TimeAccount:
    """The counted time of one clock. `state` and `since` are those of its current stretch.

    While it is `dormant` its commitment does not apply: stretches are noted and not counted.
    """

    __slots__ = (
        "anchor",
        "cause",
        "counted",
        "dormant",
        "length",
        "measuring",
        "regime",
        "since",
        "state",
        "stretches",
        "uncovered",
    )

    def __init__(self, since: Micros) -> None:
        self.state: State = AWAITING
        self.since = since
        self.cause: Reason | None = None
        self.dormant = True
        self.regime: Regime | None = None
        self.measuring: Calendar | None = None
        self.anchor: Micros = since
        self.length = 0
        self.counted = 0
        self.stretches: list[Stretch] = []
        self.uncovered: str | None = None

    def counted_at(self, at: Micros) -> int:
        """Counted time up to `at`, microseconds."""
        if self.state is RUNNING and not self.dormant:
            return self.counted + self._within(self.since, at)
        return self.counted

    def _close_stretch(self, at: Micros) -> None:
        """End the current stretch: note it, and count it if it ran."""
        if at > self.since:
            running = self.state is RUNNING
            counts = running and not self.dormant
            calendar = self.measuring if counts else None
            self.stretches.append(Stretch(self.since, at, self.state, self.cause, calendar))
            if counts:
                self.counted += self._within(self.since, at)

    def _due_from(self, at: Micros) -> Micros | None:
        """The due date if what is left runs from `at`; the instant itself when nothing is left."""
        return self._after(self.length - self.counted, at)

    def _measure(self) -> None:
        self.uncovered = None
        if self.regime is None:
            return
        try:
            measured = self.regime.target.measure(self.anchor, self.regime.calendar)
        except (UncoveredYear, NeverOpen) as fault:
            self.uncovered = str(fault)
            self.measuring, self.length = self.regime.calendar, 0
            return
        self.length, self.measuring = measured.length, measured.calendar

    def _recount(self) -> None:
        """Count every running stretch anew, in the unit in force."""
        self.stretches = [
            s
            if s.state is not RUNNING
            else Stretch(s.start, s.end, s.state, s.cause, self.measuring, s.discounted)
            for s in self.stretches
        ]
        self.counted = sum(
            self._within(s.start, s.end) for s in self.stretches if s.state is RUNNING and not s.discounted
        )

    def _discount(self) -> None:
        self.stretches = [
            Stretch(s.start, s.end, s.state, s.cause, s.calendar, discounted=s.state is RUNNING)
            for s in self.stretches
        ]
        self.counted = 0

    def _within(self, start: Micros, end: Micros) -> int:
        if self.uncovered is not None or self.measuring is None:
            return 0
        try:
            return self.measuring.within_us(start, end)
        except (UncoveredYear, NeverOpen) as fault:
            self.uncovered = str(fault)
            return 0

    def _after(self, length: int, since: Micros) -> Micros | None:
        """The due date of what is left. A year that the calendar does not cover is flagged and fails nothing else."""
        if self.uncovered is not None or self.measuring is None:
            return None
        if length <= 0:
            return since
        try:
            return self.measuring.after_us(length, since)
        except (UncoveredYear, NeverOpen) as fault:
            self.uncovered = str(fault)
            return None


def clipped(stretch: Stretch, end: Micros) -> Stretch:
    """The stretch without what comes after `end`."""
    if stretch.end <= end:
        return stretch
    return Stretch(stretch.start, end, stretch.state, stretch.cause, stretch.calendar, stretch.discounted)
