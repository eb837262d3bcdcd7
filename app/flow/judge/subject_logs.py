"""Logs of services, kept in memory so that a further fact does not read ten thousand earlier ones again.

A cache of this process. An entry counts only for the revision of the subject at which it was made: where another process
has evaluated the subject since, the whole log is read. Instants are microseconds UTC.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.sla.event import Event
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine.database import Connection
from app.store.tickets import ledger
from app.store.tickets.subjects import StoredSubject


@dataclass(frozen=True, slots=True)
class KnownLog:
    """The log of a subject in the order of receipt, up to its place `seq`."""

    events: Sequence[Event]
    seq: int
    judged: int | None = None
    """How many of them, the first ones, the last evaluation knew; None: that is not known."""

    def news(self, since: Micros) -> Sequence[Event]:
        """What the last evaluation did not know; where that is not known, what was received since an instant."""
        if self.judged is not None:
            return self.events[self.judged :]
        return [event for event in self.events if event.received_at >= since]


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
            if known is None:
                found[subject] = KnownLog(events, seq)
            else:
                found[subject] = KnownLog([*known.events, *events], seq, len(known.events))
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
