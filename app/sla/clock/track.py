"""One commitment on one ticket: which cycles it has, and what each event does to the running one.

`Track.step` takes the ticket's events in their total order; a `Step` is an event with what it means: the facts that it
is, whether it reopened or ended the ticket, what it changed. Here alone stand the rules of starting, stopping, pausing,
closing and reopening. The arithmetic of time is the `Clock`'s. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.sla.agreement.agreement import Agreement, Commitment, CycleRule, OnReopen, Regime, Withheld
from app.sla.clock.clock import Clock
from app.sla.clock.transition import AWAITING, LIVE, ONCE, PAUSED, STOPPED
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.ticket import SHUT, Ticket

# Looked up as globals in the innermost loop: access to an enum's members costs ten times that.
_ONCE: Final = CycleRule.ONCE
_NEXT_REPLY: Final = CycleRule.NEXT_REPLY
_PROGRESS: Final = CycleRule.PROGRESS

_OPENED: Final = Reason(ReasonCode.EVENT)
_AT_WORK: Final = frozenset({"new", "open", "pending"})
"""Statuses to which a shut ticket comes back by a reopen."""


class Step(NamedTuple):
    """One event as the tracks see it. `cause` is its id; `facts` are the start and stop facts that it is."""

    at: Micros
    id: str
    """The event's id; of a boundary its own name. It stands in the occurrence of warnings."""
    cause: Reason
    facts: frozenset[str]
    ticket: Ticket
    status: str
    reopened: bool
    ended: Reason | None
    """Why the ticket ended with this event (merged, deleted)."""
    fields_changed: bool
    status_changed: bool
    """Whether anything that is a level may have changed: the status, or what is excluded."""
    excluded: Mapping[str, Reason]
    """Commitments that an exclusion holds now, with its author and reason; `*` stands for all."""
    asks: bool = False
    """Whether it is a human message of the customer (of the creation too, if the customer wrote it)."""


