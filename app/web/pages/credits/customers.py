"""Sums of credits by customer and currency: how many count, what is due, and what is not due yet; as a table and as CSV.

A figure leads to the credits that it adds up: the parameters `customer`, `currency` and `sum` of the page.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.flow.query.spreadsheet import text_cell
from app.sla.credit.claim import NOT_COUNTED, OPEN
from app.sla.credit.money import total
from app.sla.fields import casefolded
from app.web.pages.frame.figures import money
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.words import Words

COLUMNS: Final = ("customer", "currency", "credits", "without_amount", "due", "not_due_yet")
"""Of the file."""
_BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel reads no UTF-8."""


class Sum(StrEnum):
    """The figures of a row: the credits that count, those that are due, and those that are not due yet."""

    COUNTED = "counted"
    DUE = "due"
    OPEN = "open"


TITLES: Final[Mapping[Sum, str]] = {
    Sum.COUNTED: N_("Credits that count"),
    Sum.DUE: N_("Due"),
    Sum.OPEN: N_("Not due yet"),
}


def is_in(credit: Mapping[str, Any], figure: Sum) -> bool:
    """Whether a figure counts a credit. One without an amount is counted, and adds nothing."""
    if credit["state"] in NOT_COUNTED:
        return False
    if figure is Sum.COUNTED:
        return True
    return credit["amount"] is not None and (credit["state"] in OPEN) is (figure is Sum.OPEN)


@dataclass(frozen=True, slots=True)
class CustomerSum:
    """The credits of a customer in one currency. Contracts write a customer alike but for case."""

    customer: str | None
    currency: str
    count: int
    without_amount: int
    due: Decimal
    open: Decimal


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A row of the table: each figure with the address of what it counts; no address where that is nothing."""

    customer: str | None
    currency: str
    figures: tuple[tuple[Sum, str, str | None], ...]
    without_amount: int


def customer_sums(credits: Iterable[Mapping[str, Any]]) -> list[CustomerSum]:
    """The sums, by currency, the largest first."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in credits:
        if is_in(each, Sum.COUNTED):
            groups.setdefault((each["currency"], casefolded(each["customer"] or "")), []).append(each)
    found = [_summed(currency, of_customer) for (currency, _), of_customer in groups.items()]
    return sorted(found, key=lambda each: (each.currency, -(each.due + each.open), each.customer or ""))


def _summed(currency: str, credits: list[Mapping[str, Any]]) -> CustomerSum:
    def amount(figure: Sum) -> Decimal:
        return total(Decimal(each["amount"]) for each in credits if is_in(each, figure))

    unknown = sum(each["amount"] is None for each in credits)
    customer = credits[0]["customer"]
    return CustomerSum(customer, currency, len(credits), unknown, amount(Sum.DUE), amount(Sum.OPEN))


def customer_row(found: CustomerSum, words: Words, reader: Reader) -> CustomerRow:
    """The row of a customer in the reader's words."""

    def figure(which: Sum, text: str, is_some: bool) -> tuple[Sum, str, str | None]:
        given = {"customer": found.customer, "currency": found.currency, "sum": which.value}
        leads = is_some and found.customer is not None
        return which, text, reader.address_of("/credits", **given, page=None) if leads else None

    return CustomerRow(
        found.customer,
        found.currency,
        (
            figure(Sum.COUNTED, words.number(found.count), found.count > 0),
            figure(Sum.DUE, money(words, str(found.due), found.currency), found.due != 0),
            figure(Sum.OPEN, money(words, str(found.open), found.currency), found.open != 0),
        ),
        found.without_amount,
    )


def as_csv(found: Iterable[CustomerSum]) -> str:
    """The table as CSV (RFC 4180). No text of it is a formula."""
    lines = io.StringIO()
    lines.write(_BYTE_ORDER_MARK)
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for each in found:
        writer.writerow(
            [
                text_cell(each.customer or ""),
                each.currency,
                each.count,
                each.without_amount,
                each.due,
                each.open,
            ]
        )
    return lines.getvalue()
