"""Does everything hold that must hold? Each invariant is a query with a name and a plain answer.

What is found is told and never mended: a fault here is a defect of the service or of the machine, and its traces are
evidence. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.flow.query.tickets import answers
from app.sla.span import MINUTE, Micros
from app.sla.subject import Subject, SubjectKey, by_desk
from app.store.contracts.catalogue import Catalogue
from app.store.engine import partitions
from app.store.engine.database import Connection
from app.store.inbound import hooks
from app.store.outbound import deliveries, redelivery
from app.store.tickets import clocks, inspection, schedule
from app.store.tickets.clocks import StoredClock

SAMPLE: Final = 500
"""Tickets judged afresh: about a second of work, and a systematic fault shows in far fewer."""

GLANCE: Final = 20
"""Tickets judged afresh at a glance: some ten milliseconds."""

LONG_DUE: Final = MINUTE
"""A sweep that runs is milliseconds behind; a minute means that none runs, or that it is stuck."""

_SHOWN: Final = 5
"""Examples of a fault: enough to look one up."""


class Verdict(StrEnum):
    """What came out of a check. A warning does not make the examination fail."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant and whether it holds."""

    name: str
    verdict: Verdict
    detail: str


def examine(conn: Connection, catalogue: Catalogue, now: Micros) -> Iterator[Check]:
    """Every invariant, one after the other, over everything that is kept."""
    yield _none("every ticket was judged", inspection.unjudged(conn), "tickets with events and no clocks")
    late = inspection.long_due(conn, now - LONG_DUE)
    yield _none("the sweep keeps up", late, "tickets are due for over a minute; does `slatimer serve` run?")
    yield _deliveries_are_read(conn, now)
    yield _none("every breach was told", inspection.unrecorded(conn), "clocks are late and no signal says so")
    yield _none(
        "no breach was told twice", inspection.recorded_twice(conn), "clocks have two standing signals"
    )
    lost = redelivery.missing(conn, now)
    yield _none("every breach is on its way to whom it is for", lost, "breaches lack their row in the outbox")
    yield _none(
        "nothing was told early", inspection.recorded_early(conn), "clocks were told of ahead of time"
    )
    yield _stored_equals_fresh(conn, catalogue, now, inspection.sample(conn, now, SAMPLE))
    yield from _surroundings(conn, now)


def glance(conn: Connection, catalogue: Catalogue, now: Micros) -> Iterator[Check]:
    """The invariants that cost the same however much is kept: for a probe that comes every few seconds."""
    late = inspection.long_due(conn, now - LONG_DUE)
    yield _none("the sweep keeps up", late, "tickets are due for over a minute")
    yield _deliveries_are_read(conn, now)
    yield _stored_equals_fresh(conn, catalogue, now, inspection.next_due(conn, now, GLANCE))
    yield from _surroundings(conn, now)


def _deliveries_are_read(conn: Connection, now: Micros) -> Check:
    waiting = hooks.stuck(conn, now - LONG_DUE)
    return _none("deliveries are read", waiting, "deliveries wait to be read for over a minute")


def _surroundings(conn: Connection, now: Micros) -> Iterator[Check]:
    name, late = "deliveries keep up", deliveries.overdue(conn, now - LONG_DUE)
    why = "subscriptions wait for over a minute: a slow endpoint, or nobody delivers; does a worker run?"
    detail = f"{len(late)} {why}: {', '.join(late[:_SHOWN])}" if late else ""
    yield Check(name, Verdict.WARNING if late else Verdict.OK, detail)
    parked = [(row.desk, row.subject) for row in schedule.all_parked(conn)]
    yield _none("no ticket is parked", parked, "tickets cannot be judged; see `slatimer inbox`")
    yield _engine(conn)
    bare = [(table,) for table in inspection.unguarded(conn)]
    yield _none("every table is kept apart by desk", bare, "tables lack row-level security")
    yield _role(conn)
    yield _months(conn)


def _none(name: str, found: Iterable[tuple[object, ...]], wrong: str) -> Check:
    """A check that holds when nothing was found."""
    listed = ["/".join(map(str, one)) for one in found]
    if not listed:
        return Check(name, Verdict.OK, "")
    more = ", ..." if len(listed) > _SHOWN else ""
    return Check(name, Verdict.FAULT, f"{len(listed)} {wrong}: {', '.join(listed[:_SHOWN])}{more}")


def _stored_equals_fresh(
    conn: Connection, catalogue: Catalogue, now: Micros, sample: Iterable[SubjectKey]
) -> Check:
    tickets = by_desk(sample)
    unequal: list[SubjectKey] = []
    for desk, subjects in tickets.items():
        stored = clocks.clocks(conn, desk, subjects)
        names = [subject.text for subject in subjects]
        for ticket, answer in answers(conn, catalogue, desk, names, now=now).items():
            fresh = {(c.commitment, c.cycle_id): StoredClock.of(c) for c in answer.evaluation.clocks}
            subject = Subject.parse(ticket)
            if fresh != stored.get(subject, {}):
                unequal.append((desk, subject))
    count = sum(map(len, tickets.values()))
    name = f"stored clocks equal fresh ones ({count} sampled)"
    return _none(name, unequal, "tickets are stored otherwise than they are judged now")


def _role(conn: Connection) -> Check:
    name = "the database keeps desks apart for this role"
    if not inspection.passes_by_security(conn):
        return Check(name, Verdict.OK, "")
    detail = "the role passes by row-level security; use one that is no superuser: CREATE ROLE slatimer LOGIN"
    return Check(name, Verdict.WARNING, detail)


def _months(conn: Connection) -> Check:
    name = "every event lies in the part of its month"
    if not partitions.has_stray(conn):
        return Check(name, Verdict.OK, "")
    detail = "some came when there was no part for their month; they are read all the same, only slower"
    return Check(name, Verdict.WARNING, detail)


def _engine(conn: Connection) -> Check:
    name, version = "the database engine is safe with several writers", inspection.risky_version(conn)
    if version is None:
        return Check(name, Verdict.OK, "")
    detail = (
        f"SQLite {version} can corrupt its log when two processes write: let one write, or install pysqlite3"
    )
    return Check(name, Verdict.WARNING, detail)
