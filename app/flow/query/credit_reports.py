"""The report of credits: what contracts are owed, by the instant at which the cause of each was certain.

The lines are those of `GET /v1/credits` at the same instant, withdrawn ones among them. Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from app.flow.query.contracts import contracts_of
from app.flow.query.credit_documents import line_document
from app.flow.query.credits import ContractLines, lines_of
from app.flow.query.credits import asked as credits_asked
from app.flow.query.report_scope import Answer, Asked, ReportScope, too_large
from app.flow.query.serialize import Json
from app.intake.instant import read_instant
from app.settings import Settings
from app.sla.budget import charge
from app.sla.credit.claim import CreditState
from app.sla.credit.line import Line
from app.sla.report.cut import piece_at
from app.sla.report.measure import COMMITMENT
from app.sla.report.object_report import CountedCredit, credit_report
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection

_BATCH: Final = 200
"""Contracts whose facts are read at once, and are in memory at once."""


def credits_report(conn: Connection, catalogue: Catalogue, settings: Settings, asked: Asked) -> Answer:
    """The report of credits. Raises UnknownDesk, and TooExpensive for one that counts too much."""
    scope = ReportScope(conn, catalogue, settings, asked)
    found = (
        credit
        for credit, _ in _credits(scope, catalogue)
        if all(credit.of[name] == value for name, value in asked.only)
    )
    return scope.answer(credit_report(found, asked.splits), incomplete=0)


def credits_behind(
    conn: Connection,
    catalogue: Catalogue,
    settings: Settings,
    asked: Asked,
    wanted: Mapping[str, str | None],
) -> list[tuple[str, Json]]:
    """The credits that a figure counts, each with its id, by their ids.

    `wanted`: values of splits, `currency` and `state`. Raises what the report raises.
    """
    scope = ReportScope(conn, catalogue, settings, asked)
    found: list[tuple[str, Json]] = []
    for credit, document in _credits(scope, catalogue):
        values = {**credit.of, "currency": credit.currency, "state": credit.state.value}
        if all(values[name] == value for name, value in wanted.items()):
            found.append((credit.id, document()))
    return sorted(found, key=lambda each: each[0])


_Credit = tuple[CountedCredit, Callable[[], Json]]
"""A credit with what makes its document."""


def _credits(scope: ReportScope, catalogue: Catalogue) -> Iterator[_Credit]:
    """The credits of the span, contract by contract."""
    conn, asked = scope.conn, scope.asked
    question = credits_asked(conn, catalogue, asked.desk, now=asked.now, as_of=asked.as_of)
    after, count, most = "", 0, scope.settings.report_rows_max
    while True:
        page = contracts_of(
            conn, catalogue, asked.desk, at=question.at, as_of=asked.as_of, after=after, limit=_BATCH
        )
        for each in lines_of(question, page):
            charge()
            for credit in _of_contract(scope, each):
                count += 1
                if count > most:
                    limit = f"{most} credits, the limit SLATIMER_REPORT_ROWS_MAX"
                    raise too_large(f"the report counts more than {limit}")
                yield credit
        if len(page) < _BATCH:
            return
        after = page[-1].key


def _of_contract(scope: ReportScope, found: ContractLines) -> Iterator[_Credit]:
    for line in found.lines:
        period = _period(scope, line.about.caused_at)
        if period is not None:
            yield _counted(line, period), partial(line_document, line)
    for each in found.withdrawn.values():
        document = each.document
        period = _period(scope, read_instant(document["caused_at"]))
        if period is not None:
            yield _withdrawn(document, period), partial(dict, document)


def _period(scope: ReportScope, at: Micros) -> int | None:
    part = piece_at(scope.pieces, at)
    return None if part is None else part.period


def _counted(line: Line, period: int) -> CountedCredit:
    return CountedCredit(
        id=line.id,
        period=period,
        of={
            COMMITMENT: line.about.answers,
            "service": line.about.service or None,
            "contract": line.key.contract,
            "customer": line.customer,
        },
        state=line.state,
        amount=line.amount,
        currency=line.currency,
        is_counted=line.is_counted,
        is_due=line.is_due,
    )


def _withdrawn(document: Mapping[str, Any], period: int) -> CountedCredit:
    is_confirmed = document["state"] == CreditState.GRANTED
    return CountedCredit(
        id=document["id"],
        period=period,
        of={
            COMMITMENT: document["availability"] or document["commitment"],
            "service": document["service"],
            "contract": document["contract"],
            "customer": document["customer"],
        },
        state=CreditState(document["state"]),
        amount=None if document["amount"] is None else Decimal(document["amount"]),
        currency=document["currency"],
        is_counted=is_confirmed,
        is_due=is_confirmed,
    )
