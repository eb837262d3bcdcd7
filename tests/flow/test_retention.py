"""Retention: closed tickets are archived, expired events deleted, partitions created and dropped."""

import pytest

from app.flow.process.invariants import Verdict, run_checks
from app.flow.process.retention import Retention
from app.flow.query import serialize, tickets
from app.flow.query.tickets import EventsDropped
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo
from app.store.engine import partitions
from app.store.engine.database import Database
from tests.servers.databases import postgresql_only
from tests.service import Service, WallClock, at, created, event

AGREEMENT = """
desk = "haisoft"
name = "Kept for two months"
keep_events = "2 months"

[[commitments]]
id = "response"
label = "First response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "haisoft/tickets"
"""

CREATED = "2026-03-02T08:00:00+01:00"
CLOSED = "2026-03-02T11:30:00+01:00"


@pytest.fixture
def retention(service: Service) -> Retention:
    return Retention(service.database, service.assessor, service.settings)


@pytest.fixture
def closed(service: Service) -> Service:
    """A ticket that was answered too late and closed, and one that is open."""
    service.apply_agreement("haisoft", AGREEMENT, to=AppliesTo.REST)
    service.clock.set("2026-03-02T16:00:00+01:00")
    service.push(
        created("1", CREATED),
        created("2", CREATED),
        event("r", "agent.replied", "1", "2026-03-02T15:30:00+01:00", author="agent"),
        event("c", "status.changed", "1", "2026-03-02T15:40:00+01:00", status="closed"),
    )
    return service


def shown(service: Service, ticket: str) -> serialize.Json:
    now = service.database.now()
    return serialize.ticket(
        service.database.read_now(
            lambda conn: tickets.ticket_now(conn, service.catalogue, "haisoft", ticket, now=now)
        )
    )


def response(view: serialize.Json) -> serialize.Json:
    """The clock of the commitment above; the shipped agreement, in force before, has left another."""
    return next(clock for clock in view["clocks"] if clock["commitment"] == "response")


def listed(service: Service) -> dict[str, serialize.Json]:
    page = service.database.read_now(
        lambda conn: tickets.tickets_page(
            conn,
            service.catalogue,
            tickets.Filters(desks=frozenset({"haisoft"})),
            None,
            50,
            now=service.database.now(),
        )
    )
    return {answer.ticket: serialize.ticket(answer) for answer in page.items}


def faults(service: Service) -> list[str]:
    now = service.database.now()
    checks = service.database.read_now(lambda conn: list(run_checks(conn, service.catalogue, now)))
    return [check.name for check in checks if check.verdict is Verdict.FAULT]


def test_a_ticket_that_ended_long_ago_is_archived(closed: Service, retention: Retention) -> None:
    before = shown(closed, "1")
    assert retention.apply_now().archived == 0
    closed.clock.forward(days=31)
    closed.sweeper.sweep_now()
    assert retention.apply_now().archived == 1
    assert retention.apply_now().archived == 0
    after = shown(closed, "1")
    assert after["at"] == "2026-04-02T15:00:00Z"
    unchanging = before.keys() - {"at", "as_of"}
    assert {name: after[name] for name in unchanging} == {name: before[name] for name in unchanging}
    assert response(after)["met"] is False
    assert listed(closed)["1"] == after
    assert faults(closed) == []


def test_the_events_of_an_archived_ticket_are_readable(closed: Service, retention: Retention) -> None:
    closed.clock.forward(days=31)
    retention.apply_now()
    assert response(closed.view("haisoft", "1", at="2026-03-02T11:00:00+01:00"))["state"] == "running"


def test_a_fact_that_comes_after_all_unfolds_the_ticket(closed: Service, retention: Retention) -> None:
    closed.clock.forward(days=31)
    retention.apply_now()
    late = event("early", "agent.replied", "1", "2026-03-02T10:30:00+01:00", author="agent")
    assert closed.push(late).accepted == 1
    assert response(shown(closed, "1"))["met"] is True
    assert "clock.breach_retracted" in closed.recorded()


