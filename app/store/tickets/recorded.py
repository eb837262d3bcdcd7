"""Recorded signals of subjects: what an evaluation is compared with, so that nothing is recorded twice.

Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, bindparam, literal_column, select

from app.sla.clock.signals import LATE_KINDS, RecordedSignal
from app.sla.queue.signals import QueueKind, RecordedQueueSignal
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.prepared import Prepared
from app.store.tables import signal as _signal
from app.store.tickets.signals import CLOCK, IS_LATE, QUEUE


@dataclass(slots=True)
class RecordedSignals:
    """All recorded signals of one subject. `detected` is when each breach that stands was recorded, by (commitment,
    cycle). `others` are of neither a clock nor a queue, with their whole kinds."""

    clocks: list[RecordedSignal] = field(default_factory=list[RecordedSignal])
    queues: list[RecordedQueueSignal] = field(default_factory=list[RecordedQueueSignal])
    others: list[RecordedSignal] = field(default_factory=list[RecordedSignal])
    detected: dict[tuple[str, Micros], Micros] = field(default_factory=dict[tuple[str, Micros], Micros])


_SIGNALS: Final = (
    select(
        _signal.c.subject,
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
    .where(_signal.c.desk == bindparam("desk"))
    .order_by(_signal.c.seq)
)
_RECORDED: Final = Prepared(_SIGNALS.where(_signal.c.subject.in_(bindparam("subjects", expanding=True))))
_OF_CYCLES: Final = _SIGNALS.where(
    _signal.c.subject == bindparam("subject"),
    _signal.c.commitment == bindparam("commitment"),
    _signal.c.queue == literal_column("''"),
    _signal.c.cycle >= bindparam("cycle"),
)
# The whole key of the index, so that no earlier signal is read. Instants as text sort as they do in time.
_OF_QUEUES: Final = _SIGNALS.where(
    _signal.c.subject == bindparam("subject"),
    _signal.c.commitment == literal_column("''"),
    _signal.c.queue.in_(bindparam("queues", expanding=True)),
    _signal.c.cycle == literal_column("0"),
    _signal.c.kind.in_([QUEUE + kind for kind in QueueKind]),
    _signal.c.occurrence > bindparam("since"),
)
_DETECTED: Final = (
    select(
        _signal.c.subject,
        _signal.c.commitment,
        _signal.c.cycle,
        _signal.c.detected_at,
        _signal.c.retracted_at,
    )
    .where(
        _signal.c.desk == bindparam("desk"),
        _signal.c.subject.in_(bindparam("subjects", expanding=True)),
        IS_LATE,
        _signal.c.detected_at <= bindparam("as_of"),
    )
    .order_by(_signal.c.seq)
)


def recorded(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[Subject, RecordedSignals]:
    """The recorded signals of each of these subjects."""
    found: dict[Subject, RecordedSignals] = {}
    for part in parts(subjects):
        found.update((subject, RecordedSignals()) for subject in part)
        for row in _RECORDED.rows(conn, {"desk": desk, "subjects": part}):
            _add(found[row.subject], row)
    return found


def recorded_since(
    conn: Connection,
    desk: str,
    subject: Subject,
    cycles: Mapping[str, Micros],
    queues: Mapping[str, Micros],
) -> RecordedSignals:
    """The recorded signals of a subject's later cycles and of its later moves in queues.

    `cycles` says for each commitment from which cycle on, `queues` for each queue after which instant.
    """
    found = RecordedSignals()
    given: dict[str, Any] = {"desk": desk, "subject": subject}
    for commitment, cycle in cycles.items():
        for row in conn.execute(_OF_CYCLES, {**given, "commitment": commitment, "cycle": cycle}).all():
            _add(found, row)
    if queues:
        moved = {**given, "queues": sorted(queues), "since": str(min(queues.values()))}
        for row in conn.execute(_OF_QUEUES, moved).all():
            _add(found, row)
    return found


def _add(found: RecordedSignals, row: Row[*tuple[Any, ...]]) -> None:
    if row.kind.startswith(QUEUE):
        found.queues.append(_recorded_queue_signal(row))
        return
    of_clock = row.kind.startswith(CLOCK)
    signal = RecordedSignal(
        id=row.id,
        commitment=row.commitment,
        cycle=row.cycle,
        kind=row.kind.removeprefix(CLOCK),
        occurrence=row.occurrence,
        generation=row.generation,
        at=row.at if row.corrected_at is None else row.corrected_at,
        retracted=row.retracted_at is not None,
    )
    (found.clocks if of_clock else found.others).append(signal)
    if of_clock and signal.kind in LATE_KINDS and not signal.retracted:
        found.detected[signal.commitment, signal.cycle] = row.detected_at


def _recorded_queue_signal(row: Row[*tuple[Any, ...]]) -> RecordedQueueSignal:
    return RecordedQueueSignal(
        ticket=row.subject.text,
        queue=row.queue,
        kind=row.kind.removeprefix(QUEUE),
        occurrence=row.occurrence,
        generation=row.generation,
        rank=row.rank,
        joined_at=row.joined_at,
        stands=row.stands,
    )


def detected(
    conn: Connection, desk: str, subjects: Iterable[Subject], as_of: Micros
) -> dict[Subject, dict[tuple[str, Micros], Micros]]:
    """When each breach that stood at `as_of` was recorded, by subject and (commitment, cycle)."""
    found: dict[Subject, dict[tuple[str, Micros], Micros]] = {}
    for part in parts(subjects):
        given = {"desk": desk, "subjects": part, "as_of": as_of}
        for row in conn.execute(_DETECTED, given).all():
            if row.retracted_at is None or row.retracted_at > as_of:
                found.setdefault(row.subject, {})[row.commitment, row.cycle] = row.detected_at
    return found
