"""The invariants of the outbox, and what the doctor reports when one is broken."""

from typing import Any

import pytest

from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import SubscriptionSpec
from app.flow.process.invariants import Verdict, run_checks
from app.sla.subject import Subject
from app.store.engine.database import Connection, Database
from app.store.outbound import deliveries, delivery_list, outbox, redelivery, subscriptions
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Channel, Subscription, SubscriptionState
from tests.servers.databases import sqlite_only
from tests.service import Service, created


def subscribed(service: Service, *kinds: str, **given: Any) -> Subscription:
    values: dict[str, Any] = {
        "desk": "haisoft",
        "channel": Channel.WEBHOOK,
        "url": "https://example.org/",
        "kinds": kinds or ("clock.started",),
        "filter": {},
        "language": "en",
        "description": "",
    }
    wanted = SubscriptionSpec(**values | given)
    made = service.database.write_now(lambda conn, now: subscribe.create(conn, wanted, now))
    service.clock.forward(seconds=1)
    return made


def fault(service: Service) -> tuple[Verdict, str]:
    name = "every breach is in the outbox"
    checks = service.database.read_now(
        lambda conn: list(run_checks(conn, service.catalogue, service.database.now()))
    )
    return next((check.verdict, check.detail) for check in checks if check.name == name)


def breach(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    service.push(created("4711", "2026-03-02T10:00:00+01:00"))
    service.clock.set("2026-03-02T14:00:01+01:00")
    service.sweeper.sweep_now()


def test_a_delivery_is_written_in_the_transaction_of_its_signal(service: Service) -> None:
    subscribed(service)

    def push_and_fail(conn: Connection, now: int) -> None:
        service.assessor.assess(conn, now, {"haisoft": [Subject.parse("4711")]})
        assert conn.exec_driver_sql("SELECT * FROM delivery").all()
        raise ZeroDivisionError

    def delete_what_was_recorded(conn: Connection, now: int) -> None:
        for table in ("delivery", "signal", "clock", "stint", "ticket"):
            conn.exec_driver_sql(f"DELETE FROM {table}")

    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    service.database.write_now(delete_what_was_recorded)
    with pytest.raises(ZeroDivisionError):
        service.database.write_now(push_and_fail)
    assert (service.rows("SELECT * FROM delivery"), service.signals()) == ([], [])


def test_a_signal_goes_to_a_subscription_once(service: Service) -> None:
    subscribed(service)
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    again = "INSERT INTO delivery SELECT * FROM delivery"
    with pytest.raises(Database.failures, match=r"UNIQUE|duplicate key"):
        service.database.write_now(lambda conn, now: conn.exec_driver_sql(again))


def test_only_the_first_of_a_ticket_is_due(service: Service) -> None:
    subscribed(service, "clock.started", "queue.joined")
    service.push(*(created(name, "2026-03-02T09:00:00+01:00", customer=name) for name in ("4711", "4712")))
    rows = service.rows("SELECT ticket, next_at IS NOT NULL FROM delivery ORDER BY ticket, signal")
    assert [tuple(row) for row in rows] == [
        ("4711", True),
        ("4711", False),
        ("4712", True),
        ("4712", False),
    ]


def test_the_doctor_reports_a_breach_without_a_delivery(service: Service) -> None:
    subscribed(service, "clock.breached")
    breach(service)
    assert fault(service) == (Verdict.OK, "")
    service.database.write_now(lambda conn, now: conn.exec_driver_sql("DELETE FROM delivery"))
    verdict, detail = fault(service)
    assert (verdict, "1 breaches lack a delivery to a subscription" in detail) == (Verdict.FAULT, True)


@pytest.mark.parametrize(
    "given",
    [
        {"kinds": ("clock.started",)},
        {"desk": "phpnet"},
        {"filter": {"commitment": ("other",)}},
    ],
)
def test_the_doctor_reports_nothing_that_no_subscription_matches(
    service: Service, given: dict[str, Any]
) -> None:
    subscribed(service, **({"kinds": ("clock.breached",)} | given))
    breach(service)
    assert fault(service) == (Verdict.OK, "")


def test_the_doctor_reports_nothing_from_before_a_subscription_or_while_it_was_disabled(
    service: Service,
) -> None:
    breach(service)
    made = subscribed(service, "clock.breached")
    assert fault(service) == (Verdict.OK, "")
    service.database.write_now(lambda conn, now: subscribe.disable(conn, made, "gone", now))
    assert fault(service) == (Verdict.OK, "")


def test_a_subscription_is_stored_as_it_was_created(service: Service) -> None:
    made = subscribed(service, "clock.started", "queue.left", filter={"plan": ("Gold", "silver")})
    assert service.database.read_now(lambda conn: subscriptions.find(conn, made.id)) == made
    assert service.database.read_now(lambda conn: subscriptions.listed(conn, frozenset({"haisoft"}))) == [
        made
    ]
    assert service.database.read_now(lambda conn: subscriptions.listed(conn, frozenset({"phpnet"}))) == []


def test_a_disabled_subscription_gets_no_deliveries(service: Service) -> None:
    made = subscribed(service)
    service.database.write_now(lambda conn, now: subscribe.disable(conn, made, "gone", now))
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert service.rows("SELECT * FROM delivery") == []
    found = service.database.read_now(lambda conn: subscriptions.find(conn, made.id))
    assert found is not None
    assert (found.state, found.disabled_reason) == (SubscriptionState.DISABLED, "gone")


def test_a_claimed_delivery_is_not_claimed_again_before_its_lease_ends(service: Service) -> None:
    made = subscribed(service)
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))

    def claim(conn: Connection, now: int) -> list[deliveries.Claimed]:
        return deliveries.claim(conn, made.id, 10, now, now + 10, "mark")

    assert [each.subject.text for each in service.database.write_now(claim)] == ["4711"]
    assert service.database.write_now(claim) == []
    service.clock.now += 10
    assert [each.subject.text for each in service.database.write_now(claim)] == ["4711"]