class Track:
    """All cycles of one commitment on one ticket."""

    __slots__ = (
        "agreement",
        "answered",
        "clocks",
        "commitment",
        "current",
        "muted",
        "over",
        "refused",
        "regime",
        "shut_message",
        "started_by",
        "withheld",
    )

    def __init__(self, commitment: Commitment, agreement: Agreement, *, muted: bool = False) -> None:
        self.commitment = commitment
        self.muted = muted
        """It follows the events, but its commitment is not in force yet."""
        self.agreement = agreement
        self.clocks: list[Clock] = []
        self.current: Clock | None = None
        self.over = False
        self.regime: Regime | None = None
        self.withheld: Reason | None = None
        self.refused: Reason | None = None
        self.started_by: set[int] = set()
        self.answered: Reason | None = None
        """A stop fact that came while the clock awaited its start, or while the ticket was shut."""
        self.shut_message: Step | None = None

    @property
    def live(self) -> Clock | None:
        """The clock that awaits, runs or is paused, if there is one."""
        return self.current if self.current is not None and self.current.state in LIVE else None

    @property
    def lacking(self) -> tuple[str, ...]:
        """The start facts that lack; alternatives of one group are joined by `|`."""
        return tuple(
            "|".join(sorted(group))
            for number, group in enumerate(self.commitment.starts_on)
            if number not in self.started_by
        )

    def step(self, step: Step, tracks: Mapping[str, "Track"]) -> None:
        """Take the next event in. `tracks` are those of all commitments, for `not_after`."""
        if self.over:
            return
        commitment = self.commitment
        concerned = bool(step.facts & commitment.interests) or step.fields_changed
        if not (concerned or step.status_changed or step.ended is not None):
            return
        before = self.current
        if before is not None:
            if before.watch < step.at:
                before.settle(step.at)
            state = before.state
        else:
            state = None
        if step.ended is not None:
            self._end(step)
            return
        if step.fields_changed and not (self.regime is not None and self._steady):
            self._judge_fields(step)
        comes_back = step.reopened or (before is not None and before.ended_by_shut)
        if comes_back and before is not None:
            self._come_back(before, step)
        # A status alone starts and answers nothing; it may only end what names it.
        if concerned or comes_back or before is None or commitment.end_statuses:
            self._advance(step, tracks)
        clock = self.current
        if clock is None or clock.state not in LIVE:
            return
        # Levels: they are looked at when they may have changed, and when the clock has.
        if step.status_changed or clock is not before or clock.state is not state:
            self._follow_status(clock, step)

    def _advance(self, step: Step, tracks: Mapping[str, "Track"]) -> None:
        cycle = self.commitment.cycle
        if cycle is _ONCE:
            self._step_once(step)
        elif cycle is _NEXT_REPLY:
            self._step_next_reply(step)
        elif cycle is _PROGRESS:
            self._step_progress(step)
        else:
            self._step_claim(step, tracks)

    def renew(self, commitment: Commitment, agreement: Agreement, step: Step) -> None:
        """Go on under a new version of the agreement, keeping what has counted so far."""
        if self.current is not None:
            self.current.settle(step.at)
            self.current.commitment = commitment
        self.commitment, self.agreement = commitment, agreement
        if not self.over:
            self._judge_fields(step)

    # -- does it apply, and under which target -------------------------------------------------------------------

    def _judge_fields(self, step: Step) -> None:
        if self.muted:
            return
        applies = self.agreement.applies(self.commitment, step.ticket.fields)
        found = self.agreement.regime(self.commitment, step.ticket.fields) if applies is True else applies
        self.regime = found if isinstance(found, Regime) else None
        self.withheld = found.reason if isinstance(found, Withheld) else None
        clock = self.current
        if clock is None:
            return
        if self.regime is None:
            if clock.state in LIVE and not clock.dormant:
                clock.sleep(step.at, self.withheld or Reason(ReasonCode.NO_LONGER_APPLIES))
        elif clock.dormant:
            clock.wake(self.regime, step.at, step.cause, "@" + step.id)
        elif clock.state in LIVE:
            self._change(clock, self.regime, step)

    @property
    def _steady(self) -> bool:
        """Whether no field of a ticket can change what applies and which target is in force."""
        return self.commitment.steady and not self.agreement.applies_to.tests

    def _change(self, clock: Clock, regime: Regime, step: Step) -> None:
        if clock.regime is None or not clock.regime.same_as(regime):
            clock.change(regime, step.at, self.commitment.on_change, "@" + step.id)

    def _open(self, cycle: Micros, at: Micros) -> Clock:
        clock = Clock(self.commitment, cycle, at)
        if self.regime is not None:
            clock.wake(self.regime, at, _OPENED, "")
        self.clocks.append(clock)
        self.current = clock
        return clock

    # -- coming back and ending ----------------------------------------------------------------------------------

    def _come_back(self, clock: Clock, step: Step) -> None:
        if self.regime is None:
            return
        if clock.ended_by_shut and step.status in _AT_WORK:
            clock.reopen(step.at, step.cause)
            self._change(clock, self.regime, step)
            if self.answered is not None and clock.started_at is not None:
                clock.stop(step.at, self.answered)
            self.shut_message = None
        elif step.reopened and clock.state is STOPPED and self.commitment.cycle is _ONCE:
            self._reopen_stopped(clock, self.regime, step)

    def _reopen_stopped(self, clock: Clock, regime: Regime, step: Step) -> None:
        rule = self.commitment.on_reopen
        if rule is OnReopen.IGNORE or self.commitment.measure == "response":
            return
        self.answered = None
        if rule is OnReopen.RESTART:
            self._open(step.at, step.at).start(step.at, step.cause)
            return
        clock.dormant = False
        if clock.regime is None or not clock.regime.same_as(regime):
            clock.change(regime, step.at, self.commitment.on_change, "@" + step.id)
        clock.reopen(step.at, step.cause)

    def _end(self, step: Step) -> None:
        if (clock := self.live) is not None:
            clock.cancel(step.at, step.ended or step.cause)
        self.over = True

    def _follow_status(self, clock: Clock, step: Step) -> None:
        """Levels: while the status stops, shuts or pauses, the clock is stopped, ended or paused."""
        commitment = self.commitment
        if step.status in commitment.stop_statuses and clock.started_at is not None:
            clock.stop(step.at, step.cause)
            return
        if step.status == "closed" or (step.status == "solved" and commitment.is_response):
            clock.cancel(step.at, _shut(commitment, step.status), by_shut=True)
            return
        excluded = step.excluded.get(commitment.id) or step.excluded.get("*")
        held = excluded
        if held is None and step.status in commitment.pauses_while:
            held = Reason(ReasonCode.STATUS, step.status)
        if held is not None:
            clock.pause(step.at, held)
        elif clock.state is PAUSED:
            clock.resume(step.at, step.cause)

    # -- the four kinds of cycle ---------------------------------------------------------------------------------

    def _step_once(self, step: Step) -> None:
        clock = self.current or self._open(ONCE, step.at)
        for number, group in enumerate(self.commitment.starts_on):
            if group & step.facts:
                self.started_by.add(number)
        stopped = bool(step.facts & self.commitment.stops_on)
        if clock.state is AWAITING and clock.started_at is None:
            if stopped:
                self.answered = self.answered or step.cause
            if len(self.started_by) == len(self.commitment.starts_on):
                clock.start(step.at, step.cause)
                if self.answered is not None:
                    clock.stop(step.at, self.answered)
            elif clock.awaiting_since is None and not clock.dormant and self._is_due_to_await:
                clock.await_start(step.at)
        elif stopped:
            self._answer(clock, step)
        elif clock.state in LIVE and self._ends(step):
            self._finish(clock, step)

    @property
    def _is_due_to_await(self) -> bool:
        commitment = self.commitment
        return bool(
            commitment.applies_to.tests or self.started_by or "ticket.created" in commitment.start_types
        )

    def _step_next_reply(self, step: Step) -> None:
        clock = self.current
        if step.facts & self.commitment.stops_on:
            self.shut_message = None
            if clock is not None:
                self._answer(clock, step)
        elif step.asks and step.facts & self.commitment.start_types:
            if step.status in SHUT:
                self.shut_message = step
            elif self.live is None:
                self._open(step.at, step.at).start(step.at, step.cause)
        elif step.reopened and self.shut_message is not None and self.live is None:
            message, self.shut_message = self.shut_message, None
            self._open(message.at, message.at).start(message.at, message.cause, known_at=step.at)
        if self.live is not None and self._ends(step):
            self._finish(self.live, step)

    def _step_progress(self, step: Step) -> None:
        clock = self.live
        if self._ends(step):
            if clock is not None:
                self._finish(clock, step)
        elif clock is not None and step.facts & self.commitment.stops_on:
            clock.stop(step.at, step.cause)
            self._open(step.at, step.at).start(step.at, step.cause)
        elif clock is None and step.facts & self.commitment.start_types:
            self._open(step.at, step.at).start(step.at, step.cause)

    def _step_claim(self, step: Step, tracks: Mapping[str, "Track"]) -> None:
        clock = self.current
        if self.live is not None and self._ends(step):
            self._finish(self.live, step)
        elif step.facts & self.commitment.stops_on:
            if clock is not None:
                self._answer(clock, step)
        elif (
            self.live is None
            and step.facts & self.commitment.start_types
            and not self._too_late(step, tracks)
        ):
            self._open(step.at, step.at).start(step.at, step.cause)

    def _too_late(self, step: Step, tracks: Mapping[str, "Track"]) -> bool:
        """Whether the customer's own deadline had passed, so that the agreement takes no claim in any more."""
        if self.commitment.not_after is None:
            return False
        other = tracks[self.commitment.not_after].current
        late = other is not None and other.due_at is not None and other.due_at < step.at
        if late:
            self.refused = Reason(
                ReasonCode.AGREEMENT_TEXT, params={"text": self.commitment.not_after_reason}
            )
        return late

    def _answer(self, clock: Clock, step: Step) -> None:
        if clock.ended_by_shut:
            if clock.cancelled_at != step.at:
                self.answered = step.cause
                if self.commitment.cycle is not _ONCE:
                    clock.ended_by_shut = False  # answered after all: a reopen has nothing to bring back
                return
            # Answered and shut at one instant: the answer counts, whichever of the two is the later by its id.
            clock.uncancel(step.at)
        if clock.state in LIVE and clock.started_at is not None:
            clock.stop(step.at, step.cause)

    def _ends(self, step: Step) -> bool:
        return bool(step.facts & self.commitment.ends_on) or step.status in self.commitment.end_statuses

    def _finish(self, clock: Clock, step: Step) -> None:
        """Its end has come without its stop fact: nothing was owed any more, unless it was late already."""
        if clock.breached_at is not None:
            clock.stop(step.at, step.cause)
        elif clock.started_at == step.at and self.commitment.cycle is not _ONCE:
            # Opened and ended at one instant: it never was.
            self.clocks.remove(clock)
            self.current = None
        elif clock.started_at is not None:
            clock.cancel(step.at, step.cause)


def _shut(commitment: Commitment, status: str) -> Reason:
    response = commitment.is_response
    return Reason(ReasonCode.SHUT_WITHOUT_REPLY if response else ReasonCode.SHUT_BEFORE_MET, status)
