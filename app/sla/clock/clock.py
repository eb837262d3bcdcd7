"""One cycle of a commitment on a ticket: its states, written as segments.

`Clock` knows states and causes and no arithmetic; `TimeAccount` computes times from its segments. `Track` calls its
methods in the order of the ticket's steps, so the instants never decrease. While the commitment does not apply, the
clock still follows the facts, so that it can be judged from its own start facts if the commitment comes to apply.
Instants are microseconds UTC.
"""

from dataclasses import replace

from app.sla.agreement.agreement import Commitment, Kind, OnChange, Regime
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
    Earlier,
    Effect,
    Segment,
    Stretch,
    Terms,
)
from app.sla.clock.transition import (
    AWAITING,
    CANCELLED,
    LIVE,
    PAUSED,
    RUNNING,
    STOPPED,
    State,
    Transition,
    TransitionKind,
)
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros

# Module constants: access to an enum's members costs several times that of a global.
_STARTED = TransitionKind.STARTED
_PAUSED = TransitionKind.PAUSED
_RESUMED = TransitionKind.RESUMED
_STOPPED = TransitionKind.STOPPED
_CANCELLED = TransitionKind.CANCELLED
_REOPENED = TransitionKind.REOPENED


class Clock:
    """The states of one cycle, from its opening on."""

    __slots__ = (
        "awaiting_since",
        "cancelled_at",
        "ceased",
        "ceased_at",
        "cycle",
        "ended_by_shut",
        "renewals",
        "segments",
        "shown",
        "started_at",
        "state",
        "stopped_at",
        "terms",
        "transitions",
    )

    def __init__(self, terms: Terms, cycle: Micros, at: Micros) -> None:
        self.terms = terms
        self.cycle = cycle
        self.state: State = AWAITING
        self.segments = [Segment(at, AWAITING, None, terms)]
        self.transitions: list[Transition] = []
        self.shown = False
        """Whether it is part of the ticket's view: it has applied while it awaited or ran."""
        self.awaiting_since: Micros | None = None
        self.started_at: Micros | None = None
        self.stopped_at: Micros | None = None
        self.cancelled_at: Micros | None = None
        self.ceased: Reason | None = None
        """Why its commitment does not apply any more: what follows changes nothing of what it shows."""
        self.ceased_at: Micros | None = None
        self.ended_by_shut = False
        """Cancelled because the ticket was solved or closed: a reopen brings it back."""
        self.renewals: tuple[tuple[Micros, Kind], ...] = ()
        """From when on a version of the agreement made it another kind of commitment."""

    @property
    def reason(self) -> Reason | None:
        """Why it is in its state."""
        return self.segments[-1].reason

    @property
    def ended_at(self) -> Micros | None:
        """When it ended, as it is shown: stopped, cancelled, or no longer applying."""
        return (self.stopped_at or self.cancelled_at) if self.terms.applies else self.ceased_at

    # -- what facts do -------------------------------------------------------------------------------------------

    def await_start(self, at: Micros) -> None:
        """Await the start facts that are lacking; shown from now on."""
        # Before, it was not shown: its life begins here, or where it was last cancelled.
        while self.segments and self.segments[-1].state is AWAITING:
            self.segments.pop()
        self._enter(at, AWAITING, None, AWAIT)
        self.awaiting_since = at
        self.shown = True

    def start(self, at: Micros, cause: Reason, *, known_at: Micros | None = None) -> None:
        """Start: all start facts are there. `known_at`, if later, is when they became relevant: due then at the
        earliest."""
        self.started_at = at
        self.awaiting_since = None
        if self.segments[-1].start == at:
            self.segments.pop()  # it has awaited nothing
        self.shown = self.shown or self.terms.applies
        self._record(_STARTED, at, cause)
        if known_at is not None and known_at > at:
            self._enter(at, RUNNING, None, START_UNJUDGED)
            self._enter(known_at, RUNNING, None)
        else:
            self._enter(at, RUNNING, None, START)

    def pause(self, at: Micros, cause: Reason) -> None:
        """Pause. A clock whose time is used up at this very instant is due when it resumes."""
        if self.state is RUNNING:
            self._enter(at, PAUSED, cause)
            self._record(_PAUSED, at, cause)

    def resume(self, at: Micros, cause: Reason) -> None:
        """Go on after a pause."""
        if self.state is PAUSED:
            self._enter(at, RUNNING, None)
            self._record(_RESUMED, at, cause)

    def stop(self, at: Micros, cause: Reason) -> None:
        """Stop: the stop fact has happened, or happened after all to a clock that the closing had cancelled."""
        self._enter(at, STOPPED, cause)
        self.cancelled_at, self.ended_by_shut = None, False
        self.stopped_at = at
        self._record(_STOPPED, at, cause)

    def cancel(self, at: Micros, cause: Reason, *, by_shut: bool = False) -> None:
        """End without a stop fact. `by_shut`: because the ticket was solved or closed."""
        self._enter(at, CANCELLED, cause)
        self.cancelled_at = at
        self.ended_by_shut = by_shut
        if self.shown:
            self._record(_CANCELLED, at, cause)

    def undo_cancel(self, at: Micros) -> None:
        """Take back a cancellation of this very instant: the stop fact of the same instant counts."""
        self.segments.pop()
        self.state = self.segments[-1].state
        self.transitions = [t for t in self.transitions if not (t.kind is _CANCELLED and t.at == at)]
        self.cancelled_at, self.ended_by_shut = None, False

    def reopen(self, at: Micros, cause: Reason) -> None:
        """Go on after a stop or a cancellation, without the time between."""
        self.stopped_at = self.cancelled_at = None
        self.ended_by_shut = False
        if self.started_at is None:
            self.await_start(at)
            return
        self._enter(at, RUNNING, None)
        self._record(_REOPENED, at, cause)

    # -- what the agreement does ---------------------------------------------------------------------------------

    def apply(self, terms: Terms, at: Micros, cause: Reason) -> None:
        """The commitment applies from now on: judged from its own start facts, due now at the earliest."""
        again = self.shown
        self.terms = terms
        if self.started_at is None:
            self._rename_period(at)
            return
        self._enter(at, self.state, None if self.state is RUNNING else self.reason, APPLY)
        self.shown = again or self.state is not CANCELLED
        if again and self.state in LIVE:
            self._record(_REOPENED, at, cause)
        elif again and self.state is STOPPED and self.stopped_at is not None and self.reason is not None:
            self._record(_STOPPED, self.stopped_at, self.reason)

    def renew(self, commitment: Commitment, at: Micros) -> None:
        """A version of the agreement restates the commitment. The current segment goes on as it is."""
        self.renewals += ((at, commitment.kind),)
        self.terms = replace(self.terms, commitment=commitment)

    def restate(self, regime: Regime) -> None:
        """The same target and calendar for another reason: nothing is counted otherwise."""
        self.terms = replace(self.terms, regime=regime)

    def kind_at(self, at: Micros, segment: Segment) -> Kind:
        """The commitment's kind at an instant of a segment."""
        later = [kind for since, kind in self.renewals if segment.start <= since <= at]
        return later[-1] if later else segment.terms.commitment.kind

    def cease(self, at: Micros, cause: Reason) -> None:
        """The commitment does not apply any more: the clock shows as cancelled, with the breach that it had."""
        if self.shown:
            self._record(_CANCELLED, at, cause)
        self.ceased, self.ceased_at = cause, at
        self.terms = replace(self.terms, applies=False)
        self._enter(at, self.state, cause)

    def change(self, regime: Regime, at: Micros, mode: OnChange, period: str) -> None:
        """A new target or calendar from now on. Nothing changes for a clock that has not started."""
        old = self.terms.regime
        self.terms = Terms(self.terms.commitment, regime, applies=True, period=period)
        if self.started_at is None or old is None:
            self._rename_period(at)
            return
        self._enter(
            at, self.state, None if self.state is RUNNING else self.reason, _effect(old, regime, mode)
        )

    def take_earlier_start(
        self, started_at: Micros, stretches: list[Stretch], at: Micros, merge: str
    ) -> None:
        """A merge: the wait of the source began earlier; this clock takes its start and what it counted before."""
        own_start = self.started_at or at
        earlier = tuple(_clipped(s, own_start) for s in stretches if s.start < own_start)
        self.started_at = started_at
        self.transitions = [t for t in self.transitions if t.kind is not _STARTED]
        self._record(_STARTED, started_at, Reason(ReasonCode.MERGE, merge))
        reason = None if self.state is RUNNING else self.reason
        self._enter(at, self.state, reason, MERGE, Earlier(started_at, earlier))

    def _rename_period(self, at: Micros) -> None:
        """A warning of a long wait for the start, if it is still to come, bears the name of the target in force."""
        last = self.segments[-1]
        wait = last.terms.commitment.warn_awaiting
        if last.effect is AWAIT and wait is not None and at <= last.start + wait:
            terms = replace(last.terms, period=self.terms.period)
            self.segments[-1] = last._replace(terms=terms)

    def _enter(
        self,
        at: Micros,
        state: State,
        reason: Reason | None,
        effect: Effect = NONE,
        earlier: Earlier | None = None,
    ) -> None:
        self.state = state
        self.segments.append(Segment(at, state, reason, self.terms, effect, earlier))

    def _record(self, kind: TransitionKind, at: Micros, cause: Reason) -> None:
        # A clock that is shown as cancelled because its commitment does not apply records nothing.
        if self.terms.applies or not self.shown:
            commitment = self.terms.commitment.id
            self.transitions.append(Transition(commitment, self.cycle, kind, str(at), at, cause))


def _effect(old: Regime, new: Regime, mode: OnChange) -> Effect:
    if mode is OnChange.RESET:
        return RESET
    same_unit = old.target.is_duration and new.target.is_duration
    return KEEP if mode is OnChange.CARRY and same_unit else RECOUNT


def _clipped(stretch: Stretch, end: Micros) -> Stretch:
    """The stretch up to `end`."""
    return stretch if stretch.end <= end else stretch._replace(end=end)
