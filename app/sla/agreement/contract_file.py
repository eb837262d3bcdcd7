"""Contracts as documents: one table of a file, a request's body or a row of an import, read into a `Contract`.

Checked against the agreement in force: its levels, services, calendars and commitments. All faults of a document are
found at once, each with its key and its remedy. Money is read into a `Decimal` from what is written, never through the
binary value of a float.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Final

from babel.core import get_global

from app.sla.agreement.agreement import Agreement, Commitment, Terms
from app.sla.agreement.allowance_file import names_of_limits, read_limits
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.calendar import Calendar
from app.sla.calendar.target import Target, TargetFault
from app.sla.contract import Contract, Fee, FeePer
from app.sla.document.faults import Fault, FaultyFile, Remark, instead_of
from app.sla.document.table import Table
from app.sla.fields import casefolded
from app.sla.limits import DEFAULT_LIMITS, Limits

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_AMOUNT: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""An amount as a text. `Decimal` alone would also read "1_000" and the digits of every script."""
_MOST_DIGITS: Final = 18
"""Digits of an amount: more than any invoice has, and few enough for every database and spreadsheet."""
_DAYS: Final = range(1, 32)

KEYS: Final = (
    "id",
    "customer",
    "valid_from",
    "valid_to",
    "services",
    "resources",
    "plan",
    "level",
    "fee",
    "currency",
    "targets",
    "limits",
    "calendar",
    "billing_day",
)
"""The keys of a contract's term."""


class ContractFault(FaultyFile):
    """A contract cannot be read. Each of its `faults` names the key, what is wrong and what to write instead."""


@dataclass(frozen=True, slots=True)
class Known:
    """What of an agreement a contract may refer to."""

    levels: Mapping[str, Terms]
    services: Mapping[str, str]
    """As written, by casefolded name. Empty: the agreement names none, and any is accepted."""
    commitments: tuple[Commitment, ...]
    currency: str | None
    limits: frozenset[str] = frozenset()
    """The names of the limits of its allowances."""

    @classmethod
    def of(cls, agreement: Agreement) -> "Known":
        """That of an agreement."""
        named = named_services(agreement)
        limits = names_of_limits(agreement.allowances)
        return cls(agreement.levels, named, agreement.commitments, agreement.currency, limits)

    def calendars(self, name: str) -> tuple[Calendar, ...]:
        """The calendars in which the commitments with the target "level:NAME" or "contract:NAME" count."""
        return tuple(
            calendar
            for commitment in self.commitments
            if name in (commitment.target.level, commitment.target.contract)
            for calendar in _calendars_of(commitment)
        )

    @property
    def targets(self) -> frozenset[str]:
        """The names for which the commitments look in a contract."""
        rules = [commitment.target for commitment in self.commitments]
        return frozenset(name for rule in rules for name in (rule.level, rule.contract) if name)


def named_services(agreement: Agreement) -> dict[str, str]:
    """The services whose uptime an agreement is about, as written, by casefolded name."""
    return {casefolded(name): name for rule in agreement.availability for name in rule.services}


def parse_contract(
    document: Mapping[str, object], agreement: Agreement, *, limits: Limits = DEFAULT_LIMITS
) -> Contract:
    """The term that a document states, with `id` among its keys. Raises ContractFault with every fault it has."""
    faults: list[Fault] = []
    table = Table(document, "", faults)
    always = Calendar.always(agreement.time_zone)
    reader = AgreementReader(agreement.calendars, always, faults)
    contract_id = table.text("id", example='"C-1001"', required=True) or ""
    term = read_contract(table, contract_id, reader, Known.of(agreement), limits=limits, stored=True)
    if faults:
        raise ContractFault(dict.fromkeys(faults))
    return term


def read_contract(
    table: Table,
    contract_id: str,
    reader: AgreementReader,
    known: Known,
    *,
    limits: Limits = DEFAULT_LIMITS,
    stored: bool = False,
) -> Contract:
    """The term that a table states. A `stored` one must name its customer and its first date.

    In an agreement file targets may stand beside the other keys, and a contract without dates is valid for ever.
    """
    texts = _Texts(table, limits)
    texts.check("id", contract_id)
    valid_from, valid_to = _span(table, required=stored)
    currency = _currency(table)
    calendar = reader.calendar(table, "calendar")
    level = _level(table, known)
    targets = _targets(table, reader, known, limits, beside=not stored)
    _check_targets(table, reader, known, targets, level, calendar)
    term = Contract(
        id=contract_id,
        customer=texts.text("customer", '"Acme"', required=stored),
        valid_from=valid_from,
        valid_to=valid_to,
        services=_services(table, texts, known, limits),
        resources=texts.texts("resources", '["srv1.example.com"]', limits.contract_resources_max),
        plan=texts.text("plan", '"managed"'),
        level=level,
        fee=_fee(table, currency or known.currency),
        currency=currency,
        targets=targets,
        limits=_limits(table, known, beside=not stored),
        calendar=None if calendar is None else str(table.value("calendar")),
        billing_day=_billing_day(table),
    )
    table.close()
    return term


