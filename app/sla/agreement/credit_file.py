"""Credits in an agreement file: one `[[credits]]` table read into a CreditRule.

A share is written "3.3%" or "1/24" and read as an exact fraction. What could make a credit ambiguous is refused: bands
with a gap or an overlap, a share above the whole, a cap that not even one unit fits under.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from app.sla.agreement.agreement import Commitment, CycleRule
from app.sla.agreement.availability import AvailabilityRule, UptimeTarget
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.agreement.credit import (
    Amount,
    Band,
    Bands,
    ClaimWindow,
    CreditAs,
    CreditBase,
    CreditOwed,
    CreditRule,
    FlatShare,
    PerTime,
    Rate,
    Share,
    SumOver,
    TimeShare,
    UnitRounding,
    UnknownAmount,
)
from app.sla.agreement.label import read_label
from app.sla.agreement.rule import Kind
from app.sla.document.faults import instead_of
from app.sla.document.table import Table

EXAMPLE: Final = '[[credits]] with id = "uptime-credit"'
RULES: Final = ("per_time", "bands", "share", "time_share", "unknown")
_OF_UPTIME: Final = frozenset({"per_time", "bands"})
"""Rules that need an uptime."""
_OUTAGE_FACTS: Final = frozenset({"outage.started", "outage.ended", "outage.verified"})
_NUMBER: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,12}))?\s*+%", re.ASCII)
_FRACTION: Final = re.compile(r"(\d{1,12})\s*+/\s*+(\d{1,12})", re.ASCII)
_WHOLE: Final = Fraction(1)
_ALL: Final = Share("100%", _WHOLE)


@dataclass(frozen=True, slots=True)
class Answered:
    """What credits of a file may answer: its availabilities and its commitments, by id."""

    availability: Mapping[str, AvailabilityRule]
    commitments: Mapping[str, Commitment]

    @classmethod
    def of(cls, availability: Iterable[AvailabilityRule], commitments: Iterable[Commitment]) -> "Answered":
        """These, by their ids."""
        return cls({each.id: each for each in availability}, {each.id: each for each in commitments})

    def target(self, name: str) -> UptimeTarget | None:
        """The target of an availability; none for a commitment."""
        rule = self.availability.get(name)
        return None if rule is None else rule.target


def read_credit(table: Table, credit_id: str, reader: AgreementReader, answered: Answered) -> CreditRule:
    """One credit. Faults are recorded with their keys."""
    answers = _answers(table, answered)
    label, labels = read_label(table, credit_id, reader.language)
    owed = table.word("owed", CreditOwed.AUTOMATIC)
    rule = CreditRule(
        id=credit_id,
        label=label,
        labels=labels,
        answers=answers,
        of_availability=answers in answered.availability,
        amount=_amount(table, reader, answers, answered),
        owed=owed,
        paid_as=table.word("as", CreditAs.CREDIT),
        claim=_claim(table, owed, answers, answered),
        outages_of=_outages_of(table, answers, answered),
    )
    table.close()
    return rule


def _answers(table: Table, answered: Answered) -> str:
    """What the credit is for. A credit needs a guarantee: an objective or a customer's duty makes none."""
    name = table.text("for", example='"uptime"', required=True)
    if name is None:
        return ""
    found = answered.availability.get(name) or answered.commitments.get(name)
    if found is None:
        known = [*answered.availability, *answered.commitments]
        table.fault("for", f'there is no availability or commitment "{name}"', instead_of(name, known))
    elif found.kind is not Kind.GUARANTEE:
        right = 'Name one of kind = "guarantee", or make it one.'
        table.fault(
            "for", f'"{name}" is of the kind {found.kind}, and only a guarantee makes a credit', right
        )
    return name


def _amount(table: Table, reader: AgreementReader, answers: str, answered: Answered) -> Amount:
    rule = table.text("rule", example='"bands"', required=True)
    if rule is not None and rule not in RULES:
        table.fault("rule", f'there is no rule "{rule}"', instead_of(rule, RULES))
    if rule in _OF_UPTIME and answers in answered.commitments:
        right = 'Write for = the id of an availability, or rule = "share" or "time_share".'
        table.fault(
            "rule", f'"{rule}" counts the downtime of a period, and "{answers}" is no availability', right
        )
    match rule:
        case "per_time":
            return _per_time(table, reader)
        case "bands":
            return Bands(_bands(table, answered.target(answers)), _base(table))
        case "share":
            return FlatShare(_share(table, "share", required=True) or _ALL, _base(table))
        case "time_share":
            return TimeShare(_base(table, default=CreditBase.FEE), _share(table, "cap") or _ALL)
        case _:
            return UnknownAmount()


