"""What goes on while the demonstration runs? A few events a minute, pushed over HTTP like any ticket system's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from threading import Event
from typing import Any, Final
from uuid import uuid4

import httpx2

_PAUSE: Final = (9.0, 22.0)
"""Seconds between two events: enough to see one come, too few to hide the rest."""

_READY: Final = 60.0
"""Seconds that the service may take to start."""

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
class _Going:
    """A ticket that goes on, with what will still happen to it."""

    desk: str
    ticket: str
    ahead: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])


@dataclass(slots=True)
class Feed:
    """Waits for the service, says that it is there, and pushes events until it is told to stop."""

    base: str
    key: str
    ready: Callable[[], None]
    stopped: Event = field(default_factory=Event)
    quiet: bool = False

    def run(self) -> None:
        """Run in a thread of its own, to the end."""
        with httpx2.Client(base_url=self.base, headers={"Authorization": f"Bearer {self.key}"}) as client:
            if not self._wait_for(client):
                return
            self.ready()
            if not self.quiet:
                self._push(client)

    def _wait_for(self, client: httpx2.Client) -> bool:
        for _ in range(int(_READY / 0.1)):
            if self.stopped.wait(0.1):
                return False
            try:
                if client.get("/healthz").is_success:
                    return True
            except httpx2.TransportError:
                continue
        return False

    def _push(self, client: httpx2.Client) -> None:
        chance = Random()  # noqa: S311 - a story, not a secret
        for event in happenings(chance):
            if self.stopped.wait(chance.uniform(*_PAUSE)):
                return
            try:
                client.post("/v1/events", json=event | {"time": datetime.now(UTC).isoformat()})
            except httpx2.TransportError:
                return  # the service is going down


def happenings(chance: Random) -> Iterator[dict[str, Any]]:
    """Events without end: new tickets, and what becomes of those that were opened."""
    going: list[_Going] = []
    count = 0
    while True:
        if not going or (len(going) < 6 and chance.random() < 0.5):
            count += 1
            desk = chance.choice(sorted(_SCENES))
            fields, ahead = chance.choice(_SCENES[desk])
            going.append(_Going(desk, f"{desk[0].upper()}-NEW-{count}", list(ahead)))
            yield _event(going[-1], "ticket.created", fields)
            continue
        ticket = chance.choice(going)
        yield _event(ticket, *ticket.ahead.pop(0))
        if not ticket.ahead:
            going.remove(ticket)


def _event(of: _Going, type_: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"live-{uuid4().hex}",
        "source": of.desk,
        "type": type_,
        "subject": of.ticket,
        "data": data,
    }
