"""Parked subjects in a write transaction that has read which desks have none: there no query is made.

A subject that another transaction has parked since is not seen. One that is evaluated now stays parked then, until its
retry, which evaluates it again and unparks it.
"""

from collections.abc import Iterable

from app.sla.subject import Subject
from app.store.engine.database import Connection, memoized
from app.store.engine.desks import WITHOUT_PARKED
from app.store.tickets import schedule
from app.store.tickets.schedule import Parked


def parked(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[Subject, Parked]:
    """Those of these subjects that are parked. No query for a desk that has none."""
    return {} if desk in memoized(conn, WITHOUT_PARKED, set[str]) else schedule.parked(conn, desk, subjects)


def park(conn: Connection, rows: Iterable[Parked]) -> None:
    """Park subjects: the sweep passes them by until their `retry_at`."""
    parking = list(rows)
    memoized(conn, WITHOUT_PARKED, set[str]).difference_update(row.desk for row in parking)
    schedule.park(conn, parking)
