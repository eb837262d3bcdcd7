"""In what a signal travels: CloudEvents around the signal, byte for byte."""

import orjson

from app.delivery.envelope import cloud_event

TOLD = orjson.dumps(
    {
        "id": "sig_1",
        "kind": "clock.breached",
        "desk": "haisoft",
        "ticket": "4711",
        "at": "2026-03-06T15:00:00Z",
        "clock": {"remaining_seconds": -1, "label": "Réponse"},
    }
)


def test_an_event_names_the_signal_the_desk_the_ticket_and_when_it_happened() -> None:
    event = orjson.loads(cloud_event(TOLD))
    assert event == {
        "specversion": "1.0",
        "id": "sig_1",
        "source": "urn:slatimer:desk:haisoft",
        "type": "slatimer.clock.breached",
        "subject": "4711",
        "time": "2026-03-06T15:00:00Z",
        "datacontenttype": "application/json",
        "data": orjson.loads(TOLD),
    }


def test_the_data_are_the_signal_as_it_was_told_byte_for_byte() -> None:
    odd = TOLD.replace(b":", b" : ")
    assert odd in cloud_event(odd)


def test_a_signal_about_no_ticket_makes_an_event_without_a_subject() -> None:
    recorded = orjson.dumps(orjson.loads(TOLD) | {"ticket": None})
    assert "subject" not in orjson.loads(cloud_event(recorded))


def test_a_desk_with_odd_characters_makes_a_source_that_is_a_uri() -> None:
    recorded = orjson.dumps(orjson.loads(TOLD) | {"desk": "häi soft/2"})
    assert orjson.loads(cloud_event(recorded))["source"] == "urn:slatimer:desk:h%C3%A4i%20soft%2F2"
