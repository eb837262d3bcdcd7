"""A key of one desk gets nothing of another's and changes nothing of it, on any route there is.

The routes are those of the app, one by one, so a new one is asked as well, and fails here until it is said how.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from sqlalchemy import select

from app.main import ROUTERS
from app.principal import Scope
from app.store.engine.database import Connection
from app.store.tables import metadata
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

SECRET: Final = "zq-nobody-else-may-read-this"
"""In everything that the other desk has."""
OTHER, OWN = "haisoft", "webxtra"
OF_OTHER: Final = f'"desk":"{OTHER}"'
"""In every answer about an object of the other desk."""

ROUTES = sorted(
    (method, route.path)  # type: ignore[attr-defined]
    for router in ROUTERS
    for route in router.routes
    for method in route.methods or ()  # type: ignore[attr-defined]
)

TAKES: Final[dict[tuple[str, str], Any]] = {
    ("POST", "/v1/events"): {
        "specversion": "1.0",
        "id": "intruder",
        "source": OTHER,
        "type": "ticket.deleted",
        "subject": "4711",
        "time": "2026-03-06T15:30:00+01:00",
        "data": {},
    },
    ("POST", "/v1/hooks/{desk}/{system}"): {"anything": 1},
    ("PUT", "/v1/calendars/{desk}"): {
        "calendars": {"tickets": {"time_zone": "Europe/Paris", "hours": {"mon": ["10:00-12:00"]}}}
    },
    ("PUT", "/v1/agreements/{desk}"): {
        "desk": OTHER,
        "name": "Intruder's",
        "commitments": [
            {
                "id": "ticket-response",
                "label": "Reply",
                "kind": "guarantee",
                "measure": "response",
                "starts_on": ["ticket.created"],
                "stops_on": ["agent.replied"],
                "target": "1h",
                "calendar": "always",
            }
        ],
    },
    ("POST", "/v1/inbox/run-again"): None,
    ("POST", "/v1/deadlines"): {
        "calendar": f"{OTHER}/tickets",
        "start": "2026-03-06T15:30:00+01:00",
        "within": "2h",
    },
    ("POST", "/v1/subscriptions"): {
        "desk": OTHER,
        "kinds": ["clock.breached"],
        "url": "https://example.org/hook",
    },
    ("PATCH", "/v1/subscriptions/{subscription}"): {"state": "paused"},
    ("POST", "/v1/subscriptions/{subscription}/retry-since"): {"since": "2026-03-06T00:00:00Z"},
    ("POST", "/v1/subscriptions/{subscription}/secret"): None,
    ("POST", "/v1/subscriptions/{subscription}/test"): None,
    ("POST", "/v1/subscriptions/{subscription}/deliveries/{delivery}/retry"): None,
    ("POST", "/v1/breaches/{breach_id}/acknowledgement"): {"author": "intruder"},
    ("POST", "/session"): {"key": "slt_unknown"},
}
"""What is sent to each route that is not only asked: about the other desk, where it can name one."""

OF_NO_DESK: Final = {"/healthz", "/readyz", "/metrics", "/session", "/", "/static/{digest}/{name}"}
"""Answer everybody alike, and nothing of any desk."""
OF_OWN_DESK: Final = {"/v1/agreements", "/v1/calendars"}
"""Take no desk: they list those of the key's."""
ENDLESS: Final = {"/v1/stream"}
"""Is asked about the other desk only: about the own it never ends."""
QUERIES: Final = {
    "/v1/calendars/{desk}/{name}/spans": {"from": "2026-03-06T00:00:00Z", "to": "2026-03-07T00:00:00Z"},
    "/v1/queues/{desk}/{queue}/forecast": {"ticket": "4711"},
}