def read_contracts(top: Table, reader: AgreementReader, agreement: Agreement) -> dict[str, Contract]:
    """The `[contracts.NAME]` of an agreement file, by casefolded name. `agreement` is the rest of the file."""
    example = "[contracts.example]"
    outer = top.table("contracts", example=example)
    known, found = Known.of(agreement), dict[str, Contract]()
    for name in outer.content:
        table = outer.inner(name, outer.value(name), example=example)
        if table is None:
            continue
        if casefolded(name) in found:
            outer.fault(name, "the name is taken, without regard to case", "Give each table its own name.")
        found[casefolded(name)] = read_contract(table, name, reader, known)
    return found


def remarks_of(term: Contract, agreement: Agreement) -> list[Remark]:
    """What is allowed in a contract and seldom meant: a target that no commitment looks for."""
    asked = Known.of(agreement).targets
    return [
        Remark(f"targets.{name}", f'no commitment has the target "contract:{name}"', instead_of(name, asked))
        for name in term.targets
        if name not in asked
    ]


class _Texts:
    """Names and words of a contract, within the limits of their length and number."""

    def __init__(self, table: Table, limits: Limits) -> None:
        self._table, self._most = table, limits.contract_text_max

    def text(self, key: str, example: str, *, required: bool = False) -> str | None:
        found = self._table.text(key, example=example, required=required)
        if found is None:
            return None
        self.check(key, found)
        return found.strip()

    def texts(self, key: str, example: str, most: int) -> tuple[str, ...]:
        found = self._table.texts(key, example=example)
        if len(found) > most:
            wrong = f"{len(found)} are more than {most}, the limit SLATIMER_CONTRACT_RESOURCES_MAX"
            self._table.fault(key, wrong, "Split the contract, or raise the limit.")
            return ()
        for place, text in found:
            self.check(place, text)
            if not text.strip():
                self._table.fault(place, "it is empty", f"Write {key} = {example}.")
        return tuple(text.strip() for _, text in found)

    def check(self, key: str, text: str) -> None:
        if len(text) > self._most:
            wrong = f"{len(text)} characters are more than {self._most}, the limit SLATIMER_CONTRACT_TEXT_MAX"
            self._table.fault(key, wrong, "Shorten it, or raise the limit.")
        elif _CONTROL.search(text):
            self._table.fault(key, "it has a control character", "Take it out.")


def _span(table: Table, *, required: bool) -> tuple[date, date | None]:
    valid_from = _date(table, "valid_from", required=required)
    valid_to = _date(table, "valid_to")
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        wrong = f"{valid_to} is not after valid_from, {valid_from}"
        right = (
            "Write the first date on which the contract is no longer valid, or leave it out while it is open."
        )
        table.fault("valid_to", wrong, right)
    return valid_from or date.min, valid_to


def _date(table: Table, key: str, *, required: bool = False) -> date | None:
    value = table.value(key)
    if value is None:
        if required:
            table.fault(key, "it is missing", f'Write {key} = "2026-01-01".')
        return None
    return table.date_of(key, value)


def _currency(table: Table) -> str | None:
    code = table.text("currency", example='"EUR"')
    if code is None:
        return None
    if minor_units(code) is None:
        right = 'Write a code of ISO 4217, as currency = "EUR".'
        table.fault("currency", f'there is no currency "{code}"', right)
        return None
    return code.upper()


@cache
def minor_units(code: str) -> int | None:
    """The decimals of a currency of ISO 4217 that is in use somewhere; None for any other text."""
    current = {
        currency
        for used in get_global("territory_currencies").values()
        for currency, _, until, tender in used
        if until is None and tender
    }
    if code.upper() not in current:
        return None
    fractions = get_global("currency_fractions")
    return int(fractions.get(code.upper(), fractions["DEFAULT"])[0])


def _fee(table: Table, currency: str | None) -> Fee | None:
    example = 'fee = { amount = "49.90", per = "month" }'
    if table.value("fee") is None:
        return None
    inner = table.table("fee", example=example)
    per = _per(inner)
    amount = _amount(inner, currency)
    months = inner.whole("term_months", None, least=1)
    if per is FeePer.TERM and months is None:
        inner.fault(
            "term_months", "it is missing", "Write how many months the amount pays for, as term_months = 12."
        )
    elif per is not FeePer.TERM and months is not None:
        wrong = f'it goes with per = "term" only, and per is "{per.value}"'
        inner.fault("term_months", wrong, "Leave it out.")
    if currency is None:
        table.fault("fee", "its currency is not known", 'Write currency = "EUR" here or in the agreement.')
    inner.close()
    return None if amount is None else Fee(amount, per, per.months if months is None else months)


def _per(table: Table) -> FeePer:
    if table.value("per") is None:
        table.fault("per", "it is missing", 'Write per = "month", "year" or "term".')
    return table.word("per", FeePer.MONTH)


