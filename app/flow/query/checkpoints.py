"""Checkpoints of long tickets: their replays, kept in memory so that an event costs what is new.

A cache of this process. An entry counts only for the revision of the ticket at which it was made, so what another
process has written makes it stale; then the whole log is read. Instants are microseconds UTC.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from app.flow.query.long_replays import LongReplays
from app.sla.clock.checkpoint import REWRITES_THE_PAST, Checkpoint
from app.sla.event import Event
from app.sla.queue.waiting import LoneWait
from app.sla.span import Micros
from app.store.tickets.clocks import StoredTicket, TicketKey


@dataclass(frozen=True, slots=True)
class CheckpointLimits:
    """`events`: from how many events on a ticket has a checkpoint. `entries`: how many are kept, the latest used ones.

    `kept`: how many of the latest cycles and wait intervals an entry has.
    """

    events: int
    entries: int
    kept: int


@dataclass(frozen=True, slots=True)
class TicketCheckpoint:
    """A ticket as this process last evaluated it.

    `seq` is the place of its last event in the log, `since` a lower bound of when the next ones are received. `wait` is
    missing where other tickets can move it in its queue.
    """

    revision: int
    seq: int
    since: Micros
    clocks: Checkpoint
    wait: LoneWait | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """A checkpoint and the events that came after it, the last of them at `seq`."""

    checkpoint: TicketCheckpoint
    later: Sequence[Event]
    seq: int

    @property
    def rewrites_the_past(self) -> bool:
        """Whether one of the events concerns what came before it."""
        return any(event.type in REWRITES_THE_PAST for event in self.later)


class Checkpoints:
    """The checkpoints of one process. Used by the thread that writes."""

    def __init__(self, limits: CheckpointLimits, replays: LongReplays) -> None:
        self.limits, self.replays = limits, replays
        self._entries: OrderedDict[TicketKey, TicketCheckpoint] = OrderedDict()

    def get(self, row: StoredTicket) -> TicketCheckpoint | None:
        """The checkpoint of a ticket as it is stored; none if it has changed since, or is closed.

        The events of a closed ticket may be deleted, and a place in the log be given again.
        """
        found = None if row.status == "closed" else self._entries.get((row.desk, row.ticket))
        return found if found is not None and found.revision == row.revision else None

    def drop(self, desk: str, ticket: str) -> None:
        """Forget a ticket: its checkpoint is about to change, and may fail half-way."""
        self._entries.pop((desk, ticket), None)

    def put(self, desk: str, ticket: str, checkpoint: TicketCheckpoint) -> None:
        """Keep a ticket's checkpoint, once its revision is durable."""
        self._entries[desk, ticket] = checkpoint
        self._entries.move_to_end((desk, ticket))
        while len(self._entries) > self.limits.entries:
            self._entries.popitem(last=False)
