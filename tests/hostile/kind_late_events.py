"""A ticket of thousands of events that receives further ones from before its last ones: each rewrites its past."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import httpx2

from tests.hostile.harness import ATTACKER, Target
from tests.waiting import HANG

EVENTS: Final = 4_000
BATCH: Final = 500
LATE: Final = 20
_BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)

_late = count(1)


def attack(target: Target) -> None:
    """Push late events, one by one. Each is stored and answered."""
    for _ in range(LATE):
        number = next(_late)
        _push(target.url, target.key, [_reply(f"late-{number}", _BEGIN + timedelta(milliseconds=number))])


def prepare(target: Target) -> None:
    """Push the events of the ticket, in their order."""
    for first in range(0, EVENTS, BATCH):
        numbers = range(first, first + BATCH)
        _push(
            target.url,
            target.key,
            [_reply(str(n), _BEGIN + timedelta(seconds=n + 1), n % 2) for n in numbers],
        )


def _push(url: str, key: str, events: list[dict[str, Any]]) -> None:
    with httpx2.Client(base_url=url, headers={"Authorization": key}, timeout=HANG) as client:
        answer = client.post("/v1/events", json=events)
        assert answer.status_code == 200, answer.text


def _reply(name: str, at: datetime, who: int = 0) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"long-{name}",
        "source": ATTACKER,
        "type": f"{('agent', 'customer')[who]}.replied",
        "subject": "long",
        "time": at.isoformat(),
        "data": {},
    }
