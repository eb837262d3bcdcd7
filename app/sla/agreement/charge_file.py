"""Charges in an agreement file: the `[[charges]]` tables read into rules.

A fault is recorded with its key and reading goes on with a default, so that all faults of a file are found at once.
"""

import re
from decimal import Decimal
from typing import Final

from app.sla.agreement.charge import CHARGEABLE, OF_A_CALL, ChargeRule
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.agreement.contract_file import too_fine
from app.sla.agreement.label import read_label
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.fields import casefolded

EXAMPLE: Final = '[[charges]] with id = "emergency-call"'
_AMOUNT: Final = re.compile(r"\d{1,12}(\.\d{1,4})?", re.ASCII)
_AMOUNT_EXAMPLE: Final = '"10.00"'


def read_charge(table: Table, charge_id: str, reader: AgreementReader, currency: str | None) -> ChargeRule:
    """One charge, of the table of its id. `currency` is the agreement's."""
    label, labels = read_label(table, charge_id, reader.language)
    on = table.text("on", example='"call.offered"', required=True)
    if on is not None and on not in CHARGEABLE:
        table.fault("on", f'a charge cannot be made on "{on}"', instead_of(on, CHARGEABLE))
    rule = ChargeRule(
        id=charge_id,
        label=label,
        labels=labels,
        on=on or "",
        line=_line(table, on),
        amount=_amount(table, currency),
        currency=_currency(table, currency),
    )
    table.close()
    return rule


def _line(table: Table, on: str | None) -> str | None:
    given = table.value("line")
    if given is None:
        return None
    if not isinstance(given, str):
        table.fault("line", f"{given!r} is not a text", 'Write line = "emergency".')
        return None
    if on is not None and on in CHARGEABLE and on not in OF_A_CALL:
        table.fault("line", f'"{on}" has no line', 'Leave it out, or write on = "call.offered".')
    return casefolded(given)


def _amount(table: Table, currency: str | None) -> Decimal:
    """Written as a text: a number of TOML is a binary fraction, and 0.1 is none."""
    given = table.value("amount")
    if isinstance(given, str) and _AMOUNT.fullmatch(given) and Decimal(given) > 0:
        if (wrong := too_fine(Decimal(given), currency)) is not None:
            table.fault("amount", wrong, "Round it.")
        return Decimal(given)
    wrong = "it is missing" if given is None else f"{given!r} is no amount"
    table.fault(
        "amount", wrong, f"Write amount = {_AMOUNT_EXAMPLE}, in quotes, with the decimals of its currency."
    )
    return Decimal(0)


def _currency(table: Table, currency: str | None) -> str:
    if currency is None:
        wrong = "the agreement names no currency"
        table.fault("amount", wrong, 'Write currency = "EUR" at the top of the file.')
    return currency or ""
