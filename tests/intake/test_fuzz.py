"""Bodies as no system would send them: every adapter reads, refuses to read or ignores, and never breaks.

Each adapter gets composed deliveries with values replaced, removed and nested at random places, and with bytes changed.
SLATIMER_FUZZ_EXAMPLES sets how many for each; 20,000 take some minutes.
"""

import copy
import json
import os
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.intake.adapter import Adapter
from app.intake.adapters import ADAPTERS, adapter_of
from app.intake.cloudevents import Readable, read_event
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.mapping.snapshot import Snapshot, changes
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.intake.source_file import EXPRESSION, parse_sources
from app.sla.event import KNOWN_TYPES, Event
from tests.intake.desk import events_alone

EXAMPLES = int(os.environ.get("SLATIMER_FUZZ_EXAMPLES", "100"))
SAMPLES = Path(__file__).parent / "samples"
SOURCE_FILES = Path(__file__).parent.parent.parent / "sources" / "examples"
NOW = 1_772_442_000_000_000
DESK = "d"

RULES: list[dict[str, Any]] = [
    {"when": {"tag": "checkout"}, "then": ["intervention.started", "progress.reported"]},
    {"when": {"note": ""}, "then": "service.restored"},
    {"when": {"field": "status"}, "then": "call.registered"},
]
SAMPLES_OF = {
    "zendesk-trigger": "zendesk_trigger",
    "uptime-kuma": "uptime_kuma",
    "cloudevents": "cloudevents",
}
"""Where an adapter's samples lie in a folder of another name."""

OWN_FORMAT = [
    {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": DESK,
        "type": kind,
        "subject": "4711",
        "time": "2026-03-06T15:30:00+01:00",
        "data": {"status": "open", "tags": ["vip"], "into": "1", "id": "e0", "from": "2026-03-06T15:30:00Z"},
    }
    for number, kind in enumerate(sorted(KNOWN_TYPES))
]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [[], {}, [[]], [None], {"": {}}, "\0", "\ud800", 10**30, -1, 1e308, "x" * 20_000, "<b>&"]
    ),
    st.sampled_from(
        ["{ticket_action:created}", "{status:{from:2,to:6}}", "2026-03-02T09:00:00Z", "0000-00-00", "1e9"]
    ),
    st.lists(st.integers() | st.text(max_size=5), max_size=3),
    st.dictionaries(
        st.sampled_from(["id", "name", "items", "status", "type"]), st.integers() | st.text(max_size=5)
    ),
)
PICKS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(["put", "drop", "wrap", "double"]), JUNK), max_size=4
)
BYTES = st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), max_size=3)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within a value and each of its keys."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in list(entries):
        yield value, key
        yield from _places(inner)


def _mutated(body: Any, picks: list[tuple[int, str, Any]]) -> Any:
    body = copy.deepcopy(body)
    # Values out of a fixed few are shared between examples, and what is put in may be changed by the next pick.
    for number, how, value in picks:
        junk = copy.deepcopy(value)
        places = list(_places(body))
        if not places:
            return junk
        holder, key = places[number % len(places)]
        match how:
            case "put":
                holder[key] = junk
            case "wrap":
                holder[key] = [holder[key], junk]
            case "double":
                holder[key] = {"id": holder[key], "name": copy.deepcopy(holder[key])}
            case _:
                del holder[key]
    return body


def _bodies(folder: str) -> list[tuple[dict[str, str], Any]]:
    """The composed deliveries of a system: headers and body."""
    if folder == "cloudevents":
        return [({"webhook-id": "m1"}, body) for body in [*OWN_FORMAT, OWN_FORMAT]]
    found = [json.loads(path.read_text()) for path in sorted((SAMPLES / folder).glob("*.json"))]
    return [(kept["request"]["headers"], kept["body"]) for kept in found]


