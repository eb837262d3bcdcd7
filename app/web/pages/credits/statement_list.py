"""The statements of a month of the contracts of desks: what each comes to, by currency."""

from collections.abc import Mapping, Sequence
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

    desk: str
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
    """A page of the statements of a month, by default the last that is over: of a desk, or of all that the reader sees,
    one after the other. Raises the problems of a page."""
    desks = reader.desks if desk is None else (must_see(reader.caller, desk),)
    first, after = ("", "") if cursor is None else key_of(cursor, str, str)
    named = period or (await _last_month(reader, desks[0]) if desks else None)
    found: list[Json] = []
    following = None
    ahead = [each for each in desks if each >= first]
    for place, each in enumerate(ahead):
        left = reader.runtime.settings.page_size - len(found)
        of_desk, more = await _of_desk(
            reader, each, contract, str(named), after if each == first else "", left
        )
        found += of_desk
        if more is not None:
            following = cursor_of(each, more)
            break
        if len(found) == reader.runtime.settings.page_size and place + 1 < len(ahead):
            following = cursor_of(ahead[place + 1], "")
            break
    return {
        "desk": desk,
        "period": named,
        "month": month(words, named) if named else None,
        "rows": [row for each in found for row in _rows(words, each)],
        "next": following,
    }


async def _last_month(reader: Reader, desk: str) -> str:
    """The month that was over last where a desk is."""
    catalogue = reader.runtime.catalogue

    def read(conn: Connection) -> str:
        months = Months(zone(catalogue.in_force(conn, desk, at=reader.now).agreement.time_zone))
        return months.before(months.at(reader.now)).name

    return await reader.read(read)


async def _of_desk(
    reader: Reader, desk: str, contract: str | None, period: str, after: str, limit: int
) -> tuple[Sequence[Json], str | None]:
    """Up to so many statements of a desk after a contract, and the contract after which more follow."""
    catalogue = reader.runtime.catalogue

    def read(conn: Connection) -> tuple[Sequence[Json], str | None]:
        if contract is not None:
            return [statement(conn, catalogue, desk, contract, period, now=reader.now)], None
        return statements(conn, catalogue, desk, period, now=reader.now, after=after, limit=limit)

    try:
        return await reader.read(read)
    except PeriodFault as error:
        raise invalid([Place("query", "period", str(error))]) from error
    except UnknownContract:  # a filter that accepts nothing
        return [], None


def _rows(words: Words, found: Mapping[str, Any]) -> list[StatementRow]:
    of = (found["desk"], found["contract"], found["customer"])
    rows = [
        StatementRow(
            *of,
            *(money(words, each[name], each["currency"]) for name in ("due", "open", "charges", "balance")),
        )
        for each in found["totals"]
    ]
    return rows or [StatementRow(*of)]
