"""States of a clock, and transitions: what it did at an instant. Microseconds UTC."""

from enum import StrEnum
from typing import Final, NamedTuple

from app.sla.agreement.agreement import Kind
from app.sla.reason import Reason
from app.sla.span import Micros


class State(StrEnum):
    """The state of a clock."""

    AWAITING = "awaiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class TransitionKind(StrEnum):
    """What a clock did at an instant; emitted as the signal `clock.<kind>`."""

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
"""The transition by which a clock becomes late, by the commitment's kind."""

# Looked up as globals: access to an enum's members costs ten times that, and this is the innermost loop.
AWAITING: Final = State.AWAITING
RUNNING: Final = State.RUNNING
PAUSED: Final = State.PAUSED
STOPPED: Final = State.STOPPED
CANCELLED: Final = State.CANCELLED
LIVE: Final = (AWAITING, RUNNING, PAUSED)
ONCE: Final[Micros] = 0
"""Identity of the only cycle of a commitment that has one."""


class Transition(NamedTuple):
    """Something that a clock did. Its identity is (commitment, cycle, kind, occurrence), without the cause.

    A tuple and no dataclass, like segments and views: an evaluation makes dozens, and a tuple is made twice as fast.
    """

    commitment: str
    cycle: Micros
    kind: TransitionKind
    occurrence: str
    at: Micros
    cause: Reason | None
