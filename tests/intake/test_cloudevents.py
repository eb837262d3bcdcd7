"""Our own format in a signed webhook: the same events as a push, and which of them cannot be read."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.intake.cloudevents import MAX_DEPTH, Limits, NotJson, Readable, check, parse, read_event
from app.intake.event_data import DATA_OF
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.systems.cloudevents import ADAPTER
from app.sla.event import Event, EventType
from tests.intake.desk import desk_of
from tests.intake.sample import instant_of, sent

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "d",
    "type": "ticket.created",
    "subject": "4711",
    "time": "2026-03-06T15:30:00+01:00",
    "data": {"title": "Server unreachable", "tags": ["vip"], "assignee": None},
}


def reading(body: Any, limits: Limits | None = None) -> Reading:
    return desk_of(ADAPTER).reading(replace(sent(body), limits=limits or Limits()))


def raw(body: bytes) -> Reading:
    return desk_of(ADAPTER).reading(replace(sent({}), body=body))


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
    assert found.warnings == ("event 1: /time: is not an instant. Write it as 2026-03-06T15:30:00+01:00",)


def test_an_array_of_nothing_but_faulty_events_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="none of its events"):
        reading([{}, 3, None])


def test_an_array_may_hold_as_many_events_as_the_limit_says() -> None:
    assert len(reading([EVENT] * 3, Limits(max_events=3)).events) == 3
    with pytest.raises(Unreadable, match="An array of 4 is longer than 3"):
        reading([EVENT] * 4, Limits(max_events=3))


def test_an_unknown_type_is_kept() -> None:
    assert reading({**EVENT, "type": "ticket.teleported"}).events[0].type == "ticket.teleported"


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": ""}, "/id"),
        ({"source": "other"}, "/source"),
        ({"type": None}, "/type"),
        ({"subject": 4711}, "/subject"),
        ({"time": "1772442000"}, "/time"),
        ({"sequence": 2**63}, "/sequence"),
        ({"data": []}, "/data"),
        ({"data": {"priority": 3}}, "/data/priority"),
        ({"type": "ticket.merged", "data": {"into": 5}}, "/data/into"),
        ({"type": "exclusion.granted", "data": {"from": "yesterday", "to": "today"}}, "/data/from"),
    ],
)
def test_the_places_that_are_wrong_are_named(changed: dict[str, Any], place: str) -> None:
    with pytest.raises(Unreadable) as caught:
        reading({**EVENT, **changed})
    assert caught.value.reason.startswith(f"{place}: ")


def test_data_may_be_nested_as_deeply_as_in_a_push() -> None:
    deep: Any = "end"
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert reading({**EVENT, "data": {"more": deep}}).events
    with pytest.raises(Unreadable, match="nested deeper"):
        reading({**EVENT, "data": {"more": [deep]}})


@pytest.mark.parametrize("levels", [100, 800, 950, 100_000])
def test_data_nested_without_end_is_unreadable(levels: int) -> None:
    body = json.dumps({**EVENT, "data": {"more": "?"}}).replace('"?"', "[" * levels + "]" * levels)
    with pytest.raises(Unreadable):
        raw(body.encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": NaN}', b'"\xff"', b'{"id": "half \\ud800"}', b'{"a":"\n"}']
)
def test_a_body_that_is_no_json_is_unreadable_with_its_place(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"The body is no JSON: .* at line \d+, column \d+"):
        raw(body)
    with pytest.raises(NotJson):
        parse(body)


def test_a_text_that_only_looks_like_nul_is_kept() -> None:
    assert reading({**EVENT, "data": {"title": "\\u0000"}}).events[0].data == {"title": "\\u0000"}


def test_binary_mode_is_refused_since_no_signature_covers_its_headers() -> None:
    with pytest.raises(Unreadable, match="binary mode"):
        desk_of(ADAPTER).reading(
            sent({"title": "Server unreachable"}, {"ce-id": "e1", "ce-specversion": "1.0"})
        )


def test_a_webhook_is_known_from_its_repetition_by_its_message_id() -> None:
    assert ADAPTER.idempotency_key(sent(EVENT, {"webhook-id": "msg_1"})) == "msg_1"


def test_every_known_type_has_a_model_of_its_data() -> None:
    assert set(DATA_OF) == set(EventType)


def test_an_event_that_was_made_here_passes_the_checks_of_one_that_is_read() -> None:
    read = read_event(EVENT, max_text=100)
    assert isinstance(read, Readable)
    assert check(read.event, max_text=100) is None


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (Event("", "note.added", "T", 0), "/id"),
        (Event("e", "note.added", "x" * 256, 0), "/subject"),
        (Event("e", "note.added", "T", 0, sequence=-1), "/sequence"),
        (Event("e", "agent.replied", "T", 0, {"automatic": "false"}), "/data/automatic"),
        (Event("e", "agent.replied", "T", 0, {"more": "half \ud800"}), "/data/more"),
        (Event("e", "coffee.spilled", "T", 0, {"more": ["x" * 101]}), "/data/more/0"),
    ],
)
def test_an_event_that_was_made_here_is_refused_with_its_place(event: Event, place: str) -> None:
    faulty = check(event, max_text=100)
    assert faulty is not None
    assert (faulty.place, faulty.reason.startswith(f"{place}: ")) == (place, True)
