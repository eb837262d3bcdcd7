"""Contracts: what is read of a document, and which contract a ticket belongs to."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from app.sla.agreement.contract_file import ContractFault, minor_units, parse_contract
from app.sla.agreement.file import parse_agreement
from app.sla.calendar import parse_calendars
from app.sla.clock.checkpoint import begin
from app.sla.clock.evaluation import Version, evaluate
from app.sla.contract import Contract, Fee, FeePer
from app.sla.contract_document import contract_of, document_of
from app.sla.contract_finder import AMBIGUOUS, UNKNOWN, StoredContracts
from app.sla.event import Event
from app.sla.limits import Limits
from app.sla.span import HOUR, micros

CALENDARS = parse_calendars(
    {"calendars": {"hours": {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:00"]}}}}, desk="d"
)
DOCUMENT: dict[str, Any] = {
    "desk": "d",
    "time_zone": "Europe/Paris",
    "currency": "EUR",
    "levels": {"gold": {"response": "2h"}, "silver": {"response": "8h"}},
    "commitments": [
        {
            "id": "response",
            "label": "Reply",
            "kind": "guarantee",
            "starts_on": ["ticket.created"],
            "stops_on": ["agent.replied"],
            "target": "level:response",
            "calendar": "d/hours",
        },
        {
            "id": "managed",
            "label": "Managed",
            "kind": "guarantee",
            "measure": "response",
            "applies_to": {"plan": ["managed"]},
            "starts_on": ["ticket.created"],
            "stops_on": ["agent.replied"],
            "target": "contract:managed",
            "calendar": "always",
        },
    ],
    "queue": {"first": [{"plan": ["managed"]}]},
}
AGREEMENT = parse_agreement(DOCUMENT, calendars=CALENDARS)
VERSIONS = [Version(1, AGREEMENT, 0)]
TERM: dict[str, Any] = {"id": "C-1", "customer": "Acme", "valid_from": "2026-01-01"}
MONDAY = micros(datetime.fromisoformat("2026-03-02T10:00:00+01:00"))


def contract(**given: Any) -> Contract:
    return parse_contract(TERM | given, AGREEMENT)


def created(at: int = MONDAY, **data: Any) -> list[Event]:
    return [Event("e1", "ticket.created", "1", at, {"customer": "ACME"} | data)]


def stored(*terms: Contract) -> StoredContracts:
    return StoredContracts(terms, exist=True)


def faults(**given: Any) -> list[str]:
    with pytest.raises(ContractFault) as refused:
        contract(**given)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize("amount", ["19.99", 19.99, Decimal("19.99")])
def test_an_amount_is_what_is_written_whatever_its_type(amount: object) -> None:
    assert contract(fee={"amount": amount, "per": "month"}).fee == Fee(Decimal("19.99"), FeePer.MONTH, 1)


@pytest.mark.parametrize("amount", ["-0", "-0.00", -0.0, 0])
def test_a_fee_of_nothing_has_no_sign(amount: object) -> None:
    fee = contract(fee={"amount": amount, "per": "month"}).fee
    assert fee is not None
    assert (fee.amount, fee.amount.is_signed()) == (0, False)


def test_a_prepaid_term_counts_its_price_by_its_months() -> None:
    fee = contract(currency="VND", fee={"amount": 1_200_000, "per": "term", "term_months": 12}).fee
    assert fee is not None
    assert fee.monthly == 100_000
    yearly = contract(fee={"amount": "100", "per": "year"}).fee
    assert yearly is not None
    assert (yearly.monthly, yearly.annual) == (Fraction(100, 12), 100)


@pytest.mark.parametrize(
    ("code", "digits"), [("EUR", 2), ("VND", 0), ("JPY", 0), ("KWD", 3), ("XYZ", None), ("DEM", None)]
)
def test_a_currency_is_one_in_use_and_has_its_minor_unit(code: str, digits: int | None) -> None:
    assert minor_units(code) == digits


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fee": {"amount": "-0.01", "per": "month"}}, "fee.amount: -0.01 is negative"),
        ({"currency": "VND", "fee": {"amount": "0.5", "per": "month"}}, "VND, which has no minor unit"),
        ({"fee": {"amount": "1.005", "per": "month"}}, "more decimals than EUR"),
        ({"fee": {"amount": "1,50", "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "1_000", "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "\u0665", "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "Infinity", "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "", "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": float("nan"), "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "9" * 40, "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "1e9000", "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": True, "per": "month"}}, "is not an amount"),
        ({"fee": {"amount": "5"}}, "fee.per: it is missing"),
        ({"fee": {"amount": "5", "per": "term"}}, "term_months = 12"),
        ({"fee": {"amount": "5", "per": "year", "term_months": 12}}, 'goes with per = "term" only'),
        ({"fee": {"amount": "5", "per": "month", "vat": 19}}, "fee.vat"),
        ({"currency": "Euro"}, "ISO 4217"),
        ({"level": "bronze"}, '"gold"'),
        ({"valid_to": "2026-01-01"}, "not after valid_from"),
        ({"valid_from": "01.01.2026"}, "is not a date"),
        ({"billing_day": 0}, "1 to 31"),
        ({"billing_day": True}, "1 to 31"),
        ({"targets": {"response": "soon"}}, "targets.response"),
        ({"targets": {"response": "2 working days"}, "calendar": "always"}, "working days"),
        ({"calendar": "d/none"}, 'no calendar "d/none"'),
        ({"customer": "  "}, "customer"),
        ({"customer": "a\x00b"}, "control character"),
        ({"resources": ["x"] * 3}, "SLATIMER_CONTRACT_RESOURCES_MAX"),
        ({"targets": {f"t{n}": "1h" for n in range(3)}}, "SLATIMER_CONTRACT_TARGETS_MAX"),
        ({"plan": "p" * 41}, "SLATIMER_CONTRACT_TEXT_MAX"),
        ({"services": []}, "Name a service"),
        ({"pln": "x"}, '"plan"'),
    ],
)
def test_a_fault_names_its_key_and_the_remedy(given: dict[str, Any], words: str) -> None:
    small = Limits(contract_resources_max=2, contract_targets_max=2, contract_text_max=40)
    with pytest.raises(ContractFault) as refused:
        parse_contract(TERM | given, AGREEMENT, limits=small)
    assert any(words in str(fault) for fault in refused.value.faults), refused.value


def test_all_faults_of_a_document_are_found_at_once() -> None:
    assert len(faults(level="x", currency="x", billing_day=99)) == 3


def test_a_document_comes_back_as_it_was() -> None:
    term = contract(
        services=["Mail"],
        resources=["srv1"],
        level="gold",
        fee={"amount": "49.90", "per": "term", "term_months": 3},
        currency="eur",
        targets={"managed": "4h"},
        calendar="d/hours",
        billing_day=31,
        valid_to="2027-01-01",
    )
    assert contract_of(document_of(term)) == term
    assert term.currency == "EUR"


def test_terms_overlap_by_their_dates() -> None:
    january = contract(valid_to="2026-02-01")
    assert not january.overlaps(contract(valid_from="2026-02-01"))
    assert january.overlaps(contract(valid_from="2026-01-31"))
    assert contract().overlaps(contract(valid_from="2030-01-01"))


# -- which contract a ticket belongs to ------------------------------------------------------------------------------


GOLD, SILVER = contract(level="gold"), contract(id="C-2", level="silver")


@pytest.mark.parametrize(
    ("terms", "data", "expected", "flags"),
    [
        ([GOLD], {}, "C-1", ()),
        ([GOLD, SILVER], {}, None, (AMBIGUOUS,)),
        ([GOLD, SILVER], {"contract": "c-2"}, "C-2", ()),
        ([GOLD], {"customer": "Other"}, None, (UNKNOWN,)),
        ([GOLD], {"customer": None}, None, (UNKNOWN,)),
        ([GOLD], {"contract": "C-9"}, None, (UNKNOWN,)),
        ([GOLD], {"customer": "Other", "contract": "C-1"}, "C-1", ()),
        ([replace(GOLD, services=("Mail",))], {"service": "web"}, None, (UNKNOWN,)),
        ([replace(GOLD, services=("Mail",))], {"service": "mail"}, "C-1", ()),
        (
            [replace(GOLD, services=("Mail",)), replace(SILVER, services=("Web",))],
            {"service": "web"},
            "C-2",
            (),
        ),
        ([replace(GOLD, services=("Mail",))], {}, "C-1", ()),
        ([replace(GOLD, valid_to=date(2026, 3, 2))], {}, None, (UNKNOWN,)),
        ([replace(GOLD, valid_to=date(2026, 3, 3))], {}, "C-1", ()),
        ([replace(GOLD, valid_from=date(2026, 3, 3))], {"contract": "C-1"}, None, (UNKNOWN,)),
        (
            [replace(GOLD, valid_to=date(2026, 3, 2)), replace(GOLD, valid_from=date(2026, 3, 2))],
            {},
            "C-1",
            (),
        ),
    ],
)
def test_a_ticket_belongs_to_the_contract_it_names_else_to_the_only_one_that_fits(
    terms: list[Contract], data: dict[str, Any], expected: str | None, flags: tuple[str, ...]
) -> None:
    found = evaluate(created(**data), VERSIONS, MONDAY + HOUR, contracts=stored(*terms))
    assert (None if found.ticket.contract is None else found.ticket.contract.id) == expected
    assert found.flags == flags


def test_the_date_of_creation_is_that_of_the_desks_zone() -> None:
    """23:30 UTC on Sunday is Monday in Paris."""
    late = micros(datetime.fromisoformat("2026-03-01T23:30:00+00:00"))
    monday = stored(replace(GOLD, valid_from=date(2026, 3, 2)))
    assert evaluate(created(late), VERSIONS, late, contracts=monday).flags == ()


def test_without_contracts_there_is_no_flag() -> None:
    assert evaluate(created(), VERSIONS, MONDAY).flags == ()


def test_a_contract_of_the_file_without_a_customer_makes_no_flag() -> None:
    agreement = parse_agreement(DOCUMENT | {"contracts": {"X": {"managed": "4h"}}}, calendars=CALENDARS)
    found = evaluate(created(plan="managed", contract="x"), [Version(1, agreement, 0)], MONDAY)
    assert found.flags == ()
    assert {clock.commitment for clock in found.clocks} == {"managed"}
    assert evaluate(created(), [Version(1, agreement, 0)], MONDAY).flags == ()


def test_a_contract_of_the_file_may_have_a_customer_and_a_stored_one_takes_its_place() -> None:
    filed = {"contracts": {"C-1": {"customer": "Acme", "level": "silver"}}}
    versions = [Version(1, parse_agreement(DOCUMENT | filed, calendars=CALENDARS), 0)]
    assert evaluate(created(), versions, MONDAY).ticket.fields["level"] == "silver"
    assert evaluate(created(), versions, MONDAY, contracts=stored(GOLD)).ticket.fields["level"] == "gold"


def test_a_tickets_own_level_wins_until_it_is_taken_away() -> None:
    own = [*created(level="silver"), Event("e2", "ticket.updated", "1", MONDAY + HOUR, {"level": None})]
    found = evaluate(own, VERSIONS, MONDAY, contracts=stored(GOLD))
    assert [clock.target for clock in found.clocks] == ["8h"]
    after = evaluate(own, VERSIONS, MONDAY + HOUR, contracts=stored(GOLD))
    assert [clock.target for clock in after.clocks] == ["2h"]


def test_the_plan_of_the_contract_counts_in_conditions_and_its_target_by_its_calendar() -> None:
    managed = contract(plan="managed", targets={"managed": "1h"}, calendar="d/hours")
    found = evaluate(created(), VERSIONS, MONDAY, contracts=stored(managed))
    clock = next(clock for clock in found.clocks if clock.commitment == "managed")
    assert (clock.target, clock.calendar) == ("1h", "d/hours")
    assert AGREEMENT.queue.rank(found.ticket.fields) == 0


def test_a_contract_set_by_hand_changes_the_clock_from_then_on() -> None:
    log = [*created(), Event("e2", "ticket.updated", "1", MONDAY + HOUR, {"contract": "C-2"})]
    both = stored(GOLD, SILVER)
    assert evaluate(log, VERSIONS, MONDAY, contracts=both).flags == (AMBIGUOUS,)
    assert evaluate(log, VERSIONS, MONDAY + HOUR, contracts=both).ticket.fields["level"] == "silver"


def test_a_checkpoint_goes_on_only_with_the_same_contracts() -> None:
    log = [*created(), *(Event(f"n{n}", "note.added", "1", MONDAY + n * HOUR, {}) for n in range(1, 9))]
    at = MONDAY + 9 * HOUR
    _, checkpoint = begin(log, VERSIONS, at, stored(GOLD))
    assert checkpoint is not None
    note = Event("n10", "note.added", "1", at, {})
    assert checkpoint.accepts([note], VERSIONS, at, stored(GOLD))
    assert checkpoint.accepts([note], VERSIONS, at, stored(GOLD, replace(SILVER, customer="Other")))
    assert not checkpoint.accepts([note], VERSIONS, at, stored(replace(GOLD, level="silver")))
    assert not checkpoint.accepts([note], VERSIONS, at, stored(GOLD, SILVER))
    assert not checkpoint.accepts([note], VERSIONS, at)
    moved = Event("u1", "ticket.updated", "1", at, {"customer": "Other"})
    assert not checkpoint.accepts([moved], VERSIONS, at, stored(GOLD, replace(SILVER, customer="Other")))
