"""The CloudEvents envelope: its attributes, and the signal's bytes verbatim."""

from typing import Any

import orjson

from app.delivery.envelope import cloud_event

SIGNAL = orjson.dumps({"id": "sig_1", "clock": {"remaining_seconds": -1, "label": "Réponse"}})
ABOUT: dict[str, Any] = {
    "signal_id": "sig_1",
    "kind": "clock.breached",
    "desk": "haisoft",
    "subject": "4711",
    "time": "2026-03-06T15:00:00Z",
}


def test_an_event_names_the_signal_the_desk_the_ticket_and_when_it_happened() -> None:
    assert list(orjson.loads(cloud_event(SIGNAL, **ABOUT)).items()) == [
        ("specversion", "1.0"),
        ("id", "sig_1"),
        ("source", "urn:slatimer:desk:haisoft"),
        ("type", "slatimer.clock.breached"),
        ("time", "2026-03-06T15:00:00Z"),
        ("datacontenttype", "application/json"),
        ("subject", "4711"),
        ("data", orjson.loads(SIGNAL)),
    ]


def test_the_data_are_the_stored_bytes_verbatim_and_are_not_parsed() -> None:
    assert cloud_event(b'{ "odd" : 1.0 }', **ABOUT).endswith(b',"data":{ "odd" : 1.0 }}')
    assert b"not JSON" in cloud_event(b"not JSON", **ABOUT)


def test_a_signal_about_no_ticket_makes_an_event_without_a_subject() -> None:
    assert "subject" not in orjson.loads(cloud_event(SIGNAL, **ABOUT | dict[str, Any](subject="")))


def test_a_desk_with_odd_characters_makes_a_source_that_is_a_uri() -> None:
    event = orjson.loads(cloud_event(SIGNAL, **ABOUT | dict[str, Any](desk="häi soft/2")))
    assert event["source"] == "urn:slatimer:desk:h%C3%A4i%20soft%2F2"


def test_the_details_of_a_ticket_follow_the_signals_own_fields() -> None:
    details = {"title": 'Ünïcode "quoted"', "assignee": None}
    event = orjson.loads(cloud_event(b'{"kind":"clock.started"}', **ABOUT, details=details))
    assert event["data"] == {"kind": "clock.started"} | details
