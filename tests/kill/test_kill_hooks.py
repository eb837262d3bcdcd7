"""A killed service interprets the inbound webhooks that it had acknowledged after its restart, each once.

Events of many tickets are sent concurrently, as Zammad sends them, and SIGKILL follows an acknowledgement: the webhook
is stored and not interpreted yet. Unacknowledged webhooks are sent again under the same id. Afterwards each ticket must
equal its twin, whose webhooks were sent to a service that was not killed.
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
from tests.flow.door import samples
from tests.servers.databases import Databases
from tests.servers.slatimer import Service
from tests.waiting import HANG, until_true
from tests.web.room import with_desks

LIFE: Final = [
    json.loads(body)
    for body, _ in samples(
        "zammad", "01_created", "04_agent_reply_pending", "07_customer_reply_open", "11_solved"
    )
]
TICKETS: Final = range(100_001, 100_041)
TWIN: Final = 100_000
"""Offset of the number of a ticket's twin."""
ANSWERS: Final = 50
"""The service is killed at this acknowledgement: webhooks of every ticket are in progress."""
ROUNDS: Final = 50
"""Maximum number of kills until one leaves a webhook that is not interpreted."""
AT: Final = "2026-03-06T12:00:00Z"


class Zammad:
    """Sends webhooks. `answered` maps the delivery id of each acknowledged one to its id in the database."""

    def __init__(self, service: Service, plug: ConnectionDetails) -> None:
        self._service, self._plug = service, plug
        self.answered: dict[str, str] = {}

    async def send(self, tickets: Iterable[int], on_answer: Callable[[], None] | None = None) -> None:
        """Send the unacknowledged webhooks, in order for each ticket, until the service is killed."""
        async with httpx2.AsyncClient(base_url=self._service.base, timeout=HANG) as client:
            await asyncio.gather(*(self._live(client, ticket, on_answer) for ticket in tickets))

    async def _live(
        self, client: httpx2.AsyncClient, ticket: int, on_answer: Callable[[], None] | None
    ) -> None:
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
            if on_answer is not None:
                on_answer()


class Killing:
    """Kills the service at an acknowledgement, from within the event loop that receives it."""

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
    """The ids of the webhooks in a state."""
    query = f"SELECT id FROM hook WHERE state = '{state}'"
    return set(database.read_now(lambda conn: conn.exec_driver_sql(query).scalars().all()))


async def _until_all_are_interpreted(database: Database) -> None:
    await until_true(lambda: not _hooks(database, "pending"))


def _state(client: httpx2.Client, ticket: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A ticket and its events, without its number and without the instants of query and receipt."""

    def found(path: str) -> Any:
        answer = client.get(f"/v1/tickets/haisoft/{ticket}{path}").raise_for_status()
        return json.loads(answer.text.replace(str(ticket), "T"))

    events = found("/events")["events"]
    unlike = {"id": "", "sequence": 0, "received_at": ""}
    return found(f"?at={AT}") | {"as_of": ""}, [event | unlike for event in events]


async def test_a_killed_service_interprets_each_acknowledged_webhook_once(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.copy_of(with_desks) as url, Database(Settings(database_url=url)) as database:
        plug, key = _prepared(database)
        service = Service(tmp_path, url=url)
        zammad = Zammad(service, plug)
        tickets, waiting = list[int](), set[str]()
        try:
            while not waiting and len(tickets) < ROUNDS * len(TICKETS):
                tickets += range(TICKETS.start + len(tickets), TICKETS.stop + len(tickets))
                await asyncio.to_thread(service.start)
                await zammad.send(tickets, Killing(service, zammad))
                await asyncio.to_thread(service.end, signal.SIGKILL)
                waiting = _hooks(database, "pending") & set(zammad.answered.values())
            assert waiting
            assert len(zammad.answered) < len(tickets) * len(LIFE)
            await asyncio.to_thread(service.start)
            await _until_all_are_interpreted(database)  # no new webhook wakes the reader: it polls
            await zammad.send([*tickets, *(ticket + TWIN for ticket in tickets)])
            await _until_all_are_interpreted(database)
            with httpx2.Client(base_url=service.base, headers=key, timeout=HANG) as client:
                for ticket in tickets:
                    view, events = _state(client, ticket)
                    assert (view, events) == _state(client, ticket + TWIN)
                    assert view["status"] == "solved"
                    assert [event["type"] for event in events].count("customer.replied") == 1
        finally:
            await asyncio.to_thread(service.end)
        assert len(zammad.answered) == 2 * len(tickets) * len(LIFE)
        assert _hooks(database, "done") == set(zammad.answered.values())
