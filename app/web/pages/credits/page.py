"""Credits: what is owed, to whom, and by when it must be claimed, answered or decided; and the statements of contracts.

`/credits` is the page and `/credits/list` the part of it that changes; `/credits/statements` lists the statements of a
month, and `/credits/statements/{desk}/{contract}/{period}` is one. `/credits/decide` is the form of one credit;
`/credits/customers.csv` has the sums by customer.
"""

from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.flow.query import allowances
from app.flow.query.averages import When
from app.flow.query.contracts import UnknownContract
from app.flow.query.credit_list import CreditQuestion, credit_list
from app.flow.query.serialize import Json
from app.flow.query.statements import CreditFilters, statement
from app.principal import covers
from app.sla.calendar.zone import zone
from app.sla.credit.claim import CreditState
from app.sla.fields import casefolded
from app.sla.period import Months, PeriodFault
from app.sla.span import instant
from app.store.engine.database import Connection
from app.web.http.access import desks_for, must_see
from app.web.http.encoded_slash import with_slashes
from app.web.http.forms import read_form
from app.web.http.problems import Place, invalid
from app.web.pages.credits.charts import charts
from app.web.pages.credits.customers import TITLES, Sum, as_csv, customer_row, customer_sums, is_in
from app.web.pages.credits.deciding import audiences, decide, decide_page
from app.web.pages.credits.rows import by_urgency, credit_row
from app.web.pages.credits.statement import statement_page
from app.web.pages.credits.statement_list import statement_list
from app.web.pages.credits.totals import totals
from app.web.pages.frame.figures import month
from app.web.pages.frame.parameters import NONE_IF_EMPTY, Value
from app.web.pages.frame.reader import Reader, RecordReader, ViewReader
from app.web.pages.frame.room import NO_STORE, Room
from app.web.pages.frame.vocabulary import CREDIT_STATES

READS: Final = 3
"""Answers of the list that a page reads beside one for each desk: thousands of contracts. A link leads to the others."""

room = Room("credits")


class CreditsQuery(BaseModel):
    """The parameters of the pages. `page` counts from 1; `cursor` is where the list is read from. `sum` and `currency`
    are a figure of the sums by customer."""

    model_config = ConfigDict(extra="ignore")

    desk: Value = None
    contract: Value = None
    customer: Value = None
    period: Value = None
    state: Annotated[CreditState | None, NONE_IF_EMPTY] = None
    sum: Annotated[Sum | None, NONE_IF_EMPTY] = None
    currency: Value = None
    cursor: Annotated[str | None, Query(max_length=1_000)] = None
    page: Annotated[int, Query(ge=1, le=100_000)] = 1

    def accepts(self, document: Json) -> bool:
        """Whether the figure counts a credit; without a figure all of them."""
        of_figure = self.sum is None or is_in(document, self.sum)
        return of_figure and self.currency in (None, document["currency"])


Wanted = Annotated[CreditsQuery, Query()]


@room.get("/credits")
async def credits_(reader: ViewReader, wanted: Wanted) -> Response:
    """The credits of the reader's desks."""
    context = await _credits(reader, wanted)
    name = reader.caller.principal.name
    return room.page(reader, "credits.html", desk=wanted.desk, states=CREDIT_STATES, person=name, **context)


@room.get("/credits/list")
async def credits_list(reader: ViewReader, wanted: Wanted) -> Response:
    """Totals, chart and rows, for the script to swap in."""
    return room.fragment(reader, "list.html", **await _credits(reader, wanted))


@room.get("/credits/customers.csv")
async def credits_by_customer(reader: ViewReader, wanted: Wanted) -> Response:
    """The sums by customer, of all the customers of the page."""
    found, _ = await _documents(reader, _desks(reader, wanted), wanted)
    headers = NO_STORE | {"Content-Disposition": 'attachment; filename="credits-by-customer.csv"'}
    return Response(as_csv(customer_sums(found)), media_type="text/csv; charset=utf-8", headers=headers)


@room.get("/credits/decide")
async def show_decide(reader: ViewReader, credit: Annotated[str, Query(max_length=1_000)]) -> Response:
    """The form with which a credit is requested, granted or refused."""
    return await decide_page(room, reader, credit)


@room.router.post("/credits/decide")
async def post_decide(reader: RecordReader) -> Response:
    """Records the decision on a credit, and leads back to where the reader came from."""
    return await decide(room, reader, await read_form(reader.request))


