"""The money of a preview: the difference that the same apply makes in the totals of the list of credits."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from math import inf
from typing import Any

import pytest

from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import plan, read_terms
from app.flow.agreement.desk_files import DeskFile, desk_file
from app.flow.agreement.effects import CreditChange, Effects
from app.flow.agreement.preview_money import contracts_money
from app.flow.query.contracts import agreement_known
from app.flow.query.statements import CreditFilters, credit_page
from app.sla.agreement.version import AppliesTo
from app.sla.span import Micros
from app.store.engine.database import Connection
from tests.credit_office import FEE, CreditOffice
from tests.service import ROOT, Service

VND = {"fee": {"amount": "1200000", "per": "month"}, "currency": "VND"}
LONGER = ('gti = "2h"', 'gti = "9h"')
SHORTER = ('gti = "2h"', 'gti = "30m"')


def hvn(service: Service) -> CreditOffice:
    """A desk with a contract that was down for 2 hours of November: 25 % of the month's fee."""
    office = CreditOffice(service, "hvn", "Asia/Ho_Chi_Minh")
    office.contract("C-1", **VND)
    office.contract("C-2", services=["Email Server"], **VND)
    office.sweep("2026-11-01 00:00")
    office.down("Hosting", "2026-11-10 10:00", timedelta(hours=2))
    office.sweep("2026-11-12 10:00")
    return office


def phpnet(service: Service) -> CreditOffice:
    """A desk with an open and a closed ticket that missed their GTI, and one that is in time."""
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-2")
    for ticket, opened in (("late", "10:00"), ("closed", "10:00"), ("in-time", "17:30")):
        office.fact("ticket.created", ticket, f"2026-11-03 {opened}", customer="C-1", category="software")
        office.fact("call.registered", ticket, f"2026-11-03 {opened}")
    office.sweep("2026-11-03 18:30")
    office.fact("status.changed", "closed", "2026-11-03 18:30", status="closed")
    office.sweep("2026-11-03 18:31")
    return office


