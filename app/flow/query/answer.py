"""What is said of a ticket: its evaluation, joined with when breaches were told and where it waits."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.sla.clock.evaluation import Evaluation
from app.sla.queue.waiting import Move
from app.sla.reason import Reason
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class QueueAnswer:
    """Where a ticket waits. Position and length are none where nobody can know them: of what was known earlier."""

    name: str
    position: int | None
    length: int | None
    joined_at: Micros
    moves: tuple[Move, ...]
    expected_reply_at: Micros | None = None
    reason: Reason | None = None
    """Why no reply can be forecast."""


@dataclass(frozen=True, slots=True)
class ArchivedAnswer:
    """A ticket that ended long ago, as it stood in the end: the view that was shown of it then, as JSON."""

    desk: str
    ticket: str
    view: str
    now: Micros
    events_dropped: bool
    """Its facts are no longer kept."""


@dataclass(frozen=True, slots=True)
class TicketAnswer:
    """A ticket at `evaluation.at`, by what was known at `as_of`. Instants are microseconds UTC."""

    desk: str
    ticket: str
    evaluation: Evaluation
    as_of: Micros
    detected: Mapping[tuple[str, Micros], Micros]
    """When each breach that stands was told, by (commitment, cycle)."""
    queue: QueueAnswer | None = None
    """None: it does not wait."""
