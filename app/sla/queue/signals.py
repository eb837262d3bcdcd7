"""What happened in a queue that nobody was told yet, and what was told that is not so?

Signals are the set difference between the moments that are derived now and those that were told. Nothing is
told twice: the natural key is (ticket, queue, kind, occurrence, generation), within a desk. A told moment
that a late fact has undone is taken back once, by a signal of the same kind and occurrence with the next
generation and the cause `corrected`. Positions are joined by whoever holds the line. Instants are
microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.sla.queue.waiting import Cause, Move, WaitInterval, moves
from app.sla.span import Micros


class QueueKind(StrEnum):
    """What a ticket did in a queue."""

    JOINED = "joined"
    MOVED = "moved"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class QueueTransition:
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


@dataclass(frozen=True, slots=True)
class RecordedQueueSignal:
    """One row of the signal table as the pure code needs it. `stands` is false when the row took another
    back."""

    ticket: str
    queue: str
    kind: str
    occurrence: str
    generation: int
    rank: int
    joined_at: Micros
    stands: bool = True


@dataclass(frozen=True, slots=True)
class QueueSignal:
    """A moment to be told, or, with `stands` false, a told one to be taken back."""

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
        """The row that telling it leaves behind."""
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
    """The moments of these stints, of one or several tickets, in order of time."""
    return [_moment(move) for move in moves(of)]


def _moment(move: Move) -> QueueTransition:
    kind = QueueKind.MOVED
    if move.from_key is None:
        kind = QueueKind.JOINED
    elif move.to_key is None:
        kind = QueueKind.LEFT
    return QueueTransition(
        ticket=move.ticket,
        queue=move.queue,
        kind=kind,
        occurrence=str(move.at),
        at=move.at,
        cause=move.cause,
        rank=move.place[0],
        joined_at=move.place[1],
    )


_Identity: TypeAlias = tuple[str, str, str, str]


def _identity(of: QueueTransition | RecordedQueueSignal) -> _Identity:
    return (of.ticket, of.queue, of.kind, of.occurrence)


def queue_signals(
    recorded: Iterable[RecordedQueueSignal], transitions: Iterable[QueueTransition]
) -> list[QueueSignal]:
    """What has to be told now: first what is to be taken back, then what is new, each in order of time.

    Both sides must be about the same tickets: a told moment without its ticket's moments counts as undone.
    """
    latest: dict[_Identity, RecordedQueueSignal] = {}
    for row in sorted(recorded, key=lambda row: row.generation):
        latest[_identity(row)] = row
    current = {_identity(moment): moment for moment in transitions}
    undone = [row for identity, row in latest.items() if row.stands and identity not in current]
    new = [(moment, latest.get(identity)) for identity, moment in current.items()]
    return [
        *sorted(map(_taken_back, undone), key=lambda signal: (signal.at, signal.ticket)),
        *(_tell(moment, before) for moment, before in new if _is_news(moment, before)),
    ]


def _is_news(moment: QueueTransition, before: RecordedQueueSignal | None) -> bool:
    return (
        before is None
        or not before.stands
        or (before.rank, before.joined_at) != (moment.rank, moment.joined_at)
    )


def _tell(moment: QueueTransition, before: RecordedQueueSignal | None) -> QueueSignal:
    """A new moment, one that is true again, or one that was told with another place."""
    return QueueSignal(
        ticket=moment.ticket,
        queue=moment.queue,
        kind=moment.kind,
        occurrence=moment.occurrence,
        generation=0 if before is None else before.generation + 1,
        at=moment.at,
        cause=Cause.CORRECTED if before is not None and before.stands else moment.cause,
        rank=moment.rank,
        joined_at=moment.joined_at,
    )


def _taken_back(row: RecordedQueueSignal) -> QueueSignal:
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
