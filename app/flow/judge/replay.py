"""Replay of an event log: every row is received like a push, then every clock is evaluated at one instant.

Its signals are about the past and are not delivered. Reading a log again repeats every event and changes nothing, so an
interrupted replay is resumed by starting it again. Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.flow.judge.event_log import FaultyRow, Mapped, Row, count_rows, rows
from app.flow.judge.receive import Incoming, Receiver, Refusal
from app.flow.query.tickets import answers
from app.sla.clock.transition import State
from app.sla.clock.view import ClockView
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database
from app.store.tickets import clocks

BATCH: Final = 500
"""Events in one transaction: with more of them a commit gets no cheaper."""

Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all) after every transaction."""


@dataclass(slots=True)
class Replayed:
    """What became of a log. `events` and `repeated` count rows: a row is repeated when all of its events were known."""

    tickets: int = 0
    events: int = 0
    repeated: int = 0
    unmapped: Counter[str] = field(default_factory=Counter[str])
    refused: list[Refusal] = field(default_factory=list[Refusal])


class StoppedAtRow(FaultyRow):
    """A replay stopped at a row that cannot be read. The rows before it are stored; `replayed` counts them."""

    def __init__(self, faulty: FaultyRow, replayed: Replayed) -> None:
        super().__init__(str(faulty))
        self.replayed = replayed


@dataclass(slots=True)
class Counts:
    """A commitment's clocks, each counted in exactly one of the five."""

    met: int = 0
    missed: int = 0
    running: int = 0
    awaiting: int = 0
    cancelled: int = 0

    @property
    def clocks(self) -> int:
        """How many there are."""
        return self.met + self.missed + self.running + self.awaiting + self.cancelled


def replay(
    receiver: Receiver, path: Path, desk: str, mapping: Mapped | None, progress: Progress, *, max_text: int
) -> Replayed:
    """Receive a log. Raises StoppedAtRow at the first row that cannot be read; the rows before it are stored."""
    batches = _Batches(receiver, count_rows(path), progress)
    tickets: set[str] = set()
    try:
        for row in rows(path, desk, mapping, max_text=max_text):
            tickets.add(row.ticket)
            batches.add(row)
    except FaultyRow as faulty:
        batches.finish(tickets)
        raise StoppedAtRow(faulty, batches.result) from faulty
    return batches.finish(tickets)


class _Batches:
    """Receives rows, many in one transaction."""

    def __init__(self, receiver: Receiver, total: int, progress: Progress) -> None:
        self._receiver, self._total, self._progress = receiver, total, progress
        self._rows: list[Row] = []
        self._size = 0
        self.result = Replayed()

    def add(self, row: Row) -> None:
        """Add a row; receive the batch when it is full."""
        self._rows.append(row)
        self._size += len(row.events)
        if self._size >= BATCH:
            self.flush()

    def finish(self, tickets: set[str]) -> Replayed:
        """Receive the last batch, which may be incomplete."""
        self.flush()
        self.result.tickets = len(tickets)
        return self.result

    def flush(self) -> None:
        """Receive the rows added since the last time."""
        events: list[Incoming] = [event for row in self._rows for event in row.events]
        known = set[str]()
        if events:
            receipt = self._receiver.receive_now(events, deliver=False, answered=False)
            known = {events[index].event.id for index in receipt.known}
            self.result.refused += receipt.refused
        for row in self._rows:
            self.result.events += 1
            if row.unmapped is not None:
                self.result.unmapped[row.unmapped] += 1
            if row.events and all(event.event.id in known for event in row.events):
                self.result.repeated += 1
        self._rows, self._size = [], 0
        self._progress(self.result.events, max(self._total, self.result.events))


def counts_at(database: Database, catalogue: Catalogue, desk: str, at: Micros | None) -> dict[str, Counts]:
    """The counts of every commitment's clocks at an instant, by all that is known now; in the agreement's order."""

    def work(conn: Connection) -> dict[str, Counts]:
        commitments = catalogue.versions(conn, desk)[-1].agreement.commitments
        found = {commitment.id: Counts() for commitment in commitments}
        tickets = clocks.all_tickets(conn, desk)
        now = database.now()
        for start in range(0, len(tickets), BATCH):
            part = tickets[start : start + BATCH]
            for answer in answers(conn, catalogue, desk, part, now=now, at=at, placed=False).values():
                for view in answer.evaluation.clocks:
                    _count(found.setdefault(view.commitment, Counts()), view)
        return found

    return database.read_now(work)


def _count(counts: Counts, view: ClockView) -> None:
    """The first that applies: missed, met, cancelled, awaiting, running."""
    if view.breached_at is not None or view.met is False:
        counts.missed += 1
    elif view.state is State.STOPPED:
        counts.met += 1
    elif view.state is State.CANCELLED:
        counts.cancelled += 1
    elif view.state is State.AWAITING:
        counts.awaiting += 1
    else:
        counts.running += 1
