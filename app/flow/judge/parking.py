"""Parking of subjects whose evaluation failed, with exponential back-off, or is postponed.

Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.flow import metrics
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import parked_desks, schedule
from app.store.tickets.schedule import Parked

NOTHING_POSTPONED: Final = MappingProxyType[Subject, Micros]({})


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait until the next attempt: `first`, then twice as long after each failure, up to `longest`."""

    first: Micros
    longest: Micros

    def wait(self, failures: int) -> Micros:
        """The wait after so many failures in a row."""
        # The exponent is bounded: far beyond any sensible setting, and no number of failures makes it overflow.
        return min(self.first * 2 ** min(failures - 1, 32), self.longest)


def park_failed(
    conn: Connection,
    desk: str,
    evaluated: Iterable[Subject],
    errors: Mapping[Subject, str],
    backoff: Backoff,
    now: Micros,
    waits: Mapping[Subject, Micros] = NOTHING_POSTPONED,
) -> Micros | None:
    """Park the subjects that failed and unpark the others that were evaluated. Returns the least instant of a retry.

    `waits`: those of them that are only postponed, by how much.
    """
    before = parked_desks.parked(conn, desk, evaluated)
    rows = [
        _postponed(before.get(subject), desk, subject, error, now + waits[subject], now)
        if subject in waits
        else _parked(before.get(subject), desk, subject, error, backoff, now)
        for subject, error in errors.items()
    ]
    parked_desks.park(conn, rows)
    schedule.unpark(conn, desk, before.keys() - errors.keys())
    if failed := len(errors.keys() - waits.keys()):
        metrics.FAILURES.labels(desk).inc(failed)
    return min((row.retry_at for row in rows), default=None)


def _parked(
    before: Parked | None, desk: str, subject: Subject, error: str, backoff: Backoff, now: Micros
) -> Parked:
    times = 1 if before is None else before.times + 1
    return Parked(
        desk=desk,
        subject=subject,
        error=error,
        first_at=now if before is None else before.first_at,
        last_at=now,
        times=times,
        retry_at=now + backoff.wait(times),
    )


def _postponed(
    before: Parked | None, desk: str, subject: Subject, reason: str, retry_at: Micros, now: Micros
) -> Parked:
    return Parked(
        desk=desk,
        subject=subject,
        error=reason,
        first_at=now if before is None else before.first_at,
        last_at=now,
        times=0 if before is None else before.times,
        retry_at=retry_at,
    )
