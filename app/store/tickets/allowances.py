"""Tickets that use up allowances: a projection of the tickets' logs, in the order of a month.

Written by the transaction that evaluates a ticket. A desk with allowances is locked whole where several processes write,
so the positions are those of all tickets. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, func, not_, or_, select

from app.sla.allowance import Use
from app.sla.span import Micros
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import allowance_use as _use
from app.store.tables import ticket as _ticket
from app.store.tickets import archive

Group = tuple[str, Micros, str]
"""(allowance, month, holder): the tickets that share one allowance."""


@dataclass(frozen=True, slots=True)
class StoredUse:
    """A use as stored. `exceeded`: whether it is past the limit."""

    use: Use
    exceeded: bool

    @property
    def group(self) -> Group:
        """What it shares the allowance with."""
        return self.use.allowance, self.use.period, self.use.holder


_OF_TICKETS: Final = select(_use).where(
    _use.c.desk == bindparam("desk"), _use.c.ticket.in_(bindparam("tickets", expanding=True))
)
_OF_MONTH: Final = (
    select(_use)
    .where(
        _use.c.desk == bindparam("desk"),
        _use.c.allowance == bindparam("allowance"),
        _use.c.period == bindparam("period"),
    )
    .order_by(_use.c.holder, _use.c.at, _use.c.ticket)
)
_RANKED: Final = (
    select(
        _use.c.ticket,
        _use.c.exceeded,
        _use.c.limit,
        func.row_number().over(order_by=(_use.c.at, _use.c.ticket)).label("position"),
    )
    .where(
        _use.c.desk == bindparam("desk"),
        _use.c.allowance == bindparam("allowance"),
        _use.c.period == bindparam("period"),
        _use.c.holder == bindparam("holder"),
    )
    .subquery()
)
_IS_PAST: Final = and_(_RANKED.c.limit.is_not(None), _RANKED.c.position > _RANKED.c.limit)
_FLIPPED: Final = select(_RANKED.c.ticket, _RANKED.c.exceeded).where(
    or_(and_(_IS_PAST, not_(_RANKED.c.exceeded)), and_(not_(_IS_PAST), _RANKED.c.exceeded))
)
_INSERT: Final = _use.insert()
_DELETE: Final = _use.delete().where(
    _use.c.desk == bindparam("_desk"),
    _use.c.allowance == bindparam("_allowance"),
    _use.c.ticket == bindparam("_ticket"),
)
_FLIP: Final = (
    _use.update()
    .where(
        _use.c.desk == bindparam("_desk"),
        _use.c.allowance == bindparam("_allowance"),
        _use.c.ticket == bindparam("_ticket"),
    )
    .values(exceeded=bindparam("past"))
)
_MAKE_DUE: Final = (
    _ticket.update()
    .where(_ticket.c.desk == bindparam("_desk"), _ticket.c.ticket == bindparam("_ticket"))
    .values(next_at=bindparam("now"))
)


def of_tickets(conn: Connection, desk: str, tickets: Iterable[str]) -> dict[str, list[StoredUse]]:
    """The uses of each of these tickets that has any."""
    found: dict[str, list[StoredUse]] = {}
    for part in parts(tickets):
        for row in conn.execute(_OF_TICKETS, {"desk": desk, "tickets": part}):
            found.setdefault(row.ticket, []).append(_stored(row))
    return found


def of_month(conn: Connection, desk: str, allowance: str, period: Micros) -> list[Use]:
    """Every use of a month, by holder and in turn."""
    given = {"desk": desk, "allowance": allowance, "period": period}
    return [_stored(row).use for row in conn.execute(_OF_MONTH, given)]


def _stored(row: Row[*tuple[Any, ...]]) -> StoredUse:
    use = Use(
        allowance=row.allowance,
        period=row.period,
        ticket=row.ticket,
        at=row.at,
        event=row.event,
        contract=row.contract,
        customer=row.customer,
        limit=row.limit,
    )
    return StoredUse(use, row.exceeded)


def replace(
    conn: Connection, desk: str, before: Mapping[str, Sequence[StoredUse]], after: Sequence[Use]
) -> set[Group]:
    """Store the uses of some tickets, which were `before`. Returns the groups that this may have changed."""
    known = {stored.use: stored for uses in before.values() for stored in uses}
    gone = [stored for use, stored in known.items() if use not in after]
    new = [use for use in after if use not in known]
    if gone:
        keys = [
            {"_desk": desk, "_allowance": each.use.allowance, "_ticket": each.use.ticket} for each in gone
        ]
        conn.execute(_DELETE, keys)
    if new:
        conn.execute(_INSERT, [_row(desk, use) for use in new])
    return {each.group for each in gone} | {(use.allowance, use.period, use.holder) for use in new}


def _row(desk: str, use: Use) -> dict[str, Any]:
    return {
        "desk": desk,
        "allowance": use.allowance,
        "ticket": use.ticket,
        "period": use.period,
        "holder": use.holder,
        "at": use.at,
        "event": use.event,
        "contract": use.contract,
        "customer": use.customer,
        "limit": use.limit,
        "exceeded": False,
    }


def settle(conn: Connection, desk: str, groups: Iterable[Group]) -> set[str]:
    """Store which tickets of these groups are past their limits now. Returns those that were not, or are no longer."""
    flipped: set[str] = set()
    for allowance, period, holder in sorted(groups):
        given = {"desk": desk, "allowance": allowance, "period": period, "holder": holder}
        rows = conn.execute(_FLIPPED, given).all()
        changes = [
            {"_desk": desk, "_allowance": allowance, "_ticket": row.ticket, "past": not row.exceeded}
            for row in rows
        ]
        if changes:
            conn.execute(_FLIP, changes)
        flipped |= {row.ticket for row in rows}
    return flipped


def make_due(conn: Connection, desk: str, tickets: Iterable[str], now: Micros) -> None:
    """Have the sweep evaluate these tickets again. One whose events were deleted keeps its final view."""
    wanted = set(tickets)
    wanted -= archive.without_events(conn, desk, sorted(wanted)) if wanted else set()
    if rows := [{"_desk": desk, "_ticket": ticket, "now": now} for ticket in sorted(wanted)]:
        conn.execute(_MAKE_DUE, rows)
