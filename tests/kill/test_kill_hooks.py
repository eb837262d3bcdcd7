"""What a killed service had answered and not yet read is read when it is back, each delivery once.

Whole lives of tickets are sent at once, as Zammad sends them, and the SIGKILL follows on the heels of an answer: what is
answered is on the disk, and what it says is not in the tickets yet. Nothing holds the reader but its own pace. Whatever
was not answered is sent again under the same id. Afterwards each ticket must look like its twin, whose life was sent to
a service that nobody killed.
"""

import asyncio
import json
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import httpx2

from app.flow.inbound.connect import ConnectionDetails, connect
from app.flow.inbound.sources import Sources
from app.principal import EVERY, Scope, roles_on
from app.settings import Settings
from app.sla.span import HOUR
from app.store.engine.database import Connection, Database
from app.store.people import keys
from benchmarks._service import Service
from tests.flow.door import samples
from tests.servers.databases import Databases
from tests.web.room import with_desks

LIFE: Final = [
    json.loads(body)
    for body, _ in samples(
        "zammad", "01_created", "04_agent_reply_pending", "07_customer_reply_open", "11_solved"
    )
]
TICKETS: Final = range(100_001, 100_041)
TWIN: Final = 100_000
"""By how much the number of a ticket's twin is higher."""
ANSWERS: Final = 50
"""The service is killed at this answer: deliveries of every ticket are on their way."""
ROUNDS: Final = 5
"""Kills at most, until one finds something unread."""
PATIENCE: Final = 60.0
AT: Final = "2026-03-06T12:00:00Z"


class Zammad:
    """Sends the lives of tickets, and knows what was answered: the id of each delivery, and what it is kept under."""

    def __init__(self, service: Service, plug: ConnectionDetails) -> None:
        self._service, self._plug = service, plug
        self.answered: dict[str, str] = {}

    async def send(self, tickets: Iterable[int], heard: Callable[[], None] | None = None) -> None:
        """Send what was not answered yet, each ticket's deliveries in order, until the service is gone."""
        async with httpx2.AsyncClient(base_url=self._service.base, timeout=PATIENCE) as client:
            await asyncio.gather(*(self._live(client, ticket, heard) for ticket in tickets))

    async def _live(self, client: httpx2.AsyncClient, ticket: int, heard: Callable[[], None] | None) -> None:
        for number, body in enumerate(LIFE):
            which = f"{ticket}-{number}"
            if which in self.answered:
                continue
            raw = json.dumps(
                body | {"ticket": body["ticket"] | {"id": ticket, "number": str(ticket)}}
            ).encode()
            headers = self._plug.scheme.sign(self._plug.secret, raw, 0, "")
            try:
                answer = await client.post(
                    self._plug.url(""), content=raw, headers=headers | {"x-zammad-delivery": which}
                )
            except httpx2.TransportError:
                return
            assert answer.status_code == 202, answer.text
            self.answered[which] = answer.json()["id"]
            if heard is not None:
                heard()


class Killing:
    """Kills the service at an answer, from within the loop that hears it."""

    def __init__(self, service: Service, zammad: Zammad) -> None:
        self._service, self._zammad = service, zammad
        self._left = ANSWERS

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0 and self._service.process is not None:
            self._service.process.send_signal(signal.SIGKILL)


def _prepared(database: Database) -> tuple[ConnectionDetails, dict[str, str]]:
    def prepare(conn: Connection, now: int) -> tuple[ConnectionDetails, str]:
        plug, _ = connect(conn, now, Sources(), "haisoft", "zammad", overlap=HOUR)
        return plug, keys.create(conn, roles_on(EVERY, [Scope.READ]), now)[0]

    plug, key = database.write_now(prepare)
    return plug, {"Authorization": f"Bearer {key}"}


def _hooks(database: Database, state: str) -> set[str]:
    """The deliveries in a state."""
    query = f"SELECT id FROM hook WHERE state = '{state}'"
    return set(database.read_now(lambda conn: conn.exec_driver_sql(query).scalars().all()))


async def _until_all_is_read(database: Database) -> None:
    async with asyncio.timeout(PATIENCE):
        while _hooks(database, "pending"):  # noqa: ASYNC110 - another process reads
            await asyncio.sleep(0.05)


def _looks(client: httpx2.Client, ticket: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A ticket and its events, without what its number is part of and without when they were asked for and received."""

    def found(path: str) -> Any:
        answer = client.get(f"/v1/tickets/haisoft/{ticket}{path}").raise_for_status()
        return json.loads(answer.text.replace(str(ticket), "T"))

    events = found("/events")["events"]
    unlike = {"id": "", "sequence": 0, "received_at": ""}
    return found(f"?at={AT}") | {"as_of": ""}, [event | unlike for event in events]


async def test_a_killed_service_reads_each_delivery_that_it_had_answered_and_reads_it_once(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.copy_of(with_desks) as url, Database(Settings(database_url=url)) as database:
        plug, key = _prepared(database)
        service = Service(tmp_path, url=url)
        zammad = Zammad(service, plug)
        tickets, unread = list[int](), set[str]()
        try:
            while not unread and len(tickets) < ROUNDS * len(TICKETS):
                tickets += range(TICKETS.start + len(tickets), TICKETS.stop + len(tickets))
                await asyncio.to_thread(service.start)
                await zammad.send(tickets, Killing(service, zammad))
                await asyncio.to_thread(service.end, signal.SIGKILL)
                unread = _hooks(database, "pending") & set(zammad.answered.values())
            assert unread
            assert len(zammad.answered) < len(tickets) * len(LIFE)
            await asyncio.to_thread(service.start)
            await _until_all_is_read(database)  # nothing comes that could wake its reader
            await zammad.send([*tickets, *(ticket + TWIN for ticket in tickets)])
            await _until_all_is_read(database)
            with httpx2.Client(base_url=service.base, headers=key) as client:
                for ticket in tickets:
                    view, events = _looks(client, ticket)
                    assert (view, events) == _looks(client, ticket + TWIN)
                    assert view["status"] == "solved"
                    assert [event["type"] for event in events].count("customer.replied") == 1
        finally:
            await asyncio.to_thread(service.end)
        assert len(zammad.answered) == 2 * len(tickets) * len(LIFE)
        assert _hooks(database, "done") == set(zammad.answered.values())
