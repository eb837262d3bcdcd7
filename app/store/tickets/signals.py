"""Signals: the durable stream of what was recorded, each signal once.

A row's `seq` is its place in the stream. Its `id` is made from its natural key, so the table refuses to record the same
signal twice. A retraction marks the row that it takes back and deletes nothing. Kinds are as in the API:
"clock.breached", "queue.moved". Instants are microseconds UTC.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, bindparam, func, literal_column, select

from app.principal import EVERY, Desks
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine import dialect, row_security
from app.store.engine.batch import parts
from app.store.engine.database import Connection, EveryDesk, memoized
from app.store.engine.desks import in_desks
from app.store.engine.prepared import Prepared
from app.store.tables import LATE_KINDS as _INDEXED
from app.store.tables import places as _places
from app.store.tables import signal as _signal

CLOCK: Final = "clock."
QUEUE: Final = "queue."
LATE: Final = frozenset(_INDEXED)
"""Kinds that report something as late: a clock, an uptime, an average."""
IS_LATE: Final[ColumnElement[bool]] = _signal.c.kind.in_([literal_column(f"'{kind}'") for kind in _INDEXED])
"""The same as a condition, written as the partial indexes have it."""


def id_of(
    desk: str, subject: Subject, about: str, cycle: Micros, kind: str, occurrence: str, generation: int
) -> str:
    """The id of a signal, from its natural key; `about` is the commitment or the queue. It must never change."""
    key = "\x1f".join((desk, subject.text, about, str(cycle), kind, occurrence, str(generation)))
    return "sig_" + blake2b(key.encode(), digest_size=15).hexdigest()


@dataclass(slots=True)
class NewSignal:
    """A signal to be recorded. Not frozen: its body holds its id, and is set last (a copy costs a tenth of a batch).

    `commitment` is empty for a queue's signal, `queue` for a clock's. `deliver` false: recorded only. `stands` false: it
    takes an earlier one of its queue back. `rank` and `joined_at` are of the place in the queue.
    """

    desk: str
    subject: Subject
    kind: str
    occurrence: str
    at: Micros
    detected_at: Micros
    commitment: str = ""
    queue: str = ""
    cycle: Micros = 0
    generation: int = 0
    commitment_kind: str | None = None
    late: bool = False
    deliver: bool = True
    stands: bool = True
    rank: int | None = None
    joined_at: Micros | None = None
    trace: str | None = None
    """The id of the request, or of the sweep's batch, that caused it."""
    body: bytes = b""
    """Its JSON, encoded once for the table, the stream and the deliveries."""
    retracts: str | None = None
    """The id of the recorded signal that it takes back."""
    corrects: tuple[str, Micros] | None = None
    """The id of a recorded signal whose instant was another, and the true instant."""
    id: str = field(init=False)

    def __post_init__(self) -> None:
        """Make the id from the natural key."""
        about = self.commitment or self.queue
        made = id_of(self.desk, self.subject, about, self.cycle, self.kind, self.occurrence, self.generation)
        self.id = made


@dataclass(frozen=True, slots=True)
class Published:
    """A signal as the stream carries it. `body` is its JSON, encoded once."""

    seq: int
    id: str
    desk: str
    subject: Subject
    kind: str
    at: Micros
    deliver: bool
    trace: str | None
    body: bytes
    # What subscriptions filter by, beside the body, so that no consumer parses it.
    commitment: str
    commitment_kind: str | None
    queue: str


# Without a condition on the desk: the planner would read all signals of the desk rather than the last ones of all.
_MOVED: Final = Prepared(
    select(_signal.c.desk, _signal.c.subject)
    .where(_signal.c.seq > bindparam("after"), _signal.c.queue != literal_column("''"))
    .distinct()
)
_KNOWN: Final = select(_signal.c.id).where(_signal.c.id.in_(bindparam("ids", expanding=True)))
_LAST: Final = Prepared(
    select(func.max(_signal.c.seq), select(func.max(_places.c.start)).scalar_subquery().label("start"))
)
_APPEND: Final = Prepared(_signal.insert())
_COLUMNS: Final = (
    "id",
    "desk",
    "subject",
    "commitment",
    "queue",
    "cycle",
    "kind",
    "occurrence",
    "generation",
    "at",
    "detected_at",
    "commitment_kind",
    "late",
    "deliver",
    "stands",
    "rank",
    "joined_at",
    "trace",
)
"""Columns that take a NewSignal's attributes as they are."""
_values: Final[Callable[[NewSignal], tuple[Any, ...]]] = attrgetter(*_COLUMNS)
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
    _signal.c.id,
    _signal.c.desk,
    _signal.c.subject,
    _signal.c.kind,
    _signal.c.at,
    _signal.c.deliver,
    _signal.c.trace,
    _signal.c.body,
    _signal.c.commitment,
    _signal.c.commitment_kind,
    _signal.c.queue,
)
_PAGE: Final = _PUBLISHED.order_by(_signal.c.seq)
_PAGE_BACKWARDS: Final = _PUBLISHED.order_by(_signal.c.seq.desc())


