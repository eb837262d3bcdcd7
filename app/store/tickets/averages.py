"""Calls that count in averages: a projection of the calls' logs, with the sums of a month.

Written by the transaction that stores a call's event, under the lock of the desk's subject; a month is projected whole,
from the log, when it is first asked about and when another version judges it. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, func, select

from app.sla.average.call import Call
from app.sla.average.month import Tally
from app.sla.span import Micros
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import average_call as _call
from app.store.tables import measured_month as _month


@dataclass(frozen=True, slots=True)
class CountedCall:
    """A call in a month of an average."""

    average: str
    period: Micros
    call: Call


_OF_CALLS: Final = select(_call).where(
    _call.c.desk == bindparam("desk"), _call.c.call.in_(bindparam("calls", expanding=True))
)
_IN_MONTH: Final = (
    _call.c.desk == bindparam("desk"),
    _call.c.average == bindparam("average"),
    _call.c.period == bindparam("period"),
)
_OF_MONTH: Final = select(_call).where(*_IN_MONTH).order_by(_call.c.offered_at, _call.c.call)
_IS_ANSWERED: Final = _call.c.answered_at <= bindparam("at")
_TALLY: Final = select(
    func.sum(case((_IS_ANSWERED, 1), else_=0)),
    func.sum(case((_IS_ANSWERED, _call.c.waited), else_=0)),
    func.count(),
).where(*_IN_MONTH, _call.c.offered_at <= bindparam("at"))
_WAITS: Final = (
    select(_call.c.answered_at, _call.c.waited)
    .where(*_IN_MONTH, _call.c.answered_at >= bindparam("since"), _call.c.answered_at < bindparam("until"))
    .order_by(_call.c.answered_at)
)
_NEXT_ANSWER: Final = select(func.min(_call.c.answered_at)).where(
    *_IN_MONTH, _call.c.answered_at > bindparam("at")
)
_INSERT: Final = _call.insert()
_DELETE: Final = _call.delete().where(
    _call.c.desk == bindparam("_desk"),
    _call.c.average == bindparam("_average"),
    _call.c.call == bindparam("_call"),
)
_EMPTY_MONTH: Final = _call.delete().where(
    _call.c.desk == bindparam("_desk"),
    _call.c.average == bindparam("_average"),
    _call.c.period == bindparam("_period"),
)
_VERSION: Final = select(_month.c.version).where(
    _month.c.desk == bindparam("desk"),
    _month.c.measure == bindparam("measure"),
    _month.c.period == bindparam("period"),
)
_FORGET_VERSION: Final = _month.delete().where(
    _month.c.desk == bindparam("_desk"),
    _month.c.measure == bindparam("_measure"),
    _month.c.period == bindparam("_period"),
)
_NOTE_VERSION: Final = _month.insert()


def of_calls(conn: Connection, desk: str, calls: Iterable[str]) -> list[CountedCall]:
    """Where these calls count."""
    return [
        CountedCall(row.average, row.period, _call_of(row))
        for part in parts(calls)
        for row in conn.execute(_OF_CALLS, {"desk": desk, "calls": part})
    ]


def of_month(conn: Connection, desk: str, average: str, period: Micros) -> list[Call]:
    """The calls that count in a month, in the order of their offers."""
    given = {"desk": desk, "average": average, "period": period}
    return [_call_of(row) for row in conn.execute(_OF_MONTH, given)]


def _call_of(row: Row[*tuple[Any, ...]]) -> Call:
    return Call(row.call, row.offered_at, row.line, row.answered_at, row.waited)


def tally(conn: Connection, desk: str, average: str, period: Micros, at: Micros) -> Tally:
    """The sums of a month, of the calls that were offered and answered by an instant."""
    given = {"desk": desk, "average": average, "period": period, "at": at}
    answered, waited, offered = conn.execute(_TALLY, given).one()
    # A sum of big integers is a Decimal on PostgreSQL.
    return Tally(int(answered or 0), int(waited or 0), offered - int(answered or 0))


def waits(
    conn: Connection, desk: str, average: str, period: Micros, since: Micros, until: Micros
) -> list[tuple[Micros, Micros]]:
    """(answered_at, waited) of the calls of a month that were answered in [since, until), in order."""
    given = {"desk": desk, "average": average, "period": period, "since": since, "until": until}
    return [(row.answered_at, row.waited) for row in conn.execute(_WAITS, given)]


def next_answer(conn: Connection, desk: str, average: str, period: Micros, at: Micros) -> Micros | None:
    """The first answer after an instant: a system's clock may run a little ahead."""
    given = {"desk": desk, "average": average, "period": period, "at": at}
    return conn.execute(_NEXT_ANSWER, given).scalar()


def replace(conn: Connection, desk: str, gone: Sequence[CountedCall], new: Sequence[CountedCall]) -> None:
    """Delete and insert where calls count."""
    if gone:
        keys = [{"_desk": desk, "_average": each.average, "_call": each.call.id} for each in gone]
        conn.execute(_DELETE, keys)
    if new:
        conn.execute(_INSERT, [_row(desk, each) for each in new])


def replace_month(conn: Connection, desk: str, average: str, period: Micros, calls: Sequence[Call]) -> None:
    """Make these the calls that count in a month."""
    conn.execute(_EMPTY_MONTH, {"_desk": desk, "_average": average, "_period": period})
    counted = [CountedCall(average, period, call) for call in calls]
    replace(conn, desk, counted, counted)


def _row(desk: str, counted: CountedCall) -> dict[str, Any]:
    call = counted.call
    return {
        "desk": desk,
        "average": counted.average,
        "call": call.id,
        "period": counted.period,
        "line": call.line,
        "offered_at": call.offered_at,
        "answered_at": call.answered_at,
        "waited": call.waited,
    }


def projected_by(conn: Connection, desk: str, measure: str, period: Micros) -> int | None:
    """The version under which a month was projected whole; none when it was not."""
    return conn.execute(_VERSION, {"desk": desk, "measure": measure, "period": period}).scalar()


def note_projected(conn: Connection, desk: str, measure: str, period: Micros, version: int) -> None:
    """Record that a month was projected whole."""
    conn.execute(_FORGET_VERSION, {"_desk": desk, "_measure": measure, "_period": period})
    conn.execute(_NOTE_VERSION, {"desk": desk, "measure": measure, "period": period, "version": version})
