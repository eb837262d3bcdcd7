"""Ledger: the log of events, each stored once.

A row is written once; (desk, id) is an event's identity, and the digest distinguishes a repetition from a conflict.
What was received is what is read, in any order and however often it arrives. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, Final

import orjson
from sqlalchemy import Row, bindparam, func, literal_column, select

from app.sla.event import KNOWN_TYPES, Event
from app.sla.span import DAY, Micros, Span
from app.sla.subject import Subject
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.prepared import Prepared
from app.store.tables import COUNTED_FACTS, OF_OTHER_SUBJECT
from app.store.tables import event as _event
from app.store.tables import event_key as _key
from app.store.tables import ticket as _ticket


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be stored. `ticket` is the ticket that it is about or names, if any; `trace` the request's id."""

    desk: str
    event: Event
    ticket: str | None
    digest: str
    trace: str | None = None


def digest_of(event: Event) -> str:
    """A hash of what two events with one id must share to be the same: type, subject, instant and parsed data.

    `automatic: false` equals its absence, and in a creation a field that is null equals one that is left out. (In an
    update a null clears the field.) Digests are stored and compared across releases: this function must not change.
    """
    data = {name: value for name, value in event.data.items() if (name, value) != ("automatic", False)}
    if event.type == "ticket.created":
        data = {name: value for name, value in data.items() if value is not None}
    content = (event.type, event.subject, event.at, data)
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


_DIGESTS: Final = Prepared(
    select(_event.c.event_id, _event.c.digest).where(
        _event.c.desk == bindparam("desk"), _event.c.event_id.in_(bindparam("ids", expanding=True))
    )
)
_KEYED_DIGESTS: Final = Prepared(
    select(_key.c.event_id, _key.c.digest).where(
        _key.c.desk == bindparam("desk"), _key.c.event_id.in_(bindparam("ids", expanding=True))
    )
)
_EVENTS: Final = select(
    _event.c.ticket,
    _event.c.event_id,
    _event.c.type,
    _event.c.subject,
    _event.c.at,
    _event.c.data,
    _event.c.sequence,
    _event.c.received_at,
    _event.c.attributes,
).order_by(_event.c.seq)
_LOGS: Final = Prepared(
    _EVENTS.where(
        _event.c.desk == bindparam("desk"),
        _event.c.ticket.in_(bindparam("tickets", expanding=True)),
        _event.c.received_at >= bindparam("since"),
    )
)
_LATER: Final = Prepared(
    _EVENTS.add_columns(_event.c.seq).where(
        _event.c.desk == bindparam("desk"),
        _event.c.ticket == bindparam("ticket"),
        _event.c.seq > bindparam("seq"),
        _event.c.received_at >= bindparam("since"),
    )
)
_LAST_SEQ: Final = Prepared(
    select(func.max(_event.c.seq)).where(
        _event.c.desk == bindparam("desk"),
        _event.c.ticket == bindparam("ticket"),
        _event.c.received_at >= bindparam("since"),
    )
)
_SUBJECT_LOGS: Final = _EVENTS.where(
    _event.c.desk == bindparam("desk"),
    _event.c.subject.in_(bindparam("subjects", expanding=True)),
    # As the partial index has it: a condition in other words would not use it.
    literal_column(f"({OF_OTHER_SUBJECT})"),
)
_SUBJECT_LATER: Final = _SUBJECT_LOGS.add_columns(_event.c.seq).where(_event.c.seq > bindparam("seq"))
_SUBJECT_ENDS: Final = (
    select(_event.c.subject, func.count(), func.max(_event.c.seq))
    .where(
        _event.c.desk == bindparam("desk"),
        _event.c.subject.in_(bindparam("subjects", expanding=True)),
        literal_column(f"({OF_OTHER_SUBJECT})"),
    )
    .group_by(_event.c.subject)
)
_COUNTED: Final = (
    select(_event.c.subject, _event.c.ticket)
    .where(
        # As the partial index has it, so that it is used.
        literal_column(f"({COUNTED_FACTS})"),
        _event.c.desk == bindparam("desk"),
        _event.c.type == bindparam("type"),
        _event.c.at >= bindparam("start"),
        _event.c.at < bindparam("end"),
        # An event further ahead than this is refused, so older partitions hold no such fact.
        _event.c.received_at >= bindparam("received"),
    )
    .distinct()
)
_KNOWN: Final = (
    select(_event.c.ticket)
    .where(_event.c.desk == bindparam("desk"), _event.c.ticket.in_(bindparam("tickets", expanding=True)))
    .distinct()
)
_APPEND: Final = Prepared(_event.insert())
_APPEND_KEY: Final = Prepared(_key.insert())
_KEY_COLUMNS: Final = ("desk", "event_id", "digest")
_APPEND_WITH_KEY: Final = Prepared(
    _event.insert().add_cte(
        _key.insert().values({name: bindparam(f"key_{name}") for name in _KEY_COLUMNS}).cte("key")
    )
)
"""One event with its key, which saves a round trip."""
_UNKNOWN_TYPES: Final = (
    select(_event.c.desk, _event.c.type, func.count())
    .where(~_event.c.known)
    .group_by(_event.c.desk, _event.c.type)
)
# Scalar subquery: without statistics PostgreSQL plans a join as a nested loop over all tickets.
_ITS_QUEUE: Final = (
    select(_ticket.c.queue)
    .where(_ticket.c.desk == _event.c.desk, _ticket.c.ticket == _event.c.ticket)
    .correlate(_event)
    .scalar_subquery()
)
# Whether a reply is a person's is in its JSON, which is read here and not in SQL: no dialect is needed for it.
_REPLIES: Final = select(_event.c.at, _event.c.data).where(
    _event.c.type == literal_column("'agent.replied'"),
    _event.c.desk == bindparam("desk"),
    _event.c.at >= bindparam("since"),
    _event.c.at <= bindparam("until"),
    # An event further ahead than this is refused, so older partitions hold no such reply.
    _event.c.received_at >= bindparam("received"),
    bindparam("queue") == _ITS_QUEUE,
)


