"""Facts by hand about services and contracts: which data they carry, and what they need."""

from typing import Any

import pytest

from app.flow.judge.record import FaultyFact, fact
from app.sla.subject import Subject
from tests.service import at

NOW = at("2026-03-06T12:00:00+01:00")
SPAN: dict[str, Any] = {"since": at("2026-03-07T22:00:00+01:00"), "until": at("2026-03-08T02:00:00+01:00")}
WINDOW = {"from": "2026-03-07T21:00:00Z", "to": "2026-03-08T01:00:00Z"}


def by_hand(kind: str, subject: str = "service:web", **more: Any) -> dict[str, Any]:
    incoming = fact("clamehost", subject, kind, at=NOW, author="carla", max_text=100, **more)
    assert (incoming.event.subject, incoming.event.type, incoming.event.at) == (subject, kind, NOW)
    assert incoming.subjects == (Subject.parse(subject),)
    return {name: value for name, value in incoming.event.data.items() if name != "recorded_by"}


def test_an_outage_carries_its_reference_resource_and_cause() -> None:
    data = {"reference": "o-17", "resource": "eu-3", "cause": "hardware"}
    assert by_hand("outage.started", more=data) == data | {"author": "agent"}


def test_announced_maintenance_carries_its_window() -> None:
    more = {"reference": "m-4", "emergency": True}
    assert by_hand("maintenance.announced", **SPAN, more=more) == WINDOW | more | {"author": "agent"}


def test_an_exclusion_on_a_service_carries_its_author_reason_resource_and_availabilities() -> None:
    more = {"resource": "eu-3", "commitments": ["uptime"]}
    data = by_hand("exclusion.granted", **SPAN, reason="agreed", more=more)
    assert data == WINDOW | more | {"author": "carla", "reason": "agreed"}


@pytest.mark.parametrize("kind", ["credit.requested", "credit.granted", "credit.refused"])
def test_a_decision_on_a_credit_carries_its_author_and_reason(kind: str) -> None:
    data = by_hand(kind, "contract:c1", reason="as agreed", more={"credit": "uptime:c1:2026-02"})
    assert data == {"credit": "uptime:c1:2026-02", "author": "carla", "reason": "as agreed"}


FAULTY: list[tuple[str, str, dict[str, Any], str]] = [
    ("maintenance.announced", "service:web", {}, "needs an instant from which"),
    ("maintenance.announced", "service:web", {"since": SPAN["since"]}, "needs an instant from which"),
    ("maintenance.announced", "service:web", {"since": SPAN["until"], "until": SPAN["since"]}, "a later one"),
    ("maintenance.announced", "service:web", {"more": {"from": WINDOW["from"]}}, "/data/to: is missing"),
    ("exclusion.granted", "service:web", SPAN, "needs a reason"),
    ("outage.started", "service:web", SPAN, "has no span"),
    ("outage.started", "call:1", {}, "/subject: an event of the type outage.started is about"),
    ("outage.started", "service:", {}, "/subject: names no service"),
    ("outage.started", "service:web", {"more": {"reference": ""}}, "/data/reference"),
    ("credit.granted", "contract:c1", {"more": {"credit": "x"}}, "needs a reason"),
    ("credit.granted", "contract:c1", {"reason": "x"}, "/data/credit: is missing"),
    ("credit.granted", "4711", {"reason": "x", "more": {"credit": "x"}}, "is about contract:ID"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subject", "more", "reason"), FAULTY)
def test_a_fact_without_what_it_needs_names_it(
    kind: str, subject: str, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(FaultyFact) as refused:
        by_hand(kind, subject, **more)
    assert reason in str(refused.value)
