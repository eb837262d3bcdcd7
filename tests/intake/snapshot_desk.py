"""A desk of one ticket system in memory: deliveries go in, in any order; what is known of a ticket comes out.

It keeps what the store keeps, events by id and snapshots by place, and asks the code under test for everything else.
"""

import json
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.intake.adapter import Adapter
from app.intake.mapping.reading import Reading
from app.intake.mapping.snapshot import Snapshot, changes
from app.intake.mapping.source import Source
from app.intake.request import Delivery
from app.intake.source_file import parse_sources
from app.sla.agreement.file import parse_agreement
from app.sla.clock.evaluation import Evaluation, Version, evaluate
from app.sla.clock.view import ClockView
from app.sla.event import Event
from app.sla.span import SECOND, Micros, micros

SAMPLES = Path(__file__).parent / "samples"

_RUNS = {"kind": "guarantee", "calendar": "always", "pauses_while": ["pending", "on_hold"]}

AGREEMENT = parse_agreement(
    {
        "desk": "d",
        "time_zone": "Europe/Paris",
        "commitments": [
            _RUNS
            | {
                "id": "response",
                "label": "First response",
                "measure": "response",
                "starts_on": ["ticket.created"],
                "stops_on": ["agent.replied"],
                "target": {"by": "priority", "high": "10m", "else": "2h"},
            },
            _RUNS
            | {
                "id": "next",
                "label": "Next reply",
                "measure": "next_reply",
                "starts_on": ["customer.replied"],
                "stops_on": ["agent.replied"],
                "cycle": "next_reply",
                "target": "30m",
            },
            _RUNS
            | {
                "id": "gti",
                "label": "Intervention",
                "measure": "gti",
                "starts_on": ["ticket.created"],
                "stops_on": ["intervention.started"],
                "target": "2h",
            },
            _RUNS
            | {
                "id": "gtr",
                "label": "Restored",
                "measure": "gtr",
                "starts_on": ["ticket.created"],
                "stops_on": ["service.restored", "status:solved", "status:closed"],
                "on_reopen": "resume",
                "target": "4h",
            },
        ],
    },
    calendars={},
)
VERSIONS = [Version(1, AGREEMENT, 0)]


def instant_of(text: str) -> Micros:
    """An instant written with an offset."""
    return micros(datetime.fromisoformat(text))


AT = instant_of("2026-03-09T00:00:00+00:00")
"""After the whole story."""

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
    delivery: Delivery
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
        delivery = Delivery.of(kept["request"]["headers"], write(kept["body"]).encode(), received_at)
        found[name] = Sample(name, delivery, kept["meta"]["fixture_secret"], expected, kept["body"])
    return found


def sent(
    body: Any, headers: Mapping[str, str] | None = None, at: str = "2026-03-02T12:00:00+00:00"
) -> Delivery:
    """A delivery of this body."""
    return Delivery.of(headers or {}, compact(body).encode(), instant_of(at))


def source_of(adapter: Adapter, **said: Any) -> Source:
    """What a desk said about a system in its source file."""
    document = {"sources": {adapter.system: said}}
    return parse_sources(document, "d", {adapter.system: adapter})[adapter.system]


class Known(NamedTuple):
    """All that is known of a ticket, but the names under which its events are kept."""

    fields: Mapping[str, object]
    status: str
    created_at: Micros | None
    ended_by: tuple[str, Micros] | None
    clocks: tuple[ClockView, ...]
    flags: tuple[str, ...]


@dataclass
class Desk:
    """What is known so far. `told` and `warnings` gather what every delivery brought."""

    adapter: Adapter
    source: Source
    log: dict[str, Event] = field(default_factory=dict[str, Event])
    snapshots: dict[str, list[Snapshot]] = field(default_factory=dict[str, list[Snapshot]])

    def receive(self, delivery: Delivery) -> list[Event]:
        """Take a delivery; returns the events that were new. One id never stands for two contents."""
        reading = self.adapter.reading(delivery, self.source)
        recorded = [*reading.events, *(event for one in reading.snapshots for event in self._take(one))]
        new: list[Event] = []
        for event in recorded:
            known = self.log.setdefault(event.id, event)
            assert known == event, f"{event.id} said {known}, now {event}"
            if known is event and event not in new:
                new.append(event)
        return new

    def _take(self, snapshot: Snapshot) -> tuple[Event, ...]:
        known = self.snapshots.setdefault(snapshot.ticket, [])
        places = [one.place for one in known]
        index = bisect_left(places, snapshot.place)
        if index < len(known) and places[index] == snapshot.place:
            return ()
        before = known[index - 1] if index else None
        after = known[index] if index < len(known) else None
        insort(known, snapshot, key=lambda one: one.place)
        return changes(before, snapshot, after, self.source)

    def reading(self, delivery: Delivery) -> Reading:
        """What a delivery says, without taking it."""
        return self.adapter.reading(delivery, self.source)

    def known(self, ticket: str, at: Micros = AT) -> Known:
        """The ticket and its clocks at an instant."""
        evaluation = self.evaluation(ticket, at)
        end = evaluation.ticket.ended_by
        return Known(
            evaluation.ticket.fields,
            evaluation.ticket.status,
            evaluation.ticket.created_at,
            None if end is None else (end.type, end.at),
            tuple(clock._replace(cause=None) for clock in evaluation.clocks),
            evaluation.flags,
        )

    def evaluation(self, ticket: str, at: Micros = AT) -> Evaluation:
        """The judgement of the ticket at an instant."""
        return evaluate([e for e in self.log.values() if e.subject == ticket], VERSIONS, at)


def desk_of(adapter: Adapter, **said: Any) -> Desk:
    """A desk that has heard nothing yet."""
    return Desk(adapter, source_of(adapter, **said))


def after(desk: Desk, deliveries: Iterable[Delivery]) -> Desk:
    """The desk after these deliveries."""
    for delivery in deliveries:
        desk.receive(delivery)
    return desk


LEFT_OUT = {
    "previous": "what was before stands in the log",
    "reopened": "follows from a status that leaves solved or closed",
    "number": "the id alone names a ticket",
    "via": "a call is an event of its own",
    "kind": "a solution is an answer like any other",
    "by_rule": "the rule's own words stand in `reference`",
}
"""Data of the samples' `expect` that our vocabulary has no word for, and why none is needed."""


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
