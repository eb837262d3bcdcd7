"""When a cycle opens, stops and ends: one policy for each cycle rule of a commitment.

A policy is called for each step that concerns its commitment. Pauses, shut tickets and reopens are the same for all and
stand in `Track`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from app.sla.agreement.agreement import CycleRule
from app.sla.clock.transition import AWAITING, LIVE, ONCE
from app.sla.fields import FIELD_MARK, RELEASED_MARK
from app.sla.reason import Reason, ReasonCode
from app.sla.ticket import SHUT

if TYPE_CHECKING:
    from app.sla.clock.timeline import Step
    from app.sla.clock.track import Track

Policy: TypeAlias = "Callable[[Track, Step], None]"


def once(track: "Track", step: "Step") -> None:
    """One cycle. It starts when every group of start facts has had one, and awaits the lacking ones until then."""
    commitment = track.commitment
    clock = track.current or track.open(ONCE, step.at)
    if clock.started_at is None:
        for number, group in enumerate(commitment.starts_on):
            if not group.isdisjoint(step.facts):
                track.started_by.add(number)
    stopped = not step.facts.isdisjoint(commitment.stops_on)
    if clock.state is AWAITING and clock.started_at is None:
        if stopped and track.answered is None:
            track.answered = step.cause
        if len(track.started_by) == len(commitment.starts_on):
            clock.start(step.at, step.cause)
            if track.answered is not None:
                clock.stop(step.at, track.answered)
        elif clock.awaiting_since is None and clock.terms.applies and _shows_awaiting(track, step):
            clock.await_start(step.at)
    elif stopped:
        track.answer(clock, step)
    elif clock.state in LIVE and track.ends(step):
        track.finish(clock, step)


def _shows_awaiting(track: "Track", step: "Step") -> bool:
    """Whether the ticket is known to be one that the commitment is about."""
    commitment = track.commitment
    if commitment.applies_to.tests or track.started_by or "ticket.created" in commitment.start_types:
        return True
    return any(step.fields.get(name) for name in commitment.start_dates)


def next_reply(track: "Track", step: "Step") -> None:
    """A cycle for each unanswered message of the customer: it opens at the oldest one and stops at the next reply."""
    commitment, clock = track.commitment, track.current
    if not step.facts.isdisjoint(commitment.stops_on):
        track.while_shut = None
        if clock is not None:
            track.answer(clock, step)
    elif step.by_customer and not step.facts.isdisjoint(commitment.start_types):
        if step.status in SHUT:
            track.while_shut = step
        elif track.live is None:
            track.open(step.at, step.at).start(step.at, step.cause)
    elif step.reopened and track.while_shut is not None and track.live is None:
        message, track.while_shut = track.while_shut, None
        track.open(message.at, message.at).start(message.at, message.cause, known_at=step.at)
    if (live := track.live) is not None and track.ends(step):
        track.finish(live, step)


def progress(track: "Track", step: "Step") -> None:
    """A cycle from the start fact to the first report, then one from each report to the next, until the end."""
    clock, commitment = track.live, track.commitment
    due = clock or track.ended_by_shut
    if track.ends(step):
        if clock is not None:
            track.finish(clock, step)
    elif due is not None and not step.facts.isdisjoint(commitment.stops_on):
        track.answer(due, step)
        track.open(step.at, step.at).start(step.at, step.cause)
    elif clock is None and not step.facts.isdisjoint(commitment.start_types):
        track.open(step.at, step.at).start(step.at, step.cause)


def claim(track: "Track", step: "Step") -> None:
    """A cycle from each claim to its answer. A further claim while one is unanswered joins the open cycle."""
    commitment, live = track.commitment, track.live
    if live is not None and track.ends(step):
        track.finish(live, step)
    elif not step.facts.isdisjoint(commitment.stops_on):
        if track.current is not None:
            track.answer(track.current, step)
    elif live is None and not step.facts.isdisjoint(commitment.start_types) and not _refused(track, step):
        track.open(step.at, step.at).start(step.at, step.cause)


def assignment(track: "Track", step: "Step") -> None:
    """A cycle for each one to whom the ticket is assigned. The next assignment ends it neither met nor missed, and so
    does its release. What is assigned while the ticket is shut begins with the reopening."""
    commitment, facts = track.commitment, step.facts
    (name,) = (fact.removeprefix(FIELD_MARK) for fact in commitment.start_types)
    if FIELD_MARK + name in facts or RELEASED_MARK + name in facts:
        _hand_over(track, step, name)
    elif not facts.isdisjoint(commitment.stops_on):
        if track.current is not None:
            track.answer(track.current, step)
    elif step.reopened and track.while_shut is not None:
        track.while_shut = None
        track.open(step.at, step.at).start(step.at, step.cause)
    if (live := track.live) is not None and track.ends(step):
        track.finish(live, step)


def _hand_over(track: "Track", step: "Step", name: str) -> None:
    assigned = FIELD_MARK + name in step.facts
    if (live := track.live) is not None:
        if assigned:
            code, params = ReasonCode.REASSIGNED, {"field": name, "value": step.fields.get(name)}
        else:
            code, params = ReasonCode.UNASSIGNED, {"field": name}
        track.take_away(live, step.at, Reason(code, step.id, params))
    # The former's clock is over: a reopening brings nothing of it back.
    track.current = track.while_shut = None
    if assigned and step.status in SHUT:
        track.while_shut = step
    elif assigned:
        track.open(step.at, step.at).start(step.at, step.cause)


def _refused(track: "Track", step: "Step") -> bool:
    """Whether the claim came after the deadline of the commitment that `not_after` names."""
    due_at = None if track.not_after is None else track.not_after.due_at(step.at)
    if due_at is None or due_at >= step.at:
        return False
    track.refused = Reason(ReasonCode.AGREEMENT_TEXT, params={"text": track.commitment.not_after_reason})
    return True


POLICIES: Final[Mapping[CycleRule, Policy]] = {
    CycleRule.ONCE: once,
    CycleRule.NEXT_REPLY: next_reply,
    CycleRule.PROGRESS: progress,
    CycleRule.CLAIM: claim,
    CycleRule.ASSIGNMENT: assignment,
}