@dataclass
class Break:
    """A room in which the other desk has one of everything, and a key for the own desk that allows everything."""

    room: Room
    key: dict[str, str]
    values: dict[str, str]

    def ask(self, method: str, path: str, **query: str) -> Any:
        """The route, about the other desk's objects."""
        filled = re.sub(r"{(\w+)(?::path)?}", lambda match: self.values[match[1]], path)
        body = TAKES[method, path] if method not in ("GET", "DELETE", "HEAD") else None
        return self.room.client.request(
            method, filled, params=query | QUERIES.get(path, {}), json=body, headers=self.key
        )

    def others(self) -> dict[str, list[Any]]:
        """Every row of the other desk, and the notes on breaches, which have none."""

        def read(conn: Connection) -> dict[str, list[Any]]:
            found: dict[str, list[Any]] = {}
            for table in metadata.sorted_tables:
                query = select(table)
                if "desk" in table.columns:
                    query = query.where(table.c.desk == OTHER)
                found[table.name] = sorted(map(repr, conn.execute(query).all()))
            del found["api_key"]  # the caller's own is no business of the other desk
            return found

        return self.room.database.read_now(read)


@pytest.fixture(scope="module")
def intruder(databases: Databases) -> Iterator[Break]:
    with databases.copy_of(with_desks) as url, room_on(url) as room:
        fields = {"title": SECRET, "customer": SECRET, "service": "dedicated"}
        room.sent(room.event(data=fields), room.event(source=OWN, data={"title": "Ours", "plan": "managed"}))
        admin = room.key(OTHER, Scope.ADMIN)
        subscription = room.client.post(
            "/v1/subscriptions",
            json=TAKES["POST", "/v1/subscriptions"] | {"url": f"https://example.org/{SECRET}"},
            headers=admin,
        )
        assert subscription.status_code == 201, subscription.text
        room.wall.move(3 * 24 * 3600)
        room.sent(room.event(id="late", type="note.added", data={"text": SECRET}))
        breach = room.get("/v1/breaches", desk=OTHER).json()["breaches"][0]["id"]
        values = {
            "desk": OTHER,
            "ticket": "4711",
            "name": "tickets",
            "queue": "default",
            "system": "zammad",
            "breach_id": breach,
            "subscription": subscription.json()["id"],
            "delivery": "1",
            "hook": "1",
            "digest": "0",
        }
        yield Break(room, room.key(OWN, Scope.ADMIN, Scope.PUSH, Scope.READ), values)


def test_the_other_desk_has_what_is_looked_for(intruder: Break) -> None:
    """Else nothing below would show anything."""
    rows = intruder.others()
    for table in ("event", "ticket", "clock", "signal", "subscription"):
        assert rows[table], table
    assert SECRET in str(rows["event"])
    own = intruder.room.key(OTHER, Scope.ADMIN)
    for path in ("/v1/tickets", "/v1/subscriptions", "/v1/tickets/haisoft/4711/events"):
        assert SECRET in intruder.room.client.get(path, headers=own).text, path
    for path in ("/v1/breaches", "/v1/signals", "/v1/calendars", "/v1/agreements", "/v1/desks"):
        assert OF_OTHER in intruder.room.client.get(path, headers=own).text, path


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_gives_nothing_of_another_desk_and_changes_nothing(
    intruder: Break, method: str, path: str
) -> None:
    before = intruder.others()
    asked = {} if path in OF_NO_DESK or "{" in path else {"desk": OTHER}
    response = intruder.ask(method, path, **asked)
    assert SECRET not in response.text
    assert response.status_code < 500, response.text
    assert OF_OTHER not in response.text
    if path not in OF_NO_DESK | OF_OWN_DESK and not path.startswith(
        ("/tickets", "/queues")
    ):  # pages without data
        assert response.status_code in (401, 404, 422), (response.status_code, response.text)
    assert intruder.others() == before


@pytest.mark.parametrize("path", [p for m, p in ROUTES if m == "GET" and "{" not in p and p not in ENDLESS])
def test_a_list_without_a_desk_is_of_the_own_desk(intruder: Break, path: str) -> None:
    response = intruder.ask("GET", path)
    assert response.status_code < 500
    assert SECRET not in response.text
    assert OF_OTHER not in response.text
