"""Subscribed reports: each week and month is published once, at its end where the desk is, to those who want it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import SubscriptionSpec
from app.flow.process.subscribed_reports import ReportPublisher
from app.sla.calendar.zone import zone
from app.sla.report.cut import By
from app.sla.report.subscribed import REPORT_READY, ended_by, name_of, next_end
from app.sla.span import Micros, Span
from app.store.outbound.subscriptions import Channel, Subscription, SubscriptionState
from tests.credit_office import CreditOffice
from tests.service import Service, at, created, event


@pytest.mark.parametrize(
    ("by", "now", "name", "start", "end"),
    [
        # Midnight is the first instant of the next period; the clocks go forward on 29 March 2026 in Paris.
        (By.WEEK, "03-30T00:00:00+02:00", "2026-W13", "03-23T00:00:00+01:00", "03-30T00:00:00+02:00"),
        (By.WEEK, "03-29T23:59:59+02:00", "2026-W12", "03-16T00:00:00+01:00", "03-23T00:00:00+01:00"),
        (By.WEEK, "01-04T23:59:59+01:00", "2025-W52", "-12-22T00:00:00+01:00", "-12-29T00:00:00+01:00"),
        (By.MONTH, "04-01T00:00:00+02:00", "2026-03", "03-01T00:00:00+01:00", "04-01T00:00:00+02:00"),
        (By.MONTH, "03-31T23:59:59+02:00", "2026-02", "02-01T00:00:00+01:00", "03-01T00:00:00+01:00"),
    ],
)  # fmt: skip
def test_a_period_ends_at_midnight_of_the_desk(by: By, now: str, name: str, start: str, end: str) -> None:
    paris, instant = zone("Europe/Paris"), at(f"2026-{now}")
    span = ended_by(paris, by, instant)
    assert (span.start, span.end) == (in_2026(start), in_2026(end))
    assert name_of(paris, by, span) == name
    coming = next_end(paris, by, instant)
    assert ended_by(paris, by, coming) == Span(span.end, coming)
    assert ended_by(paris, by, coming - 1) == span


def in_2026(written: str) -> Micros:
    """An instant without its year; a minus sign is of the year before."""
    return at(f"2025{written}" if written.startswith("-") else f"2026-{written}")


def subscribed(
    service: Service, desk: str = "haisoft", reports: Sequence[str] = ("week", "month")
) -> Subscription:
    spec = SubscriptionSpec(
        desk=desk,
        channel=Channel.WEBHOOK,
        url="https://example.org/hook",
        kinds=(REPORT_READY,),
        filter={},
        language="en",
        description="",
        reports=tuple(reports),
    )
    return service.database.write_now(lambda conn, now: subscribe.create(conn, spec, now))


def publisher(service: Service) -> ReportPublisher:
    """The publisher of a process of its own."""
    return ReportPublisher(service.database, service.assessor, service.settings)


def publish(service: Service, now: str) -> int | None:
    service.clock.set(now)
    return asyncio.run(publisher(service).publish())


def published(service: Service) -> list[tuple[str, str]]:
    rows = service.rows(f"SELECT desk, body FROM signal WHERE kind = '{REPORT_READY}' ORDER BY seq")
    return [(desk, orjson.loads(body)["period"]) for desk, body in rows]


def deliveries(service: Service, subscription: Subscription) -> int:
    return service.rows(f"SELECT count(*) FROM delivery WHERE subscription = '{subscription.id}'")[0][0]


def figures(service: Service) -> dict[tuple[str, str, str], tuple[Any, Any]]:
    """The figures of the latest report, each with the one before."""
    ((body,),) = service.rows(
        f"SELECT body FROM signal WHERE kind = '{REPORT_READY}' ORDER BY seq DESC LIMIT 1"
    )
    return {
        (each["report"], each["of"], each["figure"]): (each["value"], each["before"])
        for each in orjson.loads(body)["figures"]
    }


def test_a_report_is_published_once_at_the_end_of_its_period(service: Service) -> None:
    service.clock.set("2026-03-25T12:00:00+01:00")
    both, monthly = subscribed(service), subscribed(service, reports=["month"])
    assert publish(service, "2026-03-29T23:59:59+02:00") == at("2026-03-30T00:00:00+02:00")
    assert published(service) == []
    assert publish(service, "2026-03-30T00:00:00+02:00") == at("2026-04-01T00:00:00+02:00")
    for later in ("2026-03-30T00:00:00+02:00", "2026-03-31T12:00:00+02:00"):
        publish(service, later)
        assert published(service) == [("haisoft", "2026-W13")]
    publish(service, "2026-04-01T00:00:01+02:00")
    assert published(service) == [("haisoft", "2026-W13"), ("haisoft", "2026-03")]
    assert (deliveries(service, both), deliveries(service, monthly)) == (2, 1)


def test_processes_that_publish_at_the_same_time_publish_once(service: Service) -> None:
    service.clock.set("2026-03-25T12:00:00+01:00")
    subscribed(service)
    service.clock.set("2026-04-01T12:00:00+02:00")

    async def all_at_once() -> None:
        await asyncio.gather(*(publisher(service).publish() for _ in range(4)))

    asyncio.run(all_at_once())
    assert sorted(published(service)) == [("haisoft", "2026-03"), ("haisoft", "2026-W13")]


def test_a_period_that_ended_before_the_subscription_is_not_published(service: Service) -> None:
    service.clock.set("2026-04-01T12:00:00+02:00")
    made = subscribed(service)
    publish(service, "2026-04-01T12:00:01+02:00")
    assert published(service) == []
    service.database.write_now(lambda conn, now: subscribe.disable(conn, made, "gone", now))
    publish(service, "2026-05-01T12:00:00+02:00")
    assert published(service) == []
    active = SubscriptionState.ACTIVE
    enabled = replace(made, state=active)
    disabled = replace(made, state=SubscriptionState.DISABLED)
    service.database.write_now(lambda conn, now: subscribe.change(conn, disabled, enabled, now))
    publish(service, "2026-06-03T12:00:00+02:00")
    assert published(service) == [("haisoft", "2026-05"), ("haisoft", "2026-W22")]


def test_a_subscription_to_all_desks_gets_the_report_of_each_in_its_own_zone(service: Service) -> None:
    service.clock.set("2026-03-25T12:00:00+01:00")
    service.apply_shipped("hvn")
    made = subscribed(service, "*", ["month"])
    # HVN's desk is in Hanoi, where the month ends five hours before that of Paris.
    publish(service, "2026-03-31T20:00:00+02:00")
    assert published(service) == [("hvn", "2026-03")]
    publish(service, "2026-04-01T00:00:00+02:00")
    desks = {desk for desk, _ in published(service)}
    assert {"haisoft", "hvn"} <= desks
    assert deliveries(service, made) == len(desks)


def test_a_report_has_the_figures_of_its_period_and_of_the_one_before(service: Service) -> None:
    office = CreditOffice(service, "haisoft", "Europe/Paris")
    office.contract("C-1", currency="EUR")
    subscribed(service, reports=["month"])
    for name, day in (("1", "2026-02-02"), ("2", "2026-03-02"), ("3", "2026-03-03")):
        service.clock.set(f"{day}T12:00:00+01:00")
        service.push(created(name, f"{day}T09:00:00+01:00"))
        answered = "09:10" if name != "3" else "11:59"
        service.push(event(f"r{name}", "agent.replied", name, f"{day}T{answered}:00+01:00", author="agent"))
    office.down("network", "2026-03-10 10:00", timedelta(hours=1))
    publish(service, "2026-04-01T00:00:00+02:00")
    found = figures(service)
    assert found["attainment", "guarantee", "met"] == (2, 1)
    assert found["attainment", "guarantee", "share"] == ("100.0000", "100.0000")
    uptime, before = found["availability", "guarantee", "uptime"]
    assert (float(uptime) < 100, before) == (True, "100.0000")
    assert found["credits", "EUR", "amount"] == ("33.00", None)
