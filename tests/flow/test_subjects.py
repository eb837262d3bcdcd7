"""Subjects beside tickets: stored always, evaluated where a judge of their kind is registered.

The judge here is a small one of services: an outage that lasts for an hour is reported once.
"""

from collections.abc import Sequence

import pytest

from app.flow.judge.assess import Assessor
from app.flow.judge.judges import Judgement, SubjectSignal
from app.flow.judge.receive import Receiver
from app.flow.judge.subject_logs import KnownLog
from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import SubscriptionSpec
from app.flow.process.invariants import Verdict, run_checks
from app.flow.process.sweep import Sweeper
from app.sla.agreement.version import Version
from app.sla.clock.signals import RecordedSignal
from app.sla.span import HOUR, Micros
from app.sla.subject import Subject, SubjectKind
from app.store.outbound.subscriptions import Channel
from app.store.tickets import ledger, schedule
from tests.service import Service, created, event

WEB = Subject.parse("service:web")
LONG = "service.down_for_an_hour"
STARTED = "2026-03-02T09:00:00+01:00"
AN_HOUR_LATER = "2026-03-02T10:00:00.000001+01:00"


def judge_of_services(
    log: KnownLog,
    _: Sequence[Version],
    recorded: Sequence[RecordedSignal],
    at: Micros,
    __: Micros | None,
) -> Judgement:
    events = log.events
    if any(event.data.get("service") == "broken" for event in events):
        raise ValueError("a service that cannot be judged")
    started = [event.at for event in events if event.type == "outage.started"]
    if not started or any(event.type == "outage.ended" for event in events):
        return Judgement()
    lasts_an_hour_at = min(started) + HOUR
    if at <= lasts_an_hour_at:
        return Judgement(next_at=lasts_an_hour_at + 1)
    if any(signal.kind == LONG for signal in recorded):
        return Judgement()
    long = SubjectSignal(
        LONG, str(lasts_an_hour_at), lasts_an_hour_at, commitment="uptime", details={"service": "web"}
    )
    return Judgement([long])


@pytest.fixture
def judging(service: Service) -> Service:
    """A service that judges services."""
    judges = {SubjectKind.SERVICE: judge_of_services}
    service.assessor = Assessor(service.settings, service.catalogue, judges)
    service.receiver = Receiver(service.database, service.assessor, service.settings)
    service.sweeper = Sweeper(service.database, service.assessor, service.settings)
    return service


OUTAGE = event("o", "outage.started", "service:web", STARTED, service="web")


def test_the_sweep_evaluates_a_service_when_its_instant_has_come(judging: Service) -> None:
    judging.push(OUTAGE)
    next_at = judging.database.read_now(schedule.next_at)
    assert next_at == judging.clock.set(AN_HOUR_LATER)
    assert judging.sweeper.sweep_now() == 1
    (signal,) = judging.signals(LONG)
    assert (signal["subject"], signal["ticket"]) == ("service:web", None)
    assert (signal["at"], signal["detected_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00.000001Z")
    assert (signal["commitment"], signal["service"], signal["clock"]) == ("uptime", "web", None)
    assert judging.sweeper.sweep_now() == 0
    assert judging.database.read_now(schedule.next_at) is None


def test_an_event_of_a_service_that_names_a_ticket_concerns_both(judging: Service) -> None:
    judging.push(created("4711", "2026-03-02T08:30:00+01:00"))
    receipt = judging.push(event("o", "outage.started", "service:web", STARTED, service="web", ticket="4711"))
    assert [answer.ticket for answer in receipt.tickets] == ["4711"]
    assert judging.rows("SELECT subject FROM subject") == [("service:web",)]
    assert judging.rows("SELECT revision FROM ticket") == [(2,)]


def test_evaluating_a_service_again_records_nothing_again(judging: Service) -> None:
    judging.push(OUTAGE)
    judging.clock.set(AN_HOUR_LATER)
    for _ in range(2):
        judging.database.write_now(lambda conn, now: judging.assessor.assess(conn, now, {"haisoft": [WEB]}))
    assert len(judging.signals(LONG)) == 1
    assert judging.rows("SELECT revision FROM subject") == [(3,)]


def test_a_signal_of_a_service_is_delivered_in_the_order_of_the_service(judging: Service) -> None:
    wanted = SubscriptionSpec(
        "haisoft", Channel.WEBHOOK, "https://example.org/", (LONG,), {"commitment": ("uptime",)}, "en", ""
    )
    judging.database.write_now(lambda conn, now: subscribe.create(conn, wanted, now))
    judging.clock.forward(seconds=1)
    judging.push(OUTAGE)
    judging.clock.set(AN_HOUR_LATER)
    judging.sweeper.sweep_now()
    assert judging.rows("SELECT desk, ticket, state FROM delivery") == [("haisoft", "service:web", "pending")]


def test_a_service_that_cannot_be_judged_is_parked_and_harms_no_other(judging: Service) -> None:
    judging.push(event("b", "outage.started", "service:x", STARTED, service="broken"), OUTAGE)
    (parked,) = judging.database.read_now(schedule.all_parked)
    assert (parked.subject, parked.error) == (
        Subject.parse("service:x"),
        "ValueError: a service that cannot be judged",
    )
    judging.clock.now = parked.retry_at
    assert judging.sweeper.sweep_now() == 1
    (parked,) = judging.database.read_now(schedule.all_parked)
    assert parked.times == 2
    judging.clock.set(AN_HOUR_LATER)
    judging.sweeper.sweep_now()
    assert [signal["subject"] for signal in judging.signals(LONG)] == ["service:web"]


def test_a_new_version_of_the_agreement_makes_every_service_due(judging: Service) -> None:
    judging.push(OUTAGE)
    judging.database.write_now(lambda conn, now: schedule.mark_due(conn, "haisoft", now))
    assert judging.database.read_now(schedule.next_at) == judging.clock.now


def test_a_service_that_is_long_due_is_a_fault_for_the_doctor(judging: Service) -> None:
    judging.push(OUTAGE)
    judging.clock.set("2026-03-02T11:00:00+01:00")
    checks = judging.database.read_now(
        lambda conn: list(run_checks(conn, judging.catalogue, judging.database.now()))
    )
    (late,) = [check for check in checks if check.verdict is Verdict.FAULT]
    assert "haisoft/service:web" in late.detail


def test_without_a_judge_events_of_a_service_are_stored_and_nothing_is_scheduled(service: Service) -> None:
    service.assessor = Assessor(service.settings, service.catalogue, {})
    service.receiver = Receiver(service.database, service.assessor, service.settings)
    assert service.push(OUTAGE).accepted == 1
    assert service.database.read_now(schedule.next_at) is None
    assert service.rows("SELECT * FROM subject") == []
    log = service.database.read_now(lambda conn: ledger.subject_logs(conn, "haisoft", [WEB]))
    assert [stored.id for stored in log[WEB]] == ["o"]


def test_a_ticket_of_an_earlier_release_with_the_name_of_another_kind_stalls_no_sweep(
    service: Service,
) -> None:
    """Before subjects of contracts there were, "contract:7" was a ticket like any other."""
    service.push(created("old", "2026-03-02T08:30:00+01:00"))
    rename = "UPDATE ticket SET ticket = 'contract:7', next_at = 1"
    service.database.write_now(lambda conn, now: conn.exec_driver_sql(rename))
    assert service.sweeper.sweep_now() == 1
    assert service.sweeper.sweep_now() == 0
    assert service.database.read_now(schedule.all_parked) == []
