"""Averages, allowances and charges in an agreement file: what is read, and every fault with its place and remedy."""

import tomllib
from decimal import Decimal

import pytest

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.allowance import AllowanceRule, PastAllowance
from app.sla.agreement.charge import ChargeRule
from app.sla.agreement.file import AgreementFault, parse_agreement
from app.sla.agreement.rule import Kind
from app.sla.agreement.version import AppliesTo, Version, version_at, version_of_period
from app.sla.calendar import Calendar
from app.sla.calendar.zone import zone
from app.sla.limits import Limits
from app.sla.period import Months
from app.sla.span import SECOND

HEAD = """
desk = "d"
time_zone = "Europe/Paris"
currency = "EUR"
[levels.gold]
allowance = 2
[contracts.C-1]
[[commitments]]
id = "response"
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "always"
"""
WITH_LIMITS = HEAD.replace("[levels.gold]", "[levels.gold]\ninterventions = 5").replace(
    "[contracts.C-1]", "[contracts.C-1]\ninterventions = 7"
)
AVERAGE = """
[[averages]]
id = "phone"
from_fact = "call.offered"
to_fact = "call.answered"
lines = ["Support", ""]
calendar = "d/phone"
target = "< 90s"
period = "calendar month"
"""
ALLOWANCE = """
[[allowances]]
id = "interventions"
counts = "intervention.started"
limit = "level:interventions"
past_allowance = "flag"
"""
CHARGE = """
[[charges]]
id = "emergency-call"
on = "call.offered"
line = "emergency"
amount = "10.00"
"""
PHONE = Calendar.parse({"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-12:00"]}}, name="d/phone")


def read(text: str) -> Agreement:
    return parse_agreement(tomllib.loads(text), calendars={"d/phone": PHONE})


def faults(text: str) -> list[str]:
    with pytest.raises(AgreementFault) as caught:
        read(text)
    return [str(fault) for fault in caught.value.faults]


def test_an_average_is_read_with_its_defaults() -> None:
    (rule,) = read(HEAD + AVERAGE).averages
    assert (rule.id, rule.label, rule.kind, rule.warn_after) == ("phone", "phone", Kind.GUARANTEE, 10)
    assert (rule.lines, rule.calendar) == (frozenset({"support", ""}), PHONE)
    assert (rule.target.written, rule.target.limit, rule.target.strict) == ("< 90s", 90 * SECOND, True)


