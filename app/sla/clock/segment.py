"""The life of a clock as segments: from when on it was in which state, and under which terms.

`Clock` writes segments; `TimeAccount` derives counted time, due date, warnings and lateness from them. Instants are
microseconds UTC.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from app.sla.agreement.agreement import Commitment, Regime
from app.sla.calendar import Calendar
from app.sla.clock.transition import State
from app.sla.reason import Reason
from app.sla.span import Micros


@dataclass(slots=True)
class Terms:
    """What is in force for a clock: the commitment, its target and calendar, and whether it applies.

    Never changed; not frozen, which would triple the cost of creation.
    """

    commitment: Commitment
    regime: Regime | None
    """None: it has never applied. While it does not apply, the last regime stays."""
    applies: bool
    period: str = ""
    """Suffix of the occurrence of warnings: names the event or version that set this target."""


class Effect(Enum):
    """What the beginning of a segment does to the count, besides the change of state."""

    NONE = 0
    AWAIT = 1
    """The clock lacks a start fact; `warn_awaiting` runs from here."""
    START = 2
    """The target is measured from here."""
    START_UNJUDGED = 3
    """The same, but the start became relevant only later: time counts, and nothing is due in this segment."""
    APPLY = 4
    """The commitment applies from here, and its past is counted in the unit of the target in force."""
    KEEP = 5
    """A new target; the counted time stays as it is."""
    RECOUNT = 6
    """A new target; the past is counted again in its unit."""
    RESET = 7
    """A new target, counted from here."""
    MERGE = 8
    """A ticket with an earlier start was merged into this one: its wait is counted too."""


# Module constants: access to an enum's members costs several times that of a global.
NONE: Final = Effect.NONE
AWAIT: Final = Effect.AWAIT
START: Final = Effect.START
START_UNJUDGED: Final = Effect.START_UNJUDGED
APPLY: Final = Effect.APPLY
KEEP: Final = Effect.KEEP
RECOUNT: Final = Effect.RECOUNT
RESET: Final = Effect.RESET
MERGE: Final = Effect.MERGE


class Stretch(NamedTuple):
    """A segment with its end. `calendar`: the one in which a running stretch is counted; None: not counted."""

    start: Micros
    end: Micros
    state: State
    reason: Reason | None = None
    calendar: Calendar | None = None
    discounted: bool = False
    """A running stretch before a change with `reset`."""


class Earlier(NamedTuple):
    """The wait of a merged ticket before this clock's own start."""

    started_at: Micros
    stretches: tuple[Stretch, ...]


class Segment(NamedTuple):
    """A part of a clock's life in one state and under the same terms. It ends where the next one starts."""

    start: Micros
    state: State
    reason: Reason | None
    terms: Terms
    effect: Effect = NONE
    earlier: Earlier | None = None