def shipped(desk: str, *changes: tuple[str, str]) -> DeskFile:
    """A shipped agreement with some of its text replaced."""
    text = (ROOT / "agreements" / f"{desk}.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return desk_file(f"agreements/{desk}.toml", desk, text)


def listed(office: CreditOffice, at: Micros | None = None) -> dict[str, Decimal]:
    """The totals of the list of credits, now or at an instant."""
    service = office.service
    page = service.database.read_now(
        lambda conn: credit_page(
            conn,
            service.catalogue,
            office.desk,
            CreditFilters(),
            now=service.database.now(),
            at=at,
            limit=100,
        )
    )
    return {each.currency: each.credits for each in page.totals}


def changed(
    office: CreditOffice, apply: Callable[[], object], at: Micros | None = None
) -> list[CreditChange]:
    """The currencies whose total another state of the desk changes: now, or at an instant ahead."""
    before = listed(office, at)
    apply()
    office.service.clock.now = office.service.clock.now if at is None else at
    office.service.sweeper.sweep_now()
    after = listed(office)
    nothing = Decimal(0)
    sums = {each: (before.get(each, nothing), after.get(each, nothing)) for each in {*before, *after}}
    return [CreditChange(each, *sums[each]) for each in sorted(sums) if sums[each][0] != sums[each][1]]


def previewed_contract(office: CreditOffice, contract_id: str, **stated: Any) -> list[CreditChange]:
    service = office.service
    document = {"customer": contract_id, "fee": FEE, "valid_from": "2026-01-01", **stated, "id": contract_id}

    def read(conn: Connection) -> list[CreditChange]:
        now = service.database.now()
        agreement = agreement_known(conn, service.catalogue, office.desk, None, at=now)
        terms, faults = read_terms([("", document)], agreement)
        assert faults == []
        return contracts_money(conn, now, service.catalogue, office.desk, plan(conn, office.desk, terms))

    return service.database.read_now(read)


def test_another_band_for_open_periods_changes_the_credits_as_the_preview_says(service: Service) -> None:
    office = hvn(service)
    file = shipped("hvn", ('share = "25%"', 'share = "30%"'))
    run = service.preview(file, to=AppliesTo.OPEN)
    assert run.is_complete
    assert run.effects.money == [CreditChange("VND", Decimal(300000), Decimal(360000))]
    assert run.effects.sentence == "Credits in VND change from 300000 to 360000."
    assert changed(office, lambda: service.apply(file, to=AppliesTo.OPEN)) == run.effects.money


def test_a_band_for_new_periods_changes_no_credit_of_the_running_one(service: Service) -> None:
    office = hvn(service)
    file = shipped("hvn", ('share = "25%"', 'share = "30%"'))
    assert service.preview(file).effects.money == []
    assert changed(office, lambda: service.apply(file)) == []


def test_a_planned_band_is_compared_at_the_instant_at_which_it_is_in_force(service: Service) -> None:
    office = hvn(service)
    office.fact("outage.started", "service:Email Server", "2026-11-12 11:00")
    begins = office.at("2026-11-12 14:00")
    file = shipped("hvn", ('share = "25%"', 'share = "30%"'))
    run = service.preview(file, to=AppliesTo.REST, effective_from=begins)
    # By then both contracts are down for more than the month may have.
    assert run.effects.money == [CreditChange("VND", Decimal(600000), Decimal(720000))]
    found = changed(office, lambda: service.apply(file, to=AppliesTo.REST, effective_from=begins), begins)
    assert found == run.effects.money


def test_a_longer_target_takes_back_the_credits_of_open_tickets_only(service: Service) -> None:
    office = phpnet(service)
    file = shipped("phpnet", LONGER)
    run = service.preview(file, to=AppliesTo.OPEN)
    # That of the closed ticket stays.
    assert run.effects.money == [CreditChange("EUR", Decimal(1000), Decimal(500))]
    assert changed(office, lambda: service.apply(file, to=AppliesTo.OPEN)) == run.effects.money


def test_a_shorter_target_adds_the_credits_of_open_tickets_that_were_in_time(service: Service) -> None:
    office = phpnet(service)
    file = shipped("phpnet", SHORTER)
    run = service.preview(file, to=AppliesTo.OPEN)
    assert run.effects.money == [CreditChange("EUR", Decimal(1000), Decimal(1500))]
    assert changed(office, lambda: service.apply(file, to=AppliesTo.OPEN)) == run.effects.money


@pytest.mark.parametrize("fee", ["2400000", "600000", "0"])
def test_another_fee_changes_the_credits_as_the_preview_of_the_contract_says(
    service: Service, fee: str
) -> None:
    office = hvn(service)
    stated = {**VND, "fee": {"amount": fee, "per": "month"}}
    found = previewed_contract(office, "C-1", **stated)
    assert [each.before for each in found] == [Decimal(300000)]
    assert changed(office, lambda: office.contract("C-1", **stated)) == found


def test_another_fee_counts_for_the_missed_delays_of_open_and_closed_tickets(service: Service) -> None:
    office = phpnet(service)
    stated = {"level": "example-2", "fee": {"amount": "500", "per": "month"}}
    found = previewed_contract(office, "C-1", **stated)
    assert found == [CreditChange("EUR", Decimal(1000), Decimal(500))]
    assert changed(office, lambda: office.contract("C-1", **stated)) == found


def test_a_level_that_a_contract_should_have_had_changes_closed_tickets_as_its_preview_says(
    service: Service,
) -> None:
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-2")
    office.fact("ticket.created", "closed", "2026-11-03 16:00", customer="C-1", category="software")
    office.fact("call.registered", "closed", "2026-11-03 16:00")
    office.fact("status.changed", "closed", "2026-11-03 17:30", status="closed")
    office.sweep("2026-11-03 18:00")
    # A GTI of one hour instead of two.
    level = "example-24-7"
    document = {"id": "C-1", "customer": "C-1", "fee": FEE, "valid_from": "2026-01-01", "level": level}
    seen = ContractsPreview(Effects(10), inf)

    def read(conn: Connection) -> None:
        now = service.database.now()
        agreement = agreement_known(conn, service.catalogue, office.desk, None, at=now)
        terms, faults = read_terms([("", document)], agreement)
        assert faults == []
        seen.add(conn, now, service.catalogue, office.desk, terms)

    service.database.read_now(read)
    assert (seen.is_complete, seen.late_added, seen.closed, seen.closed_changed) == (True, 1, ["closed"], 1)
    assert seen.effects.money == [CreditChange("EUR", Decimal(0), Decimal(500))]
    assert changed(office, lambda: office.contract("C-1", level=level)) == seen.effects.money


def test_a_contract_that_stays_as_it_is_changes_no_credit(service: Service) -> None:
    assert previewed_contract(hvn(service), "C-1", **VND) == []


def test_a_desk_without_contracts_has_no_money_to_compare(service: Service) -> None:
    office = CreditOffice(service, "hvn", "Asia/Ho_Chi_Minh")
    office.down("Hosting", "2026-11-10 10:00", timedelta(hours=2))
    run = service.preview(shipped("hvn", ('share = "25%"', 'share = "30%"')), to=AppliesTo.OPEN)
    assert (run.is_complete, run.effects.money) == (True, [])
