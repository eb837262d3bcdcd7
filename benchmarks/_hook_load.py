"""Deliveries of a ticket system, each another one and rightly signed, as fast as so many connections are answered.

They are written before the clock starts: signing is the sender's work, not the service's. A process of its own.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.intake.signature import SCHEMES
from app.sla.span import instant
from app.store.engine.database import wall_clock

PREPARED: Final = 25_000
"""More than any run gets through."""


@dataclass(frozen=True)
class Aim:
    """Where the load goes, as which system, signed with which secret; `run` makes its tickets its own."""

    port: int
    path: str
    system: str
    scheme: str
    secret: str
    run: str


def bodies(system: str, run: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Deliveries with their ids: four of each ticket, about as long as real ones."""
    start = wall_clock() - 3_600_000_000
    for number in range(PREPARED):
        ticket, step = divmod(number, 4)
        at = instant(start + number * 1000 + step * 60_000_000).isoformat()
        name = f"{run}{ticket}"
        yield f"{run}-{number}", (_zammad if system == "zammad" else _zendesk)(name, number, step, at)


def _zammad(ticket: str, number: int, step: int, at: str) -> dict[str, Any]:
    return {
        "ticket": {
            "id": ticket,
            "number": f"1{number}",
            "title": f"Server {ticket} down",
            "state": ("new", "open", "pending reminder", "closed")[step],
            "priority": {"id": 2, "name": "2 normal", "default_create": True, "active": True},
            "group": {"id": 1, "name": "Support", "active": True, "note": "Standard group for tickets"},
            "organization": {"id": 7, "name": "ACME", "shared": True, "domain": "acme.example"},
            "customer": {
                "id": 12,
                "email": f"{ticket}@acme.example",
                "firstname": "Ada",
                "lastname": "Byron",
            },
            "owner": {"id": 3, "login": "marco", "email": "marco@helpdesk.example"},
            "created_at": at,
            "updated_at": at,
            "create_article_sender": "Customer",
            "create_article_type": "web",
            "preferences": {"channel_id": 1, "escalation_calculation": {"first_response_at": None}},
        },
        "article": {},
    }


def _zendesk(ticket: str, number: int, step: int, at: str) -> dict[str, Any]:
    kinds = ("created", "status_changed", "status_changed", "status_changed")
    states = ("NEW", "OPEN", "PENDING", "SOLVED")
    change = {"current": states[step], "previous": states[step - 1]} if step else {}
    return {
        "account_id": 22129848,
        "detail": {
            "actor_id": "8447388090494",
            "assignee_id": "8447388090494",
            "brand_id": "8447346621310",
            "created_at": at,
            "group_id": "8447320466430",
            "id": ticket,
            "organization_id": "8447346622462",
            "priority": "NORMAL",
            "requester_id": "8447388090495",
            "status": states[step],
            "subject": f"Server {ticket} down",
            "tags": ["server", "urgent"],
            "type": "INCIDENT",
            "updated_at": at,
            "via": {"channel": "web_service"},
        },
        "event": {"meta": {"sequence": {"id": f"{number}", "position": 1}}, **change},
        "id": f"{ticket}-{number}",
        "subject": f"zen:ticket:{ticket}",
        "time": at,
        "type": f"zen:event-type:ticket.{kinds[step]}",
        "zendesk_event_version": "2022-11-06",
    }


def prepared(aim: Aim) -> list[bytes]:
    """The requests, byte by byte."""
    scheme, now = SCHEMES[aim.scheme], wall_clock()
    found: list[bytes] = []
    for name, content in bodies(aim.system, aim.run):
        body = json.dumps(content).encode()
        headers = scheme.sign(aim.secret, body, now, name) | {"X-Zammad-Delivery": name}
        head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        found.append(
            f"POST {aim.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{head}"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    return found


async def load(
    requests: list[bytes], port: int, connections: int, seconds: float, pace: float
) -> dict[str, float]:
    """Send them until time is up. Milliseconds.

    `pace` is how many are to be sent a second, whatever becomes of those before; 0: as soon as one is answered the
    next. A paced one is timed from when it was to be sent.
    """
    left, taken, errors = enumerate(requests), list[float](), 0
    began = time.perf_counter()

    async def connection() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, request in left:
            sent = time.perf_counter()
            if pace:
                due = began + number / pace
                await asyncio.sleep(max(0.0, due - sent))
                sent = due
            if sent - began > seconds:
                break
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            taken.append(time.perf_counter() - sent)
            errors += not head.startswith(b"HTTP/1.1 202")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(connection() for _ in range(connections)))
    lasted = time.perf_counter() - began
    taken.sort()
    p50, p99 = (taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.99))
    return {
        "per_second": len(taken) / lasted,
        "p50": p50,
        "p99": p99,
        "errors": errors,
        "sent": len(taken),
    }


def arguments(aim: Aim, connections: int, seconds: float, pace: float = 0.0) -> list[str]:
    """The command that runs this load."""
    return [sys.executable, __file__, json.dumps(asdict(aim)), str(connections), str(seconds), str(pace)]


if __name__ == "__main__":
    aim = Aim(**json.loads(sys.argv[1]))
    connections, seconds, pace = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(asyncio.run(load(prepared(aim), aim.port, connections, seconds, pace))))
