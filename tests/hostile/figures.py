"""What large things cost another push, through the network: a long ticket, many duplicates, a large agreement, sockets.

Those of a push are the service's processor time, the mean of several, with the aim in brackets. Part of `make hostile`.
The events of the long ticket come in their order; one from before them costs the evaluation of all.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.hostile import kind_one_desks_size
from tests.hostile.harness import Target, memory_of
from tests.hostile.sockets import connected
from tests.waiting import HANG

EVENTS: Final = 20_000
DUPLICATES: Final = 10_000
SOCKETS: Final = 1_000
PUSHES: Final = 15
BATCH: Final = 500
DESK: Final = "webxtra"
"""Its duplicates move each other."""

Figure = tuple[str, bool]
"""A sentence with a measured figure, and whether it is within its aim."""


def measured(target: Target) -> Iterator[Figure]:
    """All of them, one after the other."""
    with httpx2.Client(base_url=target.url, headers={"Authorization": target.key}, timeout=HANG) as client:
        yield _long_ticket(client, target)
        yield _duplicates(client, target)
        yield _large_agreement(client)
        yield _idle_sockets(target)


def _long_ticket(client: httpx2.Client, target: Target) -> Figure:
    _push(client, _event("long", "created", "ticket.created"))
    numbers = count()
    for _ in range(EVENTS // BATCH):
        _push(client, *(_reply(next(numbers)) for _ in range(BATCH)))
    before = memory_of(target.pid)
    taken = _each(target, lambda: _push(client, _reply(next(numbers))))
    growth = (memory_of(target.pid) - before) / 1e6
    text = f"a ticket of {EVENTS} events: a push {taken * 1e3:.1f} ms (50), memory +{growth:.1f} MB (20)"
    return text, taken < 0.05 and growth < 20


def _duplicates(client: httpx2.Client, target: Target) -> Figure:
    numbers = count()

    def one() -> dict[str, Any]:
        name = f"same-{next(numbers)}"
        return _event(
            name, f"{name}-created", "ticket.created", title="Mail is down", customer="one@example.org"
        )

    for _ in range(DUPLICATES // BATCH):
        _push(client, *(one() for _ in range(BATCH)))
    taken = _each(target, lambda: _push(client, one()))
    return f"a group of {DUPLICATES} duplicates: a push {taken * 1e3:.1f} ms (20)", taken < 0.02


def _large_agreement(client: httpx2.Client) -> Figure:
    began = time.perf_counter()
    status = client.put("/v1/agreements/hvn", json=kind_one_desks_size.agreement()).status_code
    taken = time.perf_counter() - began
    return f"500 commitments x 99 warnings: {status} in {taken * 1e3:.0f} ms (refused)", status == 422


def _idle_sockets(target: Target) -> Figure:
    with ExitStack() as stack:
        for _ in range(SOCKETS):
            stack.enter_context(connected(target, b""))
        began = time.perf_counter()
        with httpx2.Client(base_url=target.url, timeout=HANG) as client:
            status = client.get("/healthz").status_code
        taken = time.perf_counter() - began
    return (
        f"{SOCKETS} idle sockets: /healthz {status} in {taken * 1e3:.0f} ms (1000)",
        status == 200 and taken < 1,
    )


def _processor_time(target: Target) -> float:
    """Seconds of processor time of the service so far: what else the machine does is not counted."""
    tasks = Path(f"/proc/{target.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _each(target: Target, work: Callable[[], None]) -> float:
    """Seconds of the service's processor time for one push, the mean of several."""
    before = _processor_time(target)
    for _ in range(PUSHES):
        work()
    return (_processor_time(target) - before) / PUSHES


def _push(client: httpx2.Client, *events: dict[str, Any]) -> None:
    answer = client.post("/v1/events", json=list(events))
    assert answer.status_code == 200, answer.text


def _reply(number: int) -> dict[str, Any]:
    at = datetime(2026, 3, 7, tzinfo=UTC) + timedelta(seconds=number)
    return _event("long", f"long-{number}", f"{('agent', 'customer')[number % 2]}.replied") | {
        "time": at.isoformat()
    }


def _event(subject: str, event_id: str, kind: str, **data: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"figure-{event_id}",
        "source": DESK,
        "type": kind,
        "subject": subject,
        "time": "2026-03-06T15:30:00+01:00",
        "data": {"author": "customer"} | data,
    }
