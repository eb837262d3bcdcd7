"""A desk that makes itself large: subscriptions, commitments and warnings without end. Most of it is refused."""

from typing import Final

import httpx2

from tests.hostile.harness import Target
from tests.waiting import HANG

SUBSCRIPTIONS: Final = 130
COMMITMENTS: Final = 500
WARNINGS: Final = 99


def attack(target: Target) -> None:
    """Subscribe more often than a desk may, put an agreement of 500 commitments into force, and open tickets."""
    headers = {"Authorization": target.key}
    with httpx2.Client(base_url=target.url, headers=headers, timeout=HANG) as client:
        answers = [_subscribe(client) for _ in range(SUBSCRIPTIONS)]
        assert set(answers) <= {201, 403, 409}
        assert answers[-1] != 201
        assert client.put("/v1/agreements/hvn", json=agreement()).status_code in {403, 422}
        client.post("/v1/events", json=[_ticket(n) for n in range(20)])


def _subscribe(client: httpx2.Client) -> int:
    kinds = ["clock.started", "clock.breached"]
    wanted = {"desk": "hvn", "channel": "webhook", "url": "https://example.org/", "kinds": kinds}
    return client.post("/v1/subscriptions", json=wanted).status_code


def agreement() -> dict[str, object]:
    """An agreement of so many commitments with so many warnings."""
    warnings = [f"{n + 1}%" for n in range(WARNINGS)]
    written = {"kind": "objective", "target": "2h", "calendar": "always", "warn_at": warnings}
    facts = {"starts_on": ["ticket.created"], "stops_on": ["agent.replied"]}
    return {"desk": "hvn", "commitments": [{"id": f"c{n}"} | written | facts for n in range(COMMITMENTS)]}


def _ticket(number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"size-{number}",
        "source": "hvn",
        "type": "ticket.created",
        "subject": f"size-{number}",
        "time": "2026-03-06T15:30:00+01:00",
        "data": {"title": "Down", "customer": f"customer {number}"},
    }
