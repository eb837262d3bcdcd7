"""One commitment on one ticket, one cycle: how much time has counted, when it is due, whether it was late.

A `Clock` is driven by `track` in the order of the ticket's events and only ever moves forward. Two rules it guards: the
due date decides about late, never the counted time; and a breach that was true stays. Microseconds throughout.
A clock is *dormant* while its commitment does not apply: it goes on noting what runs and what stands still, so that it
can be judged from its own start facts if the commitment comes to apply, but nothing of it is counted or told.
"""

from app.sla.agreement.agreement import Commitment, OnChange, Regime
from app.sla.clock.time_account import TimeAccount, clipped
from app.sla.clock.transition import (
    AWAITING,
    CANCELLED,
    LATE_KIND,
    LIVE,
    NEVER,
    PAUSED,
    RUNNING,
    STOPPED,
    Transition,
    TransitionKind,
)
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros


class Clock(TimeAccount):
    """The running account of one cycle. Instants given to its verbs never go back."""

    __slots__ = (
        "awaiting_since",
        "breached_at",
        "cancelled_at",
        "commitment",
        "cycle",
        "due_at",
        "ended_by_shut",
        "late_settled",
        "period",
        "shown",
        "started_at",
        "stopped_at",
        "transitions",
        "upcoming",
        "warned",
        "watch",
    )

    def __init__(self, commitment: Commitment, cycle: Micros, since: Micros) -> None:
        super().__init__(since)
        self.commitment = commitment
        self.cycle = cycle
        self.awaiting_since: Micros | None = None
        self.shown = False
        self.started_at: Micros | None = None
        self.due_at: Micros | None = None
        self.late_settled = False
        self.breached_at: Micros | None = None
        self.stopped_at: Micros | None = None
        self.cancelled_at: Micros | None = None
        self.ended_by_shut = False
        self.transitions: list[Transition] = []
        self.period = ""
        self.warned: set[tuple[str, str]] = set()
        self.upcoming: list[tuple[Micros, str]] = []
        self.watch: Micros = NEVER
        """The earliest instant after which `settle` has something to do."""

    # -- what time alone does ------------------------------------------------------------------------------------

    def settle(self, at: Micros) -> None:
        """Tell what came due strictly before `at`: a fact at the due date itself is still in time."""
        if self.watch >= at:
            return
        due = NEVER if self.due_at is None or self.state is AWAITING else self.due_at
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

    def start(self, at: Micros, cause: Reason, *, known_at: Micros | None = None) -> None:
        """All start facts are there. `known_at`, if later, is when they came to matter: due then at the earliest."""
        self._close_stretch(at)
        self.started_at = self.anchor = self.since = at
        self.awaiting_since = None
        self.upcoming = []
        self.state = RUNNING
        self.shown = self.shown or not self.dormant
        self._say(TransitionKind.STARTED, at, cause)
        if self.regime is not None:
            self._measure()
        if known_at is not None and known_at > at:
            self._close_stretch(known_at)
        self._run(max(at, known_at or at))

    def pause(self, at: Micros, cause: Reason) -> None:
        """Stand still. A clock whose time is used up at this very instant is due when it resumes."""
        if self.state is RUNNING:
            self._close_stretch(at)
            self.state, self.since, self.cause, self.watch = PAUSED, at, cause, NEVER
            self._say(TransitionKind.PAUSED, at, cause)

    def resume(self, at: Micros, cause: Reason) -> None:
        """Go on after a pause."""
        if self.state is PAUSED:
            self._close_stretch(at)
            self.cause = None
            self._run(at)
            self._say(TransitionKind.RESUMED, at, cause)

    def stop(self, at: Micros, cause: Reason) -> None:
        """What was promised has happened."""
        was_paused = self.state is PAUSED
        self._close_stretch(at)
        if was_paused and not self.late_settled:
            self.due_at = self._due_from(at)
        self.state, self.since, self.stopped_at, self.cause = STOPPED, at, at, cause
        self.upcoming, self.watch = [], NEVER
        self._say(TransitionKind.STOPPED, at, cause)

    def cancel(self, at: Micros, cause: Reason, *, by_shut: bool = False) -> None:
        """It ends without its stop fact. `by_shut`: the ticket was solved or closed, so that a reopen brings it back."""
        self._close_stretch(at)
        self.state, self.since, self.cancelled_at, self.cause = CANCELLED, at, at, cause
        self.ended_by_shut = by_shut
        self.upcoming, self.watch = [], NEVER
        if self.shown:
            self._say(TransitionKind.CANCELLED, at, cause)

    def uncancel(self, at: Micros) -> None:
        """Take back a cancellation of this very instant, because the stop fact of the same instant counts."""
        self.transitions = [
            m for m in self.transitions if not (m.kind is TransitionKind.CANCELLED and m.at == at)
        ]
        self.state = RUNNING if self.started_at is not None else AWAITING
        self.cancelled_at, self.ended_by_shut = None, False
        self._watch()

    def reopen(self, at: Micros, cause: Reason) -> None:
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
        self._say(TransitionKind.REOPENED, at, cause)

    # -- what the agreement does ---------------------------------------------------------------------------------

    def wake(self, regime: Regime, at: Micros, cause: Reason, period: str) -> None:
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
            self._say(TransitionKind.REOPENED, at, cause)
        elif again and self.state is STOPPED and self.stopped_at is not None:
            self._say(TransitionKind.STOPPED, self.stopped_at, self.cause)

    def sleep(self, at: Micros, cause: Reason) -> None:
        """The commitment does not apply any more: cancelled for all to see, with the breach that it had."""
        if self.state in LIVE:
            self._close_stretch(at)
            self.since = at
            if self.shown:
                self._say(TransitionKind.CANCELLED, at, cause)
                self.cancelled_at = at
        self.cause = cause if self.state in LIVE else self.cause
        self.dormant = True
        self.upcoming, self.watch = [], NEVER

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
        earlier = [clipped(s, mine) for s in other.stretches if s.start < mine]
        self.stretches = earlier + self.stretches
        self.started_at = self.anchor = other.started_at
        self._measure()
        self._recount()
        self.transitions = [m for m in self.transitions if m.kind is not TransitionKind.STARTED]
        self._say(TransitionKind.STARTED, other.started_at, Reason(ReasonCode.MERGE))
        if running and not self.late_settled:
            self._run(at)

    def _watch(self) -> None:
        """Work out when time alone comes to matter; to be called whenever what it depends on has changed."""
        due = self.due_at
        if self.dormant or self.state not in (RUNNING, AWAITING):
            self.watch = NEVER
        elif self.state is AWAITING or self.late_settled or due is None:
            self.watch = self.upcoming[0][0] if self.upcoming else NEVER
        else:
            self.watch = min(due, self.upcoming[0][0]) if self.upcoming else due

    def due_if_resumed(self, at: Micros) -> Micros | None:
        """When a paused clock would be due if it went on at `at`."""
        return self.due_at if self.late_settled else self._due_from(at)

    def _run(self, at: Micros) -> None:
        self.state, self.since = RUNNING, at
        self.cause = None
        if not self.dormant and not self.late_settled:
            self.due_at = self._due_from(at)
            self.upcoming = []
            if self.breached_at is None and self.due_at is not None:
                self._plan_warnings(at)
        self._watch()

    def _plan_warnings(self, at: Micros) -> None:
        for threshold in self.commitment.warn_at:
            written = str(threshold)
            if (written, self.period) not in self.warned:
                instant = self._after(threshold.counted(self.length) - self.counted, at)
                if instant is not None:
                    self.upcoming.append((instant, written))
        self.upcoming.sort()

    def _warn(self, written: str, at: Micros) -> None:
        self.warned.add((written, self.period))
        occurrence = written + self.period
        self.transitions.append(
            Transition(
                self.commitment.id,
                self.cycle,
                TransitionKind.WARNED,
                occurrence,
                at,
                Reason(ReasonCode.WARNING, written),
            )
        )

    def _say(self, kind: TransitionKind, at: Micros, cause: Reason | None) -> None:
        # While dormant after having been shown as cancelled, nothing that happens underneath is anybody's business.
        if not (self.dormant and self.shown):
            self.transitions.append(Transition(self.commitment.id, self.cycle, kind, str(at), at, cause))