def test_facts_are_let_go_of_when_the_agreement_says_so(closed: Service, retention: Retention) -> None:
    closed.clock.forward(days=31)
    retention.apply_now()
    final = shown(closed, "1")
    assert closed.clock.forward(days=25) < at("2026-05-02T00:00:00+02:00")
    assert retention.apply_now().purged == 0
    closed.clock.forward(days=14)
    closed.sweeper.sweep_now()
    assert retention.apply_now().purged == 1
    assert closed.rows("SELECT ticket FROM event") == [("2",)]
    kept = shown(closed, "1")
    assert kept["clocks"] == final["clocks"]
    assert kept["flags"] == [*final["flags"], serialize.EVENTS_DROPPED]
    assert listed(closed).keys() == {"1", "2"}
    assert any(signal["kind"] == "clock.breached" for signal in closed.signals())
    with pytest.raises(EventsDropped, match="final view"):
        closed.view("haisoft", "1", at=CREATED)
    assert faults(closed) == []


def test_no_further_fact_is_taken_of_a_ticket_without_its_facts(
    closed: Service, retention: Retention
) -> None:
    closed.clock.forward(days=31)
    retention.apply_now()
    closed.clock.forward(days=60)
    retention.apply_now()
    receipt = closed.push(
        event("again", "customer.replied", "1", "2026-06-01T10:00:00+02:00", author="customer"),
        created("3", "2026-06-01T10:00:00+02:00"),
    )
    assert receipt.accepted == 1
    assert [refusal.reason for refusal in receipt.refused] == [
        "/subject: ticket '1' ended long ago and its facts are no longer kept; "
        "what happens now belongs to a new ticket"
    ]


def test_without_a_word_of_the_agreement_facts_are_kept_for_ever(
    service: Service, retention: Retention
) -> None:
    service.clock.set("2026-03-02T16:00:00+01:00")
    service.push(created("1", CREATED), event("c", "status.changed", "1", CLOSED, status="closed"))
    service.clock.forward(days=3650)
    kept = retention.apply_now()
    assert (kept.archived, kept.purged) == (1, 0)


@postgresql_only
def test_the_months_of_the_log_are_there_before_they_are_needed(
    database_settings: Settings, wall_clock: WallClock
) -> None:
    wall_clock.set("2030-11-15T12:00:00Z")
    with Database(database_settings, wall_clock) as database:
        service = Service(database_settings, database, wall_clock)
        service.apply_shipped("haisoft")
        retention = Retention(database, service.assessor, database_settings)
        assert retention.apply_now().partitions_created == database_settings.partitions_ahead == 3
        assert retention.apply_now().partitions_created == 0
        parts = database.read_now(partitions.names)
        assert parts == ["event_2030_11", "event_2030_12", "event_2031_01"]
        service.push(created("1", "2030-11-15T10:00:00Z"))
        assert service.rows("SELECT count(*) FROM event_2030_11") == [(1,)]
        assert not database.read_now(partitions.default_has_rows)


@postgresql_only
def test_an_emptied_month_is_dropped_and_a_month_in_use_is_not(closed: Service, retention: Retention) -> None:
    """The events came without a partition for their month: they are in the default one, readable, and deleted there."""
    assert closed.database.read_now(partitions.default_has_rows)
    closed.clock.set("2026-04-02T12:00:00Z")
    kept = retention.apply_now()
    assert (kept.partitions_created, kept.partitions_dropped) == (3, 0)
    closed.push(created("3", "2026-04-02T10:00:00Z"))
    closed.clock.set("2026-07-02T12:00:00Z")
    kept = retention.apply_now()
    assert kept.partitions_dropped == 2  # May and June; April holds a fact
    assert "event_2026_04" in closed.database.read_now(partitions.names)
