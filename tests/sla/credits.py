"""Credits for tests: rules read as a desk writes them, months with downtime, contracts and facts."""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from app.sla.agreement.agreement import Agreement, Commitment
from app.sla.agreement.availability import AvailabilityRule, UptimeTarget
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.agreement.credit import CreditRule
from app.sla.agreement.credit_file import Answered, read_credit
from app.sla.agreement.file import parse_agreement
from app.sla.agreement.rule import Kind
from app.sla.calendar import Calendar
from app.sla.calendar.zone import Zone
from app.sla.contract import Contract, Fee, FeePer
from app.sla.credit.cause import BrokenUptime, Cause, Incident
from app.sla.credit.line import Line
from app.sla.credit.lines import ContractCredits
from app.sla.document.faults import Fault
from app.sla.document.table import Table
from app.sla.event import Event
from app.sla.period import Months
from app.sla.span import MINUTE, Micros, micros

COMMITMENTS = """
desk = "acme"
[[commitments]]
id = "gtr"
kind = "guarantee"
measure = "gtr"
starts_on = ["outage.started"]
stops_on = ["service.restored"]
target = "2h"
calendar = "always"
[[commitments]]
id = "wish"
kind = "objective"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "always"
[[commitments]]
id = "claim-filing"
kind = "customer"
starts_on = ["outage.verified"]
stops_on = ["claim.filed"]
target = "7 days"
calendar = "always"
[[commitments]]
id = "claim-in-3-months"
kind = "customer"
starts_on = ["outage.started"]
stops_on = ["claim.filed"]
target = "3 months"
calendar = "always"
[[commitments]]
id = "claim-of-a-ticket"
kind = "customer"
starts_on = ["ticket.created"]
stops_on = ["claim.filed"]
target = "7 days"
calendar = "always"
"""


def commitments(zone: str = "UTC") -> tuple[Commitment, ...]:
    """Commitments that credits can answer, and claims by which they are bounded."""
    document = tomllib.loads(f'time_zone = "{zone}"\n{COMMITMENTS}')
    return parse_agreement(document, calendars={}).commitments


def uptime(target: str = "99.9", *, strict: bool = False, kind: Kind = Kind.GUARANTEE) -> AvailabilityRule:
    """The availability `uptime`."""
    written = f"{'>' if strict else '>='} {target}%"
    found = UptimeTarget(written, Fraction(target) / 100, strict=strict)
    return AvailabilityRule("uptime", "Uptime", kind, ("web",), found)


def read(
    text: str, availability: AvailabilityRule | None = None, zone: str = "UTC"
) -> tuple[CreditRule, list[Fault]]:
    """A credit as its table says, and what is wrong with it."""
    faults: list[Fault] = []
    document = tomllib.loads(text)
    reader = AgreementReader({}, Calendar.always(zone), faults)
    answered = Answered.of([availability or uptime()], commitments(zone))
    table = Table(document, "credits.credit", faults)
    return read_credit(table, str(table.value("id") or "credit"), reader, answered), faults


def agreement(*texts: str, zone: str = "UTC", currency: str | None = "EUR", **more: Any) -> Agreement:
    """An agreement with these credits."""
    rules: list[CreditRule] = []
    for n, text in enumerate(texts):
        rule, faults = read(text, zone=zone, **more)
        assert faults == []
        rules.append(replace(rule, id=f"credit-{n}") if n else rule)
    return Agreement(
        "acme", "Acme", commitments(zone), currency=currency, time_zone=zone, credits=tuple(rules)
    )


def contract(
    amount: str | None = "100",
    per: FeePer = FeePer.MONTH,
    months: int = 1,
    valid_from: date = date(2026, 1, 1),
    **more: Any,
) -> Contract:
    """One term of contract C-1, with its fee."""
    fee = None if amount is None else Fee(Decimal(amount), per, months)
    return Contract("C-1", "Carla", valid_from, fee=fee, **more)


def at(text: str, zone: str = "UTC") -> Micros:
    """An instant by its local time."""
    return micros(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


LATER = at("2027-06-01T00:00")
"""After all deadlines of the tests."""


def down(
    *minutes: Fraction | int | str,
    month: str = "2026-11",
    zone: str = "UTC",
    broken: bool = True,
    incidents: Iterable[Incident] = (),
) -> BrokenUptime:
    """A month with outages of so many minutes."""
    period = Months(Zone(zone)).named(month)
    stretches = tuple(int(Fraction(each) * MINUTE) for each in minutes)
    return BrokenUptime(
        availability="uptime",
        period=period,
        total=period.span.length,
        downtime=sum(stretches),
        breached_at=period.start + sum(stretches) if broken else None,
        stretches=stretches,
        incidents=tuple(incidents),
        target=">= 99.9%",
    )


def lines(
    of: Agreement,
    *causes: Cause,
    terms: Iterable[Contract] = (contract(),),
    facts: Iterable[Event] = (),
    by: Micros | None = None,
) -> list[Line]:
    """The lines of contract C-1."""
    found = ContractCredits("acme", "C-1", tuple(terms), tuple(facts))
    return found.lines([(of, cause) for cause in causes], LATER if by is None else by)


def fact(
    kind: str, when: str, subject: str = "9", zone: str = "UTC", name: str | None = None, **data: Any
) -> Event:
    """An event about a claim or a credit."""
    return Event(name or f"{kind}@{when}", kind, subject, at(when, zone), data)