def _sources() -> Iterator[tuple[str, str, Adapter, Source]]:
    """Every adapter with a desk's source, and every example of a system that is read by expressions."""
    for name, adapter in ADAPTERS.items():
        if name != EXPRESSION:
            source = parse_sources({"sources": {name: {"rules": RULES[::2]}}}, DESK, ADAPTERS)[name]
            yield name, SAMPLES_OF.get(name, name), adapter, source
    for path in sorted(SOURCE_FILES.glob("*.toml")):
        document = tomllib.loads(path.read_text())
        for name, source in parse_sources(document, str(document.get("desk", DESK)), ADAPTERS).items():
            yield f"{path.stem}/{name}", path.stem, adapter_of(source), source


CASES = {name: (folder, adapter, source) for name, folder, adapter, source in _sources()}


def _check(reading: Reading, source: Source) -> str:
    """What a reading says, in a word. It holds nothing that could not be stored."""
    recorded = events_alone(reading, source)
    for mark in reading.marks:
        assert json.dumps(dict(mark.state)).encode()
    for snapshot in reading.snapshots:
        assert json.dumps(dict(snapshot.state)).encode()
        recorded += changes(None, snapshot, source)
        if snapshot.reported is not None:
            # Beside events the first snapshot reports nothing; the next one what differs.
            before = Snapshot.beside_events(snapshot.system, snapshot.ticket, snapshot.at, {})
            recorded += changes(before, snapshot, source)
    for event in recorded:
        _check_event(event, source)
    # An end of what nothing is known of is a mark without an event.
    reported = recorded or reading.snapshots or reading.marks
    return "told" if reported else "; ".join(reading.warnings) or reading.ignored or ""


def _check_event(event: Event, source: Source) -> None:
    data = dict(event.data)
    if event.type == "ticket.merged":
        # A push must say into what; some systems do not know it, and the ticket ends all the same.
        data["into"] = data.get("into") or "unknown"
    envelope = {
        "specversion": "1.0",
        "id": event.id,
        "source": source.desk,
        "type": str(event.type),
        "subject": event.subject,
        "time": _iso(event.at),
        "sequence": event.sequence,
        "data": data,
    }
    # What a push of events would refuse must not come in by another door. Long texts are cut where they are stored.
    found = read_event(json.loads(json.dumps(envelope, ensure_ascii=False)), max_text=100_000)
    assert isinstance(found, Readable), (found, event)
    json.dumps(envelope, ensure_ascii=False).encode()


def _iso(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()


def _tried(adapter: Adapter, source: Source, delivery: InboundRequest) -> str:
    """How a delivery ends: the reason why it is not read, or in a word what was read. Any other error is a defect."""
    try:
        adapter.idempotency_key(delivery)
        reading = adapter.reading(delivery, source)
    except Unreadable as refused:
        return refused.reason
    return _check(reading, source)


def _fuzz(test: Callable[..., None]) -> Callable[..., None]:
    return settings(
        max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )(test)


@pytest.mark.parametrize("case", CASES)
def test_no_body_breaks_an_adapter(case: str) -> None:
    folder, adapter, source = CASES[case]
    kept = _bodies(folder)
    assert kept, folder

    @_fuzz
    @given(st.sampled_from(kept), PICKS, BYTES)
    def mutated(sample: tuple[dict[str, str], Any], picks: list[Any], spots: list[tuple[int, int]]) -> None:
        headers, body = sample
        raw = bytearray(json.dumps(_mutated(body, picks)).encode())
        for place, byte in spots:
            raw[place % len(raw)] = byte
        assert _tried(adapter, source, InboundRequest.of(headers, bytes(raw), NOW))

    mutated()


@pytest.mark.parametrize("case", CASES)
@given(body=JUNK | st.dictionaries(st.text(max_size=5), JUNK))
def test_no_junk_breaks_an_adapter(case: str, body: Any) -> None:
    _, adapter, source = CASES[case]
    assert _tried(adapter, source, InboundRequest.of({}, json.dumps(body).encode(), NOW))
