"""Invariants that must hold in the database: each is a query with a name and a detail for people.

`slatimer doctor` runs all checks, `/readyz` the quick ones. A check reports and never repairs: a fault is a defect of
the service or of the machine, and its traces are evidence. Instants are microseconds UTC.
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.delivery.messenger import refusal
from app.flow.agreement.holidays import newer_holidays
from app.flow.agreement.remarks import remarks_in_force
from app.flow.query.tickets import answers
from app.sla.span import MINUTE, Micros
from app.sla.subject import Subject, SubjectKey, by_desk
from app.store.contracts.catalogue import Catalogue
from app.store.engine import encrypted, partitions
from app.store.engine.database import Connection
from app.store.engine.vault import vault
from app.store.inbound import hooks
from app.store.outbound import deliveries, redelivery, subscriptions
from app.store.outbound.subscriptions import Channel, SubscriptionState
from app.store.tickets import clocks, inspection, schedule, unreported
from app.store.tickets.clocks import StoredClock

SAMPLE: Final = 500
"""Tickets re-evaluated by `run_checks`: about a second of work. A systematic fault shows in far fewer."""

QUICK_SAMPLE: Final = 20
"""Tickets re-evaluated by `run_quick_checks`: some ten milliseconds."""

MAX_DELAY: Final = MINUTE
"""Work that is due for longer is reported. The usual delay is milliseconds; a minute means that no process runs."""

_MAX_EXAMPLES: Final = 5
"""Examples in a detail."""


class Verdict(StrEnum):
    """Result of a check. A warning does not make `slatimer doctor` fail."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant and its result."""

    name: str
    verdict: Verdict
    detail: str


def run_checks(conn: Connection, catalogue: Catalogue, now: Micros) -> Iterator[Check]:
    """All checks, over all stored data."""
    yield _none("every ticket is evaluated", inspection.unjudged(conn), "tickets have events and no clocks")
    overdue = inspection.overdue(conn, now - MAX_DELAY)
    yield _none(
        "the sweep keeps up", overdue, "tickets are due for over a minute; does `slatimer serve` run?"
    )
    yield _inbound(conn, now)
    yield _none("every breach has a signal", inspection.unrecorded(conn), "clocks are late without a signal")
    yield _none("no breach has two signals", inspection.recorded_twice(conn), "clocks have two valid signals")
    missing = redelivery.missing(conn, now)
    yield _none("every breach is in the outbox", missing, "breaches lack a delivery to a subscription")
    yield _none("no signal is early", inspection.recorded_early(conn), "clocks have a signal before its time")
    yield _stored_equals_fresh(conn, catalogue, now, inspection.sample(conn, now, SAMPLE))
    yield _holidays(conn, catalogue, now)
    yield _secrets(conn)
    yield _files(conn)
    yield _remarks(conn, catalogue, now)
    yield _channels(conn)
    yield from _environment(conn, now)


def run_quick_checks(conn: Connection, catalogue: Catalogue, now: Micros) -> Iterator[Check]:
    """The checks whose cost does not grow with the stored data, for frequent probes."""
    overdue = inspection.overdue(conn, now - MAX_DELAY)
    yield _none("the sweep keeps up", overdue, "tickets are due for over a minute")
    yield _inbound(conn, now)
    yield _stored_equals_fresh(conn, catalogue, now, inspection.next_due(conn, now, QUICK_SAMPLE))
    yield from _environment(conn, now)


def _inbound(conn: Connection, now: Micros) -> Check:
    waiting = hooks.stuck(conn, now - MAX_DELAY)
    return _none("inbound webhooks are interpreted", waiting, "inbound webhooks wait for over a minute")


def _environment(conn: Connection, now: Micros) -> Iterator[Check]:
    yield _deliveries(conn, now)
    parked = [(row.desk, row.subject) for row in schedule.all_parked(conn) if row.times]
    yield _none("no ticket is parked", parked, "tickets cannot be evaluated; see `slatimer inbox`")
    yield _engine(conn)
    unprotected = [(table,) for table in inspection.unguarded(conn)]
    yield _none("row-level security covers every table", unprotected, "tables lack row-level security")
    yield _role(conn)
    yield _partitions(conn)


def _deliveries(conn: Connection, now: Micros) -> Check:
    overdue = deliveries.overdue(conn, now - MAX_DELAY)
    why = "subscriptions wait for over a minute: an endpoint is slow, or no process delivers"
    detail = f"{len(overdue)} {why}: {', '.join(overdue[:_MAX_EXAMPLES])}" if overdue else ""
    return Check("deliveries keep up", Verdict.WARNING if overdue else Verdict.OK, detail)


