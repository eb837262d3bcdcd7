"""Replay of an event log: every row is received like a push, and every clock is evaluated once all of it is there.

The log is read once and sorted by ticket, so that all events of a ticket are received in one transaction and evaluated
together: no breach is recorded that a later row takes back, and a shuffled log costs little more than a sorted one. Its
signals are about the past and are not delivered. Reading a log again repeats every event and changes nothing, so an
interrupted replay is resumed by starting it again. Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.flow.importing.connected import Connected
from app.flow.importing.counts import Counts, count
from app.flow.importing.log_file import opened_log
from app.flow.importing.order import FileOrder
from app.flow.importing.reading import Reading, reading_of
from app.flow.importing.receiving import Batches
from app.flow.importing.sort import EntrySort
from app.flow.judge.receive import Receiver
from app.flow.query.tickets import answers
from app.intake.importing.entry import Entry
from app.intake.importing.mapping import Mapped
from app.intake.importing.meaning import meaning
from app.intake.importing.unreadable import Refused, UnusableLog
from app.settings import Settings
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database

Progress = Callable[[str, int, int | None], None]
"""Called with (stage, done, total): bytes while reading, rows while evaluating. No total: standard input."""

_READING, _EVALUATING = "reading", "evaluating"
_STEP = 1_000
"""Rows between two reports of progress."""


@dataclass(slots=True)
class Replayed:
    """What became of a log. `events` and `repeated` count rows: a row is repeated when all of its events were known."""

    tickets: int = 0
    events: int = 0
    repeated: int = 0
    twice: int = 0
    """Local times that occur twice, read as the first of the two."""
    skipped: int = 0
    """Local times that the zone skips."""
    refused: int = 0
    layout: str = ""
    guessed: str | None = None
    backwards: bool = False
    unmapped: Counter[str] = field(default_factory=Counter[str])
    refusals: list[Refused] = field(default_factory=list[Refused])
    """The first refused rows, in the order of the file."""
    counts: dict[str, Counts] = field(default_factory=dict[str, Counts])
    """The clocks of the log's tickets by commitment."""


class StoppedAtRow(UnusableLog):
    """A strict replay stopped at a row that was refused. `stored`: whether events of the log were stored before."""

    def __init__(self, refused: Refused, *, stored: bool) -> None:
        super().__init__(str(refused))
        self.stored = stored


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be replayed. `at`: the instant of the counts, None for now. `refusals` is given every refused row."""

    path: Path
    desk: str
    mapping: Mapped | None = None
    at: Micros | None = None
    strict: bool = False
    refusals: Callable[[Refused], None] | None = None


class Replay:
    """One replay of a log."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogue: Catalogue,
        receiver: Receiver,
        progress: Progress,
    ) -> None:
        self._settings, self._database, self._catalogue = settings, database, catalogue
        self._receiver, self._progress = receiver, progress

    def run(self, wanted: Wanted) -> Replayed:
        """Receive a log and count its clocks. Raises UnusableLog, and StoppedAtRow where it is strict."""
        result = _Result(wanted, self._settings.replay_listed_refusals)
        sort, connected = EntrySort(self._settings.replay_sort_memory), Connected()
        again = EntrySort(self._settings.replay_sort_memory)
        try:
            with opened_log(wanted.path, self._settings.replay_max_size) as log:
                reading = reading_of(log, wanted.path.name, wanted.desk, wanted.mapping, self._settings)
                self._read(reading, result, sort, connected)
            self._receive(result, reading.mapping, _together(sort, again, connected))
        finally:
            sort.close()
            again.close()
        result.replayed.refusals.sort(key=lambda refused: refused.line)
        return result.replayed

    def _read(self, reading: Reading, result: "_Result", sort: EntrySort, connected: Connected) -> None:
        order = FileOrder(reading.mapping.order)
        for number, entry in enumerate(reading.entries()):
            if number % _STEP == 0:
                self._progress(_READING, reading.log.done, reading.log.size)
            if isinstance(entry, Refused):
                result.refuse(entry)
                continue
            order.add(entry)
            connected.add(entry)
            sort.add(entry.subject, entry)
            result.rows += 1
        done, times = result.replayed, reading.reader.times
        done.backwards, done.twice, done.skipped = order.backwards, times.twice, times.skipped
        done.layout, done.guessed = reading.layout.description, reading.layout.guessed

    def _receive(
        self, result: "_Result", mapping: Mapped, groups: Iterable[list[tuple[str, list[Entry]]]]
    ) -> None:
        at = self._database.now() if result.wanted.at is None else result.wanted.at
        done, desk = result.replayed, result.wanted.desk
        done.counts = self._database.read_now(lambda conn: self._commitments(conn, desk))
        batches = Batches(self._database, self._receiver, desk, self._settings.replay_batch_size)
        for group in groups:
            for subject, entries in group:
                batches.add(subject, meaning(entries, mapping, backwards=done.backwards))
            if batches.full:
                self._flush(result, batches, at)
        self._flush(result, batches, at)

    def _flush(self, result: "_Result", batches: Batches, at: Micros) -> None:
        done, desk = result.replayed, result.wanted.desk
        received = batches.flush()
        for meant in received.rows:
            done.events += 1
            if meant.unmapped is not None:
                done.unmapped[meant.unmapped] += 1
        done.tickets += len(received.tickets)
        done.repeated += received.repeated
        for refused in received.refused:
            result.refuse(refused)
        found = self._database.read_now(
            lambda conn: answers(
                conn, self._catalogue, desk, received.tickets, now=self._database.now(), at=at, placed=False
            )
        )
        count(done.counts, found.values())
        self._progress(_EVALUATING, done.events, result.rows)

    def _commitments(self, conn: Connection, desk: str) -> dict[str, Counts]:
        """No clocks yet, for every commitment, in the agreement's order."""
        commitments = self._catalogue.in_force(conn, desk, at=self._database.now()).agreement.commitments
        return {commitment.id: Counts() for commitment in commitments}


class _Result:
    """The result of a replay while it runs."""

    def __init__(self, wanted: Wanted, listed: int) -> None:
        self.wanted, self._listed = wanted, listed
        self.replayed = Replayed()
        self.rows = 0
        """Rows that were read."""

    def refuse(self, refused: Refused) -> None:
        """Count a refused row. Raises StoppedAtRow in a strict replay."""
        if self.wanted.strict:
            raise StoppedAtRow(refused, stored=self.replayed.events > 0)
        self.replayed.refused += 1
        if len(self.replayed.refusals) < self._listed:
            self.replayed.refusals.append(refused)
        if self.wanted.refusals is not None:
            self.wanted.refusals(refused)


def _together(
    sort: EntrySort, again: EntrySort, connected: Connected
) -> Iterator[list[tuple[str, list[Entry]]]]:
    """The entries of each subject; of connected subjects all of them together, at the end."""
    for subject, entries in sort.groups():
        if subject not in connected:
            yield [(subject, entries)]
            continue
        for entry in entries:
            again.add(connected.root(subject), entry)
    for _, entries in again.groups():
        by_subject: dict[str, list[Entry]] = {}
        for entry in entries:
            by_subject.setdefault(entry.subject, []).append(entry)
        yield list(by_subject.items())