@pytest.mark.parametrize(
    ("written", "target"),
    [("<= 2m", ("<= 2m", 120, False)), ("<45s", ("< 45s", 45, True)), ("<  1m30s", ("< 1m30s", 90, True))],
)
def test_a_target_of_a_mean_is_a_bound(written: str, target: tuple[str, int, bool]) -> None:
    (rule,) = read(HEAD + AVERAGE.replace("< 90s", written)).averages
    assert (rule.target.written, rule.target.limit // SECOND, rule.target.strict) == target


def test_an_average_without_lines_is_of_every_line() -> None:
    (rule,) = read(HEAD + AVERAGE.replace('lines = ["Support", ""]', "warn_after = 3")).averages
    assert (rule.lines, rule.warn_after) == (None, 3)


def test_an_allowance_takes_its_limit_from_the_contract_or_the_level() -> None:
    agreement = read(WITH_LIMITS + ALLOWANCE)
    (rule,) = agreement.allowances
    assert rule == AllowanceRule(
        "interventions", "interventions", "intervention.started", None, "interventions", PastAllowance.FLAG
    )
    assert agreement.limit(rule, {"level": "Gold"}) == 5
    assert agreement.limit(rule, {"level": "gold", "contract": "c-1"}) == 7
    assert agreement.limit(rule, {"contract": "C-2", "level": "gold"}) == 5
    assert agreement.limit(rule, {}) is None


@pytest.mark.parametrize(("written", "limit"), [("3", 3), ("0", 0), ('"level:allowance"', 2)])
def test_a_limit_is_a_number_or_a_value_of_the_level(written: str, limit: int) -> None:
    agreement = read(
        HEAD + ALLOWANCE.replace('"level:interventions"', written).replace('"flag"', '"no_clock"')
    )
    (rule,) = agreement.allowances
    assert rule.past is PastAllowance.NO_CLOCK
    assert agreement.limit(rule, {"level": "gold"}) == limit


def test_a_charge_is_an_exact_amount_in_the_currency_of_the_agreement() -> None:
    assert read(HEAD + CHARGE).charges == (
        ChargeRule("emergency-call", "emergency-call", "call.offered", Decimal("10.00"), "EUR", "emergency"),
    )


def test_labels_may_be_in_several_languages() -> None:
    text = AVERAGE.replace('id = "phone"', 'id = "phone"\nlabel = { en = "Pickup", fr = "Décroché" }')
    (rule,) = read(HEAD + text).averages
    assert (rule.label, rule.labels) == ("Pickup", {"en": "Pickup", "fr": "Décroché"})


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('"< 90s"', '"90s"', "averages.phone.target: '90s' is no bound of a mean. Write target = \"< 90s\""),
        ('"< 90s"', '"> 90s"', "averages.phone.target: '> 90s' is no bound of a mean."),
        ('"< 90s"', '"< 0s"', "averages.phone.target: '< 0s' is no bound of a mean."),
        ('"< 90s"', '"< 3 days"', "averages.phone.target: '< 3 days' is no bound of a mean."),
        ('target = "< 90s"', "", 'averages.phone.target: it is missing. Write target = "< 90s".'),
        ('"d/phone"', '"d/fone"', 'averages.phone.calendar: there is no calendar "d/fone".'),
        ('calendar = "d/phone"', "", "averages.phone.calendar: it is missing."),
        ('["Support", ""]', "[]", 'averages.phone.lines: it names no line. Write lines = ["support", ""]'),
        ('["Support", ""]', "[1]", "averages.phone.lines[0]: 1 is not a text."),
        (
            '"call.offered"',
            '"ticket.created"',
            'averages.phone.from_fact: an average is not taken of "ticket.c',
        ),
        (
            '"call.answered"',
            '"agent.replied"',
            'averages.phone.to_fact: an average is not taken of "agent.repl',
        ),
        (
            '"calendar month"',
            '"contract month"',
            "averages.phone.period: an average is of all calls of the de",
        ),
        ('"calendar month"', '"week"', "averages.phone.period: 'week' is not known."),
        ('id = "phone"', "", 'averages[0].id: it is missing. Write id = "phone-pickup".'),
        ('id = "phone"', 'id = "a b"', "averages[0].id: 'a b' has a space, a slash, a dot or a bracket."),
        ('id = "phone"', 'id = "response"', 'averages[0].id: "response" is taken.'),
        (
            "[[averages]]",
            "[[averages]]\nwarn_after = 0",
            "averages.phone.warn_after: 0 is not a whole number",
        ),
        (
            "[[averages]]",
            '[[averages]]\nkind = "customer"',
            "averages.phone.kind: no customer answers the des",
        ),
        (
            "[[averages]]",
            "[[averages]]\nline = 1",
            'averages.phone.line: no such key here. Did you mean "lines"?',
        ),
        (
            '"intervention.started"',
            '"a"',
            'allowances.interventions.counts: an allowance cannot count "a". Write "c',
        ),
        ("limit = ", "limt = ", "allowances.interventions.limit: it is missing. Write limit = 5 or"),
        (
            '"level:interventions"',
            '"five"',
            "allowances.interventions.limit: 'five' is no limit. Write limit = 5",
        ),
        (
            '"level:interventions"',
            "-1",
            "allowances.interventions.limit: -1 is not a whole number of 0 or more.",
        ),
        ('"level:interventions"', "2.5", "allowances.interventions.limit: 2.5 is no limit."),
        (
            '"level:interventions"',
            '"level:calls"',
            'allowances.interventions.limit: no level sets "calls". Write',
        ),
        ('"flag"', '"stop"', "allowances.interventions.past_allowance: 'stop' is not known."),
        (
            '"10.00"',
            "10.0",
            'charges.emergency-call.amount: 10.0 is no amount. Write amount = "10.00", in quo',
        ),
        ('"10.00"', '"-1"', "charges.emergency-call.amount: '-1' is no amount."),
        ('"10.00"', '"0.00"', "charges.emergency-call.amount: '0.00' is no amount."),
        ('"10.00"', '"1e3"', "charges.emergency-call.amount: '1e3' is no amount."),
        ('"10.00"', '"1_0"', "charges.emergency-call.amount: '1_0' is no amount."),
        (
            '"10.00"',
            '"10.005"',
            "charges.emergency-call.amount: 10.005 has more decimals than EUR, which has 2 decimals. Round it.",
        ),
        ('amount = "10.00"', "", "charges.emergency-call.amount: it is missing."),
        (
            'on = "call.offered"',
            'on = "ticket.created"',
            "charges.emergency-call.on: a charge cannot be made on",
        ),
        (
            'on = "call.offered"',
            'on = "part.replaced"',
            'charges.emergency-call.line: "part.replaced" has no line',
        ),
        ('line = "emergency"', "line = 5", "charges.emergency-call.line: 5 is not a text."),
        ('currency = "EUR"', "", "charges.emergency-call.amount: the agreement names no currency."),
        (
            "interventions = 7",
            'interventions = "7"',
            "contracts.C-1.interventions: '7' is not a whole number",
        ),
    ],
)
def test_a_fault_names_its_place_and_what_to_write(before: str, after: str, fault: str) -> None:
    whole = WITH_LIMITS + AVERAGE + ALLOWANCE + CHARGE
    assert before in whole
    found = faults(whole.replace(before, after, 1))
    assert any(each.startswith(fault) for each in found), found


