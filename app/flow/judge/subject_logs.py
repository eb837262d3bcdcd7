"""Logs of services and their signals, kept in memory: a further fact does not read ten thousand earlier ones again.

A cache of this process. An entry counts only for the revision of the subject at which it was made: where another process
has evaluated the subject since, the whole log is read. Instants are microseconds UTC.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.sla.availability.book import ServiceBook
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine.database import Connection
from app.store.tickets import ledger
from app.store.tickets.signals import NewSignal
from app.store.tickets.subjects import StoredSubject


@dataclass(frozen=True, slots=True)
class KnownLog:
    """The log of a subject in the order of receipt, up to its place `seq`."""

    events: Sequence[Event]
    seq: int = 0
    judged: int | None = None
    """How many of them, the first ones, the last evaluation knew; None: that is not known."""
    recorded: Mapping[str, RecordedSignal] | None = None
    """The subject's recorded signals by id, in the order of recording; None: they are to be read."""
    _books: list[ServiceBook] = field(default_factory=list[ServiceBook])
    """At most one: the facts, once they were asked for."""

    def news(self, since: Micros) -> Sequence[Event]:
        """What the last evaluation did not know; where that is not known, what was received since an instant."""
        if self.judged is not None:
            return self.events[self.judged :]
        return [event for event in self.events if event.received_at >= since]

    @property
    def book(self) -> ServiceBook:
        """The facts that a service's events state."""
        if not self._books:
            self._books.append(ServiceBook(Subject.parse(self.events[0].subject).id, self.events))
        return self._books[0]

    def grown(self, events: Sequence[Event], seq: int) -> "KnownLog":
        """The log with the events that follow. This one must not be used any more."""
        for book in self._books:
            book.add(events)
        return KnownLog([*self.events, *events], seq, len(self.events), self.recorded, self._books)

    def with_signals(self, before: Mapping[str, RecordedSignal], new: Iterable[NewSignal]) -> "KnownLog":
        """The log with what is recorded once these signals are. This one must not be used any more."""
        return replace(self, recorded=_recorded_after(before, new))


def _recorded_after(
    before: Mapping[str, RecordedSignal], new: Iterable[NewSignal]
) -> Mapping[str, RecordedSignal]:
    """The recorded signals after further ones, which may retract or correct earlier ones, as the table has them."""
    found = dict(before)
    for signal in new:
        found[signal.id] = RecordedSignal(
            id=signal.id,
            commitment=signal.commitment,
            cycle=signal.cycle,
            kind=signal.kind,
            occurrence=signal.occurrence,
            generation=signal.generation,
            at=signal.at,
            retracted=False,
        )
        if signal.retracts in found:
            found[signal.retracts] = found[signal.retracts]._replace(retracted=True)
        if signal.corrects is not None and signal.corrects[0] in found:
            which, true_at = signal.corrects
            found[which] = found[which]._replace(at=true_at)
    return found


class SubjectLogs:
    """The logs of the subjects used last, of at most `limit` events together. Used by the thread that writes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._count = limit, 0
        self._entries: OrderedDict[SubjectKey, tuple[int, KnownLog]] = OrderedDict()

    def read(
        self,
        conn: Connection,
        desk: str,
        before: Mapping[Subject, StoredSubject],
        written: Mapping[Subject, Collection[Subject]],
    ) -> dict[Subject, KnownLog]:
        """The logs of these subjects, which are locked: what is kept, and the events after it."""
        found: dict[Subject, KnownLog] = {}
        for subject, ways in sorted(written.items()):
            row, kept = before.get(subject), self._entries.get((desk, subject))
            known = kept[1] if row is not None and kept is not None and kept[0] == row.revision else None
            events, seq = ledger.subject_log(conn, desk, ways, 0 if known is None else known.seq)
            found[subject] = KnownLog(events, seq) if known is None else known.grown(events, seq)
            # It has grown by what is durable only if the transaction commits: then it is put back.
            self._drop((desk, subject))
        return found

    def put(self, row: StoredSubject, known: KnownLog) -> None:
        """Keep a log, once the row is durable."""
        key = row.desk, row.subject
        self._drop(key)
        self._entries[key] = row.revision, known
        self._count += len(known.events)
        while self._count > self._limit:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: SubjectKey) -> None:
        entry = self._entries.pop(key, None)
        self._count -= 0 if entry is None else len(entry[1].events)
