"""The OpenAPI document describes the webhooks as they are delivered."""

from typing import Any

import pytest

from app.flow.outbound.subscribe import KINDS, TEST
from app.store.outbound.ticket_details import TICKET_DETAILS
from app.web.api.outbound.webhooks import SignalEvent, example
from tests.service import Service, created
from tests.web.room import Room


def test_every_kind_is_documented_with_a_valid_example(room: Room) -> None:
    document = room.client.get("/openapi.json").json()
    assert set(document["webhooks"]) == {f"slatimer.{kind}" for kind in (*KINDS, TEST)}
    for name, methods in document["webhooks"].items():
        operation = methods["post"]
        (content,) = operation["requestBody"]["content"].items()
        assert content[0] == "application/cloudevents+json"
        event = SignalEvent.model_validate(content[1]["example"])
        assert (event.type, event.data.kind, event.id) == (name, operation["summary"], event.data.id)
        assert {each["name"] for each in operation["parameters"]} == {
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        }
        assert {"2XX", "410", "429"} <= operation["responses"].keys()


def shape(value: Any) -> Any:
    return {name: shape(inner) for name, inner in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize("kind", ["clock.started", "clock.breached", "queue.joined"])
def test_an_example_has_the_fields_of_a_recorded_signal(service: Service, kind: str) -> None:
    service.clock.set("2026-03-06T11:15:00+01:00")
    service.push(created("4711", "2026-03-06T11:15:00+01:00"))
    service.clock.set("2026-03-06T16:00:00+01:00")
    service.sweeper.sweep_now()
    recorded = service.signals(kind)[0]
    assert shape(example(kind)["data"]) == shape(recorded) | dict.fromkeys(TICKET_DETAILS)
