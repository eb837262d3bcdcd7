"""Live events of the demonstration: a few a minute, pushed over HTTP as by any ticket system."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from threading import Event
from typing import Any, Final
from uuid import uuid4

import httpx2

_PAUSE: Final = (9.0, 22.0)
"""Seconds between two events: few enough to see one arrive, too many to push the rest off the page."""

_START_TIMEOUT: Final = 60.0
"""Seconds to wait for the service to start."""

_SCENES: Final[dict[str, tuple[tuple[dict[str, Any], tuple[tuple[str, dict[str, Any]], ...]], ...]]] = {
    "haisoft": (
        (
            {"title": "Ping to vps-5 fails", "customer": "Vélo Nantes", "service": "virtual"},
            (("agent.replied", {"author": "agent"}), ("status.changed", {"status": "solved"})),
        ),
        (
            {
                "title": "Alert: disk of srv-09",
                "author": "system",
                "channel": "monitoring",
                "service": "dedicated",
            },
            (
                ("anomaly.detected", {"reference": "disk srv-09"}),
                ("intervention.started", {"author": "bruno"}),
                ("service.restored", {"author": "bruno"}),
            ),
        ),
    ),
    "webxtra": (
        (
            {
                "title": "Mailbox vol",
                "customer": "Bakkerij Smit",
                "domain": "bakkerij-smit.nl",
                "plan": "basic",
            },
            (
                ("customer.replied", {"author": "customer", "text": "Nog nieuws?"}),
                ("agent.replied", {"author": "agent"}),
            ),
        ),
    ),
    "clamehost": (
        (
            {"title": "Sito lento", "customer": "Trattoria Rossi", "service": "web"},
            (("outage.started", {"service": "web"}), ("service.restored", {"author": "carla"})),
        ),
    ),
    "hvn": (
        (
            {"title": "Khiếu nại mới", "customer": "Nhà sách Minh", "kind": "claim"},
            (("claim.answered", {"claim": "1", "accepted": True}),),
        ),
    ),
    "phpnet": (
        (
            {
                "title": "Site en maintenance",
                "kind": "intervention",
                "category": "software",
                "level": "example-2",
            },
            (
                ("call.registered", {"author": "didier"}),
                ("intervention.started", {"author": "elodie"}),
                ("progress.reported", {"author": "agent"}),
                ("service.restored", {"author": "elodie"}),
            ),
        ),
    ),
}


@dataclass(slots=True)
class _OpenTicket:
    """An open ticket, and the events still to come."""

    desk: str
    ticket: str
    upcoming: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])


@dataclass(slots=True)
class Feed:
    """Waits until the service is up, calls `ready`, and pushes events until `stopped` is set."""

    base: str
    key: str
    ready: Callable[[], None]
    stopped: Event = field(default_factory=Event)
    quiet: bool = False

    def run(self) -> None:
        """Run until stopped. Call it in a thread of its own."""
        with httpx2.Client(base_url=self.base, headers={"Authorization": f"Bearer {self.key}"}) as client:
            if not self._wait_for(client):
                return
            self.ready()
            if not self.quiet:
                self._push(client)

    def _wait_for(self, client: httpx2.Client) -> bool:
        for _ in range(int(_START_TIMEOUT / 0.1)):
            if self.stopped.wait(0.1):
                return False
            try:
                if client.get("/healthz").is_success:
                    return True
            except httpx2.TransportError:
                continue
        return False

    def _push(self, client: httpx2.Client) -> None:
        random = Random()  # noqa: S311 - a story, not a secret
        for event in endless_events(random):
            if self.stopped.wait(random.uniform(*_PAUSE)):
                return
            try:
                client.post("/v1/events", json=event | {"time": datetime.now(UTC).isoformat()})
            except httpx2.TransportError:
                return  # the service is going down


def endless_events(random: Random) -> Iterator[dict[str, Any]]:
    """An endless sequence of events: new tickets, and the next events of those that are open."""
    open_tickets: list[_OpenTicket] = []
    count = 0
    while True:
        if not open_tickets or (len(open_tickets) < 6 and random.random() < 0.5):
            count += 1
            desk = random.choice(sorted(_SCENES))
            fields, upcoming = random.choice(_SCENES[desk])
            open_tickets.append(_OpenTicket(desk, f"{desk[0].upper()}-NEW-{count}", list(upcoming)))
            yield _event(open_tickets[-1], "ticket.created", fields)
            continue
        ticket = random.choice(open_tickets)
        yield _event(ticket, *ticket.upcoming.pop(0))
        if not ticket.upcoming:
            open_tickets.remove(ticket)


def _event(of: _OpenTicket, type_: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"live-{uuid4().hex}",
        "source": of.desk,
        "type": type_,
        "subject": of.ticket,
        "data": data,
    }
