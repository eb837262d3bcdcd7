"""A mail loop: waiting tickets of one customer with one subject, each of which may move all the others."""

from itertools import count
from typing import Any, Final

import httpx2

from tests.hostile.harness import Target
from tests.waiting import HANG

DESK: Final = "webxtra"
"""Its duplicates move each other."""

TICKETS: Final = 100
MOST_SIGNALS: Final = 10
"""Of one event more: its own clocks, and its place. Not one for each of its neighbours."""

_numbers = count()


def attack(target: Target) -> None:
    """Open many of them at once, then one more, and count the signals that it made."""
    headers = {"Authorization": target.key}
    with httpx2.Client(base_url=target.url, headers=headers, timeout=HANG) as client:
        answer = client.post("/v1/events", json=[_ticket(next(_numbers)) for _ in range(TICKETS)])
        assert answer.status_code == 200, answer.text
        last = _last(client)
        assert client.post("/v1/events", json=_ticket(next(_numbers))).status_code == 200
        assert _last(client) - last <= MOST_SIGNALS


def _last(client: httpx2.Client) -> int:
    """How many signals the stream has of the attacker's desk."""
    found, after = 0, 0
    while after is not None:
        page: Any = client.get("/v1/signals", params={"desk": DESK, "after": after, "limit": 1000}).json()
        found += len(page["signals"])
        after = page["next"] if page["signals"] else None
    return found


def _ticket(number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"loop-{number}",
        "source": DESK,
        "type": "ticket.created",
        "subject": f"loop-{number}",
        "time": "2026-03-06T15:30:00+01:00",
        "data": {"author": "customer", "title": "Undelivered mail", "customer": "loop@example.org"},
    }
