"""Credits and statements as JSON and CSV. Amounts are texts with the decimals of their currency; shares are exact."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from app.flow.query.credit_texts import share_text, time_text
from app.flow.query.reasons import detail, text
from app.flow.query.serialize import Json, instant_text
from app.flow.query.spreadsheet import text_cell
from app.sla.agreement.credit import Band
from app.sla.calendar.zone import Zone
from app.sla.credit.claim import NOT_COUNTED, CreditState, Transition, reason_of
from app.sla.credit.line import Line
from app.sla.credit.money import decimals_of, rounded, total, written
from app.sla.credit.statement import ChargeLine, Statement, Total
from app.sla.credit.withdrawal import Withdrawal
from app.sla.reason import Reason, ReasonCode

CSV_COLUMNS: Final = (
    *("desk", "contract", "customer", "period", "kind", "id", "label", "service", "ticket", "state"),
    *("base_amount", "share", "amount_before_cap", "amount", "currency", "claim_by", "explanation"),
    *("at", "facts"),
)
_TOTALS: Final = (
    ("total of credits", "amount"),
    ("due of credits", "due"),
    ("open of credits", "open"),
    ("total of charges", "charges"),
)
_MONEY_DECIMALS: Final = 4
"""Of a base that is a fraction of a minor unit, as a twelfth of a yearly fee."""


def line_document(line: Line) -> Json:
    """A line as JSON."""
    worth, about, rule = line.worth, line.about, line.rule
    portion = worth.portion
    return {
        "id": line.id,
        "desk": line.key.desk,
        "contract": line.key.contract,
        "customer": line.customer,
        "credit": rule.id,
        "label": rule.label,
        "availability": about.answers if about.of_availability else None,
        "commitment": None if about.of_availability else about.answers,
        "service": about.service or None,
        "period": line.period,
        "ticket": about.ticket,
        "tickets": sorted(about.tickets),
        "outage": line.key.outage or None,
        "cycle": None if line.key.cycle is None else instant_text(line.key.cycle),
        "cause": text(line.reasons[0]),
        "cause_detail": detail(line.reasons[0]),
        "base": None if portion is None else portion.base.value,
        "base_amount": _base_amount(worth.base_amount, worth.currency),
        "units": None if portion is None or portion.units is None else _number(portion.units),
        "band": None if portion is None or portion.band is None else _band(portion.band),
        "share": None if portion is None else share_text(portion.capped),
        "share_before_cap": None if portion is None else share_text(portion.share),
        "cap": None if portion is None or portion.cap is None else portion.cap.written,
        "amount_before_cap": money(worth.amount_before_cap, worth.currency),
        "amount": money(worth.amount, worth.currency),
        "currency": worth.currency,
        "state": line.state.value,
        "owed": rule.owed.value,
        "as": rule.paid_as.value,
        "caused_at": instant_text(about.caused_at),
        "arises_at": instant_text(about.arises_at),
        "claim_by": instant_text(about.claim_by),
        "next_at": instant_text(line.next_at),
        "transitions": [_transition(each) for each in line.transitions],
        "facts": list(line.facts),
        "explanation": [sentence(reason) for reason in line.reasons],
        "explanation_details": [detail(reason) for reason in line.reasons],
    }


def withdrawn_document(document: Mapping[str, Any], withdrawal: Withdrawal) -> Json:
    """A line that was recorded and is no longer derived, with its withdrawal and what was decided since."""
    why = Reason(ReasonCode.CREDIT_WITHDRAWN)
    reasons = [why, *filter(None, map(reason_of, withdrawal.decisions))]
    entered = _transition(Transition(CreditState.WITHDRAWN, withdrawal.at, reason=sentence(why)))
    decided = [each.fact for each in withdrawal.decisions if each.fact is not None]
    return {
        **document,
        "state": withdrawal.state.value,
        "next_at": None,
        "transitions": [*document["transitions"], entered, *map(_transition, withdrawal.decisions)],
        "facts": list(dict.fromkeys([*document["facts"], *decided])),
        "explanation": [*document["explanation"], *map(sentence, reasons)],
        "explanation_details": [*document["explanation_details"], *map(detail, reasons)],
    }


def sentence(reason: Reason) -> str:
    """The text of a reason as a sentence."""
    found = text(reason)
    return f"{found[:1].upper()}{found[1:]}."


def money(amount: Decimal | None, currency: str | None) -> str | None:
    """An amount as text; None: it is not known."""
    return None if amount is None or currency is None else written(amount, currency)


def _base_amount(amount: Fraction | None, currency: str | None) -> str | None:
    """A base with the decimals of its currency, or a few more where it is no whole number of minor units."""
    if amount is None or currency is None:
        return None
    whole = rounded(amount, currency)
    if Fraction(whole) == amount:
        return written(whole, currency)
    places = decimals_of(currency) + _MONEY_DECIMALS
    units = round(amount * 10**places)
    return f"{Decimal(units).scaleb(-places):f}"


def _number(value: Fraction) -> int | str:
    return value.numerator if value.denominator == 1 else str(value)


def _band(band: Band) -> Json:
    return {"from": band.start.written, "below": band.below.written, "share": band.share.written}


def _transition(each: Transition) -> Json:
    return {
        "state": each.state.value,
        "at": instant_text(each.at),
        "event": each.fact,
        "author": each.author,
        "reason": each.reason,
    }


def charge_document(charge: ChargeLine, local: Zone) -> Json:
    """A charge as JSON. Its explanation has the time of this zone."""
    return {
        "charge": charge.charge,
        "label": charge.label,
        "at": instant_text(charge.at),
        "amount": money(charge.amount, charge.currency),
        "currency": charge.currency,
        "fact": charge.fact,
        "on": charge.on,
        "subject": charge.subject,
        "line": charge.line,
        "explanation": [_charge_text(charge, local)],
    }


def _charge_text(charge: ChargeLine, local: Zone) -> str:
    on_line = f" on the line {charge.line}" if charge.line else ""
    return (
        f"Each {charge.on}{on_line} is charged with {written(charge.amount, charge.currency)} {charge.currency}: "
        f"this is that of {charge.subject} at {time_text(local.local(charge.at).isoformat())}."
    )


def totals_document(totals: Iterable[Total]) -> list[Json]:
    """Sums of credits by currency, and what of them is due and what is not yet. Those of one currency are added up."""
    found: dict[str, list[Total]] = {}
    for each in totals:
        found.setdefault(each.currency, []).append(each)
    return [
        {
            "currency": currency,
            "amount": written(total(each.credits for each in found[currency]), currency),
            "due": written(total(each.due for each in found[currency]), currency),
            "open": written(total(each.open for each in found[currency]), currency),
        }
        for currency in sorted(found)
    ]


def statement_document(
    heading: Mapping[str, Any], statement: Statement, withdrawn: Iterable[Mapping[str, Any]], local: Zone
) -> Json:
    """A statement as JSON. `heading` says of what; `withdrawn` are documents of lines; `local` is the desk's zone."""
    gone = list(withdrawn)
    confirmed = [each for each in gone if each["state"] not in NOT_COUNTED]
    return {
        **heading,
        "lines": [
            *map(line_document, statement.lines),
            *(each for each in confirmed if each["amount"] is not None),
        ],
        "without_amount": [
            *map(line_document, statement.without_amount),
            *(each for each in confirmed if each["amount"] is None),
        ],
        "closed": [
            *map(line_document, statement.closed),
            *(each for each in gone if each["state"] in NOT_COUNTED),
        ],
        "charges": [charge_document(charge, local) for charge in statement.charges],
        "totals": [
            {
                "currency": each.currency,
                "amount": written(each.credits, each.currency),
                "due": written(each.due, each.currency),
                "open": written(each.open, each.currency),
                "charges": written(each.charges, each.currency),
                "balance": written(each.balance, each.currency),
            }
            for each in statement.totals
        ],
    }


