"""A desk with one ticket system, on the real store: requests come in, in any order; what is known of a ticket comes out.

Requests are stored and interpreted in transactions as in production; only their signatures are left out. The database
is open for the whole session, and every desk has a name of its own in it.
"""

import itertools
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from app.flow.inbound.interpret import Interpreter
from app.flow.inbound.sources import Sources
from app.flow.query.tickets import ticket_answer
from app.intake.adapter import Adapter
from app.intake.adapters import ADAPTERS
from app.intake.mapping.episode import Mark, episode_events
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.intake.source_file import parse_sources
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo, Evaluation
from app.sla.clock.view import ClockView
from app.sla.event import Event
from app.sla.span import Micros
from app.store.contracts import catalogue
from app.store.contracts.catalogue import Documents
from app.store.engine.database import Connection, Database
from app.store.inbound import hooks, sources
from app.store.inbound.hooks import HookState, NewHook
from tests.intake.sample import instant_of
from tests.service import Service, WallClock

_RUNS = {"kind": "guarantee", "calendar": "always", "pauses_while": ["pending", "on_hold"]}

AGREEMENT: dict[str, Any] = {
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
}

AT = instant_of("2026-03-09T00:00:00+00:00")
"""After the whole story: the wall clock of every desk."""

_numbers = itertools.count(1)
_open: list[Service] = []


@contextmanager
def store_on(url: str) -> Generator[None]:
    """Desks live in this database as long as the context lasts."""
    clock = WallClock()
    clock.now = AT
    settings = Settings(database_url=url)
    with Database(settings, clock) as database:
        _open.append(Service(settings, database, clock))
        yield
        _open.pop()


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


class Outcome(NamedTuple):
    """What became of a request."""

    state: HookState
    reason: str | None
    warnings: tuple[str, ...]


@dataclass
class Desk:
    """A desk that `document`, a file of sources, describes; its rows are made when the first request comes."""

    adapter: Adapter
    document: Mapping[str, Any]
    source: Source
    agreement: Mapping[str, Any] = field(default_factory=lambda: AGREEMENT)
    _name: str = ""

    def reading(self, request: InboundRequest) -> Reading:
        """What the adapter reads in a request, without storing it."""
        return self.adapter.reading(request, self.source)

    def receive(self, *requests: InboundRequest) -> list[Event]:
        """Store and interpret requests in one transaction; returns the events that are new, in the order of the log.

        Raises Unreadable when one of them is; no event of the others may contradict a stored one.
        """
        read = [self.reading(request) for request in requests]
        before = len(self._events())
        for reading, outcome in zip(read, self.outcomes(*requests), strict=True):
            assert outcome == (
                HookState.IGNORED if reading.ignored else HookState.DONE,
                reading.ignored,
                reading.warnings,
            )
        return self._events()[before:]

    def outcomes(self, *requests: InboundRequest) -> list[Outcome]:
        """The same; returns what became of each request."""
        name, service = self._made(), _open[-1]
        interpreter = Interpreter(
            service.receiver, Sources({**ADAPTERS, self.adapter.system: self.adapter}), service.settings
        )

        def work(conn: Connection, now: Micros) -> list[Outcome]:
            added = [
                hook_id
                for request in requests
                for hook_id, _ in hooks.add(conn, [self._hook(name, request)], request.received_at)
            ]
            interpreter.interpret(conn, now, hooks.claim(conn, len(requests)))
            found = [hooks.find(conn, hook_id) for hook_id in added]
            return [Outcome(one.state, one.reason, one.warnings) for one in found if one is not None]

        return service.database.write_now(work)

    def _hook(self, name: str, request: InboundRequest) -> NewHook:
        number = f"hook-{next(_numbers)}"
        return NewHook(number, name, self.source.system, number, request.headers, request.body)

    def _made(self) -> str:
        if not self._name:
            self._name = f"d{next(_numbers)}"
            documents = Documents(agreement={**self.agreement, "desk": self._name}, calendars={})
            file = {**self.document, "desk": self._name}

            def work(conn: Connection, _: Micros) -> None:
                catalogue.put(conn, self._name, 1, documents, 0, AppliesTo.NEW)
                sources.put(conn, self._name, file, "", 0)

            _open[-1].database.write_now(work)
        return self._name

    def _events(self) -> list[Event]:
        query = "SELECT event_id, type, subject, at, data, sequence FROM event WHERE desk = ? ORDER BY seq"
        rows = _open[-1].database.read_now(lambda conn: conn.exec_driver_sql(query, (self._name,)).all())
        return [Event(row[0], row[1], row[2], row[3], orjson.loads(row[4]), row[5]) for row in rows]

    @property
    def log(self) -> dict[str, Event]:
        """Every event that is stored, by its id."""
        return {event.id: event for event in self._events()}

    @property
    def facts(self) -> list[tuple[str, str, Micros, dict[str, Any]]]:
        """What stands: type, ticket, instant and data of events that are not withdrawn."""
        log = self.log
        gone = {event.data["id"] for event in log.values() if event.type == "event.withdrawn"}
        standing = (e for e in log.values() if e.type != "event.withdrawn" and e.id not in gone)
        return sorted(
            ((str(e.type), e.subject, e.at, dict(e.data)) for e in standing),
            key=lambda fact: (fact[2], fact[1], fact[0], str(fact[3])),
        )

    def life(self, tickets: Iterable[str], instants: Iterable[Micros]) -> list[Known]:
        """What is known of each ticket at each instant; nothing of a ticket before its first event."""
        first: dict[str, Micros] = {}
        for event in self._events():
            first[event.subject] = min(event.at, first.get(event.subject, event.at))
        return [
            self.known(ticket, at)
            for ticket in tickets
            for at in instants
            if ticket in first and first[ticket] <= at
        ]

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
        """The ticket's evaluation at an instant. Raises NothingKnownYet."""
        service = _open[-1]
        answer = service.database.read_now(
            lambda conn: ticket_answer(conn, service.catalogue, self._made(), ticket, now=AT, at=at)
        )
        return answer.evaluation


def events_alone(reading: Reading, source: Source) -> list[Event]:
    """The events of a reading before which nothing was known."""
    series: dict[str, list[Mark]] = {}
    for mark in reading.marks:
        series.setdefault(mark.series, []).append(mark)
    of_marks = [found for marks in series.values() for _, found in episode_events(marks, source)]
    return [*reading.events, *(event for found in of_marks for event in found)]


def desk_of(adapter: Adapter, **said: Any) -> Desk:
    """A desk without a request so far; `said` is its file's table for the system."""
    return Desk(adapter, {"sources": {adapter.system: said}}, source_of(adapter, **said))


def after(desk: Desk, requests: Iterable[InboundRequest], batch: int = 1) -> Desk:
    """The desk after these requests, interpreted in transactions of so many."""
    every = list(requests)
    for start in range(0, len(every), batch):
        desk.receive(*every[start : start + batch])
    return desk