def digests(conn: Connection, desk: str, ids: Iterable[str]) -> dict[str, str]:
    """The digests of those of these ids that are in the log."""
    query = _KEYED_DIGESTS if dialect.has_partitioned_log(conn) else _DIGESTS
    return {
        row.event_id: row.digest
        for part in parts(ids)
        for row in query.rows(conn, {"desk": desk, "ids": part})
    }


def append(conn: Connection, events: Sequence[NewEvent], received_at: Micros) -> None:
    """Append new events to the log. `received_at` is the transaction's time."""
    rows = [
        {
            "desk": new.desk,
            "event_id": new.event.id,
            "type": new.event.type,
            "known": new.event.type in KNOWN_TYPES,
            "subject": new.event.subject,
            "ticket": new.ticket,
            "at": new.event.at,
            "sequence": new.event.sequence if isinstance(new.event.sequence, int) else 0,
            "received_at": received_at,
            "data": orjson.dumps(new.event.data).decode(),
            "digest": new.digest,
            "trace": new.trace,
            "attributes": _attributes(new.event),
        }
        for new in events
    ]
    if not rows:
        return
    if dialect.has_partitioned_log(conn):
        if len(rows) == 1:
            _APPEND_WITH_KEY.write(conn, [rows[0] | {f"key_{name}": rows[0][name] for name in _KEY_COLUMNS}])
            return
        keys = [{name: row[name] for name in _KEY_COLUMNS} for row in rows]
        # One order for all transactions: of two that insert the same keys one waits, and no deadlock arises.
        _APPEND_KEY.write(conn, sorted(keys, key=itemgetter("desk", "event_id")))
    _APPEND.write(conn, rows)


def logs(conn: Connection, desk: str, tickets: Iterable[str], since: Micros = 0) -> dict[str, list[Event]]:
    """The log of each ticket, in the order of receipt; empty for a ticket without events.

    `since` is a lower bound of their `received_at`: older partitions of the log are not read.
    """
    found: dict[str, list[Event]] = {}
    for part in parts(tickets):
        found.update((ticket, []) for ticket in part)
        for row in _LOGS.rows(conn, {"desk": desk, "tickets": part, "since": since}):
            found[row.ticket].append(_event_of(row))
    return found


def later(conn: Connection, desk: str, ticket: str, seq: int, since: Micros) -> tuple[list[Event], int]:
    """The events of a ticket after a place in the log, and the place of the last one. `since` as in `logs`.

    A ticket is locked before its events are inserted, so of one ticket the places rise with the commits.
    """
    rows = _LATER.rows(conn, {"desk": desk, "ticket": ticket, "seq": seq, "since": since})
    return [_event_of(row) for row in rows], max((row.seq for row in rows), default=seq)


