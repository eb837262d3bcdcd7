"""One commitment on one ticket: all its cycles, and the rules that every cycle shares.

`Track.run` takes the steps of the ticket's timeline in order. Here stand the rules of applying, pausing, shutting and
reopening; when a cycle opens and stops is the policy's in `cycles`. Instants are microseconds UTC.
"""

from collections.abc import Iterable
from typing import Final

from app.sla.agreement.agreement import Agreement, Commitment, CycleRule, OnReopen, Regime, Withheld
from app.sla.clock.clock import Clock
from app.sla.clock.cycles import POLICIES
from app.sla.clock.segment import Terms
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.timeline import EVERY_COMMITMENT, Step
from app.sla.clock.transition import LIVE, PAUSED, STOPPED
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros

_ONCE: Final = CycleRule.ONCE
_RESUMABLE: Final = (CycleRule.ONCE, CycleRule.ASSIGNMENT)
"""Cycles whose clock, once stopped, a reopening may continue: the others open anew by their own start facts."""
_WORKED_ON: Final = frozenset({"new", "open", "pending"})
"""Statuses in which a reopened ticket has work again."""


class Track:
    """All cycles of one commitment on one ticket."""

    __slots__ = (
        "agreement",
        "answered",
        "clocks",
        "commitment",
        "current",
        "in_force",
        "not_after",
        "over",
        "policy",
        "refused",
        "regime",
        "settled",
        "settled_before",
        "started_by",
        "while_shut",
        "withheld",
    )

    def __init__(
        self,
        commitment: Commitment,
        agreement: Agreement,
        not_after: "Track | None",
        *,
        in_force: bool = True,
    ) -> None:
        self.commitment, self.agreement = commitment, agreement
        self.not_after = not_after
        """The track whose due date closes this one to further cycles. No reference back: a cycle of objects would
        leave every evaluation to the garbage collector."""
        self.policy = POLICIES[commitment.cycle]
        self.in_force = in_force
        """Whether the version that has the commitment is in force; before, it only follows the facts."""
        self.clocks: list[Clock] = []
        self.current: Clock | None = None
        """The latest cycle."""
        self.over = False
        """The ticket or the commitment has ended: nothing changes any more."""
        self.regime: Regime | None = None
        self.withheld: Reason | None = None
        """Why the commitment does not apply to the ticket."""
        self.refused: Reason | None = None
        """Why a claim opened no cycle."""
        self.started_by: set[int] = set()
        """The groups of start facts that have had one."""
        self.answered: Reason | None = None
        """A stop fact that came while the clock awaited its start."""
        self.while_shut: Step | None = None
        """The latest customer message, or assignment, on the shut ticket: a reopen opens its cycle."""
        self.settled = 0
        """How many earlier cycles a checkpoint has left out of `clocks`; those below the identity `settled_before`."""
        self.settled_before: Micros = 0

    @property
    def live(self) -> Clock | None:
        """The clock that awaits, runs or is paused, if there is one."""
        clock = self.current
        return clock if clock is not None and clock.state in LIVE else None

    @property
    def ended_by_shut(self) -> Clock | None:
        """The latest cycle, if the closing of the ticket cancelled it and nothing has happened to it since."""
        return self.current if self.current is not None and self.current.ended_by_shut else None

    @property
    def lacking(self) -> tuple[str, ...]:
        """The start facts that lack; alternatives of one group are joined by `|`."""
        return tuple(
            "|".join(sorted(group))
            for number, group in enumerate(self.commitment.starts_on)
            if number not in self.started_by
        )

    def due_at(self, at: Micros) -> Micros | None:
        """The due date of its latest cycle, as it stood at an instant."""
        opened = [clock for clock in self.clocks if clock.segments[0].start <= at]
        return TimeAccount(opened[-1], at).due_at if opened else None

    def run(self, steps: Iterable[Step]) -> None:
        """Take the next steps of the timeline, in their order."""
        interests = self.commitment.interests
        for step in steps:
            concerned = not step.facts.isdisjoint(interests)
            if (concerned or step.is_level) and not self.over:
                self._step(step, concerned=concerned)

    def _step(self, step: Step, *, concerned: bool) -> None:
        """One step. `concerned`: its facts are start, stop or end facts of the commitment."""
        if step.ended is not None:
            self._end(step.at, step.ended)
            return
        commitment, before = self.commitment, self.current
        state = None if before is None else before.state
        if step.fields_changed and not (self.regime is not None and self._is_steady):
            self._judge_fields(step)
        comes_back = before is not None and (step.reopened or before.ended_by_shut)
        if comes_back and before is not None:
            self._come_back(before, step)
        # A status alone starts and answers nothing; it may only end what names it.
        concerned = concerned or step.fields_changed or step.reopened or comes_back
        if concerned or commitment.end_statuses or (before is None and commitment.cycle is _ONCE):
            self.policy(self, step)
        clock = self.current
        if clock is None or clock.state not in LIVE:
            return
        # Levels are looked at when they may have changed, and when the clock has.
        if step.levels_changed or clock is not before or clock.state is not state:
            self._follow_levels(clock, step)

    def renew(
        self, commitment: Commitment, agreement: Agreement, not_after: "Track | None", step: Step
    ) -> None:
        """Go on under a new version of the agreement, with what has counted so far."""
        self.commitment, self.agreement, self.in_force = commitment, agreement, True
        self.not_after = not_after
        self.policy = POLICIES[commitment.cycle]
        if self.current is not None:
            self.current.renew(commitment, step.at)
        if not self.over:
            self._judge_fields(step)

    def drop(self, at: Micros, cause: Reason) -> None:
        """The version that takes over has no such commitment. It follows the facts on: a later version may have it."""
        self.in_force, self.regime = False, None
        self.withheld = self.refused = None
        clock = self.current
        if clock is not None and clock.state in LIVE and clock.terms.applies:
            clock.cease(at, cause)

    def open(self, cycle: Micros, at: Micros) -> Clock:
        """Open a cycle. One that opened and ended at the same instant gives way to it: there was no such cycle."""
        if self.clocks and self.clocks[-1].cycle == cycle:
            self.clocks.pop()
        terms = Terms(self.commitment, self.regime, applies=self.regime is not None)
        self.current = Clock(terms, cycle, at)
        self.clocks.append(self.current)
        return self.current

    def answer(self, clock: Clock, step: Step) -> None:
        """Stop a clock by its stop fact. One that the closing had cancelled was answered after all: it stops as well."""
        if clock.ended_by_shut:
            if clock.cancelled_at == step.at:
                # Answered and shut at one instant: the answer counts, whichever of the two has the later id.
                clock.undo_cancel(step.at)
            elif clock.started_at is None:
                self.answered = step.cause
            elif self.regime is not None or not clock.terms.applies:
                clock.stop(step.at, step.cause)
        if clock.state in LIVE and clock.started_at is not None:
            clock.stop(step.at, step.cause)

    def ends(self, step: Step) -> bool:
        """Whether the step ends a cycle without a stop fact."""
        commitment = self.commitment
        return step.status in commitment.end_statuses or not step.facts.isdisjoint(commitment.ends_on)

    def finish(self, clock: Clock, step: Step) -> None:
        """End a cycle without its stop fact: stopped if it was late already, else cancelled."""
        if TimeAccount(clock, step.at).breached_at is not None:
            clock.stop(step.at, step.cause)
        elif clock.started_at is not None:
            self.take_away(clock, step.at, step.cause)

    def take_away(self, clock: Clock, at: Micros, cause: Reason) -> None:
        """Cancel a cycle that has started. One that opened at this very instant did not exist."""
        if clock.started_at == at and self.commitment.cycle is not _ONCE:
            self.clocks.remove(clock)
            self.current = None
        else:
            clock.cancel(at, cause)

    # -- does it apply, and under which target -------------------------------------------------------------------

    def _judge_fields(self, step: Step) -> None:
        if not self.in_force:
            return
        fields = step.fields
        applies = self.agreement.applies(self.commitment, fields)
        found = self.agreement.regime(self.commitment, fields, step.contract) if applies is True else applies
        self.regime = found if isinstance(found, Regime) else None
        self.withheld = found.reason if isinstance(found, Withheld) else None
        clock = self.current
        if clock is None:
            return
        if self.regime is None:
            if clock.state in LIVE and clock.terms.applies:
                clock.cease(step.at, self.withheld or Reason(ReasonCode.NO_LONGER_APPLIES))
        elif not clock.terms.applies:
            terms = Terms(self.commitment, self.regime, applies=True, period="@" + step.id)
            clock.apply(terms, step.at, step.cause)
        elif clock.state in LIVE:
            self._change(clock, self.regime, step)

    @property
    def _is_steady(self) -> bool:
        """Whether no field of a ticket can change what applies and which target is in force."""
        return self.commitment.steady and not self.agreement.applies_to.tests

    def _change(self, clock: Clock, regime: Regime, step: Step) -> None:
        before = clock.terms.regime
        if before is None or not before.same_as(regime):
            clock.change(regime, step.at, self.commitment.on_change, "@" + step.id)
        elif before.chosen != regime.chosen:
            clock.restate(regime)

    # -- coming back, ending, levels -----------------------------------------------------------------------------

    def _come_back(self, clock: Clock, step: Step) -> None:
        if self.regime is None:
            return
        if clock.ended_by_shut and step.status in _WORKED_ON:
            clock.reopen(step.at, step.cause)
            self._change(clock, self.regime, step)
            self.while_shut = None
        elif step.reopened and clock.state is STOPPED and self.commitment.cycle in _RESUMABLE:
            self._reopen_stopped(clock, self.regime, step)

    def _reopen_stopped(self, clock: Clock, regime: Regime, step: Step) -> None:
        rule = self.commitment.on_reopen
        if rule is OnReopen.IGNORE or self.commitment.measure == "response":
            return
        self.answered = None
        if rule is OnReopen.RESTART:
            self.open(step.at, step.at).start(step.at, step.cause)
            return
        self._change(clock, regime, step)
        clock.reopen(step.at, step.cause)

    def _end(self, at: Micros, cause: Reason) -> None:
        if (clock := self.live) is not None:
            clock.cancel(at, cause)
        self.over = True

    def _follow_levels(self, clock: Clock, step: Step) -> None:
        """While the status stops, shuts or pauses, or an exclusion covers it, the clock is stopped, ended or paused."""
        commitment, status = self.commitment, step.status
        if status in commitment.stop_statuses and clock.started_at is not None:
            clock.stop(step.at, step.cause)
        elif status == "closed" or (status == "solved" and commitment.is_response):
            response = commitment.is_response
            code = ReasonCode.SHUT_WITHOUT_REPLY if response else ReasonCode.SHUT_BEFORE_MET
            clock.cancel(step.at, Reason(code, status), by_shut=True)
        elif excluded := step.excluded.get(commitment.id) or step.excluded.get(EVERY_COMMITMENT):
            clock.pause(step.at, excluded)
        elif status in commitment.pauses_while:
            clock.pause(step.at, Reason(ReasonCode.STATUS, status))
        elif clock.state is PAUSED:
            clock.resume(step.at, step.cause)
