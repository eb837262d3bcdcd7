"""A clock as others see it at an instant. Seconds and text come at the edge; here all is microseconds UTC."""

from typing import NamedTuple

from app.sla.agreement.agreement import Kind
from app.sla.clock.clock import Clock
from app.sla.clock.track import Track
from app.sla.clock.transition import AWAITING, CANCELLED, LIVE, PAUSED, RUNNING, STOPPED, State
from app.sla.reason import Reason
from app.sla.span import Micros


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
    cause: Reason | None
    flags: tuple[str, ...]


def view_of(clock: Clock, track: Track, number: int, at: Micros) -> ClockView:
    """The clock as others see it at `at`, which must not lie before anything that it has taken in."""
    commitment = clock.commitment
    # Whatever happens underneath while the commitment does not apply, it was cancelled for all to see.
    state = CANCELLED if clock.dormant else clock.state
    started = clock.started_at is not None
    counted = clock.counted_at(at)
    breached = clock.breached_at is not None
    running, paused = state is RUNNING, state is PAUSED
    met = None if state is CANCELLED or not started or state in LIVE else True
    shows_due = running or state is STOPPED or (state is CANCELLED and breached)
    regime = clock.regime
    flags = ("calendar_uncovered",) if clock.uncovered else ()
    return ClockView(
        commitment=commitment.id,
        label=commitment.label,
        kind=commitment.kind,
        measure=commitment.measure,
        cycle=number,
        cycle_id=clock.cycle,
        state=state,
        open_now=_open_now(clock, at) if running or paused else None,
        awaiting=track.lacking if state is AWAITING else (),
        awaiting_since=clock.awaiting_since if state is AWAITING else None,
        started_at=clock.started_at,
        due_at=clock.due_at if shows_due else None,
        stopped_at=clock.stopped_at if state is STOPPED else None,
        counted=counted,
        target=str(regime.target) if regime else None,
        target_length=clock.length if started and not clock.uncovered else None,
        remaining=clock.length - counted if started and not clock.uncovered else None,
        overdue=_overdue(clock, at) if started else None,
        due_if_resumed_now=clock.due_if_resumed(at) if paused else None,
        breached_at=clock.breached_at,
        met=False if breached else met,
        calendar=regime.calendar.name if regime else None,
        next_at=clock.next_at,
        cause=clock.cause,
        flags=flags,
    )


def _open_now(clock: Clock, at: Micros) -> bool | None:
    return None if clock.regime is None or clock.uncovered else clock.regime.calendar.is_open_us(at)


def _overdue(clock: Clock, at: Micros) -> int:
    """Real time past the due date, until the end of the clock or now."""
    if clock.due_at is None or not clock.late_settled:
        return 0
    end = (clock.cancelled_at if clock.dormant else clock.stopped_at or clock.cancelled_at) or at
    return max(0, end - clock.due_at)