def _outages_of(table: Table, answers: str, answered: Answered) -> str | None:
    """The availability whose outages a refund for the time of an interruption is for as well."""
    name = table.text("outages_of", example='"uptime"')
    if name is None:
        return None
    duty = answered.commitments.get(answers)
    if name not in answered.availability:
        table.fault(
            "outages_of", f'there is no availability "{name}"', instead_of(name, answered.availability)
        )
    elif table.value("rule") != "time_share" or duty is None:
        right = 'Write rule = "time_share", and for = the id of a commitment; or leave it out.'
        table.fault("outages_of", "only a credit for the time of an interruption has it", right)
    elif not duty.steady or duty.cycle is not CycleRule.ONCE:
        wrong = f'"{duty.id}" has no fixed target for all tickets, so an outage without a ticket has none'
        table.fault("outages_of", wrong, 'Give it a target as "2h" and no conditions, or leave it out.')
    return name


def _base(table: Table, *, default: CreditBase | None = None) -> CreditBase:
    if default is None and table.value("base") is None:
        table.fault("base", "it is missing", instead_of("", CreditBase))
    return table.word("base", default or CreditBase.MONTHLY_FEE)


def _share(table: Table, key: str, *, required: bool = False) -> Share | None:
    """A share of something: above nothing, and at most the whole."""
    share = _portion(table, key, required=required)
    if share is not None and not share.value:
        table.fault(key, f'"{share.written}" is nothing', f'Write {key} = "50%".')
        return None
    return share


def _portion(table: Table, key: str, *, required: bool = False) -> Share | None:
    """A part of the whole, nothing included: "99.9%" or "1/24"."""
    written = table.text(key, example='"50%"', required=required)
    if written is None:
        return None
    value = _fraction(written.strip())
    if value is None:
        table.fault(key, f'"{written}" is not a share', f'Write {key} = "3.3%" or "1/24".')
        return None
    if value > _WHOLE:
        table.fault(key, f'"{written}" is more than the whole', f'Write a share up to {key} = "100%".')
        return None
    return Share(written.strip(), value)


def _fraction(written: str) -> Fraction | None:
    """The exact value of "3.3%" or "1/24"."""
    if found := _NUMBER.fullmatch(written):
        decimals = found[2] or ""
        return Fraction(int(found[1] + decimals), 100 * 10 ** len(decimals))
    if (found := _FRACTION.fullmatch(written)) and int(found[2]):
        return Fraction(int(found[1]), int(found[2]))
    return None


def _per_time(table: Table, reader: AgreementReader) -> PerTime:
    per = reader.duration(table, "per")
    if per is None and table.value("per") is None:
        table.fault("per", "it is missing", 'Write per = "60m".')
    monthly = _rate(table, "monthly")
    if monthly is None and table.value("monthly") is None:
        right = 'Write monthly = { share = "3.3%", base = "monthly_fee", cap = "50%" }.'
        table.fault("monthly", "it is missing", right)
    rounding = table.word("rounding", UnitRounding.DOWN)
    sum_over = table.word("sum_over", SumOver.MONTH)
    if rounding is UnitRounding.UP and sum_over is SumOver.OUTAGE:
        wrong = (
            'with sum_over = "outage" two short outages would owe more than one long one that contains them'
        )
        table.fault("rounding", wrong, 'Write rounding = "down", or sum_over = "month".')
    nothing = Rate(_ALL, CreditBase.MONTHLY_FEE)
    return PerTime(per or 1, monthly or nothing, _rate(table, "yearly"), rounding, sum_over)


def _rate(table: Table, key: str) -> Rate | None:
    if table.value(key) is None:
        return None
    inner = table.table(key, example=f'{key} = {{ share = "3.3%", base = "monthly_fee", cap = "50%" }}')
    share, base, cap = _share(inner, "share", required=True), _base(inner), _share(inner, "cap")
    inner.close()
    if share is not None and cap is not None and cap.value < share.value:
        wrong = f'"{cap.written}" is less than a single unit, "{share.written}"'
        inner.fault("cap", wrong, "Write a cap of at least one unit's share, or leave it out.")
    return None if share is None else Rate(share, base, cap)


