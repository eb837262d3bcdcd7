"""Wait intervals and moves of tickets in queues.

A wait interval is a ticket's time at one place in one queue. What lies between two wait intervals of a ticket is a move.
`waiting` derives the intervals; the store keeps them. Both are tuples, which are made three times as fast as frozen
dataclasses. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from app.sla.queue.position import Key
from app.sla.span import Micros


class Cause(StrEnum):
    """Why a ticket joined, moved in or left a queue."""

    CREATED = "created"
    MESSAGE = "message"
    REOPENED = "reopened"
    RESUMED = "resumed"
    """Back from pending or on hold, at the old place."""
    REPEAT_MESSAGE = "repeat_message"
    DUPLICATE = "duplicate"
    RANK = "rank"
    QUEUE = "queue"
    """The desk put it into another queue; it keeps its `joined_at`."""
    CORRECTED = "corrected"
    """Only in signals: a recorded move turned out not to be one."""
    ANSWERED = "answered"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"
    MERGED = "merged"
    DELETED = "deleted"


class WaitInterval(NamedTuple):
    """A ticket waits from `from_at` up to `to_at` (none: still) with one key in one queue."""

    ticket: str
    from_at: Micros
    to_at: Micros | None
    rank: int
    joined_at: Micros
    created_at: Micros
    cause: str
    """Why it is at this place since `from_at`."""
    queue: str
    ended_by: str | None = None
    """Why it is there no more: the cause of the leave, or of the move."""

    @property
    def key(self) -> Key:
        """Its place in the order of the queue."""
        return (self.rank, self.joined_at, self.created_at, self.ticket)

    def is_same_place(self, other: "WaitInterval") -> bool:
        """Whether another interval of the same ticket is at the same place of the same queue."""
        return self.joined_at == other.joined_at and self.rank == other.rank and self.queue == other.queue

    def holds_at(self, at: Micros) -> bool:
        """Whether the interval contains the instant."""
        return self.from_at <= at and (self.to_at is None or at < self.to_at)


class Move(NamedTuple):
    """One change of a ticket's place in a queue. No `from_key`: it joins; no `to_key`: it leaves."""

    ticket: str
    at: Micros
    cause: str
    from_key: Key | None
    to_key: Key | None
    queue: str

    @property
    def place(self) -> Key:
        """The key that it took, or the one that it left."""
        key = self.to_key or self.from_key
        if key is None:
            raise ValueError(f"a move of {self.ticket} from nowhere to nowhere")
        return key


def moves(of: Iterable[WaitInterval]) -> list[Move]:
    """The moves between these wait intervals, of one or several tickets, in order of time.

    A change of queue is two moves: the ticket leaves one and joins the other.
    """
    found: list[Move] = []
    by_ticket = groupby(sorted(of, key=attrgetter("ticket", "from_at")), key=attrgetter("ticket"))
    for _, of_one in by_ticket:
        for before, after in pairwise((None, *of_one, None)):
            found += _moves_between(before, after)
    # A stable sort: a leave stays before the join of the same instant.
    return sorted(found, key=attrgetter("at", "ticket"))


def _moves_between(before: WaitInterval | None, after: WaitInterval | None) -> Iterator[Move]:
    """The moves from one wait interval of a ticket to the next. None stands for before the first and after the last."""
    if before and after and before.to_at == after.from_at and before.queue == after.queue:
        yield Move(after.ticket, after.from_at, after.cause, before.key, after.key, after.queue)
        return
    if before and before.to_at is not None:
        cause = before.ended_by or Cause.ANSWERED
        yield Move(before.ticket, before.to_at, cause, before.key, None, before.queue)
    if after:
        yield Move(after.ticket, after.from_at, after.cause, None, after.key, after.queue)
