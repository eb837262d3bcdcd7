"""Alerts through the inbox of either database: restarts, ends that come late, a mapping that is corrected."""

from itertools import permutations
from typing import Any

import pytest

from app.store.inbound.hooks import HookState
from tests.flow.door import Door
from tests.service import Service, at

NOW = "2026-03-09T10:00:00+01:00"


@pytest.fixture
def door(service: Service) -> Door:
    service.clock.set(NOW)
    return Door(service)


def alert(
    fingerprint: str, began: str, ended: str | None = None, severity: str = "critical"
) -> dict[str, Any]:
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": {"alertname": "DiskFull", "service": "mail", "severity": severity},
        "annotations": {"summary": "Disk is full"},
        "startsAt": f"2026-03-02T{began}:00Z",
        "endsAt": "0001-01-01T00:00:00Z" if ended is None else f"2026-03-02T{ended}:00Z",
        "fingerprint": fingerprint,
    }


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "alerts": list(alerts)}


def ticket(fingerprint: str, began: str) -> str:
    return f"{fingerprint}-{at(f'2026-03-02T{began}:00+00:00') // 1000}"


def statuses(door: Door) -> dict[str, str]:
    """The status of every ticket that has a creation that stands."""
    names = [
        row[0]
        for row in door.service.rows("SELECT DISTINCT subject FROM event WHERE type = 'ticket.created'")
    ]
    views = [door.service.view("haisoft", name) for name in names]
    return {view["ticket"]: view["status"] for view in views if view["created_at"] is not None}


async def test_restarts_and_late_ends_give_the_same_tickets_in_any_order(door: Door) -> None:
    plug, _ = door.connect("alertmanager")
    for number, order in enumerate(
        permutations([("09:00", None), ("09:20", None), ("10:00", "10:00"), ("11:00", None)])
    ):
        name = f"f{number}"
        await door.receive(plug, *(group(alert(name, began, ended)) for began, ended in order))
    found = statuses(door)
    assert found == {
        ticket(f"f{number}", began): status
        for number in range(24)
        for began, status in (("09:00", "solved"), ("11:00", "open"))
    }


async def test_many_marks_of_one_transaction_are_read_as_one_by_one(door: Door) -> None:
    plug, _ = door.connect("alertmanager")
    every = [alert("f1", "11:00"), alert("f1", "09:30", "10:00"), alert("f1", "09:00"), alert("f2", "09:00")]
    for body in (group(*every), group(*every[::-1])):
        await door.deliver(plug, body)
    await door.reader.read_all()
    assert statuses(door) == {
        ticket("f1", "09:00"): "solved",
        ticket("f1", "11:00"): "open",
        ticket("f2", "09:00"): "open",
    }


async def test_an_alert_that_is_read_again_by_a_corrected_mapping_keeps_its_tickets(door: Door) -> None:
    plug, _ = door.connect("alertmanager")
    purple = [alert("f1", "09:00", None, "purple"), alert("f1", "09:20", "10:00", "purple")]
    await door.receive(plug, *map(group, purple))
    assert len(door.inbox().deliveries) == 2
    door.map('[sources.alertmanager.priorities]\npurple = "urgent"\n')
    await door.run_again()
    assert door.inbox().deliveries == []
    assert statuses(door) == {ticket("f1", "09:00"): "solved"}
    assert door.service.view("haisoft", ticket("f1", "09:00"))["priority"] == "urgent"


async def test_the_headers_of_binary_mode_are_kept_with_the_webhook(door: Door) -> None:
    plug, _ = door.connect("cloudevents")
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "b1",
        "ce-source": "haisoft",
        "ce-type": "ticket.created",
        "ce-subject": "4711",
        "ce-time": "2026-03-06T15:30:00Z",
        "ce-sequence": "A1",
        "ce-tenant": "north",
        "X-Secret": "s",
    }
    accepted = await door.deliver(plug, {"title": "Down"}, headers)
    await door.reader.read_all()
    kept = door.hook(accepted.id)
    assert kept.state is HookState.DONE, kept.reason
    assert "x-secret" not in kept.headers
    assert door.service.view("haisoft", "4711")["title"] == "Down"
    ((attributes,),) = door.service.rows("SELECT attributes FROM event WHERE event_id = 'b1'")
    assert attributes == '{"tenant":"north","sequence":"A1"}'