def _amount(table: Table, currency: str | None) -> Decimal | None:
    """An amount as written. The shortest text of a float is what its author wrote."""
    value, right = table.value("amount"), 'Write amount = "49.90".'
    if value is None:
        table.fault("amount", "it is missing", right)
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        table.fault("amount", f"{value!r} is not an amount", right)
        return None
    amount = _decimal(str(value).strip())
    if amount is None:
        table.fault("amount", f'"{str(value)[:40]}" is not an amount', right)
    elif amount < 0:
        table.fault("amount", f"{amount} is negative", "A fee is 0 or more; give what is owed as a credit.")
    elif (wrong := too_fine(amount, currency)) is not None:
        table.fault("amount", wrong, "Round it.")
    else:
        return amount
    return None


def _decimal(text: str) -> Decimal | None:
    if len(text) > 2 * _MOST_DIGITS or not _AMOUNT.fullmatch(text):
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if abs(amount.adjusted()) >= _MOST_DIGITS or len(amount.as_tuple().digits) > _MOST_DIGITS:
        return None
    return amount or amount.copy_abs()  # "-0" is 0


def _places(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def too_fine(amount: Decimal, currency: str | None) -> str | None:
    """What is wrong with an amount that has more decimals than its currency; None: nothing, or no currency is known."""
    decimals = None if currency is None else minor_units(currency)
    if decimals is None or _places(amount) <= decimals:
        return None
    unit = "no minor unit" if decimals == 0 else f"{decimals} decimals"
    return f"{amount} has more decimals than {currency}, which has {unit}"


def _level(table: Table, known: Known) -> str | None:
    level = table.text("level", example='"gold"')
    if level is not None and casefolded(level) not in known.levels:
        table.fault("level", f'the agreement has no level "{level}"', instead_of(level, known.levels))
    return level


def _services(table: Table, texts: _Texts, known: Known, limits: Limits) -> tuple[str, ...] | None:
    if table.value("services") is None:
        return None
    found = texts.texts("services", '["Hosting"]', limits.contract_resources_max)
    if not found:
        table.fault("services", "it is empty", "Name a service, or leave it out for all of the agreement.")
    for n, name in enumerate(found):
        if known.services and casefolded(name) not in known.services:
            right = instead_of(name, known.services.values())
            table.fault(f"services[{n}]", f'the agreement has no service "{name}"', right)
    return found


def _billing_day(table: Table) -> int | None:
    day = table.value("billing_day")
    if day is None or (isinstance(day, int) and not isinstance(day, bool) and day in _DAYS):
        return day
    right = "Write a day from 1 to 31; a shorter month takes its last day."
    table.fault("billing_day", f"{day!r} is not a day of the month", right)
    return None


def _targets(
    table: Table, reader: AgreementReader, known: Known, limits: Limits, *, beside: bool
) -> dict[str, Target]:
    inner = table.table("targets", example='targets = { response = "4h" }')
    found = _read_targets(inner, reader, inner.content)
    if beside:
        found |= _read_targets(table, reader, [name for name in table.content if name in known.targets])
        found |= _spare(table, found)
    if len(found) > limits.contract_targets_max:
        wrong = f"{len(found)} are more than {limits.contract_targets_max}, the limit SLATIMER_CONTRACT_TARGETS_MAX"
        table.fault("targets", wrong, "Keep those that a commitment looks for, or raise the limit.")
    return found


def _read_targets(table: Table, reader: AgreementReader, names: Iterable[str]) -> dict[str, Target]:
    found: dict[str, Target] = {}
    for name in names:
        text = table.text(name, example='"4h"')
        if text is not None and (target := reader.target(table, name, text)) is not None:
            found[name] = target
    return found


def _spare(table: Table, asked: Iterable[str]) -> dict[str, Target]:
    """Figures of an agreement file that none of its commitments uses: a desk may state more about its contracts."""
    found: dict[str, Target] = {}
    for name, value in table.content.items():
        if name in asked or name in KEYS or not isinstance(value, str):
            continue
        try:
            found[name] = Target.parse(value)
        except TargetFault:
            continue  # not read, so refused as an unknown key
        table.value(name)
    return found


def _limits(table: Table, known: Known, *, beside: bool) -> dict[str, int]:
    """The limits of allowances, in a table of their own; in an agreement file they may stand beside the other keys."""
    inner = table.table("limits", example="limits = { interventions = 5 }")
    found = read_limits(inner, known.limits)
    inner.close()
    return found | (read_limits(table, known.limits) if beside else {})


def _check_targets(
    table: Table,
    reader: AgreementReader,
    known: Known,
    targets: Mapping[str, Target],
    level: str | None,
    own: Calendar | None,
) -> None:
    """Whether the calendars can count the targets: the contract's own, those of its level as well, else each one's."""
    for name, target in targets.items():
        place = name if name in table.content else f"targets.{name}"
        reader.check(table, place, target, known.calendars(name) if own is None else (own,))
    terms = known.levels.get(casefolded(level))
    if own is not None and terms is not None:
        for name, target in terms.targets.items():
            if name not in targets and known.calendars(name):
                reader.check(table, "calendar", target, (own,))


def _calendars_of(commitment: Commitment) -> tuple[Calendar, ...]:
    rule = commitment.calendar_rule
    if rule is None:
        return (commitment.calendar,)
    return (*rule.of.values(), *(() if rule.otherwise is None else (rule.otherwise,)))
