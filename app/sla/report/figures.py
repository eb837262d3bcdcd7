"""What reports count of one clock: when it began, was late and ended, and what it had counted by then.

The figures follow from the clock's time account alone, so a stored copy equals a fresh evaluation. Instants and
durations are microseconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.sla.clock.segment import APPLY, KEEP, MERGE, RECOUNT, RESET, START, START_UNJUDGED, Effect
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.transition import PAUSED
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros


class LateCause(StrEnum):
    """Why a clock was late: by which terms its due date passed. Part of the API: never renamed."""

    DEADLINE = "deadline"
    """Its time was used up, under the target with which it had started."""
    TARGET_CHANGED = "target_changed"
    """A new target or calendar was in force, as after a change of priority."""
    APPLIED_LATER = "applied_later"
    """The commitment came to apply after the clock's start."""
    MERGED = "merged"
    """It had taken over the wait of a ticket that was merged into its own."""


_CAUSES: Final = {
    START: LateCause.DEADLINE,
    START_UNJUDGED: LateCause.APPLIED_LATER,
    APPLY: LateCause.APPLIED_LATER,
    KEEP: LateCause.TARGET_CHANGED,
    RECOUNT: LateCause.TARGET_CHANGED,
    RESET: LateCause.TARGET_CHANGED,
    MERGE: LateCause.MERGED,
}


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """What reports count of a clock, beside its breach and whether it was met.

    `counted` and `target_length` are known of a clock that has ended; `late_cause` and `first_pause` of one that was
    late.
    """

    started_at: Micros | None = None
    ended_at: Micros | None = None
    counted: Micros | None = None
    target_length: Micros | None = None
    """None where its calendar cannot count, or the clock has never started."""
    late_cause: str | None = None
    first_pause: str | None = None
    """Why it paused first, before it was late; None: it had not paused."""


def figures_of(account: TimeAccount) -> ClockFigures:
    """The figures of a clock at the instant of its account."""
    clock, ended_at, late_at = account.clock, account.clock.ended_at, account.breached_at
    has_ended, is_measured = ended_at is not None, clock.started_at is not None and account.uncovered is None
    return ClockFigures(
        started_at=clock.started_at,
        ended_at=ended_at,
        counted=account.counted if has_ended else None,
        target_length=account.length if has_ended and is_measured else None,
        late_cause=None if late_at is None else _late_cause(account, late_at).value,
        first_pause=None if late_at is None else _first_pause(account, late_at),
    )


def _late_cause(account: TimeAccount, late_at: Micros) -> LateCause:
    effects: list[Effect] = [
        s.effect for s in account.clock.segments if s.start <= late_at and s.effect in _CAUSES
    ]
    return _CAUSES[effects[-1]] if effects else LateCause.DEADLINE


def _first_pause(account: TimeAccount, late_at: Micros) -> str | None:
    pauses = (s for s in account.closed_stretches() if s.state is PAUSED and s.start < late_at)
    first = min(pauses, key=lambda stretch: stretch.start, default=None)
    return None if first is None or first.reason is None else pause_name(first.reason)


def pause_name(reason: Reason) -> str:
    """The name of a pause in reports: the status that paused the clock, or `exclusion`."""
    return str(reason.ref) if reason.code is ReasonCode.STATUS else reason.code.value
