"""Facts of services, kept in memory for queries: those of ten thousand events are read once, not with every statement.

They count for the log that they were made of, known by its length and its last place, since a log only grows.
"""

from collections.abc import Iterable
from typing import TypeAlias

from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.subject import Subject, SubjectKey, SubjectKind
from app.store.engine.database import Connection
from app.store.engine.kept import Kept
from app.store.tickets import ledger, subjects

KeptFacts: TypeAlias = Kept[SubjectKey, ServiceFacts]
"""The facts of the services that were asked for last, weighed by the events that they were made of."""


def read(conn: Connection, kept: KeptFacts, desk: str, services: Iterable[str]) -> dict[str, ServiceFacts]:
    """All that is known of those of these services that have events, by casefolded name."""
    written = subjects.written(conn, desk, (Subject(SubjectKind.SERVICE, each) for each in services))
    ends = ledger.subject_ends(conn, desk, (way for ways in written.values() for way in ways))
    marks = {key: tuple(ends[way.text] for way in ways if way.text in ends) for key, ways in written.items()}
    found: dict[str, ServiceFacts] = {}
    missing: dict[Subject, tuple[Subject, ...]] = {}
    for key, mark in marks.items():
        facts = kept.get((desk, key), mark)
        if facts is not None:
            found[key.id] = facts
        elif mark:
            missing[key] = written[key]
    for key, log in ledger.subject_logs(conn, desk, missing, missing).items() if missing else ():
        found[key.id] = read_facts(written[key][0].id, log)
        # Between the two queries of a transaction that writes another one may have appended.
        if len(log) == sum(count for count, _ in marks[key]):
            kept.put((desk, key), marks[key], len(log), found[key.id])
    return found
