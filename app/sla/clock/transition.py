"""What states has a clock, and what can it do at an instant? Plain words and values, in microseconds UTC."""

from enum import StrEnum
from typing import Final, NamedTuple

from app.sla.agreement.agreement import Kind
from app.sla.reason import Reason
from app.sla.span import Micros


class State(StrEnum):
    """Where a clock stands."""

    AWAITING = "awaiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class TransitionKind(StrEnum):
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
    Kind.GUARANTEE: TransitionKind.BREACHED,
    Kind.OBJECTIVE: TransitionKind.MISSED,
    Kind.CUSTOMER: TransitionKind.LAPSED,
}
"""What being late is called, by whose promise it was."""

# Looked up as globals: access to an enum's members costs ten times that, and this is the innermost loop.
AWAITING: Final = State.AWAITING
RUNNING: Final = State.RUNNING
PAUSED: Final = State.PAUSED
STOPPED: Final = State.STOPPED
CANCELLED: Final = State.CANCELLED
LIVE: Final = (AWAITING, RUNNING, PAUSED)
NEVER: Final[Micros] = 1 << 62
"""After every instant."""
ONCE: Final[Micros] = 0
"""Identity of the only cycle of a commitment that has one."""


class Transition(NamedTuple):
    """Something that a clock did. Its identity is (commitment, cycle, kind, occurrence); its cause may be learnt better.

    A tuple and no dataclass, as stretches and views are: an evaluation makes dozens, and a tuple is made twice as fast.
    """

    commitment: str
    cycle: Micros
    kind: TransitionKind
    occurrence: str
    at: Micros
    cause: Reason | None