def last(conn: Connection) -> int:
    """The place of the last signal in the stream, or the one before the first that this server may give; 0 for none.

    Signals of a desk that moved here keep their places, all of which lie before that one.
    """
    place, start = _LAST.rows(conn, {})[0]
    return max(place or 0, start or 0)


def end(conn: Connection, *, lock: bool = False) -> int:
    """`last` over all desks, whichever a write transaction sees. `lock`: nothing is appended until it ends.

    Without `lock` it may be what the transaction has read with the versions of the desks.
    """
    read: int | None = None if lock else memoized(conn, row_security.STREAM_END_READ, lambda: None)
    if read is not None:
        return read
    if dialect.has_row_security(conn):
        return row_security.stream_end(conn, EveryDesk.STREAM, lock=lock)
    return last(conn)


def moved(conn: Connection, after: int, desks: Collection[str]) -> dict[str, set[str]]:
    """The tickets, by desk, that moved in a queue of these desks by signals after this place in the stream."""
    found: dict[str, set[str]] = {}
    for row in _MOVED.rows(conn, {"after": after}):
        if row.desk in desks:
            found.setdefault(row.desk, set()).add(row.subject.text)
    return found


def append(conn: Connection, signals: Sequence[NewSignal]) -> list[Published]:
    """Record signals: give them their places in the stream, and mark what they retract or correct.

    The table refuses a signal that was recorded before. Where several processes write, an exclusive advisory lock
    serialises the places until the transaction ends: the stream has no gap, and a reader that has read up to a place
    has missed none before it. So append last in a transaction.
    """
    if not signals:
        return []
    first = end(conn, lock=True) + 1
    _APPEND.write(conn, [_row(seq, signal) for seq, signal in enumerate(signals, first)])
    _retract(conn, signals)
    _correct(conn, signals)
    return [
        Published(
            seq=seq,
            id=signal.id,
            desk=signal.desk,
            subject=signal.subject,
            kind=signal.kind,
            at=signal.at,
            deliver=signal.deliver,
            trace=signal.trace,
            body=signal.body,
            commitment=signal.commitment,
            commitment_kind=signal.commitment_kind,
            queue=signal.queue,
        )
        for seq, signal in enumerate(signals, first)
    ]


def _row(seq: int, signal: NewSignal) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(_COLUMNS, _values(signal), strict=True))
    row["seq"], row["body"] = seq, signal.body.decode()
    return row


def _retract(conn: Connection, signals: Iterable[NewSignal]) -> None:
    rows = [
        {"_id": signal.retracts, "by": signal.id, "now": signal.detected_at}
        for signal in signals
        if signal.retracts is not None
    ]
    if rows:
        conn.execute(_RETRACT, rows)


def _correct(conn: Connection, signals: Iterable[NewSignal]) -> None:
    """Set the true instants. The bodies stay as they were recorded."""
    corrections = (signal.corrects for signal in signals if signal.corrects is not None)
    if rows := [{"_id": which, "true_at": true_at} for which, true_at in corrections]:
        conn.execute(_CORRECT, rows)


@dataclass(frozen=True, slots=True)
class SignalFilters:
    """Which signals: of these subjects and commitments, and that happened at or after `since` and before `until`."""

    subjects: Collection[Subject] | None = None
    """None: about any."""
    commitments: Sequence[str] = ()
    since: Micros | None = None
    until: Micros | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The same as conditions of a query."""
        if self.subjects is not None:
            yield _signal.c.subject.in_(sorted(self.subjects))
        if self.commitments:
            yield _signal.c.commitment.in_(self.commitments)
        if self.since is not None:
            yield _signal.c.at >= self.since
        if self.until is not None:
            yield _signal.c.at < self.until


_ALL: Final = SignalFilters()


def page(
    conn: Connection,
    after: int,
    limit: int,
    desks: Desks = EVERY,
    kinds: Sequence[str] = (),
    *,
    filters: SignalFilters = _ALL,
    latest: bool = False,
) -> list[Published]:
    """Signals of the stream after this place, in order: the first `limit` that match, or the `latest`."""
    query = (_PAGE_BACKWARDS if latest else _PAGE).where(_signal.c.seq > after).limit(limit)
    query = query.where(in_desks(_signal.c.desk, desks), *filters.conditions())
    if kinds:
        query = query.where(_signal.c.kind.in_(kinds))
    found = [_published(row) for row in conn.execute(query).all()]
    return found[::-1] if latest else found


def _published(row: Row[*tuple[Any, ...]]) -> Published:
    return Published(
        seq=row.seq,
        id=row.id,
        desk=row.desk,
        subject=row.subject,
        kind=row.kind,
        at=row.at,
        deliver=row.deliver,
        trace=row.trace,
        body=row.body.encode(),
        commitment=row.commitment,
        commitment_kind=row.commitment_kind,
        queue=row.queue,
    )


def known_ids(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these ids that signals are recorded under."""
    return {each for part in parts(sorted(ids)) for each in conn.execute(_KNOWN, {"ids": part}).scalars()}
