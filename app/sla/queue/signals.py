"""Queue signals: the set difference between the transitions derived now and the signals recorded before.

Nothing is emitted twice: the natural key is (ticket, queue, kind, occurrence, generation), within a desk. A recorded
transition that a late event has undone is retracted once, by a signal of the same kind and occurrence with the next
generation and the cause `corrected`. Positions are added where the order of the queue is known. Instants are
microseconds UTC.
"""

from collections.abc import Iterable
from enum import StrEnum
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from app.sla.queue.waiting import Cause, Move, WaitInterval, moves
from app.sla.span import Micros


class QueueKind(StrEnum):
    """What a ticket did in a queue."""

    JOINED = "joined"
    MOVED = "moved"
    LEFT = "left"


# Module constants: access to an enum's members costs several times that of a global.
_JOINED: Final = QueueKind.JOINED
_MOVED: Final = QueueKind.MOVED
_LEFT: Final = QueueKind.LEFT


class QueueTransition(NamedTuple):
    """Something that a ticket did in a queue at an instant, which is its occurrence."""

    ticket: str
    queue: str
    kind: str
    occurrence: str
    at: Micros
    cause: str
    rank: int
    joined_at: Micros
    """Rank and joined_at: of the place that it took, or left."""


class RecordedQueueSignal(NamedTuple):
    """One row of the signal table. `stands` is false for a row that retracts another."""

    ticket: str
    queue: str
    kind: str
    occurrence: str
    generation: int
    rank: int
    joined_at: Micros
    stands: bool = True


class QueueSignal(NamedTuple):
    """A signal to emit; with `stands` false it retracts a recorded one."""

    ticket: str
    queue: str
    kind: str
    """Without "queue."."""
    occurrence: str
    generation: int
    at: Micros
    cause: str
    rank: int
    joined_at: Micros
    stands: bool = True

    @property
    def recorded(self) -> RecordedQueueSignal:
        """The row that emitting it inserts."""
        return RecordedQueueSignal(
            ticket=self.ticket,
            queue=self.queue,
            kind=self.kind,
            occurrence=self.occurrence,
            generation=self.generation,
            rank=self.rank,
            joined_at=self.joined_at,
            stands=self.stands,
        )


def queue_transitions(of: Iterable[WaitInterval]) -> list[QueueTransition]:
    """The transitions of these wait intervals, of one or several tickets, in order of time."""
    return [_transition(move) for move in moves(of)]


def _transition(move: Move) -> QueueTransition:
    kind = _JOINED if move.from_key is None else _LEFT if move.to_key is None else _MOVED
    rank, joined_at, *_ = move.place
    return QueueTransition(move.ticket, move.queue, kind, str(move.at), move.at, move.cause, rank, joined_at)


_Identity: TypeAlias = tuple[str, str, str, str]


def _identity(of: QueueTransition | RecordedQueueSignal) -> _Identity:
    return (of.ticket, of.queue, of.kind, of.occurrence)


def queue_signals(
    recorded: Iterable[RecordedQueueSignal], transitions: Iterable[QueueTransition]
) -> list[QueueSignal]:
    """The signals to emit now: first retractions, then new ones, each in order of time.

    Both sides must be about the same tickets: a recorded signal whose ticket is missing counts as undone.
    """
    latest: dict[_Identity, RecordedQueueSignal] = {}
    for row in sorted(recorded, key=attrgetter("generation")):
        latest[_identity(row)] = row
    current = {_identity(transition): transition for transition in transitions}
    undone = [row for identity, row in latest.items() if row.stands and identity not in current]
    new = [(transition, latest.get(identity)) for identity, transition in current.items()]
    return [
        *sorted(map(_retraction, undone), key=lambda signal: (signal.at, signal.ticket)),
        *(_signal(transition, before) for transition, before in new if _is_new(transition, before)),
    ]


def _is_new(transition: QueueTransition, before: RecordedQueueSignal | None) -> bool:
    return (
        before is None
        or not before.stands
        or (before.rank, before.joined_at) != (transition.rank, transition.joined_at)
    )


def _signal(transition: QueueTransition, before: RecordedQueueSignal | None) -> QueueSignal:
    """A new transition, one that is true again, or one that was recorded with another place."""
    return QueueSignal(
        transition.ticket,
        transition.queue,
        transition.kind,
        transition.occurrence,
        0 if before is None else before.generation + 1,
        transition.at,
        Cause.CORRECTED if before is not None and before.stands else transition.cause,
        transition.rank,
        transition.joined_at,
    )


def _retraction(row: RecordedQueueSignal) -> QueueSignal:
    return QueueSignal(
        ticket=row.ticket,
        queue=row.queue,
        kind=row.kind,
        occurrence=row.occurrence,
        generation=row.generation + 1,
        at=int(row.occurrence),
        cause=Cause.CORRECTED,
        rank=row.rank,
        joined_at=row.joined_at,
        stands=False,
    )
