"""One commitment on one ticket, one cycle: how much time has counted, when it is due, whether it was late.

A `Clock` is driven by `track` in the order of the ticket's events and only ever moves forward. Two rules it guards: the
due date decides about late, never the counted time; and a breach that was true stays. Microseconds throughout.
A clock is *dormant* while its commitment does not apply: it goes on noting what runs and what stands still, so that it
can be judged from its own start facts if the commitment comes to apply, but nothing of it is counted or told.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from app.sla.agreement import Commitment, Kind, OnChange, Regime
from app.sla.calendar import Calendar, NeverOpen, UncoveredYear
from app.sla.span import Micros


class State(StrEnum):
    """Where a clock stands."""

    AWAITING = "awaiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class MomentKind(StrEnum):
    """What a clock did at an instant; told as the signal `clock.<kind>`."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    WARNED = "warned"
    BREACHED = "breached"
    MISSED = "missed"
    LAPSED = "lapsed"
    STOPPED = "stopped"
    REOPENED = "reopened"
    CANCELLED = "cancelled"


LATE_KIND: Final = {
    Kind.GUARANTEE: MomentKind.BREACHED,
    Kind.OBJECTIVE: MomentKind.MISSED,
    Kind.CUSTOMER: MomentKind.LAPSED,
}
"""What being late is called, by whose promise it was."""

# Looked up as globals: access to an enum's members costs ten times that, and this is the innermost loop.
AWAITING: Final = State.AWAITING
RUNNING: Final = State.RUNNING
PAUSED: Final = State.PAUSED
STOPPED: Final = State.STOPPED
CANCELLED: Final = State.CANCELLED
LIVE: Final = (AWAITING, RUNNING, PAUSED)
_NEVER: Final[Micros] = 1 << 62
ONCE: Final[Micros] = 0
"""Identity of the only cycle of a commitment that has one."""


class Moment(NamedTuple):
    """Something that a clock did. Its identity is (commitment, cycle, kind, occurrence); its cause may be learnt better.

    A tuple and not a dataclass, as are the two below: every evaluation makes dozens, and a tuple is made twice as fast.
    """

    commitment: str
    cycle: Micros
    kind: MomentKind
    occurrence: str
    at: Micros
    cause: str | None


class Stretch(NamedTuple):
    """A piece of a clock's life in one condition. `calendar` is the one that a running stretch counts in."""

    start: Micros
    end: Micros
    state: State
    cause: str | None = None
    calendar: Calendar | None = None
    discounted: bool = False
    """A running stretch that a change with `reset` put out of the count."""


class ClockView(NamedTuple):
    """A clock as it stands at an instant: what others see of it."""

    commitment: str
    label: str
    kind: Kind
    measure: str
    cycle: int
    """1..n in the order of opening, for display; `cycle_id` is the identity."""
    cycle_id: Micros
    state: State
    open_now: bool | None
    awaiting: tuple[str, ...]
    awaiting_since: Micros | None
    started_at: Micros | None
    due_at: Micros | None
    stopped_at: Micros | None
    counted: int
    target: str | None
    target_length: int | None
    remaining: int | None
    overdue: int | None
    due_if_resumed_now: Micros | None
    breached_at: Micros | None
    met: bool | None
    calendar: str | None
    next_at: Micros | None
    cause: str | None
    flags: tuple[str, ...]


