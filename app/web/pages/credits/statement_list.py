"""The statements of a month of a desk's contracts: what each comes to, by currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.flow.query.contracts import UnknownContract
from app.flow.query.serialize import Json
from app.flow.query.statements import statement, statements
from app.sla.calendar.zone import zone
from app.sla.period import Months, PeriodFault
from app.store.engine.database import Connection
from app.store.tickets.board import cursor_of, key_of
from app.web.http.access import must_see
from app.web.http.problems import Place, invalid
from app.web.pages.frame.figures import money, month
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.words import Words


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A contract's statement in one currency; None where nothing is owed and nothing is charged."""

    contract: str
    customer: str | None
    due: str | None = None
    open: str | None = None
    charges: str | None = None
    balance: str | None = None


async def statement_list(
    reader: Reader,
    words: Words,
    desk: str | None,
    contract: str | None,
    period: str | None,
    cursor: str | None,
) -> dict[str, Any]:
    """A page of the statements of a desk, the reader's first one by default, and of a month, by default the last that
    is over. Raises the problems of a page."""
    chosen = next(iter(reader.desks), None) if desk is None else must_see(reader.caller, desk)
    if chosen is None:
        return {"desk": None, "period": period, "month": None, "rows": [], "next": None}
    (after,) = ("",) if cursor is None else key_of(cursor, str)
    catalogue, size = reader.runtime.catalogue, reader.runtime.settings.page_size

    def read(conn: Connection) -> tuple[str, list[Json], str | None]:
        months = Months(zone(catalogue.in_force(conn, chosen, at=reader.now).agreement.time_zone))
        named = months.before(months.at(reader.now)).name if period is None else period
        if contract is not None:
            return named, [statement(conn, catalogue, chosen, contract, named, now=reader.now)], None
        return named, *statements(conn, catalogue, chosen, named, now=reader.now, after=after, limit=size)

    try:
        named, found, following = await reader.read(read)
    except PeriodFault as error:
        raise invalid([Place("query", "period", str(error))]) from error
    except UnknownContract:  # a filter that accepts nothing
        named, found, following = str(period or ""), [], None
    return {
        "desk": chosen,
        "period": named,
        "month": month(words, named) if named else None,
        "rows": [row for each in found for row in _rows(words, each)],
        "next": None if following is None else cursor_of(following),
    }


def _rows(words: Words, found: Mapping[str, Any]) -> list[StatementRow]:
    contract, customer = found["contract"], found["customer"]
    rows = [
        StatementRow(
            contract,
            customer,
            *(money(words, each[name], each["currency"]) for name in ("due", "open", "charges", "balance")),
        )
        for each in found["totals"]
    ]
    return rows or [StatementRow(contract, customer)]
