"""Facts of services, kept in memory for queries: those of ten thousand events are read once, not with every statement.

An entry counts for the log that it was made of, known by its length and its last place, since a log only grows.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeAlias

from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.subject import Subject, SubjectKey, SubjectKind
from app.store.engine.database import Connection
from app.store.tickets import ledger, subjects

CACHED_EVENTS: Final = 50_000
"""Of how many events the facts are kept, unless the settings say otherwise. Those of an event take about 1 KB."""

_Mark: TypeAlias = tuple[tuple[int, int], ...]
"""The length and the last place of a log, for each way in which events write the service."""


@dataclass(frozen=True, slots=True)
class _Entry:
    mark: _Mark
    facts: ServiceFacts

    @property
    def events(self) -> int:
        """How many events it was made of."""
        return sum(count for count, _ in self.mark)


class ServiceFactsCache:
    """The facts of the services that were asked for last, of at most `limit` events together. Thread-safe."""

    def __init__(self, limit: int = CACHED_EVENTS) -> None:
        self._limit, self._count, self._lock = limit, 0, Lock()
        self._entries: OrderedDict[SubjectKey, _Entry] = OrderedDict()

    def read(self, conn: Connection, desk: str, services: Iterable[str]) -> dict[str, ServiceFacts]:
        """All that is known of those of these services that have events, by casefolded name."""
        written = subjects.written(conn, desk, (Subject(SubjectKind.SERVICE, each) for each in services))
        ends = ledger.subject_ends(conn, desk, (way for ways in written.values() for way in ways))
        marks = {
            key: tuple(ends[way.text] for way in ways if way.text in ends) for key, ways in written.items()
        }
        found: dict[str, ServiceFacts] = {}
        missing: dict[Subject, tuple[Subject, ...]] = {}
        for key, mark in marks.items():
            with self._lock:
                entry = self._entries.get((desk, key))
            if entry is not None and entry.mark == mark:
                found[key.id] = entry.facts
            elif mark:
                missing[key] = written[key]
        for key, log in ledger.subject_logs(conn, desk, missing, missing).items() if missing else ():
            found[key.id] = read_facts(written[key][0].id, log)
            # Between the two queries of a transaction that writes another one may have appended.
            if len(log) == sum(count for count, _ in marks[key]):
                self._put((desk, key), _Entry(marks[key], found[key.id]))
        return found

    def _put(self, key: SubjectKey, entry: _Entry) -> None:
        with self._lock:
            self._drop(key)
            self._entries[key] = entry
            self._count += entry.events
            while self._count > self._limit:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: SubjectKey) -> None:
        gone = self._entries.pop(key, None)
        self._count -= 0 if gone is None else gone.events
