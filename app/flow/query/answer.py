"""Answers to queries of tickets: evaluations joined with what the store knows besides.

A ticket's evaluation comes with when its breaches were recorded and where it waits. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.sla.clock.evaluation import Evaluation
from app.sla.queue.waiting import Move
from app.sla.reason import Reason
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class QueueAnswer:
    """Where a ticket waits. Position and length are none in answers `as_of` an earlier instant: they are not stored."""

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
    """An archived ticket: its final view, as JSON."""

    desk: str
    ticket: str
    view: str
    now: Micros
    events_dropped: bool
    """Whether its events were deleted."""


@dataclass(frozen=True, slots=True)
class TicketAnswer:
    """A ticket at `evaluation.at`, by what was known at `as_of`."""

    desk: str
    ticket: str
    evaluation: Evaluation
    as_of: Micros
    detected: Mapping[tuple[str, Micros], Micros]
    """When each breach that stands was recorded, by (commitment, cycle)."""
    queue: QueueAnswer | None = None
    """None: it does not wait."""
    merged_into: str | None = None
    """The ticket in which what happens in this one counts."""
    merged_from: tuple[str, ...] = ()
    """The tickets of which this one counts what happens."""