def last_seq(conn: Connection, desk: str, ticket: str, since: Micros) -> int:
    """The place of a ticket's last event in the log, 0 without one. `since` as in `logs`."""
    return _LAST_SEQ.rows(conn, {"desk": desk, "ticket": ticket, "since": since})[0][0] or 0


def subject_logs(
    conn: Connection,
    desk: str,
    subjects: Iterable[Subject],
    written: Mapping[Subject, Iterable[Subject]] = MappingProxyType({}),
) -> dict[Subject, list[Event]]:
    """The log of each of these subjects, none of them a ticket, in the order of receipt.

    `written`: the ways in which events write a subject; without them only the one that is asked for.
    """
    found: dict[Subject, list[Event]] = {subject: [] for subject in subjects}
    by_text = {each.text: subject for subject in found for each in written.get(subject, (subject,))}
    for part in parts(by_text):
        for row in conn.execute(_SUBJECT_LOGS, {"desk": desk, "subjects": part}).all():
            found[by_text[row.subject]].append(_event_of(row))
    for log in found.values():
        # One that is written in two ways may have been read in two parts.
        log.sort(key=attrgetter("received_at"))
    return found


def subject_log(conn: Connection, desk: str, written: Iterable[Subject], seq: int) -> tuple[list[Event], int]:
    """The events of one subject, in all ways in which events write it, after a place in the log, and the last one's."""
    given = {"desk": desk, "subjects": [each.text for each in written], "seq": seq}
    rows = conn.execute(_SUBJECT_LATER, given).all()
    return [_event_of(row) for row in rows], rows[-1].seq if rows else seq


def subject_ends(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[str, tuple[int, int]]:
    """The number of events that are written with each of these subjects, and the last one's place. Logs only grow."""
    return {
        row[0]: (row[1], row[2])
        for part in parts(sorted({each.text for each in subjects}))
        for row in conn.execute(_SUBJECT_ENDS, {"desk": desk, "subjects": part}).all()
    }


def counted(conn: Connection, desk: str, kind: str, span: Span) -> list[tuple[str, str | None]]:
    """(subject, ticket) of the events of a type that happened within a span; the type is one of the counted facts."""
    given = {"start": span.start, "end": span.end, "received": span.start - DAY}
    return [
        (row.subject, row.ticket) for row in conn.execute(_COUNTED, {"desk": desk, "type": kind, **given})
    ]


_SEQUENCE: Final = "sequence"


def _attributes(event: Event) -> str | None:
    """The attributes that have no column: the sender's own, and a sequence that is a text."""
    found = dict(event.attributes or {})
    if isinstance(event.sequence, str):
        found[_SEQUENCE] = event.sequence
    return orjson.dumps(found).decode() if found else None


def _event_of(row: Row[*tuple[Any, ...]]) -> Event:
    attributes = None if row.attributes is None else orjson.loads(row.attributes)
    sequence = row.sequence if attributes is None else attributes.pop(_SEQUENCE, row.sequence)
    return Event(
        id=row.event_id,
        type=row.type,
        subject=row.subject,
        at=row.at,
        data=orjson.loads(row.data),
        sequence=sequence,
        received_at=row.received_at,
        attributes=attributes or None,
    )


def known(conn: Connection, desk: str, tickets: Iterable[str]) -> set[str]:
    """Those of these tickets that have any event."""
    return {
        ticket
        for part in parts(tickets)
        for ticket in conn.execute(_KNOWN, {"desk": desk, "tickets": part}).scalars()
    }


def human_replies(conn: Connection, desk: str, queue: str, since: Micros, until: Micros) -> list[Micros]:
    """The instants of the desk's human public replies on tickets of the queue."""
    given = {"desk": desk, "queue": queue, "since": since, "until": until, "received": since - DAY}
    return [
        row.at
        for row in conn.execute(_REPLIES, given).all()
        if Event("", "agent.replied", "", row.at, orjson.loads(row.data)).human
    ]


def unknown_types(conn: Connection) -> dict[tuple[str, str], int]:
    """How many events of each (desk, type) have an unknown type: they are stored and move no clock."""
    return {(desk, kind): count for desk, kind, count in conn.execute(_UNKNOWN_TYPES).all()}
