"""A running service for browser tests: a real server on a free port, the shipped desks, a day of tickets.

Its clock starts at a chosen instant and then runs in real time: the pages must show that time, whatever the browser's
clock shows.
"""

import itertools
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import uvicorn

from app.main import Server, create_app
from app.principal import EVERY, Scope, roles_on
from app.settings import Settings
from app.sla.span import SECOND, instant, micros
from app.store.engine.database import Database
from app.store.people import keys
from tests.waiting import HANG, until
from tests.web.room import put_shipped_desks

NOON_AHEAD = datetime.fromisoformat("2026-03-06T11:20:00+01:00")
"""Friday, 6 March 2026, 11:20 in Paris: every desk is open, and HaiSoft's lunch comes in forty minutes."""


class Site:
    """A running service, and a client of its API."""

    def __init__(self, began: datetime) -> None:
        self._began, self._started = began, time.monotonic()
        self._ids = itertools.count(1)
        self.url = ""
        self.key = ""
        self.admin = ""
        self.viewer = ""
        self.client = httpx2.Client(timeout=HANG)

    def clock(self) -> int:
        return micros(self._began) + round((time.monotonic() - self._started) * SECOND)

    def now(self) -> datetime:
        return instant(self.clock())

    def event(self, desk: str, ticket: str, kind: str, at: datetime | str, /, **data: Any) -> dict[str, Any]:
        when = at if isinstance(at, str) else at.isoformat()
        return {
            "specversion": "1.0",
            "id": f"seen-{next(self._ids)}",
            "source": desk,
            "type": kind,
            "subject": ticket,
            "time": when,
            "data": data,
        }

    def push(self, *events: dict[str, Any]) -> None:
        """Push events; all must be accepted."""
        headers = {"Authorization": f"Bearer {self.key}"}
        response = self.client.post(f"{self.url}/v1/events", json=list(events), headers=headers)
        assert response.status_code == 200, response.text
        assert response.json()["refused"] == []

    def put(self, path: str, body: Any) -> None:
        headers = {"Authorization": f"Bearer {self.admin}"}
        response = self.client.put(self.url + path, json=body, headers=headers)
        assert response.status_code == 200, response.text

    def get(self, path: str) -> Any:
        response = self.client.get(self.url + path, headers={"Authorization": f"Bearer {self.key}"})
        assert response.status_code == 200, response.text
        return response.json()


@contextmanager
def site_in(
    folder: Path, began: datetime = NOON_AHEAD, *, desks: bool = True, **given: Any
) -> Generator[Site]:
    """A service over the database in this folder, stopped at the end. `desks`: it is new, and gets the shipped desks."""
    site = Site(began)
    settings = Settings(database_url=f"sqlite:///{folder / 'site.db'}", **given)
    app = create_app(settings, clock=site.clock)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on")
    server = Server(config, app.state.hub)
    thread = Thread(target=server.run, name="site")
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive())
        assert server.started, "the service has failed"
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        site.url = f"http://{host}:{port}"
        database = app.state.running.database
        if desks:
            database.write_now(put_shipped_desks)
        site.key = _key(database, Scope.READ, Scope.PUSH)
        site.admin = _key(database, Scope.ADMIN)
        site.viewer = _key(database, Scope.READ)
        yield site
    finally:
        site.client.close()
        app.state.hub.close()
        server.should_exit = True
        thread.join(HANG)


def _key(database: Database, *scopes: Scope) -> str:
    secret, _ = database.write_now(lambda conn, now: keys.create(conn, roles_on(EVERY, scopes), now))
    return secret


def fill(site: Site) -> None:
    """A day of tickets on all five desks."""
    for events in (_haisoft(site), _webxtra(site), _phpnet(site), _clamehost(site), _hvn(site)):
        site.push(*events)


def _haisoft(site: Site) -> list[dict[str, Any]]:
    def created(ticket: str, at: str, title: str, customer: str) -> dict[str, Any]:
        return site.event(
            "haisoft", ticket, "ticket.created", at, title=title, customer=customer, service="dedicated"
        )

    ago = site.now() - timedelta(minutes=35)
    return [
        created("4711", "2026-03-06T11:10:00+01:00", "Server unreachable after reboot", "ACME"),
        created("4712", "2026-03-05T15:30:00+01:00", "Mail queue grows and grows", "Durand SARL"),
        created("4713", "2026-03-05T16:40:00+01:00", "Second IP address for vps-112", "Boulangerie Petit"),
        site.event("haisoft", "4713", "agent.replied", "2026-03-06T10:20:00+01:00", author="agent"),
        created("4714", "2026-03-06T08:05:00+01:00", "Backup of last night is missing", "Lycée Carnot"),
        site.event("haisoft", "4715", "anomaly.detected", ago, author="system"),
    ]


def _webxtra(site: Site) -> list[dict[str, Any]]:
    def created(ticket: str, at: str, title: str, customer: str, **more: str) -> dict[str, Any]:
        fields = {"title": title, "customer": customer, "queue": "support", "domain": f"{customer}.example"}
        return site.event("webxtra", ticket, "ticket.created", at, **fields | more)

    return [
        created("W-299", "2026-02-27T11:05:00+01:00", "Move to the new server", "mulder"),
        created("W-301", "2026-03-04T09:12:00+01:00", "DNS record for the shop", "bakker"),
        created("W-302", "2026-03-05T10:40:00+01:00", "Certificate has expired", "devries"),
        created(
            "W-303", "2026-03-05T14:02:00+01:00", "Invoice of February", "jansen", category="administrative"
        ),
        created("W-304", "2026-03-06T09:30:00+01:00", "PHP 8.4 on managed host", "visser", plan="managed"),
        site.event("webxtra", "W-301", "customer.replied", "2026-03-06T10:15:00+01:00", author="customer"),
    ]


def _phpnet(site: Site) -> list[dict[str, Any]]:
    def created(ticket: str, at: str, title: str, category: str) -> dict[str, Any]:
        fields = {"title": title, "customer": "Mairie", "category": category, "level": "example-1"}
        return site.event("phpnet", ticket, "ticket.created", at, **fields)

    return [
        created("P-88", "2026-03-06T10:50:00+01:00", "MySQL refuses connections", "software"),
        created("P-89", "2026-03-06T09:05:00+01:00", "Disk errors on web-07", "hardware"),
        site.event("phpnet", "P-89", "call.registered", "2026-03-06T09:20:00+01:00", author="agent"),
        site.event("phpnet", "P-89", "status.changed", "2026-03-06T10:30:00+01:00", status="pending"),
    ]


def _clamehost(site: Site) -> list[dict[str, Any]]:
    outage = site.now() - timedelta(minutes=100)
    return [
        site.event(
            "clamehost", "C-17", "ticket.created", outage, title="Node eu-3 is down", customer="Rossi"
        ),
        site.event("clamehost", "C-17", "outage.started", outage, service="eu-3", cause="network"),
        site.event(
            "clamehost",
            "C-18",
            "ticket.created",
            "2026-03-04T15:30:00+01:00",
            title="Credit for February",
            kind="claim",
            customer="Bianchi",
        ),
    ]


def _hvn(site: Site) -> list[dict[str, Any]]:
    fields = {"title": "Bồi thường sự cố 12/02", "customer": "Sao Mai", "kind": "claim"}
    return [site.event("hvn", "H-5", "ticket.created", "2026-02-24T10:00:00+07:00", **fields)]
