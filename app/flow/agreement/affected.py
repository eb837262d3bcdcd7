"""Which open tickets a version cannot change, because it changes calendars only and only days ahead of their deadlines.

What a clock has counted by now depends on days so far, and a due date on the days up to it. The hours of a date have no
effect before its midnight. So where the agreement is the same, and the calendars have the same hours up to a date ahead,
a clock that is due before that date keeps its due date; and a paused or awaiting clock has none. Instants are
microseconds UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from app.flow.agreement.plan import Plan
from app.sla.calendar import Calendar
from app.sla.calendar.first_change import ANY, NEVER, first_changed_date
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.stored_version import StoredVersion, digest_of, in_force_order
from app.store.engine.database import Connection
from app.store.tables.columns import NEVER as END_OF_TIME
from app.store.tickets import clocks


def affected_by(conn: Connection, catalogue: Catalogue, plan: Plan, at: Micros) -> set[str] | None:
    """The tickets whose clocks a version may change at an instant; None: any open ticket.

    Tickets that are to be evaluated by then are among them: what is stored of those may be out of date.
    """
    oldest = clocks.oldest_open(conn, plan.desk)
    if oldest is None:
        return set()
    versions = catalogue.recorded(conn, plan.desk)
    same_until = [_same_until(each, plan, at) for each in _judging(versions, oldest, at)]
    known = [until for until in same_until if until is not None]
    # Where a version that still judges a ticket has another agreement, or other hours before now, nothing is sure.
    if len(known) < len(same_until):
        return None
    return clocks.due_from(conn, plan.desk, min(known), at)


def _judging(versions: Sequence[StoredVersion], oldest: Micros, at: Micros) -> Iterator[StoredVersion]:
    """The versions that may judge a ticket that was created at `oldest` or later."""
    ordered = in_force_order(versions)
    for each, following in zip(ordered, [*ordered[1:], None], strict=True):
        if each.version.effective_from > at:
            return
        if following is None or following.version.effective_from > oldest:
            yield each


def _same_until(before: StoredVersion, plan: Plan, at: Micros) -> Micros | None:
    """The midnight up to which all calendars have the same hours as before, if it lies after `at`; else None."""
    if digest_of(before.documents.agreement) != digest_of(plan.documents.agreement):
        return None
    if before.calendars.keys() != plan.calendars.keys():
        return None
    midnights = (_midnight(new, before.calendars[name]) for name, new in plan.calendars.items())
    until = min(midnights, default=END_OF_TIME)
    return until if until > at else None


def _midnight(new: Calendar, old: Calendar) -> Micros:
    """The local midnight from which two calendars differ."""
    on: date = first_changed_date(old, new)
    if on == NEVER:
        return END_OF_TIME
    return 0 if on == ANY else new.end_of_day(on - timedelta(days=1))
