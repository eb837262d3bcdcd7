"""Credits as the sweep finds them: late facts, retractions, changed contracts, batches, and views as of an instant."""

from datetime import datetime, timedelta

from app.flow.agreement.desk_files import desk_file
from app.flow.judge.assess import Assessor
from app.flow.judge.concerned import ALL_CONTRACTS
from app.flow.judge.receive import Receiver
from app.flow.process.sweep import Sweeper
from app.sla.span import micros
from app.store.tickets import schedule
from tests.credit_office import CreditOffice
from tests.service import ROOT, Service

HOUR = timedelta(hours=1)
MARKED = "SELECT count(*) FROM subject WHERE subject = 'contract:' AND next_at IS NOT NULL"


def haisoft(service: Service) -> CreditOffice:
    return CreditOffice(service, "haisoft", "Europe/Paris")


def test_a_late_outage_of_a_month_that_is_over_changes_the_credit_at_the_next_sweep(service: Service) -> None:
    office = haisoft(service)
    office.contract("C-1")
    office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-01 00:00")
    office.sweep("2026-12-05 00:00")
    office.down("network", "2026-11-20 10:00", 2 * HOUR)
    assert office.one("C-1")["amount"] == "99.00"
    assert office.signals() == [("owed", None, "33.00")]
    office.sweep("2026-12-05 00:01")
    assert office.signals() == [("owed", None, "33.00"), ("changed", "33.00", "99.00")]


def test_an_outage_of_the_running_month_makes_no_contract_due_before_its_end(service: Service) -> None:
    office = haisoft(service)
    office.contract("C-1")
    office.sweep("2026-11-01 00:00")
    office.down("network", "2026-11-10 10:00", HOUR)
    assert service.rows(MARKED) == [(0,)]
    office.sweep("2026-11-10 12:00")
    assert service.database.read_now(schedule.next_at) == office.at("2026-12-01 00:00")


def test_a_credit_whose_outage_is_withdrawn_is_kept_for_a_person_to_decide(service: Service) -> None:
    office = haisoft(service)
    office.contract("C-1")
    started = office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-01 00:00")
    office.fact(
        "event.withdrawn", "service:network", "2026-12-02 00:00", id=started, author="Eva", reason="error"
    )
    office.sweep("2026-12-02 00:00")
    line = office.one("C-1")
    assert (line["state"], line["amount"], office.signals()[-1]) == (
        "withdrawn",
        "33.00",
        ("withdrawn", "33.00", None),
    )
    withdrawal = line["transitions"][-1]
    assert (withdrawal["state"], office.at("2026-12-02 00:00") + 1) == (
        "withdrawn",
        micros(datetime.fromisoformat(withdrawal["at"])),
    )
    assert office.credits(at=office.at("2026-12-02 00:00")) == []
    statement = office.statement("C-1", "2026-11")
    assert (statement["lines"], [each["state"] for each in statement["closed"]], statement["totals"]) == (
        [],
        ["withdrawn"],
        [],
    )


def test_a_statement_can_be_shown_as_it_was(service: Service) -> None:
    office = haisoft(service)
    office.contract("C-1")
    office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-01 00:00")
    office.service.clock.now = office.at("2026-12-05 00:00")
    office.down("network", "2026-11-20 10:00", 2 * HOUR)
    office.contract("C-1", fee={"amount": "2000", "per": "month"})
    totals = [
        office.statement("C-1", "2026-11", **when)["totals"][0]
        for when in ({"as_of": office.at("2026-12-02 00:00")}, {"at": office.at("2026-11-15 00:00")}, {})
    ]
    assert [(each["amount"], each["open"]) for each in totals] == [
        ("33.00", "0.00"),
        ("66.00", "66.00"),
        ("198.00", "0.00"),
    ]
    assert office.one("C-1", at=office.at("2026-11-15 00:00"))["state"] == "accruing"


def test_a_contract_that_is_put_later_is_worth_its_months_too(service: Service) -> None:
    office = haisoft(service)
    office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-05 00:00")
    office.contract("C-1")
    office.sweep("2026-12-05 00:01")
    assert office.signals("C-1") == [("owed", None, "33.00")]


def test_all_contracts_of_a_desk_are_evaluated_in_batches(service: Service) -> None:
    office = haisoft(service)
    for n in range(5):
        office.contract(f"C-{n}")
    office.sweep("2026-12-05 00:00")
    settings = service.settings.model_copy(update={"sweep_contracts_batch_size": 2})
    service.assessor = Assessor(settings, service.catalogue)
    service.receiver = Receiver(service.database, service.assessor, settings)
    service.sweeper = Sweeper(service.database, service.assessor, settings)
    office.down("network", "2026-11-10 10:00", HOUR)
    assert service.rows(MARKED) == [(1,)]
    office.sweep("2026-12-05 00:01")
    assert sorted(service.rows(MARKED)) == [(0,)]
    assert [kind for kind, _, _ in office.signals()] == ["owed"] * 5
    assert ALL_CONTRACTS.text == "contract:"


def test_an_outage_of_one_resource_concerns_the_contracts_that_name_it(service: Service) -> None:
    office = haisoft(service)
    office.contract("C-1", resources=["srv-1"])
    office.contract("C-2", resources=["SRV-2"])
    office.contract("C-3", services=["dedicated"])
    office.down("network", "2026-11-10 10:00", HOUR, resource="srv-2")
    office.sweep("2026-12-01 00:00")
    assert [each["contract"] for each in office.credits()] == ["C-2"]