def _channels(conn: Connection) -> Check:
    """Channels to people that were stored before their kind or a parameter of theirs was refused."""
    refused = [
        f"{each.id} {reason}"
        for each in subscriptions.listed(conn)
        if each.channel is Channel.NOTICE and each.state is not SubscriptionState.DISABLED
        if (reason := refusal(each.url)) is not None
    ]
    wrong = "subscriptions have a channel that is refused, and are disabled at their next message"
    detail = f"{len(refused)} {wrong}: {', '.join(refused[:_MAX_EXAMPLES])}" if refused else ""
    return Check("channels to people are allowed", Verdict.WARNING if refused else Verdict.OK, detail)


def _none(name: str, found: Iterable[tuple[object, ...]], wrong: str) -> Check:
    """A check that passes when the query finds nothing."""
    listed = ["/".join(map(str, one)) for one in found]
    if not listed:
        return Check(name, Verdict.OK, "")
    more = ", ..." if len(listed) > _MAX_EXAMPLES else ""
    return Check(name, Verdict.FAULT, f"{len(listed)} {wrong}: {', '.join(listed[:_MAX_EXAMPLES])}{more}")


def _stored_equals_fresh(
    conn: Connection, catalogue: Catalogue, now: Micros, sample: Iterable[SubjectKey]
) -> Check:
    tickets = by_desk(sample)
    unequal: list[SubjectKey] = []
    for desk, subjects in tickets.items():
        stored = clocks.clocks(conn, desk, subjects)
        names = [subject.text for subject in subjects]
        names = sorted(set(names) - unreported.among(conn, desk, names))
        for ticket, answer in answers(conn, catalogue, desk, names, now=now).items():
            fresh = StoredClock.all_of(answer.evaluation)
            subject = Subject.parse(ticket)
            if fresh != stored.get(subject, {}):
                unequal.append((desk, subject))
    count = sum(map(len, tickets.values()))
    name = f"stored clocks equal fresh ones ({count} sampled)"
    return _none(name, unequal, "tickets have stored clocks that differ from their evaluation")


def _holidays(conn: Connection, catalogue: Catalogue, now: Micros) -> Check:
    name = "the stored holidays are those of the installed package"
    newer = newer_holidays(conn, catalogue, now)
    if not newer:
        return Check(name, Verdict.OK, "")
    listed = "; ".join(f"{desk}: {words}" for desk, words in newer.items())
    return Check(name, Verdict.WARNING, f"{listed}. To use them: slatimer apply --refresh-holidays --preview")


def _remarks(conn: Connection, catalogue: Catalogue, now: Micros) -> Check:
    name = "no calendar has lapsed"
    found = remarks_in_force(conn, catalogue, now)
    if not found:
        return Check(name, Verdict.OK, "")
    listed = [f"{desk}: {remark}" for desk, remarks in found.items() for remark in remarks]
    more = f" and {len(listed) - _MAX_EXAMPLES} more" if len(listed) > _MAX_EXAMPLES else ""
    return Check(name, Verdict.WARNING, f"{' '.join(listed[:_MAX_EXAMPLES])}{more}")


def _role(conn: Connection) -> Check:
    name = "row-level security applies to this role"
    if not inspection.passes_by_security(conn):
        return Check(name, Verdict.OK, "")
    detail = "the role bypasses row-level security; use one that is no superuser: CREATE ROLE slatimer LOGIN"
    return Check(name, Verdict.WARNING, detail)


def _secrets(conn: Connection) -> Check:
    name = "secrets are encrypted by the newest key"
    outdated, count = encrypted.outdated(conn)
    if not outdated:
        return Check(
            name, Verdict.OK, "" if vault(conn).encrypts else "no key is given: they are stored readable"
        )
    return Check(name, Verdict.WARNING, f"{outdated} of {count} are not; run: slatimer secrets rotate")


def _files(conn: Connection) -> Check:
    name = "only the owner may read the database's files"
    found = inspection.readable_files(conn)
    if not found:
        return Check(name, Verdict.OK, "")
    return Check(name, Verdict.WARNING, f"others may; run: chmod 600 {' '.join(map(shlex.quote, found))}")


def _partitions(conn: Connection) -> Check:
    name = "every event is in its monthly partition"
    if not partitions.default_has_rows(conn):
        return Check(name, Verdict.OK, "")
    detail = "some events are in the default partition since theirs was missing; reading them is slower"
    return Check(name, Verdict.WARNING, detail)


def _engine(conn: Connection) -> Check:
    name, version = "the database engine is safe with several writers", inspection.risky_version(conn)
    if version is None:
        return Check(name, Verdict.OK, "")
    detail = f"SQLite {version} can corrupt its write-ahead log when two processes write: install pysqlite3"
    return Check(name, Verdict.WARNING, detail)