def test_retry_since_is_limited_per_call_and_reports_that_more_remain(service: Service) -> None:
    made = subscribed(service)
    since = service.clock.now
    service.push(*(created(f"T{n}", "2026-03-02T09:00:00+01:00", customer=str(n)) for n in range(5)))
    service.database.write_now(lambda conn, now: conn.exec_driver_sql("DELETE FROM delivery"))
    sent = [
        service.database.write_now(lambda conn, now: redelivery.retry_since(conn, made, since, now, 3))
        for _ in range(3)
    ]
    assert sent == [(3, True), (2, False), (0, False)]
    page, _ = service.database.read_now(
        lambda conn: delivery_list.page(conn, made.id, DeliveryState.PENDING, None, 10)
    )
    assert [each.subject.text for each in page] == ["T4", "T3", "T2", "T1", "T0"]


@sqlite_only
@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("next_at <= 5", "delivery_next"),
        (f"{outbox.PENDING} AND desk = 'd' AND ticket = 't'", "delivery_line"),
        (f"{outbox.PARKED}", "delivery_parked"),
    ],
)
def test_each_partial_index_serves_its_query(service: Service, condition: str, index: str) -> None:
    query = f"EXPLAIN QUERY PLAN SELECT min(signal) FROM delivery WHERE subscription = 's' AND {condition}"
    assert any(index in str(row) for row in service.rows(query))


def test_subscriptions_of_other_desks_are_not_read_for_a_desks_signals(service: Service) -> None:
    mine = subscribed(service)
    every = subscribed(service, desk="*")
    for _ in range(3):
        subscribed(service, desk="hvn")
    found = service.database.read_now(lambda conn: subscriptions.subscribers(conn, ["haisoft", "*"]))
    assert {each.id for each in found} == {mine.id, every.id}
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    assert {row[0] for row in service.rows("SELECT subscription FROM delivery")} == {mine.id, every.id}