def test_there_are_as_many_averages_as_the_limit_of_commitments_allows() -> None:
    document = tomllib.loads(HEAD + AVERAGE + AVERAGE.replace("phone", "other") + ALLOWANCE)
    (fault,) = Limits(agreement_commitments_max=1).faults_of_agreement(document)
    assert (fault.place, fault.wrong) == (
        "averages",
        "2 averages are more than 1, the limit SLATIMER_AGREEMENT_COMMITMENTS_MAX",
    )


def test_a_period_is_judged_by_the_version_in_force_at_its_first_instant() -> None:
    months, agreement = Months(zone("Europe/Paris")), read(HEAD)
    march, april = months.named("2026-03"), months.named("2026-04")
    middle = (march.start + march.end) // 2

    def number(to: AppliesTo, effective_from: int, name: str, when: int = april.end) -> int:
        versions = [Version(1, agreement, middle), Version(2, agreement, effective_from, to)]
        return version_of_period(versions, months.named(name), when).number

    assert number(AppliesTo.NEW, middle, "2025-01") == 1
    assert number(AppliesTo.NEW, middle, "2026-03") == 1
    assert number(AppliesTo.NEW, middle, "2026-04") == 2
    assert number(AppliesTo.NEW, april.start, "2026-04") == 2
    assert number(AppliesTo.REST, middle, "2026-03") == 2
    assert number(AppliesTo.REST, middle, "2026-03", middle - 1) == 1
    assert number(AppliesTo.OPEN, april.start, "2026-03") == 1


def test_a_fact_is_charged_by_the_version_in_force_at_its_instant() -> None:
    versions = [Version(1, read(HEAD), 100), Version(2, read(HEAD), 200)]
    assert [version_at(versions, at).number for at in (0, 199, 200)] == [1, 1, 2]
