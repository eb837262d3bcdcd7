"""Parking of subjects whose evaluation failed: retries with exponential back-off. Instants are microseconds UTC."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.flow import metrics
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import schedule
from app.store.tickets.schedule import Parked


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
) -> Micros | None:
    """Park the subjects that failed and unpark the others that were evaluated. Returns the least instant of a retry."""
    before = schedule.parked(conn, desk, evaluated)
    rows = [
        _parked(before.get(subject), desk, subject, error, backoff, now) for subject, error in errors.items()
    ]
    schedule.park(conn, rows)
    schedule.unpark(conn, desk, before.keys() - errors.keys())
    if rows:
        metrics.FAILURES.labels(desk).inc(len(rows))
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
