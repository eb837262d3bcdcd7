"""What PagerDuty's events mean beyond the story, and that one of several signatures will do."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, verify
from app.intake.systems.pagerduty import ADAPTER
from tests.intake.desk import source_of
from tests.intake.sample import samples, sent

STORY = samples("pagerduty")
EVENT: dict[str, Any] = STORY["triggered"].body["event"]
INCIDENT: dict[str, Any] = EVENT["data"]


def _reading(kind: str, data: dict[str, Any] | None = None, **said: Any) -> Reading:
    event = {**EVENT, "event_type": kind, "data": {**INCIDENT, **(data or {})}}
    return ADAPTER.reading(sent({"event": event}), source_of(ADAPTER, **said))


def _kinds(reading: Reading) -> list[str]:
    return [str(event.type) for event in reading.events]


def test_an_incident_has_its_fields() -> None:
    (created,) = _reading("incident.triggered", queues={"Second line": "servers"}).events
    assert created.data == {
        "title": "Checkout returns 502 since this morning",
        "url": "https://example.pagerduty.com/incidents/PGR0VU2",
        "channel": "monitoring",
        "author": "system",
        "status": "open",
        "service": "Checkout",
        "priority": "high",
        "assignee": "Marco Rossi",
        "group": "Second line",
        "queue": "servers",
    }


def test_without_a_priority_the_urgency_stands_for_it() -> None:
    bare = {"priority": None, "urgency": "low", "assignees": [], "teams": [], "escalation_policy": None}
    (created,) = _reading("incident.triggered", bare).events
    assert created.data["priority"] == "low"
    assert {"assignee", "group"}.isdisjoint(created.data)


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        ("incident.escalated", ["ticket.updated"]),
        ("incident.delegated", ["ticket.updated"]),
        ("incident.priority_updated", ["ticket.updated"]),
        ("incident.service_updated", ["ticket.updated"]),
        ("incident.status_update_published", ["progress.reported"]),
        ("incident.unacknowledged", []),
    ],
)
def test_events_beside_the_story_mean(kind: str, kinds: list[str]) -> None:
    assert _kinds(_reading(kind)) == kinds


def test_an_incident_that_nobody_holds_says_so() -> None:
    (event,) = _reading("incident.reassigned", {"assignees": []}).events
    assert event.data == {"assignee": None, "group": "Second line"}


def test_a_priority_that_is_not_mapped_leaves_the_ticket_alone() -> None:
    reading = _reading("incident.priority_updated", {"priority": {"summary": "SEV1"}})
    assert (reading.events, reading.warnings) == ((), ("priority 'SEV1' of pagerduty is not mapped",))


def test_rules_see_the_status_and_the_part_that_an_update_is_about() -> None:
    rules = [
        {"when": {"status": "acknowledged"}, "then": "request.read"},
        {"when": {"field": "priority.summary", "value": "P2"}, "then": "call.registered"},
    ]
    acknowledged = _reading("incident.acknowledged", {"status": "acknowledged"}, rules=rules)
    assert _kinds(acknowledged) == ["intervention.started", "request.read"]
    assert _kinds(_reading("incident.priority_updated", rules=rules)) == ["ticket.updated", "call.registered"]
    assert _kinds(_reading("incident.reassigned", rules=rules)) == ["ticket.updated"]


@pytest.mark.parametrize("kind", ["pagey.ping", "incident.responder.added", "service.updated"])
def test_events_of_no_clock_mean_nothing(kind: str) -> None:
    assert _reading(kind).ignored == f"{kind} concerns no clock"


def test_an_unknown_event_is_a_warning() -> None:
    assert _reading("incident.sold").warnings == ("event type 'incident.sold' of pagerduty is not mapped",)


@pytest.mark.parametrize("lacking", ["event_type", "occurred_at", "data"])
def test_an_event_without_type_instant_or_incident_is_unreadable(lacking: str) -> None:
    event = {key: value for key, value in EVENT.items() if key != lacking}
    with pytest.raises(Unreadable):
        ADAPTER.reading(sent({"event": event}), source_of(ADAPTER))


def test_a_delivery_is_known_by_its_event() -> None:
    assert ADAPTER.idempotency_key(STORY["triggered"].delivery) == EVENT["id"]
    assert ADAPTER.idempotency_key(sent([])) is None


def test_one_of_several_signatures_is_enough() -> None:
    sample, scheme = STORY["triggered"], SCHEMES["pagerduty"]
    right = sample.delivery.headers["x-pagerduty-signature"]
    signed = InboundRequest.of({"X-PagerDuty-Signature": f"v1=00,{right}"}, sample.delivery.body, 0)
    assert verify(scheme, signed, ["retired", sample.secret], 0)
    forged = InboundRequest.of({"X-PagerDuty-Signature": "v1=00,v1="}, sample.delivery.body, 0)
    with pytest.raises(BadSignature):
        verify(scheme, forged, [sample.secret], 0)