@room.get("/credits/statements")
async def statements(reader: ViewReader, wanted: Wanted) -> Response:
    """The statements of a month, of one desk's contracts or of all that the reader sees."""
    context = await statement_list(
        reader, room.words(reader), wanted.desk, wanted.contract, wanted.period, wanted.cursor
    )
    return room.page(reader, "statements.html", wanted=wanted, **context)


@room.get("/credits/statements/{desk}/{contract}/{period}")
async def statement_(reader: ViewReader, desk: str, contract: str, period: str) -> Response:
    """The statement of a contract's month, which prints well. The API answers a browser with the same page."""
    must_see(reader.caller, desk)
    contract, catalogue = with_slashes(contract), reader.runtime.catalogue
    try:
        found = await reader.read(
            lambda conn: statement(conn, catalogue, desk, contract, period, now=reader.now)
        )
    except PeriodFault as error:
        raise invalid([Place("path", "period", str(error))]) from error
    return await statement_page(reader.request, found)


async def _credits(reader: Reader, wanted: CreditsQuery) -> dict[str, Any]:
    desks = _desks(reader, wanted)
    documents, following = await _documents(reader, desks, wanted)
    to, used = await reader.read(
        lambda conn: (audiences(conn, reader, room.words(reader), desks), _used(conn, reader, desks, wanted))
    )
    size, words = reader.runtime.settings.page_size, room.words(reader)
    by_customer = customer_sums(documents)
    ordered = sorted(documents, key=by_urgency)
    shown = ordered[(wanted.page - 1) * size : wanted.page * size]
    return {
        "wanted": wanted,
        "figure": None if wanted.sum is None else words.say(TITLES[wanted.sum]),
        "totals": totals(words, documents),
        "customers": [customer_row(each, words, reader) for each in by_customer[:size]],
        "customer_count": len({casefolded(each.customer or "") for each in by_customer}),
        "more_customers": max(0, len(by_customer) - size),
        "file": reader.address_of("/credits/customers.csv", page=None),
        "charts": charts(words, documents, instant(reader.now).date()),
        "rows": [credit_row(each, to[each["desk"]]) for each in shown],
        "allowances": [
            {
                **each,
                "label": to[each["desk"]].labels.get(each["id"], each["label"]),
                "period": month(words, each["period"]),
            }
            for each in used
        ],
        "count": len(documents),
        "pages": -(-len(documents) // size),
        "next": following,
    }


def _desks(reader: Reader, wanted: CreditsQuery) -> list[str]:
    """The desks that the filters name. Raises the problems of the filters."""
    if wanted.period is not None:
        _must_be_month(wanted.period)
    seen = desks_for(reader.caller, wanted.desk)
    return [each for each in reader.desks if covers(seen, each)]


async def _documents(reader: Reader, desks: list[str], wanted: CreditsQuery) -> tuple[list[Json], str | None]:
    """The credits that the filters accept, and the cursor of what was not read."""
    filters = CreditFilters(wanted.contract, wanted.customer, wanted.period, wanted.state)
    asked = CreditQuestion(filters, reader.now, reader.runtime.settings.answer_contracts)
    found: list[Json] = []
    cursor, catalogue = wanted.cursor, reader.runtime.catalogue
    for _ in range(READS + len(desks) if desks else 0):  # an answer ends with a desk that has credits
        at = cursor
        try:
            page = await reader.read(lambda conn, at=at: credit_list(conn, catalogue, desks, asked, at))
        except UnknownContract:  # a filter that accepts nothing
            break
        found += filter(wanted.accepts, page.documents)
        cursor = page.next
        if cursor is None:
            break
    return found, cursor


def _used(conn: Connection, reader: Reader, desks: list[str], wanted: CreditsQuery) -> list[Json]:
    """The allowances of the month of which any is used."""
    when, catalogue = When.of(reader.now, None, None, wanted.period), reader.runtime.catalogue
    return [
        allowances.allowance(desk, each)
        for desk in desks
        for each in allowances.used(conn, catalogue, desk, when, None, wanted.contract)
    ]


def _must_be_month(name: str) -> None:
    """The months of every zone have the same names. Raises the 422 problem for a text that is no month."""
    try:
        Months(zone("UTC")).named(name)
    except PeriodFault as error:
        raise invalid([Place("query", "period", str(error))]) from error
