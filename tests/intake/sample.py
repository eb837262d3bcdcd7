"""Recorded requests of ticket systems, how each system writes them, and what they are said to mean."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.intake.adapter import Adapter
from app.intake.request import InboundRequest
from app.sla.event import Event
from app.sla.span import SECOND, Micros, micros

SAMPLES = Path(__file__).parent / "samples"


def instant_of(text: str) -> Micros:
    """An instant written with an offset."""
    return micros(datetime.fromisoformat(text))


Write = Callable[[Any], str]


def compact(body: Any) -> str:
    """JSON without spaces, as most systems write it."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def pretty_php(body: Any) -> str:
    """JSON as PHP prints it prettily: four spaces, escaped slashes and letters."""
    return json.dumps(body, indent=4).replace("/", "\\/")


@dataclass(frozen=True)
class Sample:
    """One composed delivery: as it is sent, the secret that signed it, and what it is said to mean."""

    name: str
    delivery: InboundRequest
    secret: str
    expect: list[dict[str, Any]]
    body: Any


def samples(system: str, write: Write = compact, order: Iterable[str] = ()) -> dict[str, Sample]:
    """The composed deliveries of a system by name, in the given order, else in that of their names."""
    found: dict[str, Sample] = {}
    names = list(order) or sorted(path.stem for path in (SAMPLES / system).glob("*.json"))
    for place, name in enumerate(names):
        kept = json.loads((SAMPLES / system / f"{name}.json").read_text())
        expected = kept["expect"]
        last = expected[-1]["time"] if expected else "2026-03-02T09:00:00Z"
        received_at = instant_of(last) + (place + 1) * SECOND
        request, query = kept["request"], kept["request"].get("query", "")
        delivery = InboundRequest.of(request["headers"], write(kept["body"]).encode(), received_at, query)
        found[name] = Sample(name, delivery, kept["meta"]["fixture_secret"], expected, kept["body"])
    return found


def sent(
    body: Any, headers: Mapping[str, str] | None = None, at: str = "2026-03-02T12:00:00+00:00"
) -> InboundRequest:
    """A delivery of this body."""
    return InboundRequest.of(headers or {}, compact(body).encode(), instant_of(at))


LEFT_OUT = {
    "previous": "what was before stands in the log",
    "reopened": "follows from a status that leaves solved or closed",
    "number": "the id alone names a ticket",
    "via": "a call is an event of its own",
    "kind": "a solution is an answer like any other",
    "by_rule": "the rule's own words stand in `reference`",
}
"""Data of the samples' `expect` that our vocabulary has no word for, and why none is needed."""


INFORMAL = frozenset({"previous", "reopened", "public", "added", "removed", "by_rule"})
"""Data of `expect` that is for readers: what was before, or what the type of the event says."""


def assert_changes(
    events: Sequence[Event],
    sample: Sample,
    otherwise: Mapping[str, Mapping[str, Any]],
    informal: frozenset[str] = INFORMAL,
) -> None:
    """Check events that systems date by the change against what a sample is said to mean.

    `otherwise`: by sample, the data that are read in another way than the sample says.
    """
    assert [event.type for event in events] == [expected["type"] for expected in sample.expect]
    for event, expected in zip(events, sample.expect, strict=True):
        assert event.subject == expected["subject"]
        # Systems date a change more exactly than the sample does.
        assert event.at // SECOND == instant_of(expected["time"]) // SECOND
        data = {name: value for name, value in expected.get("data", {}).items() if name not in informal}
        if event.type.startswith("ticket."):
            data |= otherwise.get(sample.name, {})
        assert data.items() <= event.data.items()


class Otherwise(NamedTuple):
    """Where our reading differs from what a sample is said to mean: why, what is not told, what is told besides."""

    why: str
    without: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


PENDING_AGAIN = Otherwise(
    "a snapshot that says pending always states it, since a message unknown to us could have ended it",
    besides=("status.changed",),
)

Said = list[tuple[str, str, Micros]]


def meant(sample: Sample, otherwise: Otherwise | None) -> Said:
    """What a sample means: kind, ticket and instant of each event."""
    last = max((instant_of(e["time"]) for e in sample.expect), default=0)
    kinds = [(e["type"], e["subject"], instant_of(e["time"])) for e in sample.expect]
    if otherwise is not None:
        kinds = [one for one in kinds if one[0] not in otherwise.without]
        subject = sample.expect[0]["subject"]
        kinds += [(kind, subject, last) for kind in otherwise.besides]
    return sorted(kinds)


def recorded(events: Iterable[Event]) -> Said:
    """What events say: kind, ticket and instant of each."""
    return sorted((str(event.type), event.subject, event.at) for event in events)


def holds(sample: Sample, adapter: Adapter, events: Iterable[Event]) -> bool:
    """Whether the events carry the data that the sample expects of those kinds, in our words."""
    by_kind = {str(event.type): event.data for event in events}
    for expected in sample.expect:
        wanted = {k: v for k, v in expected.get("data", {}).items() if k not in LEFT_OUT}
        if "priority" in wanted:
            wanted["priority"] = adapter.priorities[str(wanted["priority"])]
        data = by_kind.get(expected["type"])
        if data is not None and any(data.get(key) != value for key, value in wanted.items()):
            return False
    return True
