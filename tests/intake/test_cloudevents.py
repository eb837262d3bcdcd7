"""Our own format in a signed webhook: the same events as a push, and which of them cannot be read."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.cloudevents import (
    MAX_DEPTH,
    Faulty,
    Limits,
    NotJson,
    parse,
    parse_values,
)
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.intake.systems.cloudevents import ADAPTER
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
    "body", [b"", b"{", b'{"a": tru}', b"[1,]", b"[{}]]", b'{"a":"\n"}', b"[" * 5_000, b"[1 2]"]
)
def test_a_body_that_is_no_json_is_unreadable_with_its_place(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"The body is no JSON: .* at line \d+, column \d+"):
        raw(body)
    with pytest.raises(NotJson):
        parse(body)


def test_a_text_that_only_looks_like_nul_is_kept() -> None:
    assert reading({**EVENT, "data": {"title": "\\u0000"}}).events[0].data == {"title": "\\u0000"}


BINARY = {
    "Content-Type": "application/json",
    "Ce-Specversion": "1.0",
    "Ce-Id": "e1",
    "Ce-Source": "d",
    "Ce-Type": "ticket.created",
    "Ce-Subject": "4711",
    "Ce-Time": "2026-03-06T15:30:00+01:00",
}


def binary(headers: dict[str, str], body: bytes, **said: Any) -> Reading:
    return desk_of(ADAPTER, **said).reading(InboundRequest.of(headers, body, 0))


def test_binary_mode_is_the_same_event() -> None:
    (event,) = binary(BINARY, json.dumps(EVENT["data"]).encode()).events
    assert event == reading(EVENT).events[0]


def test_a_desk_may_refuse_binary_mode_since_no_signature_covers_its_headers() -> None:
    with pytest.raises(Unreadable, match="binary mode"):
        binary(BINARY, b"{}", binary_mode=False)


def test_headers_are_percent_decoded_quoted_or_plain() -> None:
    names = {
        "Ce-Subject": '"a \\"b\\""',
        "Ce-Note": "caf%C3%A9%20%22x%22",
        "Ce-Plain": "café".encode().decode("latin-1"),
    }
    (event,) = binary({**BINARY, **names}, b"").events
    assert (event.subject, event.attributes) == ('a "b"', {"note": 'café "x"', "plain": "café"})


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"Ce-Subject": "%FF"}, b"{}", "/subject: is not UTF-8"),
        ({"Content-Type": "text/plain"}, b"hello", "/datacontenttype: the body must be JSON"),
        ({"Ce-Time": "soon"}, b"{}", "/time: is not an instant"),
        ({"Ce-Data": "{}"}, b"{}", "/data: is no attribute"),
        ({}, b"[1]", "/data: must be an object"),
        ({}, b'{"title": "half \\ud83d"}', "/data/title: holds half of a surrogate pair"),
        ({}, b"{", "The body is no JSON"),
        ({}, b'{"title": 5}', "/data/title"),
    ],
)
def test_what_is_wrong_in_binary_mode_is_named(headers: dict[str, str], body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{re.escape(reason)}"):
        binary({**BINARY, **headers}, body)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "text/json", "application/vnd.x+json", ""]
)
def test_any_content_type_of_json_is_data(content_type: str) -> None:
    assert binary({**BINARY, "Content-Type": content_type}, b'{"title": "T"}').events[0].data == {
        "title": "T"
    }


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json", "application/cloudevents-batch+json"]
)
def test_a_content_type_of_cloudevents_decides_whatever_the_headers_say(content_type: str) -> None:
    body = json.dumps(
        [{**EVENT, "id": "inner"}] if "batch" in content_type else {**EVENT, "id": "inner"}
    ).encode()
    (event,) = binary({**BINARY, "Content-Type": content_type}, body).events
    assert event.id == "inner"


def encoded(data: bytes, **more: Any) -> dict[str, Any]:
    event = {key: value for key, value in EVENT.items() if key != "data"}
    return {**event, "data_base64": b64encode(data).decode(), **more}


def test_data_may_be_in_base64() -> None:
    (event,) = reading(encoded(json.dumps(EVENT["data"]).encode())).events
    assert event == reading(EVENT).events[0]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({**EVENT, "data_base64": "e30="}, "/data_base64: stands beside data"),
        (encoded(b"{}", data_base64="e30"), "/data_base64: is not base64"),
        (encoded(b"hello"), "/data_base64: is not JSON"),
        (encoded(b"[]"), "/data_base64: must be an object in JSON"),
        (encoded(b'{"title": "\\ud83d"}'), "/data_base64: in its JSON, /title: holds half"),
        (encoded(b"{}", datacontenttype="image/png"), "/datacontenttype: must be JSON"),
        (encoded(b"{}", data_base64=5), "/data_base64: "),
    ],
)
def test_what_is_wrong_with_encoded_data_is_named(event: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable, match=f"^{re.escape(reason)}"):
        reading(event)


def test_extensions_are_kept_and_null_is_absence() -> None:
    (event,) = reading({**EVENT, "traceparent": "00-1", "retries": 2, "nothing": None}).events
    assert event.attributes == {"traceparent": "00-1", "retries": 2}
    assert reading({**EVENT, "datacontenttype": "application/json"}).events[0].attributes is None


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"note": "a\0b"}, "/note"),
        ({"note": "x" * 64_001}, "/note"),
        ({"a\nb": 1}, "the event"),
        ({f"x{n}": n for n in range(51)}, "the event"),
        ({"note": 1e30}, "/note"),
    ],
)
def test_extensions_that_cannot_be_stored_are_named(more: dict[str, Any], place: str) -> None:
    with pytest.raises(Unreadable, match=f"^{place}: "):
        reading({**EVENT, **more})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A1", "A1"),
        ("007", 7),
        ("49540113483", 49540113483),
        ("9" * 56, "9" * 56),
        ("-3", "-3"),
        ("1.5", "1.5"),
    ],
)
def test_a_sequence_is_a_number_or_a_text(written: str, read: int | str) -> None:
    assert reading({**EVENT, "sequence": written}).events[0].sequence == read


@pytest.mark.parametrize("sequence", ["", "a\nb", "x" * 256, True, 1.5, -1, None, [1]])
def test_a_sequence_that_is_neither_is_refused(sequence: Any) -> None:
    with pytest.raises(Unreadable, match=r"^/sequence: must be a whole number from 0"):
        reading({**EVENT, "sequence": sequence})


SPOILT: list[tuple[str, bytes, str]] = [
    ("half of an emoji", b'"Down \\ud83d"', "/data/title: holds half of a surrogate pair"),
    ("the other half", b'"\\ude00"', "/data/title: holds half of a surrogate pair"),
    ("a byte that is not UTF-8", b'"\xff"', "/data/title: is not UTF-8"),
    ("NaN", b"NaN", "/data/title: is NaN"),
    ("minus infinity", b"-Infinity", "/data/title: is a number beyond 64 bits"),
    ("a number beyond a double", b"1e400", "/data/title: is a number beyond 64 bits"),
    ("a number of thousands of digits", b"9" * 5_000, "/data/title: "),
    ("a half name", b'{"\\ud800": 1}', "/data/title: has a name that holds half"),
    ("nesting without end", b"[" * 3_000 + b"]" * 3_000, "the event: is nested deeper than 16 levels"),
    ("nesting of a thousand", b"[" * 700 + b'"\\ud800"' + b"]" * 700, "/data/title/0/0"),
    ("a NUL", b'"\\u0000"', "/data/title: holds a NUL"),
]


@pytest.mark.parametrize(("value", "reason"), [c[1:] for c in SPOILT], ids=[c[0] for c in SPOILT])
def test_a_value_that_cannot_be_stored_costs_its_own_event_only(value: bytes, reason: str) -> None:
    whole, placeholder = json.dumps({**EVENT, "data": {"title": "?"}}).encode(), b'"?"'
    good = [whole.replace(b'"e1"', b'"g%d"' % n) for n in range(3)]
    body = b" [ " + b" ,\n".join([good[0], whole.replace(placeholder, value), *good[1:]]) + b"\n] "
    found = raw(body)
    assert [event.id for event in found.events] == ["g0", "g1", "g2"]
    (warning,) = found.warnings
    assert warning.startswith(f"event 1: {reason}")
    with pytest.raises(Unreadable, match=f"^{re.escape(reason)}"):
        raw(whole.replace(placeholder, value))


def test_a_number_beyond_64_bits_is_refused_and_not_rounded() -> None:
    with pytest.raises(Unreadable, match=r"^/data/order: is a number beyond 64 bits. Send it as a text"):
        raw(json.dumps({**EVENT, "data": {"order": 10**30}}).encode())
    assert raw(json.dumps({**EVENT, "data": {"order": 2**64 - 1}}).encode()).events


@settings(max_examples=50)
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_the_second_parser_reads_what_the_first_one_does(value: Any) -> None:
    body = json.dumps([value, "\ud800"]).encode()
    first, half = cast("list[Any]", parse_values(body, most=2))
    assert isinstance(half, Faulty)
    try:
        expected = parse(json.dumps(value))
    except NotJson:
        assert isinstance(first, Faulty)
    else:
        assert first == expected


def test_a_fault_among_more_entries_than_a_request_may_hold_refuses_it_whole() -> None:
    with pytest.raises(NotJson):
        parse_values(b"[" + b"1," * 1_000 + b"NaN]", most=1_000)
    assert len(cast("list[Any]", parse_values(b"[" + b"1," * 999 + b"NaN]", most=1_000))) == 1_000


def test_a_fault_deep_in_a_huge_entry_is_refused_without_its_place() -> None:
    (found,) = cast("list[Any]", parse_values(b"[[" + b"1," * 200_000 + b"NaN]]", most=1))
    assert isinstance(found, Faulty)
    assert found.reason.startswith("the event: cannot be read")


@pytest.mark.parametrize("tail", [b'"' + b'\\"' * 200_000, b'"' * 200_001, b"[{" * 200_000])
def test_an_endless_text_in_endless_nesting_is_no_json(tail: bytes) -> None:
    with pytest.raises(NotJson):
        parse_values(b"[" * 3_000 + tail, most=1_000)
