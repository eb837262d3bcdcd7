"""What was told, once ever, in which order?

The durable stream. A row's `seq` is its place in the stream, its `id` is made from its natural key, so telling the
same thing twice is refused by the table itself. A retraction marks the row that it takes back and erases nothing.
Kinds are as on the wire: "clock.breached", "queue.moved". Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from typing import Final

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select

from app.principal import EVERY, Desks
from app.sla.clock.signals import LATE_KINDS, RecordedSignal
from app.sla.queue.signals import RecordedQueueSignal
from app.sla.span import Micros
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import LATE_KINDS as _INDEXED
from app.store.tables import signal as _signal

CLOCK: Final = "clock."
QUEUE: Final = "queue."
LATE: Final = frozenset(CLOCK + kind for kind in LATE_KINDS)
"""Kinds that say that a clock was late."""
IS_LATE: Final[ColumnElement[bool]] = _signal.c.kind.in_([literal_column(f"'{kind}'") for kind in _INDEXED])
"""The same as a condition, written as the indexes have it."""


@dataclass(slots=True)
class NewSignal:
    """A signal to be written. `queue` is empty for a clock's, `commitment` for a queue's. `body` comes last, since it
    tells the rest."""

    seq: int
    id: str
    desk: str
    ticket: str
    commitment: str
    queue: str
    cycle: Micros
    kind: str
    occurrence: str
    generation: int
    at: Micros
    detected_at: Micros
    commitment_kind: str | None
    late: bool
    deliver: bool
    stands: bool
    rank: int | None
    joined_at: Micros | None
    body: str = ""
    trace: str | None = None
    """The request, or the pass of the sweep, that it is told because of."""

    def published(self) -> "Published":
        """The signal as the stream carries it, once `append` has given it its place."""
        return Published(
            seq=self.seq,
            desk=self.desk,
            kind=self.kind,
            body=self.body.encode(),
            deliver=self.deliver,
            at=self.at,
            ticket=self.ticket,
            id=self.id,
            trace=self.trace,
            commitment=self.commitment,
            commitment_kind=self.commitment_kind,
            queue=self.queue,
        )


@dataclass(frozen=True, slots=True)
class Published:
    """A signal as the stream carries it. `body` is its JSON, encoded once."""

    seq: int
    desk: str
    kind: str
    body: bytes
    deliver: bool
    at: Micros
    ticket: str
    id: str
    trace: str | None
    # What subscriptions filter by, beside the body, so that nothing parses it.
    commitment: str
    commitment_kind: str | None
    queue: str


@dataclass(slots=True)
class RecordedSignals:
    """All that was told of one ticket. `detected` is when each breach that stands was told, by (commitment, cycle)."""

    clocks: list[RecordedSignal] = field(default_factory=list[RecordedSignal])
    queues: list[RecordedQueueSignal] = field(default_factory=list[RecordedQueueSignal])
    detected: dict[tuple[str, Micros], Micros] = field(default_factory=dict[tuple[str, Micros], Micros])


def id_of(
    desk: str, ticket: str, about: str, cycle: Micros, kind: str, occurrence: str, generation: int
) -> str:
    """The id of a signal, from its natural key; `about` is the commitment or the queue. The same for ever."""
    key = "\x1f".join((desk, ticket, about, str(cycle), kind, occurrence, str(generation)))
    return "sig_" + blake2b(key.encode(), digest_size=15).hexdigest()


_RECORDED: Final = (
    select(
        _signal.c.ticket,
        _signal.c.id,
        _signal.c.commitment,
        _signal.c.queue,
        _signal.c.cycle,
        _signal.c.kind,
        _signal.c.occurrence,
        _signal.c.generation,
        _signal.c.at,
        _signal.c.corrected_at,
        _signal.c.retracted_at,
        _signal.c.detected_at,
        _signal.c.stands,
        _signal.c.rank,
        _signal.c.joined_at,
    )
    .where(_signal.c.desk == bindparam("desk"), _signal.c.ticket.in_(bindparam("tickets", expanding=True)))
    .order_by(_signal.c.seq)
)
_DETECTED: Final = (
    select(
        _signal.c.ticket,
        _signal.c.commitment,
        _signal.c.cycle,
        _signal.c.detected_at,
        _signal.c.retracted_at,
    )
    .where(
        _signal.c.desk == bindparam("desk"),
        _signal.c.ticket.in_(bindparam("tickets", expanding=True)),
        IS_LATE,
        _signal.c.detected_at <= bindparam("as_of"),
    )
    .order_by(_signal.c.seq)
)
_MOVED: Final = (
    select(_signal.c.desk, _signal.c.ticket)
    .where(_signal.c.seq > bindparam("after"), _signal.c.queue != "")
    .distinct()
)
_LAST: Final = select(func.max(_signal.c.seq))
_APPEND: Final = _signal.insert()
_RETRACT: Final = (
    _signal.update()
    .where(_signal.c.id == bindparam("_id"))
    .values(retracted_by=bindparam("by"), retracted_at=bindparam("now"))
)
_CORRECT: Final = (
    _signal.update().where(_signal.c.id == bindparam("_id")).values(corrected_at=bindparam("true_at"))
)
_PUBLISHED: Final = select(
    _signal.c.seq,
    _signal.c.desk,
    _signal.c.kind,
    _signal.c.body,
    _signal.c.deliver,
    _signal.c.at,
    _signal.c.ticket,
    _signal.c.id,
    _signal.c.trace,
    _signal.c.commitment,
    _signal.c.commitment_kind,
    _signal.c.queue,
)
_PAGE: Final = _PUBLISHED.order_by(_signal.c.seq)
_PAGE_BACKWARDS: Final = _PUBLISHED.order_by(_signal.c.seq.desc())


def last(conn: Connection) -> int:
    """The place of the last signal in the stream, 0 for none."""
    return conn.execute(_LAST).scalar() or 0


def recorded(conn: Connection, desk: str, tickets: Iterable[str]) -> dict[str, RecordedSignals]:
    """What was told of these tickets."""
    found: dict[str, RecordedSignals] = {}
    for part in parts(tickets):
        found.update((ticket, RecordedSignals()) for ticket in part)
        for row in conn.execute(_RECORDED, {"desk": desk, "tickets": part}).all():
            ticket, signal_id, commitment, queue, cycle, kind, occurrence, generation, at = row[:9]
            corrected_at, retracted_at, detected_at, stands, rank, joined_at = row[9:]
            of = found[ticket]
            if kind.startswith(QUEUE):
                name = kind[len(QUEUE) :]
                of.queues.append(
                    RecordedQueueSignal(ticket, queue, name, occurrence, generation, rank, joined_at, stands)
                )
                continue
            name = kind[len(CLOCK) :]
            true_at = at if corrected_at is None else corrected_at
            gone = retracted_at is not None
            of.clocks.append(
                RecordedSignal(signal_id, commitment, cycle, name, occurrence, generation, true_at, gone)
            )
            if name in LATE_KINDS and not gone:
                of.detected[commitment, cycle] = detected_at
    return found


def detected(
    conn: Connection, desk: str, tickets: Iterable[str], as_of: Micros
) -> dict[str, dict[tuple[str, Micros], Micros]]:
    """When each breach was told that stood at `as_of`, by ticket and (commitment, cycle)."""
    found: dict[str, dict[tuple[str, Micros], Micros]] = {}
    for part in parts(tickets):
        asked = {"desk": desk, "tickets": part, "as_of": as_of}
        for ticket, commitment, cycle, at, retracted_at in conn.execute(_DETECTED, asked).all():
            if retracted_at is None or retracted_at > as_of:
                found.setdefault(ticket, {})[commitment, cycle] = at
    return found


def moved(conn: Connection, after: int) -> dict[str, set[str]]:
    """The tickets, by desk, that were told of as moving in a queue after this place in the stream."""
    found: dict[str, set[str]] = {}
    for desk, ticket in conn.execute(_MOVED, {"after": after}).all():
        found.setdefault(desk, set()).add(ticket)
    return found


def append(conn: Connection, rows: Sequence[NewSignal]) -> None:
    """Give signals their places in the stream and write them down. Refused by the table when one was told before.

    Where others write too, nobody else is let into the stream until this transaction ends: so its places have no gap,
    and whoever has read up to a place has missed none before it.
    """
    if rows:
        dialect.lock_stream(conn)
        for seq, row in enumerate(rows, last(conn) + 1):
            row.seq = seq
        conn.execute(_APPEND, [{name: getattr(row, name) for name in _FIELDS} for row in rows])


_FIELDS: Final = tuple(f.name for f in fields(NewSignal))


def retract(conn: Connection, pairs: Iterable[tuple[str, str]], now: Micros) -> None:
    """Mark told signals as taken back: (id, id of the retraction)."""
    if rows := [{"_id": gone, "by": by, "now": now} for gone, by in pairs]:
        conn.execute(_RETRACT, rows)


def correct(conn: Connection, pairs: Iterable[tuple[str, Micros]]) -> None:
    """Put the instant of told breaches right: (id, true instant). Their body stays as it was told."""
    if rows := [{"_id": which, "true_at": at} for which, at in pairs]:
        conn.execute(_CORRECT, rows)


def page(
    conn: Connection,
    after: int,
    limit: int,
    desks: Desks = EVERY,
    kinds: Sequence[str] = (),
    *,
    ticket: str | None = None,
    latest: bool = False,
) -> list[Published]:
    """Signals of the stream after this place, in order: the first `limit` that match, or the `latest`."""
    query = (_PAGE_BACKWARDS if latest else _PAGE).where(_signal.c.seq > after).limit(limit)
    query = query.where(in_desks(_signal.c.desk, desks))
    if ticket is not None:
        query = query.where(_signal.c.ticket == ticket)
    if kinds:
        query = query.where(_signal.c.kind.in_(kinds))
    found = [Published(**{**row, "body": row["body"].encode()}) for row in conn.execute(query).mappings()]
    return found[::-1] if latest else found