def statement_rows(document: Mapping[str, Any]) -> Iterator[list[str]]:
    """The rows of a statement's CSV, without the header."""
    heading = {key: document[key] for key in ("desk", "contract", "customer", "period")}
    kinds = (("lines", "credit"), ("without_amount", "credit"), ("closed", "closed"))
    for part, kind in kinds:
        for line in document[part]:
            yield _row(
                {**line, **heading, "kind": kind, "at": line["caused_at"], **_joined(line, line["facts"])}
            )
    for charge in document["charges"]:
        yield _row(
            {**heading, **charge, "kind": "charge", "id": charge["fact"], **_joined(charge, [charge["fact"]])}
        )
    for each in document["totals"]:
        for kind, key in _TOTALS:
            yield _row({**heading, "kind": kind, "amount": each[key], "currency": each["currency"]})


def _joined(figure: Mapping[str, Any], facts: Iterable[str]) -> dict[str, str]:
    return {"explanation": " ".join(figure["explanation"]), "facts": " ".join(facts)}


def statement_csv(documents: Iterable[Mapping[str, Any]]) -> str:
    """Statements as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for document in documents:
        writer.writerows(statement_rows(document))
    return out.getvalue()


def _row(values: Mapping[str, Any]) -> list[str]:
    return [_cell(values.get(column)) for column in CSV_COLUMNS]


def _cell(value: object) -> str:
    return "" if value is None else text_cell(str(value))
