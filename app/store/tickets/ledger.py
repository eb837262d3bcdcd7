"""What happened, as it came, once each?

The log of events. A row is written once and never changed; (desk, id) is its identity. The rule it guards: what was
received is what is read, in any order and as often as it comes. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from typing import Final

import orjson
from sqlalchemy import bindparam, func, literal_column, select

from app.sla.event import KNOWN_TYPES, Event
from app.sla.span import DAY, Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import event as _event
from app.store.tables import event_key as _key
from app.store.tables import ticket as _ticket


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with where it belongs. `digest` tells another content under the same id from a repetition."""

    desk: str
    event: Event
    ticket: str | None
    digest: str
    trace: str | None = None


def digest_of(event: Event) -> str:
    """What two events with one id must share to be the same: type, subject, instant and data, once it is understood.

    So `automatic: false` says what its absence says, and a field that a creation leaves null what it leaves out. (An
    update that sets a field to null clears it.)
    """
    data = {name: value for name, value in event.data.items() if (name, value) != ("automatic", False)}
    if event.type == "ticket.created":
        data = {name: value for name, value in data.items() if value is not None}
    content = (event.type, event.subject, event.at, data)
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


_DIGESTS: Final = select(_event.c.event_id, _event.c.digest).where(
    _event.c.desk == bindparam("desk"), _event.c.event_id.in_(bindparam("ids", expanding=True))
)
_KEYED_DIGESTS: Final = select(_key.c.event_id, _key.c.digest).where(
    _key.c.desk == bindparam("desk"), _key.c.event_id.in_(bindparam("ids", expanding=True))
)
_LOGS: Final = (
    select(
        _event.c.ticket,
        _event.c.event_id,
        _event.c.type,
        _event.c.subject,
        _event.c.at,
        _event.c.data,
        _event.c.sequence,
        _event.c.received_at,
    )
    .where(
        _event.c.desk == bindparam("desk"),
        _event.c.ticket.in_(bindparam("tickets", expanding=True)),
        _event.c.received_at >= bindparam("since"),
    )
    .order_by(_event.c.seq)
)
_KNOWN: Final = (
    select(_event.c.ticket)
    .where(_event.c.desk == bindparam("desk"), _event.c.ticket.in_(bindparam("tickets", expanding=True)))
    .distinct()
)
_APPEND: Final = _event.insert()
_APPEND_KEY: Final = _key.insert()
_UNKNOWN_TYPES: Final = (
    select(_event.c.desk, _event.c.type, func.count())
    .where(~_event.c.known)
    .group_by(_event.c.desk, _event.c.type)
)
# A human reply: not marked automatic, not by the system. The JSON is looked into above the database, so that
# no dialect is needed.
# A subquery, which is asked for each reply by the ticket's key. A join is planned by how many rows there seem to be, and
# a server that has not counted them yet would hold every reply against every ticket.
_ITS_QUEUE: Final = (
    select(_ticket.c.queue)
    .where(_ticket.c.desk == _event.c.desk, _ticket.c.ticket == _event.c.ticket)
    .correlate(_event)
    .scalar_subquery()
)
_REPLIES: Final = select(_event.c.at, _event.c.data).where(
    _event.c.type == literal_column("'agent.replied'"),
    _event.c.desk == bindparam("desk"),
    _event.c.at >= bindparam("since"),
    _event.c.at <= bindparam("until"),
    # Nothing is taken that lies further ahead than this: older parts of the log hold no such reply.
    _event.c.received_at >= bindparam("received"),
    bindparam("queue") == _ITS_QUEUE,
)


def digests(conn: Connection, desk: str, ids: Iterable[str]) -> dict[str, str]:
    """Of these ids the ones that are in the log, with their digests."""
    query = _KEYED_DIGESTS if dialect.has_partitioned_log(conn) else _DIGESTS
    return {
        row[0]: row[1]
        for part in parts(ids)
        for row in conn.execute(query, {"desk": desk, "ids": part}).all()
    }


def append(conn: Connection, facts: Sequence[Fact], received_at: Micros) -> None:
    """Write new facts down. `received_at` is the transaction's time."""
    rows = [
        {
            "desk": fact.desk,
            "event_id": fact.event.id,
            "type": fact.event.type,
            "known": fact.event.type in KNOWN_TYPES,
            "subject": fact.event.subject,
            "ticket": fact.ticket,
            "at": fact.event.at,
            "sequence": fact.event.sequence,
            "received_at": received_at,
            "data": orjson.dumps(fact.event.data).decode(),
            "digest": fact.digest,
            "trace": fact.trace,
        }
        for fact in facts
    ]
    if not rows:
        return
    if dialect.has_partitioned_log(conn):
        keys = [{name: row[name] for name in ("desk", "event_id", "digest")} for row in rows]
        # Everybody in the same order: of two who bring the same, one waits for the other and not each for each.
        conn.execute(_APPEND_KEY, sorted(keys, key=itemgetter("desk", "event_id")))
    conn.execute(_APPEND, rows)


def logs(conn: Connection, desk: str, tickets: Iterable[str], since: Micros = 0) -> dict[str, list[Event]]:
    """The log of each ticket, in the order of receipt; empty for a ticket that nobody has spoken of.

    `since`: nothing of them was received before, so parts of the log that are older need not be looked into.
    """
    found: dict[str, list[Event]] = {}
    for part in parts(tickets):
        found.update((ticket, []) for ticket in part)
        for ticket, event_id, kind, subject, at, data, sequence, received_at in conn.execute(
            _LOGS, {"desk": desk, "tickets": part, "since": since}
        ).all():
            found[ticket].append(
                Event(event_id, kind, subject, at, orjson.loads(data), sequence, received_at)
            )
    return found


def known(conn: Connection, desk: str, tickets: Iterable[str]) -> set[str]:
    """Of these tickets the ones that have any event."""
    return {
        row[0]
        for part in parts(tickets)
        for row in conn.execute(_KNOWN, {"desk": desk, "tickets": part}).all()
    }


def human_replies(conn: Connection, desk: str, queue: str, since: Micros, until: Micros) -> list[Micros]:
    """The instants of the desk's human public replies on tickets of the queue."""
    asked = {"desk": desk, "queue": queue, "since": since, "until": until, "received": since - DAY}
    return [
        at
        for at, data in conn.execute(_REPLIES, asked).all()
        if Event("", "agent.replied", "", at, orjson.loads(data)).human
    ]


def unknown_types(conn: Connection) -> dict[tuple[str, str], int]:
    """How many events of each (desk, type) are of a type outside the vocabulary: kept, and moving nothing."""
    return {(desk, kind): count for desk, kind, count in conn.execute(_UNKNOWN_TYPES).all()}
