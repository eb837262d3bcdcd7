"""Our own format, signed in place of a key: the same events as a push, or the first place that is wrong."""

import json
from typing import Any

import pytest

from app.intake.cloudevents import ADAPTER, MOST_EVENTS, MOST_LEVELS
from app.intake.mapping.reading import Reading, Unreadable
from tests.intake.snapshot_desk import desk_of, instant_of, sent

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "d",
    "type": "ticket.created",
    "subject": "4711",
    "time": "2026-03-06T15:30:00+01:00",
    "data": {"title": "Server unreachable", "tags": ["vip"], "assignee": None},
}


def reading(body: Any) -> Reading:
    return desk_of(ADAPTER).reading(sent(body))


def test_an_event_keeps_its_id_its_type_and_its_data() -> None:
    (event,) = reading({**EVENT, "sequence": "7"}).events
    assert (event.id, event.type, event.subject, event.sequence) == ("e1", "ticket.created", "4711", 7)
    assert (event.at, event.data) == (instant_of("2026-03-06T14:30:00+00:00"), EVENT["data"])


def test_an_array_is_many_events() -> None:
    found = reading([EVENT, {**EVENT, "id": "e2"}])
    assert [event.id for event in found.events] == ["e1", "e2"]
    assert reading([]).ignored == "an empty array"


def test_a_faulty_event_in_an_array_costs_itself_only() -> None:
    found = reading([EVENT, {**EVENT, "id": "e2", "time": "soon"}])
    assert [event.id for event in found.events] == ["e1"]
    assert found.warnings == ("event 1: time: it must be an instant with an offset",)


def test_an_array_of_nothing_but_faulty_events_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="none of its events"):
        reading([{}, 3, None])


def test_an_array_may_hold_as_many_events_as_a_push() -> None:
    with pytest.raises(Unreadable, match=str(MOST_EVENTS)):
        reading([EVENT] * (MOST_EVENTS + 1))


def test_an_unknown_type_is_kept() -> None:
    assert reading({**EVENT, "type": "ticket.teleported"}).events[0].type == "ticket.teleported"


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"source": "other"}, "source"),
        ({"type": None}, "type"),
        ({"subject": 4711}, "subject"),
        ({"time": "2026-03-06T15:30:00"}, "time"),
        ({"time": "1772442000"}, "time"),
        ({"time": 1772442000}, "time"),
        ({"sequence": -1}, "sequence"),
        ({"sequence": True}, "sequence"),
        ({"sequence": 2**63}, "sequence"),
        ({"data": []}, "data"),
        ({"data": {"title": "half \ud800"}}, "data"),
        ({"data": {"more": "a\0b"}}, "data"),
        ({"data": {"status": "asleep"}}, "data.status"),
        ({"data": {"priority": 3}}, "data.priority"),
        ({"data": {"tags": "vip"}}, "data.tags"),
        ({"data": {"tags": [1]}}, "data.tags"),
        ({"type": "status.changed", "data": {}}, "data.status"),
        ({"type": "ticket.merged", "data": {"into": 5}}, "data.into"),
        ({"type": "event.withdrawn", "data": {}}, "data.id"),
        ({"type": "exclusion.granted", "data": {"from": "2026-03-06T15:30:00Z"}}, "data.to"),
        ({"type": "exclusion.granted", "data": {"from": "yesterday", "to": "today"}}, "data.from"),
    ],
)
def test_the_first_place_that_is_wrong_is_named(changed: dict[str, Any], place: str) -> None:
    body = {**EVENT, **changed}
    delivery = sent({})
    raw = json.dumps(body).encode()
    with pytest.raises(Unreadable) as caught:
        desk_of(ADAPTER).reading(type(delivery)(delivery.headers, raw, delivery.received_at))
    assert caught.value.place == place


def test_data_may_be_nested_as_deeply_as_in_a_push() -> None:
    deep: Any = "end"
    for _ in range(MOST_LEVELS - 1):
        deep = [deep]
    assert reading({**EVENT, "data": {"more": deep}}).events
    with pytest.raises(Unreadable, match="nested deeper"):
        reading({**EVENT, "data": {"more": [deep]}})


@pytest.mark.parametrize("levels", [100, 800, 950, 100_000])
def test_data_nested_without_end_is_unreadable(levels: int) -> None:
    raw = json.dumps({**EVENT, "data": {"more": "?"}}).replace('"?"', "[" * levels + "]" * levels)
    delivery = sent({})
    with pytest.raises(Unreadable):
        desk_of(ADAPTER).reading(type(delivery)(delivery.headers, raw.encode(), delivery.received_at))


def test_a_text_that_only_looks_like_nul_is_kept() -> None:
    assert reading({**EVENT, "data": {"title": "\\u0000"}}).events[0].data == {"title": "\\u0000"}


def test_binary_mode_is_refused_since_no_signature_covers_its_headers() -> None:
    with pytest.raises(Unreadable, match="binary mode"):
        desk_of(ADAPTER).reading(
            sent({"title": "Server unreachable"}, {"ce-id": "e1", "ce-specversion": "1.0"})
        )


def test_a_delivery_is_told_from_its_repetition_by_its_message_id() -> None:
    assert ADAPTER.delivery_id(sent(EVENT, {"webhook-id": "msg_1"})) == "msg_1"
