"""Recorded signals of subjects: what an evaluation is compared with, so that nothing is recorded twice.

Instants are microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from app.sla.clock.signals import LATE_KINDS, RecordedSignal
from app.sla.queue.signals import RecordedQueueSignal
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.batch import parts
from app.store.engine.database import Connection
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


_RECORDED: Final = (
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
    .where(_signal.c.desk == bindparam("desk"), _signal.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(_signal.c.seq)
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
        for row in conn.execute(_RECORDED, {"desk": desk, "subjects": part}).all():
            _add(found[row.subject], row)
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