def _bands(table: Table, target: UptimeTarget | None) -> tuple[Band, ...]:
    """The bands from the highest uptime down. They must adjoin and reach down to 0."""
    example = 'bands = [{ from = "0%", below = "99.9%", share = "25%" }]'
    tables = table.tables("bands", example=example)
    if not tables:
        table.fault("bands", "there is none", f"Write {example}.")
    placed = [(inner, band) for inner in tables if (band := _band(inner)) is not None]
    if len(placed) == len(tables):
        placed.sort(key=lambda each: each[1].start.value, reverse=True)
        _check_order(placed)
        _check_ends(placed, target)
    return tuple(band for _, band in placed)


def _band(table: Table) -> Band | None:
    start, below = (_portion(table, key, required=True) for key in ("from", "below"))
    share = _share(table, "share", required=True)
    table.close()
    if start is None or below is None or share is None:
        return None
    if start.value >= below.value:
        wrong = f'it begins at "{start.written}" and ends below "{below.written}", so it is empty'
        table.fault("below", wrong, 'Write from = "99%", below = "99.9%".')
        return None
    return Band(start, below, share)


def _check_order(placed: Sequence[tuple[Table, Band]]) -> None:
    """Each band, from the highest down, must end where the one above begins, and owe no less."""
    for (_, above), (table, band) in pairwise(placed):
        right = f'Write below = "{above.start.written}".'
        if band.below.value < above.start.value:
            wrong = f'no band has the uptimes from "{band.below.written}" up to "{above.start.written}"'
            table.fault("below", wrong, right)
        elif band.below.value > above.start.value:
            wrong = f'two bands have the uptimes from "{above.start.written}" up to "{band.below.written}"'
            table.fault("below", wrong, right)
        if band.share.value < above.share.value:
            wrong = f'a lower uptime owes less, "{band.share.written}" instead of "{above.share.written}"'
            table.fault("share", wrong, "Write a share that is no less than that of the band above.")


def _check_ends(placed: Sequence[tuple[Table, Band]], target: UptimeTarget | None) -> None:
    """The lowest band must begin at 0, and the highest lie below the uptime that keeps the agreement."""
    if not placed:
        return
    (highest_table, highest), (lowest_table, lowest) = placed[0], placed[-1]
    if lowest.start.value:
        wrong = f'no band has the uptimes below "{lowest.start.written}"'
        lowest_table.fault("from", wrong, 'Write from = "0%".')
    if target is not None and highest.below.value > target.share:
        wrong = f'"{highest.below.written}" is above the target "{target.written}", where nothing is owed'
        highest_table.fault("below", wrong, "Let the highest band end at the target.")


def _claim(table: Table, owed: CreditOwed, answers: str, answered: Answered) -> ClaimWindow | None:
    name = table.text("claim_within", example='"claim-filing"')
    if owed is not CreditOwed.ON_CLAIM:
        if name is not None:
            wrong = f'a credit that is owed "{owed}" needs no claim'
            table.fault("claim_within", wrong, 'Leave it out, or write owed = "on_claim".')
        return None
    duties = {each.id: each for each in answered.commitments.values() if each.kind is Kind.CUSTOMER}
    if name is None:
        if table.value("claim_within") is None:
            right = 'Name the commitment of kind = "customer" that says how long a claim can be filed.'
            table.fault("claim_within", "it is missing", right)
        return None
    if name not in duties:
        wrong = f'there is no commitment "{name}" of the kind customer'
        table.fault("claim_within", wrong, instead_of(name, duties))
        return None
    return _window(table, duties[name], answers in answered.availability)


def _window(table: Table, duty: Commitment, of_availability: bool) -> ClaimWindow | None:
    if duty.target.fixed is None or duty.cycle is not CycleRule.ONCE:
        wrong = f'"{duty.id}" has no fixed target that runs once'
        table.fault("claim_within", wrong, 'Give it a target as "3 months".')
        return None
    facts = _facts(duty)
    if of_availability and not facts:
        wrong = f'"{duty.id}" starts on no fact of an outage'
        table.fault(
            "claim_within", wrong, 'Write starts_on = ["outage.started"] or ["outage.verified"] there.'
        )
        return None
    return ClaimWindow(duty.id, duty.target.fixed, duty.calendar, facts)


def _facts(duty: Commitment) -> frozenset[str]:
    return duty.start_types & _OUTAGE_FACTS
