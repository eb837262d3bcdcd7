"""What each of the five texts owes, through the service: facts pushed, contracts put, months passed, credits read."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from app.flow.query.credit_documents import statement_csv
from tests.credit_office import CreditOffice
from tests.service import Service, event

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_haisoft_pays_for_each_whole_hour_of_a_month_up_to_the_limit_without_being_asked(
    service: Service,
) -> None:
    office = CreditOffice(service, "haisoft", "Europe/Paris")
    office.contract("monthly")
    office.contract("yearly", fee={"amount": "10000", "per": "year"})
    for since, length in (
        ("2026-01-10 10:00", 59 * MINUTE),
        ("2026-02-10 10:00", 60 * MINUTE),
        ("2026-04-10 10:00", 119 * MINUTE),
        ("2026-05-10 10:00", 40 * MINUTE),
        ("2026-05-20 10:00", 40 * MINUTE),
        ("2026-06-10 10:00", 15 * HOUR),
        ("2026-07-10 10:00", 16 * HOUR),
        ("2026-11-10 10:00", timedelta(minutes=21, seconds=36)),
    ):
        office.down("network", since, length)
    # Announced maintenance counts: the text excludes nothing.
    announced = {"from": office.time("2026-08-10 10:00"), "to": office.time("2026-08-10 12:00")}
    office.fact("maintenance.announced", "service:network", "2026-08-01 10:00", **announced)
    office.down("network", "2026-08-10 10:00", HOUR)
    office.sweep("2026-12-02 00:00")
    assert office.amounts("monthly") == {
        "2026-01": "0.00",
        "2026-02": "33.00",
        "2026-04": "33.00",
        "2026-05": "33.00",
        "2026-06": "495.00",
        "2026-07": "500.00",
        "2026-08": "33.00",
        "2026-11": "0.00",
    }
    yearly = office.amounts("yearly")
    assert [yearly[f"2026-{month}"] for month in ("02", "06", "07")] == ["27.00", "405.00", "416.67"]
    assert {each["state"] for each in office.credits()} == {"owed"}
    assert [kind for kind, _, _ in office.signals("monthly")] == ["owed"] * 6
    shares = {each["period"]: each["share"] for each in office.credits("yearly")}
    assert (shares["2026-06"], shares["2026-07"]) == ("4.05 %", "4.166666… %")


def test_clamehost_refunds_the_whole_interruption_to_whom_asks(service: Service) -> None:
    office = CreditOffice(service, "clamehost", "Europe/Rome")
    office.contract("C-1", fee={"amount": "72", "per": "month"})
    office.push(
        event("t", "ticket.created", "7", office.time("2026-11-03 10:00"), desk="clamehost", customer="C-1"),
        event("s", "outage.started", "7", office.time("2026-11-03 10:00"), desk="clamehost"),
        event("r", "service.restored", "7", office.time("2026-11-03 12:30"), desk="clamehost"),
    )
    office.sweep("2026-11-03 12:30")
    line = office.one("C-1")
    # 72 x 2.5 / 720
    assert (line["amount"], line["state"], line["claim_by"], line["commitment"]) == (
        "0.25",
        "claimable",
        None,
        "restoration",
    )
    assert line["facts"] == ["s", "r"]
    office.fact("claim.filed", "7", "2027-05-01 10:00")
    office.sweep("2027-05-01 10:00")
    assert (office.one("C-1")["state"], office.signals()) == (
        "claimed",
        [("claimable", None, "0.25"), ("claimed", None, "0.25")],
    )


def test_clamehost_refunds_an_interruption_once_and_only_of_its_own_cause_with_or_without_tickets(
    service: Service,
) -> None:
    office = CreditOffice(service, "clamehost", "Europe/Rome")
    fee = {"amount": "72", "per": "month"}
    office.contract("C-1", services=["hosting"], fee=fee)
    office.contract("C-2", services=["mail"], fee=fee)
    begun = office.fact("outage.started", "service:hosting", "2026-11-03 10:00", reference="A")
    for ticket in ("7", "8"):
        office.fact("ticket.created", ticket, "2026-11-03 10:05", customer="C-1")
        office.fact("outage.started", ticket, "2026-11-03 10:05")
    office.fact("outage.ended", "service:hosting", "2026-11-03 12:30", reference="A")
    for ticket in ("7", "8"):
        office.fact("service.restored", ticket, "2026-11-03 12:40")
    office.sweep("2026-11-03 12:40")
    (line,) = (each for each in office.credits("C-1") if each["commitment"])
    assert (line["amount"], line["state"], line["tickets"], line["outage"]) == (
        "0.25",
        "claimable",
        ["7", "8"],
        begun,
    )
    assert line["explanation"][0] == (
        "The commitment restoration was missed at 2026-11-03 12:00:00+01:00, in the outage that began at "
        "2026-11-03 10:00:00+01:00, reported by 7, 8."
    )
    office.down("mail", "2026-11-04 10:00", 3 * HOUR)
    office.sweep("2026-11-04 13:00")
    assert [(each["amount"], each["ticket"]) for each in office.credits("C-2") if each["commitment"]] == [
        ("0.30", None)
    ]
    # "per nostra causa": what was found out later takes the refund back.
    office.fact("outage.verified", "service:hosting", "2026-11-05 09:00", reference="A", cause="third_party")
    office.sweep("2026-11-05 09:00")
    assert office.credits("C-1") == []
    refunds = [each for each in office.signals("C-1") if "0.25" in each]
    assert refunds == [("claimable", None, "0.25"), ("withdrawn", "0.25", None)]


@pytest.mark.parametrize(
    ("filed", "state"), [("2026-11-12 23:59:59", "claimed"), ("2026-11-13 00:00:01", "lapsed")]
)
def test_clamehost_owes_a_credit_of_unknown_amount_if_it_is_claimed_within_seven_days(
    service: Service, filed: str, state: str
) -> None:
    office = CreditOffice(service, "clamehost", "Europe/Rome")
    office.contract("C-1")
    office.down("hosting", "2026-11-03 10:00", timedelta(minutes=43, seconds=13), reference="A")
    office.down("hosting", "2026-11-04 10:00", 10 * HOUR, reference="B", cause="scheduled_update")
    office.fact("outage.verified", "service:hosting", "2026-11-05 09:00", reference="A", cause="network")
    office.sweep("2026-11-05 09:00")
    # A ticket of the kind claim is the claim.
    office.push(
        event("t", "ticket.created", "8", office.time(filed), desk="clamehost", customer="C-1", kind="claim")
    )
    office.sweep("2026-12-01 00:00")
    line = office.one("C-1")
    assert (line["amount"], line["state"], line["availability"]) == (None, state, "uptime")
    assert line["explanation"][1] == "A credit is owed, and the agreement's text does not contain its amount."
    assert [kind for kind, _, _ in office.signals()] == ["claimable", state]


# Of a month of 30 days, 43,200 minutes.
BANDS = (
    (timedelta(seconds=2592), None),  # 99.9 %
    (timedelta(seconds=2592, microseconds=1), "25000"),  # just below it
    (timedelta(hours=7, minutes=12), "25000"),  # 99 %
    (timedelta(hours=7, minutes=12, seconds=2, milliseconds=592), "50000"),  # 98.9999 %
    (timedelta(hours=7, minutes=16, seconds=19, milliseconds=200), "50000"),  # 98.99 %
    (timedelta(hours=36), "50000"),  # 95 %
    (timedelta(hours=36, seconds=2, milliseconds=592), "100000"),  # 94.9999 %
)


def test_hvn_credits_a_share_of_the_month_by_the_band_of_its_uptime(service: Service) -> None:
    office = CreditOffice(service, "hvn", "Asia/Ho_Chi_Minh")
    services = ["Hosting", "Email Business", "Email Server", "Cloud VPS", "Cloud Server", "Zoho Mail", "DNS"]
    for name, (length, _) in zip(services, BANDS, strict=True):
        fee = {"amount": "1200000", "per": "term", "term_months": 12}
        office.contract(name, fee=fee, services=[name])
        office.down(name, "2026-11-05 10:00", length)
    office.sweep("2026-12-01 00:00")
    assert {name: office.amounts(name).get("2026-11") for name in services} == {
        name: amount for name, (_, amount) in zip(services, BANDS, strict=True)
    }
    line = office.one("Email Business")
    assert (line["base_amount"], line["currency"], line["state"]) == ("100000", "VND", "claimable")
    assert line["band"] == {"from": "99%", "below": "99.9%", "share": "25%"}
    assert line["claim_by"] == "2027-02-05T17:00:00Z"


def test_hvn_leaves_out_maintenance_that_was_announced_in_time_and_nothing_of_it_otherwise(
    service: Service,
) -> None:
    office = CreditOffice(service, "hvn", "Asia/Ho_Chi_Minh")
    office.contract("C-1", services=["DNS"])
    office.contract("C-2", services=["Hosting"])
    for name, announced in (("DNS", "2026-11-01 10:00:00"), ("Hosting", "2026-11-01 10:00:01")):
        span = {"from": office.time("2026-11-02 10:00"), "to": office.time("2026-11-02 12:00")}
        office.fact("maintenance.announced", f"service:{name}", announced, **span)
        office.down(name, "2026-11-02 10:00", 2 * HOUR)
    office.sweep("2026-12-01 00:00")
    assert (office.credits("C-1"), office.amounts("C-2")) == ([], {"2026-11": "250"})


def test_a_claim_to_hvn_that_is_sent_back_is_a_new_one(service: Service) -> None:
    office = CreditOffice(service, "hvn", "Asia/Ho_Chi_Minh")
    office.contract("C-1", services=["DNS"])
    office.down("DNS", "2026-11-05 10:00", 2 * HOUR)
    office.sweep("2026-12-01 00:00")
    ticket = event(
        "t", "ticket.created", "8", office.time("2026-12-03 09:00"), desk="hvn", customer="C-1", kind="claim"
    )
    office.push(ticket)
    office.fact("claim.answered", "8", "2026-12-10 09:00", accepted=False)
    office.fact("claim.filed", "8", "2026-12-12 09:00")
    office.fact("claim.answered", "8", "2026-12-18 09:00", accepted=True)
    office.sweep("2026-12-20 09:00")
    steps = ["claimable", "claimed", "refused", "claimed", "granted"]
    assert [each["state"] for each in office.one("C-1")["transitions"]] == steps
    assert [kind for kind, _, _ in office.signals()] == steps


def test_phpnet_credits_half_the_fee_once_for_each_missed_delay_of_a_ticket(service: Service) -> None:
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-1", fee={"amount": "49.90", "per": "month"})
    for ticket, category in (("1", "software"), ("2", "hardware"), ("3", "software")):
        when = office.time("2026-11-03 10:00")
        data: dict[str, Any] = {"customer": "C-1", "category": category}
        office.push(
            event(f"{ticket}-c", "ticket.created", ticket, when, desk="phpnet", **data),
            event(f"{ticket}-r", "call.registered", ticket, when, desk="phpnet"),
        )
    office.fact("intervention.started", "3", "2026-11-03 11:00")
    office.sweep("2026-11-05 12:00")
    lines = office.credits("C-1")
    assert [(each["commitment"], each["ticket"], each["amount"], each["state"]) for each in lines] == [
        ("gti", "1", "24.95", "claimable"),
        ("gtr", "2", "24.95", "claimable"),
    ]
    office.fact(
        "credit.requested",
        "contract:C-1",
        "2026-11-05 12:00",
        credit=lines[0]["id"],
        author="Eva",
        reason="asked",
    )
    office.sweep("2026-11-05 12:01")
    statement = office.statement("C-1", "2026-11")
    assert [each["state"] for each in statement["lines"]] == ["claimed", "claimable"]
    assert statement["totals"] == [
        {
            "currency": "EUR",
            "amount": "49.90",
            "due": "0.00",
            "open": "49.90",
            "charges": "0.00",
            "balance": "0.00",
        }
    ]


def test_an_objective_of_webxtra_never_makes_a_credit(service: Service) -> None:
    office = CreditOffice(service, "webxtra", "Europe/Amsterdam")
    office.contract("C-1")
    office.push(
        event("c", "ticket.created", "1", office.time("2026-11-03 10:00"), desk="webxtra", customer="C-1")
    )
    office.sweep("2026-12-03 10:00")
    assert service.clock_of("webxtra", "1", "response")["met"] is False
    assert (office.credits(), office.signals()) == ([], [])


def test_haisoft_charges_each_call_to_the_emergency_line(service: Service) -> None:
    office = CreditOffice(service, "haisoft", "Europe/Paris")
    office.contract("C-1")
    for n, line in enumerate(("emergency", "support", "emergency")):
        office.fact("call.offered", f"call:{n}", f"2026-11-0{n + 3} 03:00", line=line, customer="C-1")
    office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-02 00:00")
    statement = office.statement("C-1", "2026-11")
    assert [each["amount"] for each in statement["charges"]] == ["10.00", "10.00"]
    assert statement["charges"][0]["explanation"] == [
        "Each call.offered on the line emergency is charged with 10.00 EUR: "
        "this is that of call:0 at 2026-11-03 03:00:00+01:00."
    ]
    rows = [row for row in csv.DictReader(io.StringIO(statement_csv([statement]))) if row["kind"] == "charge"]
    assert [row["at"] for row in rows] == ["2026-11-03T02:00:00Z", "2026-11-05T02:00:00Z"]
    assert all(row["explanation"] and row["facts"] == row["id"] for row in rows)
    assert statement["totals"] == [
        {
            "currency": "EUR",
            "amount": "33.00",
            "due": "33.00",
            "open": "0.00",
            "charges": "20.00",
            "balance": "13.00",
        }
    ]


def test_a_call_of_a_customer_with_two_contracts_is_shown_with_both_and_in_no_total(service: Service) -> None:
    office = CreditOffice(service, "haisoft", "Europe/Paris")
    for name in ("C-1", "C-2"):
        office.contract(name, customer="Acme")
    office.contract("C-3", customer="Other")
    call = office.fact("call.offered", "call:1", "2026-11-03 03:00", line="emergency", customer="ACME")
    shown = [office.statement(name, "2026-11") for name in ("C-1", "C-2", "C-3")]
    assert [[each["fact"] for each in one["unassigned_charges"]] for one in shown] == [[call], [call], []]
    assert [(one["charges"], one["totals"]) for one in shown] == [([], [])] * 3


def test_a_decision_about_a_credit_that_the_contract_does_not_have_is_flagged(service: Service) -> None:
    office = CreditOffice(service, "haisoft", "Europe/Paris")
    office.contract("C-1")
    office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-01 00:00")
    right = office.one("C-1")["id"]
    for credit in (right, right.replace("2026-11", "2026-10"), "no id"):
        office.fact("credit.refused", "contract:C-1", "2026-12-01 10:00", credit=credit, author="Eva")
    assert office.statement("C-1", "2026-12")["flags"] == ["credit_unknown:fact-4", "credit_unknown:fact-5"]
    assert office.statement("C-1", "2026-11")["flags"] == []