class Clock:
    """The running account of one cycle. Instants given to its verbs never go back."""

    __slots__ = (
        "anchor",
        "awaiting_since",
        "breached_at",
        "cancelled_at",
        "cause",
        "commitment",
        "counted",
        "cycle",
        "dormant",
        "due_at",
        "ended_by_shut",
        "late_settled",
        "length",
        "measuring",
        "moments",
        "period",
        "regime",
        "shown",
        "since",
        "started_at",
        "state",
        "stopped_at",
        "stretches",
        "uncovered",
        "upcoming",
        "warned",
        "watch",
    )

    def __init__(self, commitment: Commitment, cycle: Micros, since: Micros) -> None:
        self.commitment = commitment
        self.cycle = cycle
        self.state = AWAITING
        self.since = since
        self.awaiting_since: Micros | None = None
        self.dormant = True
        self.shown = False
        self.regime: Regime | None = None
        self.measuring: Calendar | None = None
        self.length = 0
        self.counted = 0
        self.anchor: Micros = since
        self.started_at: Micros | None = None
        self.due_at: Micros | None = None
        self.late_settled = False
        self.breached_at: Micros | None = None
        self.stopped_at: Micros | None = None
        self.cancelled_at: Micros | None = None
        self.ended_by_shut = False
        self.cause: str | None = None
        self.stretches: list[Stretch] = []
        self.moments: list[Moment] = []
        self.period = ""
        self.warned: set[tuple[str, str]] = set()
        self.upcoming: list[tuple[Micros, str]] = []
        self.uncovered: str | None = None
        self.watch: Micros = _NEVER
        """The earliest instant after which `settle` has something to do."""

    # -- what time alone does ------------------------------------------------------------------------------------

    def settle(self, at: Micros) -> None:
        """Tell what came due strictly before `at`: a fact at the due date itself is still in time."""
        if self.watch >= at:
            return
        due = _NEVER if self.due_at is None or self.state is AWAITING else self.due_at
        while self.upcoming and self.upcoming[0][0] < at and self.upcoming[0][0] < due:
            instant, written = self.upcoming.pop(0)
            self._warn(written, instant)
        if due < at:
            self.late_settled = True
            self.upcoming = []
            if self.breached_at is None:
                self.breached_at = due
                self._say(LATE_KIND[self.commitment.kind], due, None)
        self._watch()

    @property
    def next_at(self) -> Micros | None:
        """The first instant at which time alone changes it: one microsecond after its next warning or due date."""
        if self.dormant:
            return None
        if self.state is AWAITING:
            return self.upcoming[0][0] + 1 if self.upcoming and self.shown else None
        if self.state is not RUNNING or self.breached_at is not None or self.due_at is None:
            return None
        return (min(self.due_at, self.upcoming[0][0]) if self.upcoming else self.due_at) + 1

    # -- what facts do -------------------------------------------------------------------------------------------

    def await_start(self, at: Micros) -> None:
        """It exists and lacks a start fact: shown as awaiting from now on."""
        self.awaiting_since = self.since = at
        self.shown = True
        if self.commitment.warn_awaiting is not None:
            self.upcoming = [(at + self.commitment.warn_awaiting, "awaiting")]
        self._watch()

    def start(self, at: Micros, cause: str, *, known_at: Micros | None = None) -> None:
        """All start facts are there. `known_at`, if later, is when they came to matter: due then at the earliest."""
        self._close_stretch(at)
        self.started_at = self.anchor = self.since = at
        self.awaiting_since = None
        self.upcoming = []
        self.state = RUNNING
        self.shown = self.shown or not self.dormant
        self._say(MomentKind.STARTED, at, cause)
        if self.regime is not None:
            self._measure()
        if known_at is not None and known_at > at:
            self._close_stretch(known_at)
        self._run(max(at, known_at or at))

    def pause(self, at: Micros, cause: str) -> None:
        """Stand still. A clock whose time is used up at this very instant is due when it resumes."""
        if self.state is RUNNING:
            self._close_stretch(at)
            self.state, self.since, self.cause, self.watch = PAUSED, at, cause, _NEVER
            self._say(MomentKind.PAUSED, at, cause)

    def resume(self, at: Micros, cause: str) -> None:
        """Go on after a pause."""
        if self.state is PAUSED:
            self._close_stretch(at)
            self.cause = None
            self._run(at)
            self._say(MomentKind.RESUMED, at, cause)

    def stop(self, at: Micros, cause: str) -> None:
        """What was promised has happened."""
        was_paused = self.state is PAUSED
        self._close_stretch(at)
        if was_paused and not self.late_settled:
            self.due_at = self._due_from(at)
        self.state, self.since, self.stopped_at, self.cause = STOPPED, at, at, cause
        self.upcoming, self.watch = [], _NEVER
        self._say(MomentKind.STOPPED, at, cause)

    def cancel(self, at: Micros, cause: str, *, by_shut: bool = False) -> None:
        """It ends without its stop fact. `by_shut`: the ticket was solved or closed, so that a reopen brings it back."""
        self._close_stretch(at)
        self.state, self.since, self.cancelled_at, self.cause = CANCELLED, at, at, cause
        self.ended_by_shut = by_shut
        self.upcoming, self.watch = [], _NEVER
        if self.shown:
            self._say(MomentKind.CANCELLED, at, cause)

    def uncancel(self, at: Micros) -> None:
        """Take back a cancellation of this very instant, because the stop fact of the same instant counts."""
        self.moments = [m for m in self.moments if not (m.kind is MomentKind.CANCELLED and m.at == at)]
        self.state = RUNNING if self.started_at is not None else AWAITING
        self.cancelled_at, self.ended_by_shut = None, False
        self._watch()

    def reopen(self, at: Micros, cause: str) -> None:
        """Go on after having been stopped or ended by a shut ticket, without the stretch in between."""
        self._close_stretch(at)
        self.stopped_at = self.cancelled_at = None
        self.ended_by_shut = False
        self.cause = None
        if self.started_at is None:
            self.state = AWAITING
            self.await_start(at)
            return
        self._run(at)
        self._say(MomentKind.REOPENED, at, cause)

    # -- what the agreement does ---------------------------------------------------------------------------------

    def wake(self, regime: Regime, at: Micros, cause: str, period: str) -> None:
        """The commitment applies from now on: judged from its own start facts, due now at the earliest."""
        again = self.shown
        self.dormant, self.regime, self.period = False, regime, period
        if self.started_at is None:
            return
        self._close_stretch(at)
        self.since = at
        self._measure()
        self._recount()
        self.shown = again or self.state is not CANCELLED
        if self.state is RUNNING:
            self._run(at)
        elif self.state is STOPPED and not self.late_settled:
            self.due_at = max(at, self._due_from(self.stopped_at or at) or at)
        if again and self.state in LIVE:
            self._say(MomentKind.REOPENED, at, cause)
        elif again and self.state is STOPPED and self.stopped_at is not None:
            self._say(MomentKind.STOPPED, self.stopped_at, self.cause)

    def sleep(self, at: Micros, cause: str) -> None:
        """The commitment does not apply any more: cancelled for all to see, with the breach that it had."""
        if self.state in LIVE:
            self._close_stretch(at)
            self.since = at
            if self.shown:
                self._say(MomentKind.CANCELLED, at, cause)
                self.cancelled_at = at
        self.cause = cause if self.state in LIVE else self.cause
        self.dormant = True
        self.upcoming, self.watch = [], _NEVER

    def change(self, regime: Regime, at: Micros, mode: OnChange, period: str) -> None:
        """A new target or calendar from now on. Nothing changes for a clock that has not started."""
        old = self.regime
        self.regime, self.period = regime, period
        if self.started_at is None or old is None:
            return
        running = self.state is RUNNING
        self._close_stretch(at)
        self.since = at
        if mode is OnChange.RESET:
            self._discount()
            self.anchor = at
        self._measure()
        if mode is OnChange.FROM_START or (
            mode is OnChange.CARRY and not (old.target.is_duration and regime.target.is_duration)
        ):
            self._recount()
        self.late_settled = False
        if running:
            self._run(at)

    def take_earlier_start(self, other: "Clock", at: Micros) -> None:
        """A merge: the wait of the source began earlier; this clock takes its start and what it counted before."""
        if other.started_at is None or self.started_at is None or other.started_at >= self.started_at:
            return
        running = self.state is RUNNING
        for clock in (self, other):
            clock._close_stretch(at)
            clock.since = at
        mine = self.started_at
        earlier = [_clipped(s, mine) for s in other.stretches if s.start < mine]
        self.stretches = earlier + self.stretches
        self.started_at = self.anchor = other.started_at
        self._measure()
        self._recount()
        self.moments = [m for m in self.moments if m.kind is not MomentKind.STARTED]
        self._say(MomentKind.STARTED, other.started_at, "merged")
        if running and not self.late_settled:
            self._run(at)

    def _watch(self) -> None:
        """Work out when time alone comes to matter; to be called whenever what it depends on has changed."""
        due = self.due_at
        if self.dormant or self.state not in (RUNNING, AWAITING):
            self.watch = _NEVER
        elif self.state is AWAITING or self.late_settled or due is None:
            self.watch = self.upcoming[0][0] if self.upcoming else _NEVER
        else:
            self.watch = min(due, self.upcoming[0][0]) if self.upcoming else due

    # -- the account ---------------------------------------------------------------------------------------------

    def counted_at(self, at: Micros) -> int:
        """Counted time up to `at`, microseconds."""
        if self.state is RUNNING and not self.dormant:
            return self.counted + self._within(self.since, at)
        return self.counted

    def due_if_resumed(self, at: Micros) -> Micros | None:
        """When a paused clock would be due if it went on at `at`."""
        return self.due_at if self.late_settled else self._due_from(at)

    def _close_stretch(self, at: Micros) -> None:
        """End the current stretch: note it, and count it if it ran."""
        if at > self.since:
            running = self.state is RUNNING
            counts = running and not self.dormant
            calendar = self.measuring if counts else None
            self.stretches.append(Stretch(self.since, at, self.state, self.cause, calendar))
            if counts:
                self.counted += self._within(self.since, at)

    def _run(self, at: Micros) -> None:
        self.state, self.since = RUNNING, at
        self.cause = None
        if not self.dormant and not self.late_settled:
            self.due_at = self._due_from(at)
            self.upcoming = []
            if self.breached_at is None and self.due_at is not None:
                self._plan_warnings(at)
        self._watch()

    def _due_from(self, at: Micros) -> Micros | None:
        """The due date if what is left runs from `at`; the instant itself when nothing is left."""
        return self._after(self.length - self.counted, at)

    def _plan_warnings(self, at: Micros) -> None:
        for threshold in self.commitment.warn_at:
            written = str(threshold)
            if (written, self.period) not in self.warned:
                instant = self._after(threshold.counted(self.length) - self.counted, at)
                if instant is not None:
                    self.upcoming.append((instant, written))
        self.upcoming.sort()

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

    def _warn(self, written: str, at: Micros) -> None:
        self.warned.add((written, self.period))
        occurrence = written + self.period
        self.moments.append(
            Moment(self.commitment.id, self.cycle, MomentKind.WARNED, occurrence, at, written)
        )

    def _say(self, kind: MomentKind, at: Micros, cause: str | None) -> None:
        # While dormant after having been shown as cancelled, nothing that happens underneath is anybody's business.
        if not (self.dormant and self.shown):
            self.moments.append(Moment(self.commitment.id, self.cycle, kind, str(at), at, cause))


def _clipped(stretch: Stretch, end: Micros) -> Stretch:
    if stretch.end <= end:
        return stretch
    return Stretch(stretch.start, end, stretch.state, stretch.cause, stretch.calendar, stretch.discounted)
