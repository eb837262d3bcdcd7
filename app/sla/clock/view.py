"""The view of a clock at an instant. Microseconds UTC; whole seconds and texts are made where an answer is built."""

from typing import Final, NamedTuple

from app.sla.agreement.agreement import Kind
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.track import Track
from app.sla.clock.transition import AWAITING, CANCELLED, LIVE, PAUSED, RUNNING, STOPPED, State
from app.sla.reason import Reason
from app.sla.span import Micros

UNCOVERED: Final = "calendar_uncovered"
"""Flag of a clock whose calendar does not cover a year that it needs."""


class ClockView(NamedTuple):
    """A clock as it is shown at an instant."""

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
    calendar_reason: Reason | None
    """Why it counts in this calendar; None: its commitment has no other."""


def view_of(account: TimeAccount, track: Track, number: int) -> ClockView:
    """The clock as it is shown at the instant of the account."""
    clock, terms = account.clock, account.clock.terms
    commitment, regime, length = terms.commitment, terms.regime, account.length
    # While the commitment does not apply, the clock shows as cancelled whatever the facts are.
    state = clock.state if terms.applies else CANCELLED
    started = clock.started_at is not None
    counted = account.counted
    breached = account.breached_at is not None
    running, paused = state is RUNNING, state is PAUSED
    met = None if state is CANCELLED or not started or state in LIVE else True
    shows_due = running or state is STOPPED or (state is CANCELLED and breached)
    measured = started and not account.uncovered
    flags = (UNCOVERED,) if account.uncovered else ()
    # Positional: with 25 keywords this call would take four times as long, and it is made for every clock.
    return ClockView(
        commitment.id,
        commitment.label,
        commitment.kind,
        commitment.measure,
        number,
        clock.cycle,
        state,
        _open_now(account) if running or paused else None,
        track.lacking if state is AWAITING else (),
        clock.awaiting_since if state is AWAITING else None,
        clock.started_at,
        account.due_at if shows_due else None,
        clock.stopped_at if state is STOPPED else None,
        counted,
        regime.target.written if regime else None,
        length if measured else None,
        length - counted if measured else None,
        None if not started else _overdue(account) if account.is_late else 0,
        account.due_if_resumed() if paused else None,
        account.breached_at,
        False if breached else met,
        regime.calendar.name if regime else None,
        account.next_at,
        clock.reason if terms.applies else clock.ceased,
        flags,
        regime.chosen if regime else None,
    )


def _open_now(account: TimeAccount) -> bool | None:
    regime = account.regime
    return None if regime is None or account.uncovered else regime.calendar.is_open_us(account.at)


def _overdue(account: TimeAccount) -> int:
    """Real time past the due date, until the end of the clock or now."""
    clock = account.clock
    if account.due_at is None:
        return 0
    return max(0, (clock.ended_at or account.at) - account.due_at)