def test_a_missed_delay_that_an_exclusion_takes_back_is_owed_no_more(service: Service) -> None:
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-1")
    office.fact("ticket.created", "1", "2026-11-03 10:00", customer="C-1", category="software")
    office.fact("call.registered", "1", "2026-11-03 10:00")
    office.sweep("2026-11-04 12:00")
    assert office.signals() == [("claimable", None, "500.00")]
    span = {"from": office.time("2026-11-03 10:00"), "to": office.time("2026-11-05 10:00")}
    office.fact("exclusion.granted", "1", "2026-11-04 13:00", author="Eva", reason="power cut", **span)
    office.sweep("2026-11-04 13:00")
    assert office.signals()[-1] == ("withdrawn", "500.00", None)
    assert office.credits() == []
    assert office.statement("C-1", "2026-11")["closed"] == []


def test_a_breach_that_moves_signals_no_credit_again(service: Service) -> None:
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-1")
    office.fact("ticket.created", "1", "2026-11-03 10:00", customer="C-1", category="software")
    office.fact("call.registered", "1", "2026-11-03 10:00")
    office.sweep("2026-11-04 12:00")
    line = office.one("C-1")
    office.fact("credit.granted", "contract:C-1", "2026-11-04 12:30", credit=line["id"], author="Eva")
    office.sweep("2026-11-04 12:30")
    span = {"from": office.time("2026-11-03 10:00"), "to": office.time("2026-11-03 10:30")}
    office.fact("exclusion.granted", "1", "2026-11-04 13:00", author="Eva", reason="power cut", **span)
    office.sweep("2026-11-04 13:00")
    assert office.one("C-1")["caused_at"] != line["caused_at"]
    assert [kind for kind, *_ in office.signals()] == ["claimable", "granted"]


def test_a_credit_whose_cause_is_gone_is_withdrawn_before_the_next_sweep(service: Service) -> None:
    office = haisoft(service)
    office.contract("C-1")
    started = office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-01 00:00")
    office.fact("event.withdrawn", "service:network", "2026-12-02 00:00", id=started)
    assert [each["state"] for each in office.one("C-1")["transitions"]] == ["owed", "withdrawn"]
    assert office.one("C-1", as_of=office.at("2026-12-01 12:00"))["state"] == "owed"


def test_a_withdrawn_credit_that_a_person_lets_stand_is_due_until_its_cause_is_judged_again(
    service: Service,
) -> None:
    office = haisoft(service)
    office.contract("C-1")
    started = office.down("network", "2026-11-10 10:00", HOUR)
    office.sweep("2026-12-01 00:00")
    gone = office.fact("event.withdrawn", "service:network", "2026-12-02 00:00", id=started)
    office.sweep("2026-12-02 00:01")
    credit = office.one("C-1")["id"]
    office.fact("credit.granted", "contract:C-1", "2026-12-03 00:00", credit=credit, author="Eva")
    (total,) = office.statement("C-1", "2026-11")["totals"]
    assert (total["due"], office.statement("C-1", "2026-11")["closed"]) == ("33.00", [])
    assert office.one("C-1", at=office.at("2026-12-02 12:00"))["state"] == "withdrawn"
    office.fact("event.withdrawn", "service:network", "2026-12-04 00:00", id=gone)
    office.sweep("2026-12-04 00:01")
    assert office.one("C-1")["state"] == "granted"
    assert office.signals() == [
        ("owed", None, "33.00"),
        ("withdrawn", "33.00", None),
        ("granted", None, "33.00"),
    ]


def test_a_ticket_of_an_ended_contract_that_misses_after_it_is_owed_its_credit(service: Service) -> None:
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-1", valid_to="2026-07-01")
    office.fact("ticket.created", "1", "2026-06-30 16:00", customer="C-1", category="software")
    office.fact("call.registered", "1", "2026-06-30 16:00")
    office.sweep("2026-07-03 12:00")
    assert [(each["period"], each["amount"]) for each in office.credits("C-1")] == [("2026-07", "500.00")]


def test_the_contract_month_that_begins_in_the_last_calendar_month_has_a_credit_of_its_own(
    service: Service,
) -> None:
    office = haisoft(service)
    office.contract("C-1", billing_day=15)
    office.sweep("2026-11-10 00:00")
    shipped = (ROOT / "agreements" / "haisoft.toml").read_text()
    text = shipped.replace('period = "calendar month"', 'period = "contract month"', 1)
    service.apply(desk_file("agreements/haisoft.toml", "haisoft", text))
    office.down("network", "2026-11-12 10:00", HOUR)
    office.down("network", "2026-11-20 10:00", HOUR)
    office.sweep("2026-12-20 00:00")
    found = {line["id"]: (line["period"], line["amount"]) for line in office.credits("C-1")}
    assert found == {
        "haisoft.network-credit.C-1.2026-11": ("2026-11", "66.00"),
        "haisoft.network-credit.C-1.2026-11-15": ("2026-11", "33.00"),
    }
    assert sorted(office.signals()) == [("owed", None, "33.00"), ("owed", None, "66.00")]
    assert len(office.statement("C-1", "2026-11")["lines"]) == 2
