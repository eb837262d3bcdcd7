"""`[[availability]]` of an agreement file: what is read, and how a faulty table is refused."""

import tomllib
from fractions import Fraction

import pytest

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.availability import MaintenanceNotice, UptimeTarget
from app.sla.agreement.file import AgreementFault, parse_agreement
from app.sla.agreement.rule import Kind
from app.sla.limits import Limits
from app.sla.period import PeriodRule
from app.sla.span import HOUR, MINUTE

GOOD = """
desk = "acme"
[[commitments]]
id = "response"
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "always"
[[availability]]
id = "uptime"
label = { en = "Uptime", fr = "Disponibilité" }
kind = "guarantee"
services = ["Hosting", "Email Server"]
target = ">= 99.9%"
period = "calendar month"
excluded_causes = ["Force_Majeure", "isp"]
maintenance = { notice = "24h", emergency_notice = "60m" }
warn_at = ["80%", "50%"]
"""


def read(text: str) -> Agreement:
    return parse_agreement(tomllib.loads(text), calendars={})


def test_a_table_is_read() -> None:
    (rule,) = read(GOOD).availability
    assert (rule.id, rule.label, rule.kind, rule.services) == (
        "uptime",
        "Uptime",
        Kind.GUARANTEE,
        ("Hosting", "Email Server"),
    )
    assert rule.target == UptimeTarget(">= 99.9%", Fraction(999, 1000), strict=False)
    assert (rule.period, rule.excluded_causes) == (PeriodRule.CALENDAR_MONTH, {"force_majeure", "isp"})
    assert (rule.maintenance, rule.warn_at) == (MaintenanceNotice(24 * HOUR, 60 * MINUTE), (50, 80))


def test_what_is_left_out_counts_and_warns_of_nothing() -> None:
    text = GOOD.replace('maintenance = { notice = "24h", emergency_notice = "60m" }', "")
    text = text.replace('warn_at = ["80%", "50%"]', "").replace(
        'excluded_causes = ["Force_Majeure", "isp"]', ""
    )
    (rule,) = read(text.replace('period = "calendar month"', "")).availability
    assert (rule.maintenance, rule.warn_at, rule.excluded_causes) == (None, (), frozenset())
    assert rule.period is PeriodRule.CALENDAR_MONTH


@pytest.mark.parametrize(
    ("written", "share", "strict"),
    [
        ("> 99.95%", Fraction(9995, 10000), True),
        (">=99%", Fraction(99, 100), False),
        (">= 100 %", Fraction(1), False),
        ("> 0.5%", Fraction(1, 200), True),
    ],
)
def test_a_target_is_an_exact_share(written: str, share: Fraction, strict: bool) -> None:
    (rule,) = read(GOOD.replace(">= 99.9%", written)).availability
    assert (rule.target.share, rule.target.strict) == (share, strict)


def test_an_emergency_needs_the_notice_of_any_other_where_none_is_written() -> None:
    (rule,) = read(GOOD.replace(', emergency_notice = "60m"', "")).availability
    assert rule.maintenance is not None
    assert rule.maintenance.needed(emergency=True) == 24 * HOUR


BAD = [
    ('id = "uptime"\n', "", "availability[0].id", "missing", 'id = "uptime"'),
    ('id = "uptime"', 'id = "response"', "availability[0].id", "taken", "of its own"),
    ('id = "uptime"', 'id = "up time"', "availability[0].id", "a space", 'id = "uptime"'),
    ('kind = "guarantee"\nservices', "services", "kind", "missing", "objective"),
    ('kind = "guarantee"\nservices', 'kind = "customer"\nservices', "kind", "no kind", "guarantee"),
    ('services = ["Hosting", "Email Server"]', "", "services", "no service", "Hosting"),
    ('["Hosting", "Email Server"]', "[]", "services", "no service", "Hosting"),
    ('["Hosting", "Email Server"]', '["Web", " web"]', "services[1]", "twice", "once"),
    ('["Hosting", "Email Server"]', '["Web", " "]', "services[1]", "empty", "Hosting"),
    ('"Email Server"]', "3]", "services[1]", "not a text", "Hosting"),
    ('target = ">= 99.9%"', "", "target", "missing", ">= 99.9%"),
    (">= 99.9%", "99.9%", "target", "no target", "> 99.95%"),
    (">= 99.9%", ">= 99,9%", "target", "no target", "> 99.95%"),
    (">= 99.9%", "< 99.9%", "target", "no target", "> 99.95%"),
    (">= 99.9%", "> 100%", "target", "never be kept", "> 99.95%"),
    (">= 99.9%", ">= 101%", "target", "never be kept", "> 99.95%"),
    (">= 99.9%", ">= 0%", "target", "never be broken", "> 99.95%"),
    ('"calendar month"', '"week"', "period", "not known", "contract month"),
    ('notice = "24h", e', "e", "maintenance.notice", "missing", "24h"),
    ('notice = "24h"', 'notice = "soon"', "maintenance.notice", "not a target", "2h"),
    ('notice = "24h"', 'notice = "3 working days"', "maintenance.notice", "not a length", "24h"),
    ('"60m"', "60", "maintenance.emergency_notice", "not a text", "1h"),
    ("emergency_notice", "urgent_notice", "maintenance.urgent_notice", "no such key", "emergency_notice"),
    ('{ notice = "24h", emergency_notice = "60m" }', '"24h"', "maintenance", "not a table", "notice"),
    ('"80%"', '"30m before"', "warn_at[0]", "no share", "80%"),
    ('"80%"', '"100%"', "warn_at[0]", "no share", "80%"),
    ('"isp"', '""', "excluded_causes[1]", "empty", "force_majeure"),
    ("warn_at", "warn", "warn", "no such key", "warn_at"),
]


@pytest.mark.parametrize(("old", "new", "place", "wrong", "right"), BAD)
def test_a_faulty_table_is_refused_with_place_and_remedy(
    old: str, new: str, place: str, wrong: str, right: str
) -> None:
    head, found, rest = GOOD.rpartition("[[availability]]")
    assert old in rest
    with pytest.raises(AgreementFault) as refused:
        read(head + found + rest.replace(old, new, 1))
    (fault,) = refused.value.faults
    assert fault.place in (place, f"availability.uptime.{place}")
    assert wrong in fault.wrong
    assert right in fault.right


def test_two_tables_of_one_id_are_refused() -> None:
    with pytest.raises(AgreementFault, match="taken"):
        read(GOOD + GOOD.partition("[[availability]]")[1] + GOOD.partition("[[availability]]")[2])


def test_there_are_as_many_as_there_may_be_commitments() -> None:
    limits = Limits(agreement_commitments_max=1, commitment_warnings_max=1)
    document = tomllib.loads(GOOD)
    assert [fault.place for fault in limits.faults_of_agreement(document)] == ["availability.uptime.warn_at"]
    document["availability"] *= 2
    assert [fault.place for fault in limits.faults_of_agreement(document)] == ["availability"]
