"""Counted time, due date, warnings and lateness of a clock, derived from its segments.

Two rules: the due date decides about lateness, never the counted time; and a breach that was true stays. A fact at the
due date itself is in time, so lateness is judged strictly before the end of each segment. A year that a calendar does
not cover is flagged and fails nothing else. Instants and durations are microseconds.
"""

from app.sla.agreement.agreement import Regime
from app.sla.calendar import Calendar, NeverOpen, UncoveredYear
from app.sla.calendar.target import TargetKind
from app.sla.clock.clock import Clock
from app.sla.clock.segment import (
    APPLY,
    AWAIT,
    KEEP,
    MERGE,
    NONE,
    RECOUNT,
    RESET,
    START,
    START_UNJUDGED,
    Segment,
    Stretch,
)
from app.sla.clock.transition import (
    AWAITING,
    CANCELLED,
    LATE_KIND,
    PAUSED,
    RUNNING,
    STOPPED,
    State,
    Transition,
    TransitionKind,
)
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros

_WARNED = TransitionKind.WARNED
_WARNING = ReasonCode.WARNING
_DURATION = TargetKind.DURATION


class TimeAccount:
    """The times of one clock at an instant."""

    __slots__ = (
        "_anchor",
        "_next_warning",
        "_warned",
        "at",
        "breached_at",
        "clock",
        "counted",
        "due_at",
        "is_late",
        "length",
        "measuring",
        "regime",
        "stretches",
        "transitions",
        "uncovered",
    )

    def __init__(self, clock: Clock, at: Micros) -> None:
        """Segments that start after `at` are left out."""
        self.clock, self.at = clock, at
        self.regime = clock.terms.regime
        """The target and calendar in force, or the last ones."""
        self.counted = 0
        self.length = 0
        """Of the target in force."""
        self.measuring: Calendar | None = None
        """The calendar that counts the target in force: its own, or `always` for days and months."""
        self.due_at: Micros | None = None
        self.is_late = False
        """Whether the due date of the target in force has passed."""
        self.breached_at: Micros | None = None
        """The first due date that passed."""
        self.uncovered: str | None = None
        """Why the calendar cannot count, if it cannot."""
        self.transitions: list[Transition] = []
        """Warnings and lateness; the other transitions are the clock's."""
        self.stretches: list[Stretch] = []
        """The segments that have ended, without empty ones."""
        self._anchor = clock.segments[0].start
        self._next_warning: tuple[Micros, Micros] | None = None
        """From when, and how long after it, the next threshold is reached: counted time; real time while awaiting."""
        self._warned: set[tuple[str, str]] = set()
        self._run()

    @property
    def next_at(self) -> Micros | None:
        """The first instant at which time alone changes it: one microsecond after its next warning or due date."""
        state, coming = self.clock.state, self._next_warning
        if not self.clock.terms.applies:
            return None
        if state is AWAITING:
            return None if coming is None else sum(coming) + 1
        if state is not RUNNING or self.breached_at is not None or self.due_at is None:
            return None
        warning = None if coming is None else self._after(coming[1], coming[0])
        return (self.due_at if warning is None else min(self.due_at, warning)) + 1

    def due_if_resumed(self) -> Micros | None:
        """When a paused clock would be due if it went on now."""
        return self.due_at if self.is_late else self._after(self.length - self.counted, self.at)

    def closed_stretches(self) -> list[Stretch]:
        """All stretches up to now, the current one as well."""
        last = self.clock.segments[-1]
        if self.at <= last.start:
            return self.stretches
        calendar = self.measuring if last.state is RUNNING and last.terms.applies else None
        return [*self.stretches, Stretch(last.start, self.at, last.state, last.reason, calendar)]

    # -- the walk through the segments ---------------------------------------------------------------------------

    def _run(self) -> None:
        segments, at, before = self.clock.segments, self.at, AWAITING
        if segments[-1].start > at:
            segments = [segment for segment in segments if segment.start <= at]
        final = len(segments) - 1
        stopped_at = 0
        for number, segment in enumerate(segments):
            start, state, reason, terms, effect, _ = segment
            end = segments[number + 1].start if number < final else at
            self._next_warning = None
            if effect is not NONE:
                self._take_effect(segment)
            calendar = None
            if state is RUNNING:
                if terms.applies:
                    self._count(segment, end)
                    calendar = self.measuring
            elif state is STOPPED:
                stopped_at = stopped_at if before is STOPPED else start
                self._set_due_of_stopped(segment, before, stopped_at)
            elif effect is AWAIT:
                self._warn_awaiting(segment, end)
            if end > start and number < final:
                self.stretches.append(Stretch(start, end, state, reason, calendar))
            before = state

    def _take_effect(self, segment: Segment) -> None:
        effect, regime = segment.effect, segment.terms.regime
        if effect is AWAIT:
            return
        if effect is START or effect is START_UNJUDGED:
            self._anchor = segment.start
            self._measure(regime)
            return
        if effect is RESET:
            self._anchor = segment.start
            self.stretches = [s._replace(discounted=s.state is RUNNING) for s in self.stretches]
            self.counted = 0
        elif segment.earlier is not None:
            self._anchor = segment.earlier.started_at
            self.stretches[:0] = segment.earlier.stretches
        self._measure(regime)
        if effect is APPLY or effect is RECOUNT or effect is MERGE:
            self._recount()
        if effect is KEEP or effect is RECOUNT or effect is RESET:
            self.is_late = False

    def _count(self, segment: Segment, end: Micros) -> None:
        """A running segment: when it is due, the warnings and the lateness that fall into it, what it counts."""
        start, gained = segment.start, None
        if not self.is_late and segment.effect is not START_UNJUDGED:
            due = self.due_at = self._after(self.length - self.counted, start)
            if due is not None and due < end:
                self._warn(segment, due, None)
                self._pass_due_date(segment, due)
            elif due is not None:
                gained = self._within(start, end)
                self._warn(segment, end, gained)
        self.counted += self._within(start, end) if gained is None else gained

    def _pass_due_date(self, segment: Segment, due: Micros) -> None:
        self.is_late = True
        self._next_warning = None
        if self.breached_at is None:
            self.breached_at = due
            commitment = segment.terms.commitment
            kind = LATE_KIND[self.clock.kind_at(due, segment)]
            self.transitions.append(Transition(commitment.id, self.clock.cycle, kind, str(due), due, None))

    def _warn(self, segment: Segment, end: Micros, gained: Micros | None) -> None:
        """Record the warnings of a running segment before `end`, by when `gained` has counted, where that is known."""
        if self.breached_at is not None or not segment.terms.commitment.warn_at:
            return
        start, terms, warned = segment.start, segment.terms, self._warned
        passed: list[tuple[Micros, str]] = []
        coming: Micros | None = None
        for threshold in terms.commitment.warn_at:
            if warned and (threshold.written, terms.period) in warned:
                continue
            needed = threshold.counted(self.length) - self.counted
            # Only a threshold within the counted time can have been reached: the others need no look at the calendar.
            instant = self._after(needed, start) if gained is None or needed <= gained else None
            if instant is not None and instant < end:
                passed.append((instant, threshold.written))
            elif coming is None or needed < coming:
                coming = needed
        if len(passed) > 1:
            passed.sort()
        for instant, written in passed:
            self._record_warning(segment, instant, written)
        if coming is not None:
            self._next_warning = (start, coming)

    def _warn_awaiting(self, segment: Segment, end: Micros) -> None:
        wait = segment.terms.commitment.warn_awaiting
        if wait is None:
            return
        if segment.start + wait < end:
            self._record_warning(segment, segment.start + wait, "awaiting")
        else:
            self._next_warning = (segment.start, wait)

    def _record_warning(self, segment: Segment, at: Micros, written: str) -> None:
        commitment, period = segment.terms.commitment, segment.terms.period
        self._warned.add((written, period))
        reason = Reason(_WARNING, written)
        self.transitions.append(
            Transition(commitment.id, self.clock.cycle, _WARNED, written + period, at, reason)
        )

    def _set_due_of_stopped(self, segment: Segment, before: State, stopped_at: Micros) -> None:
        """A clock that was stopped while it did not run is due as if it had gone on at that instant: in a pause,
        after the closing had cancelled it, or before its commitment applied."""
        if self.is_late:
            return
        if segment.effect is APPLY:
            due = self._after(self.length - self.counted, stopped_at)
            self.due_at = max(segment.start, due or segment.start)
        elif before is PAUSED or before is CANCELLED:
            self.due_at = self._after(self.length - self.counted, segment.start)

    # -- arithmetic in the calendar in force ---------------------------------------------------------------------

    def _measure(self, regime: Regime | None) -> None:
        if regime is None:
            return
        self.uncovered = None
        target = regime.target
        if target.kind is _DURATION:
            self.length, self.measuring = target.amount, regime.calendar
            return
        try:
            measured = target.measure(self._anchor, regime.calendar)
            self.length, self.measuring = measured.length, measured.calendar
        except (UncoveredYear, NeverOpen) as fault:
            self.uncovered = str(fault)
            self.length, self.measuring = 0, regime.calendar

    def _recount(self) -> None:
        """Count every running stretch again, in the unit in force."""
        self.stretches = [
            s if s.state is not RUNNING else s._replace(calendar=self.measuring) for s in self.stretches
        ]
        running = (s for s in self.stretches if s.state is RUNNING and not s.discounted)
        self.counted = sum(self._within(s.start, s.end) for s in running)

    def _within(self, start: Micros, end: Micros) -> Micros:
        """The open time between two instants; nothing, and a flag, in a year that the calendar does not cover."""
        if self.uncovered is not None or self.measuring is None:
            return 0
        try:
            return self.measuring.within_us(start, end)
        except (UncoveredYear, NeverOpen) as fault:
            self.uncovered = str(fault)
            return 0

    def _after(self, length: Micros, since: Micros) -> Micros | None:
        """When so much open time has passed; none, and a flag, in a year that the calendar does not cover."""
        if self.uncovered is not None or self.measuring is None:
            return None
        if length <= 0:
            return since
        try:
            return self.measuring.after_us(length, since)
        except (UncoveredYear, NeverOpen) as fault:
            self.uncovered = str(fault)
            return None
