"""Charges: which facts cost an amount, by which version, and who pays."""

from decimal import Decimal
from typing import Any

import pytest

from app.flow.judge.receive import Incoming
from app.flow.query.charges import charges
from app.flow.query.measured_calls import months_of
from app.sla.agreement.version import AppliesTo
from app.sla.charge import Charge
from app.store.engine.database import Connection
from tests.service import Service, at, created, event

TEXT = """
desk = "d"
time_zone = "Europe/Paris"
currency = "EUR"
[contracts.C-1]
customer = "ACME"
[[commitments]]
id = "response"
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "always"
[[charges]]
id = "emergency-call"
on = "call.offered"
line = "emergency"
amount = "10.00"
[[charges]]
id = "part"
on = "part.replaced"
amount = "0.1"
"""


@pytest.fixture
def desk(service: Service) -> Service:
    """A desk that charges calls and parts."""
    service.apply_agreement("d", TEXT)
    service.clock.set("2026-03-31T00:00:00+02:00")
    return service


def found(service: Service, *, period: str = "2026-03", as_of: str | None = None, **who: str) -> list[Charge]:
    def find(conn: Connection) -> list[Charge]:
        now = service.database.now()
        span = months_of(service.catalogue.versions(conn, "d", at=now)).named(period).span
        known = None if as_of is None else at(as_of)
        return charges(conn, service.catalogue, "d", span, at=now, as_of=known, **who)

    return service.database.read_now(find)


def offered(number: int, when: str, event_id: str | None = None, /, **data: Any) -> Incoming:
    given: dict[str, Any] = {"line": "Emergency"} | data
    return event(event_id or f"o{number}", "call.offered", f"call:{number}", when, desk="d", **given)


def test_each_call_to_the_line_costs_the_amount_at_any_hour_answered_or_not(desk: Service) -> None:
    desk.push(
        offered(1, "2026-03-01T03:00:00+01:00"),
        offered(2, "2026-03-08T12:00:00+01:00"),
        event("a2", "call.answered", "call:2", "2026-03-08T12:00:05+01:00", desk="d"),
        offered(3, "2026-03-08T12:00:00+01:00", line="support"),
        offered(4, "2026-02-28T23:59:59+01:00"),
    )
    assert [(c.subject, c.amount, c.currency) for c in found(desk)] == [
        ("call:1", Decimal("10.00"), "EUR"),
        ("call:2", Decimal("10.00"), "EUR"),
    ]
    assert [c.subject for c in found(desk, period="2026-02")] == ["call:4"]


def test_a_call_that_rings_twice_costs_once_and_a_withdrawn_one_nothing(desk: Service) -> None:
    desk.push(
        offered(1, "2026-03-01T03:00:00+01:00"),
        offered(1, "2026-03-01T03:00:09+01:00", "again"),
        offered(2, "2026-03-02T03:00:00+01:00"),
    )
    desk.clock.forward(hours=1)
    desk.push(event("w", "event.withdrawn", "call:2", "2026-03-03T00:00:00+01:00", desk="d", id="o2"))
    assert [c.fact for c in found(desk)] == ["o1"]
    assert [c.fact for c in found(desk, as_of="2026-03-31T00:30:00+02:00")] == ["o1", "o2"]


def test_a_charge_belongs_to_whom_the_call_or_its_ticket_names(desk: Service) -> None:
    when = "2026-03-02T03:00:00+01:00"
    desk.push(
        created("t1", when, desk="d", customer="acme"),
        offered(1, when, contract="c-1"),
        offered(2, when, customer="ACME"),
        offered(3, when, ticket="t1"),
        offered(4, when, customer="Other"),
        offered(5, when),
        event("p", "part.replaced", "t1", when, desk="d"),
    )
    who = {c.subject: (c.contract, c.customer) for c in found(desk)}
    assert who == {
        "call:1": ("C-1", "ACME"),
        "call:2": ("C-1", "ACME"),
        "call:3": ("C-1", "acme"),
        "call:4": (None, "Other"),
        "call:5": (None, None),
        "t1": ("C-1", "acme"),
    }
    assert sum(c.amount for c in found(desk, contract="C-1")) == Decimal("30.10")
    assert [c.subject for c in found(desk, customer="other")] == ["call:4"]


def test_a_fact_costs_what_the_version_in_force_at_its_instant_says(desk: Service) -> None:
    desk.apply_agreement("d", TEXT.replace('"10.00"', '"12.50"'), AppliesTo.OPEN)
    desk.clock.forward(hours=2)
    desk.push(offered(1, "2026-03-30T23:00:00+02:00"), offered(2, "2026-03-31T01:00:00+02:00"))
    assert [str(c.amount) for c in found(desk)] == ["10.00", "12.50"]
