"""A caller gets nothing of a desk on which it has no role and changes nothing of it, on any route of the app; and on its
own desk it may do what its roles include.

The routes are those of the app, one by one: a new one fails here until `TAKES` and `REQUIRES` name it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from sqlalchemy import select

from app.main import ROUTERS
from app.principal import Permission, Role, Scope
from app.store.engine.database import Connection
from app.store.people import keys
from app.store.tables import metadata
from app.store.tickets import simulations
from tests.servers.databases import Databases, both_kinds
from tests.web.room import Room, room_on, with_desks

SECRET: Final = "zq-nobody-else-may-read-this"
"""In everything that the other desk has. The caller has two desks of the three."""
OTHER, OWN, OWN_TOO = "haisoft", "webxtra", "hvn"
SIMULATION: Final = "5117"
OF_OTHER: Final = f'"desk":"{OTHER}"'
"""In every answer about an object of the other desk."""

ROUTES = sorted(
    (method, route.path)  # type: ignore[attr-defined]
    for router in ROUTERS
    for route in router.routes
    for method in route.methods or ()  # type: ignore[attr-defined]
)

FORMS: Final = (
    "/sign-in",
    "/sign-in/code",
    "/sign-in/link",
    "/sign-out",
    "/settings/password",
    "/settings/second-factor",
    "/settings/second-factor/confirm",
    "/settings/second-factor/remove",
    "/settings/looks",
    "/settings/sessions/end",
    "/settings/people",
    "/settings/people/roles",
    "/settings/people/state",
    "/settings/export",
    "/settings/keys",
    "/settings/keys/revoke",
    "/agreements/{desk}/edit",
    "/agreements/{desk}/text",
    "/agreements/{desk}/withdraw",
    "/calendars/{desk}",
    "/calendars/{desk}/edit",
    "/calendars/{desk}/feed/remove",
    "/calendars/{desk}/text",
    "/calendars/{desk}/withdraw",
    "/deliveries/change",
    "/connections",
    "/connections/run-again",
    "/connections/system",
    "/credits/decide",
    "/deliveries",
    "/reports/what-if",
    "/reports/what-if/{simulation}/cancel",
    "/services/record",
    "/ticket/exclude",
    "/ticket/record",
    "/ticket/withdraw",
    "/breaches/take-on",
    "/views",
    "/views/change",
)
"""Forms of pages: they take no JSON, and tests/web/test_people_pages.py sends them as a browser does."""

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
    ("POST", "/agreements/{desk}/check"): {"text": ""},
    ("POST", "/agreements/{desk}/preview"): {"text": ""},
    ("POST", "/calendars/{desk}/check"): {"text": ""},
    ("POST", "/contracts/{desk}/preview"): {"text": ""},
    ("POST", "/calendars/{desk}/preview"): {"text": ""},
    ("POST", "/v1/hooks/{desk}/{system}"): {"anything": 1},
    ("POST", "/v1/calendars/{desk}/{name}/feeds"): {},
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
    ("PUT", "/v1/contracts/{desk}/{contract}"): {"customer": "Intruder", "valid_from": "2026-01-01"},
    ("POST", "/v1/contracts/{desk}/import"): {
        "id": "C-1",
        "customer": "Intruder",
        "valid_from": "2026-01-01",
    },
    ("POST", "/v1/credits/{credit_id}/request"): {"author": "intruder", "reason": "none"},
    ("POST", "/v1/credits/{credit_id}/grant"): {"author": "intruder", "reason": "none"},
    ("POST", "/v1/credits/{credit_id}/refuse"): {"author": "intruder", "reason": "none"},
    ("POST", "/v1/connections/{desk}/{system}/test"): None,
    ("PUT", "/v1/connections/{desk}/{system}"): {},
    ("POST", "/v1/embed-tokens"): {"desk": OTHER, "ticket": "4711"},
    ("POST", "/v1/embedding/{desk}/secret"): None,
    ("PUT", "/v1/embedding/{desk}"): {"frame_ancestors": ["https://intruder.example"]},
    ("POST", "/v1/inbox/run-again"): None,
    ("POST", "/v1/deadlines"): {
        "calendar": f"{OTHER}/tickets",
        "start": "2026-03-06T15:30:00+01:00",
        "within": "2h",
    },
    # Refused for its span, so that none of these callers starts a process.
    ("POST", "/v1/simulations"): {"desk": OTHER, "from": "2026-03-07", "to": "2026-03-06"},
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
    ("POST", "/session/password"): {"name": "intruder", "password": "none"},
    ("POST", "/session/code"): {"code": "123456"},
    ("POST", "/session/link"): {"link": "sll_unknown"},
    **{("POST", path): {"desk": OTHER, "role": "admin", "name": "intruder"} for path in FORMS},
    ("POST", "/v1/keys"): {"roles": {OTHER: ["admin"]}},
    ("POST", "/v1/me/second-factor"): {},
    ("POST", "/v1/me/second-factor/confirm"): {"code": "123456"},
    ("POST", "/v1/me/second-factor/remove"): {"code": "123456"},
    ("PUT", "/v1/me/default-view"): {"view": "none"},
    ("PUT", "/v1/me/looks"): {},
    ("PUT", "/v1/me/password"): {"new": "a password of the intruder's"},
    ("POST", "/v1/people"): {"name": "intruder", "roles": {OTHER: ["admin"]}},
    ("POST", "/v1/people/{name}/disable"): None,
    ("POST", "/v1/people/{name}/enable"): None,
    ("POST", "/v1/people/{name}/link"): None,
    ("PUT", "/v1/people/{name}/roles"): {"roles": {OTHER: ["admin"]}},
    ("POST", "/v1/views"): {"page": "now", "name": "Intruder's", "desk": OTHER},
    ("PATCH", "/v1/views/{view}"): {"name": "Intruder's"},
}
"""The body for each route that takes one: about the other desk, where it can name one."""

OF_NO_DESK: Final = {
    *("/healthz", "/readyz", "/metrics", "/session", "/static/{digest}/{name}"),
    *("/", "/v1/me", "/now/list"),
    *("/settings", "/settings/audit", "/settings/people", "/settings/keys", "/settings/export"),
    *("/sign-in", "/sign-in/link", "/views"),
}
"""Public, and about no desk."""
OF_OWN_DESK: Final = {"/v1/agreements", "/v1/calendars", "/v1/keys", "/v1/sessions"}
"""Take no desk: they list those of the caller's desks."""
ENDLESS: Final = {"/v1/stream"}
"""Requested for the other desk only: for an own desk it never ends."""
QUERIES: Final = {
    "/connections/latest": {"desk": OTHER, "system": "zammad"},
    "/connections/system": {"desk": OTHER, "system": "zammad"},
    "/connections/webhook": {"hook": "1"},
    "/breaches/take-on": {"breach": "none"},
    "/credits/decide": {"credit": f"{OTHER}.network-credit.C-1.2026-03"},
    "/now/ticket": {"selected": f"{OTHER}/4711"},
    "/reports/behind": {
        "of": "outcomes",
        "desk": OTHER,
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
    },
    "/reports/chart.svg": {"chart": "starts", "desk": OTHER},
    "/services/record": {"desk": OTHER, "what": "start", "service": "network"},
    "/ticket": {"desk": OTHER, "ticket": "4711"},
    "/ticket/correct": {"desk": OTHER, "ticket": "none"},
    "/ticket/live": {"desk": OTHER, "ticket": "4711"},
    "/v1/agreements/{desk}/versions/diff": {"from": "1", "to": "2"},
    "/v1/calendars/{desk}/versions/diff": {"from": "1", "to": "2"},
    "/v1/calendars/{desk}/{name}/spans": {"from": "2026-03-06T00:00:00Z", "to": "2026-03-07T00:00:00Z"},
    "/v1/queues/{desk}/{queue}/forecast": {"ticket": "4711"},
    **{
        f"/v1/reports/{report}": {"desk": OTHER, "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
        for report in (
            "attainment",
            "availability",
            "availability/objects",
            "breaches",
            "credits",
            "credits/objects",
            "heatmap",
            "queues",
            "queues/tickets",
            "usage",
            "{report}/tickets",
        )
    },
}


@dataclass
class Break:
    """A room in which the other desk has one of everything, and a key that may do everything on two desks."""

    room: Room
    key: dict[str, str]
    values: dict[str, str]

    def request(self, method: str, path: str, **query: str) -> Any:
        """Request a route for the other desk's objects."""
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
            # Tests make keys of their own, and a failed sign-in is counted.
            for name in ("api_key", "principal_role", "session", "failed_sign_in"):
                del found[name]
            return found

        return self.room.database.read_now(read)


@pytest.fixture(scope="module")
def intruder(databases: Databases) -> Iterator[Break]:
    with databases.copy_of(with_desks) as url, room_on(url) as room:
        fields = {"title": SECRET, "customer": SECRET, "service": "dedicated"}
        room.sent(
            room.event(data=fields),
            room.event(source=OWN, data={"title": "Ours", "plan": "managed"}),
            room.event(source=OWN_TOO, data={"title": "Ours too", "kind": "claim"}),
        )
        admin = room.key(OTHER, Scope.ADMIN)
        subscription = room.client.post(
            "/v1/subscriptions",
            json=TAKES["POST", "/v1/subscriptions"] | {"url": f"https://example.org/{SECRET}"},
            headers=admin,
        )
        assert subscription.status_code == 201, subscription.text
        feed = room.client.post("/v1/calendars/haisoft/tickets/feeds", json={"note": SECRET}, headers=admin)
        assert feed.status_code == 201, feed.text
        view = room.client.post(
            "/v1/views", json={"page": "now", "name": SECRET, "desk": OTHER}, headers=admin
        )
        assert view.status_code == 201, view.text
        question = {"from": 0, "to": 1, "files": [], "contracts": [], "changes": {"note": SECRET}}
        room.database.write_now(
            lambda conn, now: simulations.start(conn, SIMULATION, OTHER, question, SECRET, now)
        )
        room.wall.move(3 * 24 * 3600)
        room.sent(room.event(id="late", type="note.added", data={"text": SECRET}))
        breach = room.get("/v1/breaches", desk=OTHER).json()["breaches"][0]["id"]
        values = {
            "desk": OTHER,
            "ticket": "4711",
            "name": "tickets",
            "queue": "default",
            "report": "attainment",
            "system": "zammad",
            "breach_id": breach,
            "subscription": subscription.json()["id"],
            "key": room.client.get("/v1/keys", headers=admin).json()["keys"][0]["id"],
            "session": "none",
            "delivery": "1",
            "hook": "1",
            "digest": "0",
            "feed": feed.json()["id"],
            "simulation": SIMULATION,
            "secret": "slf_unknown",
            "contract": "C-1",
            "number": "1",
            "period": "2026-03",
            "credit_id": "haisoft.network-credit.C-1.2026-03",
            "view": view.json()["id"],
        }
        yield Break(room, room.key(f"{OWN},{OWN_TOO}", Scope.ADMIN, Scope.PUSH, Scope.READ), values)


@both_kinds
def test_the_other_desk_has_objects_to_find(intruder: Break) -> None:
    """Else the tests below would prove nothing."""
    rows = intruder.others()
    for table in ("event", "ticket", "clock", "signal", "subscription", "simulation", "desk_view"):
        assert rows[table], table
    assert SECRET in str(rows["event"])
    own = intruder.room.key(OTHER, Scope.ADMIN)
    for path in ("/v1/tickets", "/v1/subscriptions", "/v1/tickets/haisoft/4711/events"):
        assert SECRET in intruder.room.client.get(path, headers=own).text, path
    for path in ("/v1/breaches", "/v1/signals", "/v1/calendars", "/v1/agreements", "/v1/desks"):
        assert OF_OTHER in intruder.room.client.get(path, headers=own).text, path


@pytest.mark.parametrize(("method", "path"), ROUTES)
@both_kinds
def test_a_route_returns_nothing_of_another_desk_and_changes_nothing(
    intruder: Break, method: str, path: str
) -> None:
    before = intruder.others()
    free = OF_NO_DESK | ({each for each in FORMS if "{" not in each} if method == "POST" else set())
    asked = {} if path in free or "{" in path else {"desk": OTHER}
    response = intruder.request(method, path, **asked)
    assert SECRET not in response.text
    assert response.status_code < 500, response.text
    assert OF_OTHER not in response.text
    if path not in free | OF_OWN_DESK:
        assert response.status_code in (401, 404, 422), (response.status_code, response.text)
    assert intruder.others() == before


@pytest.mark.parametrize("path", [p for m, p in ROUTES if m == "GET" and "{" not in p and p not in ENDLESS])
@both_kinds
def test_a_list_without_a_desk_has_nothing_of_another_desk(intruder: Break, path: str) -> None:
    response = intruder.request("GET", path)
    assert response.status_code < 500
    assert SECRET not in response.text
    assert OF_OTHER not in response.text


@pytest.mark.parametrize(
    ("path", "lists"),
    [
        ("/v1/tickets", "tickets"),
        ("/v1/desks", "desks"),
        ("/v1/signals", "signals"),
        ("/v1/calendars", "calendars"),
        ("/v1/agreements", "agreements"),
    ],
)
@both_kinds
def test_a_list_without_a_desk_is_of_all_desks_of_the_caller(intruder: Break, path: str, lists: str) -> None:
    assert {each["desk"] for each in intruder.request("GET", path).json()[lists]} == {OWN, OWN_TOO}


# -- what a role may do on its own desk ----------------------------------------------------------------------------

VIEW, RECORD, CONFIGURE = Permission.VIEW, Permission.RECORD, Permission.CONFIGURE
ACKNOWLEDGE, INBOX, SUBSCRIBE = Permission.ACKNOWLEDGE, Permission.INBOX, Permission.SUBSCRIBE
PUBLISH: Final = Permission.PUBLISH
PEOPLE: Final = Permission.PEOPLE

REQUIRES: Final[dict[tuple[str, str], Permission | None]] = {
    ("DELETE", "/session"): None,
    ("GET", "/sign-in"): None,
    ("GET", "/sign-in/link"): None,
    ("GET", "/settings"): VIEW,
    ("GET", "/settings/people"): PEOPLE,
    ("GET", "/settings/export"): CONFIGURE,
    ("POST", "/settings/export"): CONFIGURE,
    ("GET", "/settings/keys"): PEOPLE,
    ("GET", "/settings/audit"): Permission.AUDIT,
    ("POST", "/sign-in"): None,
    ("POST", "/sign-in/code"): None,
    ("POST", "/sign-in/link"): None,
    ("POST", "/sign-out"): None,
    ("POST", "/settings/password"): VIEW,
    ("POST", "/settings/second-factor"): VIEW,
    ("POST", "/settings/second-factor/confirm"): VIEW,
    ("POST", "/settings/second-factor/remove"): VIEW,
    ("POST", "/settings/looks"): VIEW,
    ("POST", "/settings/sessions/end"): VIEW,
    ("POST", "/settings/people"): PEOPLE,
    ("POST", "/settings/people/roles"): PEOPLE,
    ("POST", "/settings/people/state"): PEOPLE,
    ("POST", "/settings/keys"): PEOPLE,
    ("POST", "/settings/keys/revoke"): PEOPLE,
    ("GET", "/views"): VIEW,
    ("POST", "/views"): VIEW,
    ("POST", "/views/change"): VIEW,
    ("DELETE", "/v1/keys/{key}"): PEOPLE,
    ("DELETE", "/v1/people/{name}/second-factor"): PEOPLE,
    ("DELETE", "/v1/sessions/{session}"): VIEW,
    ("GET", "/session/provider"): None,
    ("GET", "/session/provider/answer"): None,
    ("GET", "/v1/keys"): PEOPLE,
    ("GET", "/v1/me"): VIEW,
    ("GET", "/v1/people"): PEOPLE,
    ("GET", "/v1/sessions"): VIEW,
    ("DELETE", "/v1/views/{view}"): VIEW,
    ("GET", "/v1/views"): VIEW,
    ("PATCH", "/v1/views/{view}"): VIEW,
    ("POST", "/v1/views"): VIEW,
    ("PUT", "/v1/me/default-view"): VIEW,
    ("POST", "/session/code"): None,
    ("POST", "/session/link"): None,
    ("POST", "/session/password"): None,
    ("POST", "/v1/keys"): PEOPLE,
    ("POST", "/v1/me/second-factor"): VIEW,
    ("POST", "/v1/me/second-factor/confirm"): VIEW,
    ("POST", "/v1/me/second-factor/remove"): VIEW,
    ("POST", "/v1/people"): PEOPLE,
    ("POST", "/v1/people/{name}/disable"): PEOPLE,
    ("POST", "/v1/people/{name}/enable"): PEOPLE,
    ("POST", "/v1/people/{name}/link"): PEOPLE,
    ("PUT", "/v1/me/looks"): VIEW,
    ("PUT", "/v1/me/password"): VIEW,
    ("PUT", "/v1/people/{name}/roles"): PEOPLE,
    ("DELETE", "/v1/subscriptions/{subscription}"): SUBSCRIBE,
    ("DELETE", "/v1/calendars/{desk}/{name}/feeds/{feed}"): PUBLISH,
    ("GET", "/"): VIEW,
    ("GET", "/agreements"): VIEW,
    ("GET", "/agreements/{desk}"): VIEW,
    ("GET", "/agreements/{desk}/edit"): CONFIGURE,
    ("GET", "/agreements/{desk}/simulations/{simulation}"): VIEW,
    ("GET", "/agreements/{desk}/versions/{number}"): VIEW,
    ("POST", "/agreements/{desk}/check"): CONFIGURE,
    ("POST", "/agreements/{desk}/preview"): CONFIGURE,
    ("POST", "/agreements/{desk}/edit"): CONFIGURE,
    ("POST", "/agreements/{desk}/text"): CONFIGURE,
    ("POST", "/agreements/{desk}/withdraw"): CONFIGURE,
    ("GET", "/breaches"): VIEW,
    ("GET", "/breaches/list"): VIEW,
    ("GET", "/breaches/take-on"): ACKNOWLEDGE,
    ("POST", "/breaches/take-on"): ACKNOWLEDGE,
    ("GET", "/calendars"): VIEW,
    ("GET", "/calendars/{desk}"): VIEW,
    ("GET", "/calendars/{desk}/edit"): CONFIGURE,
    ("GET", "/calendars/{desk}/versions/{number}"): VIEW,
    ("POST", "/calendars/{desk}/check"): CONFIGURE,
    ("POST", "/contracts/{desk}/preview"): CONFIGURE,
    ("POST", "/calendars/{desk}/preview"): CONFIGURE,
    ("POST", "/calendars/{desk}/edit"): CONFIGURE,
    ("POST", "/calendars/{desk}"): PUBLISH,
    ("POST", "/calendars/{desk}/feed/remove"): PUBLISH,
    ("POST", "/calendars/{desk}/text"): CONFIGURE,
    ("POST", "/calendars/{desk}/withdraw"): CONFIGURE,
    ("GET", "/feeds/calendars/{secret}.ics"): None,
    ("GET", "/v1/audit"): Permission.AUDIT,
    ("GET", "/connections"): INBOX,
    ("GET", "/connections/latest"): INBOX,
    ("GET", "/connections/list"): INBOX,
    ("GET", "/connections/system"): INBOX,
    ("GET", "/connections/webhook"): INBOX,
    ("POST", "/connections"): CONFIGURE,
    ("POST", "/connections/run-again"): INBOX,
    ("POST", "/connections/system"): CONFIGURE,
    ("POST", "/deliveries"): SUBSCRIBE,
    ("GET", "/deliveries"): VIEW,
    ("POST", "/deliveries/change"): SUBSCRIBE,
    ("GET", "/deliveries/list"): VIEW,
    ("GET", "/embed/badges/{desk}/{ticket:path}"): None,
    ("GET", "/embed/clocks/{desk}/{ticket:path}"): None,
    ("GET", "/embed/stream/{desk}/{ticket:path}"): None,
    ("GET", "/embed/tickets/{desk}/{ticket:path}"): None,
    ("GET", "/v1/connections"): INBOX,
    ("POST", "/v1/connections/{desk}/{system}/test"): CONFIGURE,
    ("PUT", "/v1/connections/{desk}/{system}"): CONFIGURE,
    ("GET", "/v1/embedding/{desk}"): CONFIGURE,
    ("POST", "/v1/embed-tokens"): VIEW,
    ("POST", "/v1/embedding/{desk}/secret"): CONFIGURE,
    ("PUT", "/v1/embedding/{desk}"): CONFIGURE,
    ("GET", "/healthz"): None,
    ("GET", "/metrics"): None,
    ("GET", "/now/list"): VIEW,
    ("GET", "/now/ticket"): VIEW,
    ("GET", "/queues"): VIEW,
    ("GET", "/queues/list"): VIEW,
    ("GET", "/queues/{desk}/{queue}"): VIEW,
    ("GET", "/queues/{desk}/{queue}/list"): VIEW,
    ("GET", "/readyz"): None,
    ("GET", "/reports"): VIEW,
    ("GET", "/reports/behind"): VIEW,
    ("GET", "/reports/chart.svg"): VIEW,
    ("GET", "/reports/what-if"): VIEW,
    ("GET", "/reports/what-if/{simulation}"): VIEW,
    ("GET", "/reports/what-if/{simulation}/state"): VIEW,
    ("POST", "/reports/what-if"): VIEW,
    ("POST", "/reports/what-if/{simulation}/cancel"): VIEW,
    ("GET", "/contracts/{desk}"): CONFIGURE,
    ("GET", "/credits"): VIEW,
    ("GET", "/credits/customers.csv"): VIEW,
    ("GET", "/credits/decide"): VIEW,
    ("POST", "/credits/decide"): RECORD,
    ("GET", "/credits/list"): VIEW,
    ("GET", "/credits/statements"): VIEW,
    ("GET", "/credits/statements/{desk}/{contract}/{period}"): VIEW,
    ("GET", "/services"): VIEW,
    ("GET", "/services/list"): VIEW,
    ("GET", "/services/record"): RECORD,
    ("POST", "/services/record"): RECORD,
    ("GET", "/services/resources"): VIEW,
    ("GET", "/services/resources/list"): VIEW,
    ("GET", "/ticket"): VIEW,
    ("GET", "/ticket/correct"): VIEW,
    ("GET", "/ticket/live"): VIEW,
    ("POST", "/ticket/exclude"): RECORD,
    ("POST", "/ticket/record"): RECORD,
    ("POST", "/ticket/withdraw"): RECORD,
    ("GET", "/session"): VIEW,
    ("GET", "/static/{digest}/{name}"): None,
    ("GET", "/tickets/{desk}/{ticket:path}"): VIEW,
    ("GET", "/v1/agreements"): VIEW,
    ("GET", "/v1/agreements/{desk}"): VIEW,
    ("GET", "/v1/allowances"): VIEW,
    ("GET", "/v1/averages"): VIEW,
    ("GET", "/v1/breaches"): VIEW,
    ("GET", "/v1/contracts"): VIEW,
    ("GET", "/v1/contracts/{desk}/{contract}"): VIEW,
    ("GET", "/v1/contracts/{desk}/{contract}/versions"): VIEW,
    ("GET", "/v1/contracts/{desk}/{contract}/versions/diff"): VIEW,
    ("GET", "/v1/contracts/{desk}/{contract}/versions/{number}"): VIEW,
    ("DELETE", "/v1/contracts/{desk}/{contract}"): CONFIGURE,
    ("POST", "/v1/contracts/{desk}/import"): CONFIGURE,
    ("PUT", "/v1/contracts/{desk}/{contract}"): CONFIGURE,
    ("GET", "/v1/calendars"): VIEW,
    ("GET", "/v1/calendars/{desk}/{name}"): VIEW,
    ("GET", "/v1/calendars/{desk}/{name}.ics"): VIEW,
    ("GET", "/v1/calendars/{desk}/{name}/feeds"): PUBLISH,
    ("GET", "/v1/calendars/{desk}/{name}/spans"): VIEW,
    ("GET", "/v1/charges"): VIEW,
    ("GET", "/v1/desks"): VIEW,
    ("GET", "/v1/hooks/{desk}/{system}"): None,
    ("GET", "/v1/inbox"): INBOX,
    ("GET", "/v1/inbox/{hook}"): INBOX,
    ("GET", "/v1/queues/{desk}/{queue}"): VIEW,
    ("GET", "/v1/queues/{desk}/{queue}/forecast"): VIEW,
    ("GET", "/v1/reports/attainment"): VIEW,
    ("GET", "/v1/reports/availability"): VIEW,
    ("GET", "/v1/reports/availability/objects"): VIEW,
    ("GET", "/v1/reports/breaches"): VIEW,
    ("GET", "/v1/reports/credits"): VIEW,
    ("GET", "/v1/reports/credits/objects"): VIEW,
    ("GET", "/v1/reports/heatmap"): VIEW,
    ("GET", "/v1/reports/queues"): VIEW,
    ("GET", "/v1/reports/queues/tickets"): VIEW,
    ("GET", "/v1/reports/usage"): VIEW,
    ("GET", "/v1/reports/{report}/tickets"): VIEW,
    ("DELETE", "/v1/simulations/{simulation}"): VIEW,
    ("GET", "/v1/simulations"): VIEW,
    ("GET", "/v1/simulations/{simulation}"): VIEW,
    ("POST", "/v1/simulations"): VIEW,
    ("GET", "/v1/signals"): VIEW,
    ("GET", "/v1/stream"): VIEW,
    ("GET", "/v1/subscriptions"): VIEW,
    ("GET", "/v1/subscriptions/{subscription}"): VIEW,
    ("GET", "/v1/subscriptions/{subscription}/deliveries"): VIEW,
    ("GET", "/v1/tickets"): VIEW,
    ("GET", "/v1/tickets/{desk}/{ticket:path}"): VIEW,
    ("GET", "/v1/tickets/{desk}/{ticket:path}/events"): VIEW,
    ("GET", "/v1/tickets/{desk}/{ticket:path}/explanation"): VIEW,
    ("PATCH", "/v1/subscriptions/{subscription}"): SUBSCRIBE,
    ("POST", "/session"): None,
    ("POST", "/v1/breaches/{breach_id}/acknowledgement"): ACKNOWLEDGE,
    ("POST", "/v1/calendars/{desk}/{name}/feeds"): PUBLISH,
    ("POST", "/v1/deadlines"): VIEW,
    ("POST", "/v1/events"): RECORD,
    ("POST", "/v1/hooks/{desk}/{system}"): None,
    ("POST", "/v1/inbox/run-again"): INBOX,
    ("POST", "/v1/subscriptions"): SUBSCRIBE,
    ("POST", "/v1/subscriptions/{subscription}/deliveries/{delivery}/retry"): SUBSCRIBE,
    ("POST", "/v1/subscriptions/{subscription}/retry-since"): SUBSCRIBE,
    ("POST", "/v1/subscriptions/{subscription}/secret"): SUBSCRIBE,
    ("POST", "/v1/subscriptions/{subscription}/test"): SUBSCRIBE,
    ("DELETE", "/v1/agreements/{desk}/versions/{number}"): CONFIGURE,
    ("GET", "/v1/agreements/{desk}/versions"): VIEW,
    ("GET", "/v1/agreements/{desk}/versions/diff"): VIEW,
    ("GET", "/v1/agreements/{desk}/versions/{number}"): VIEW,
    ("DELETE", "/v1/calendars/{desk}/versions/{number}"): CONFIGURE,
    ("GET", "/v1/calendars/{desk}/versions"): VIEW,
    ("GET", "/v1/calendars/{desk}/versions/diff"): VIEW,
    ("GET", "/v1/calendars/{desk}/versions/{number}"): VIEW,
    ("GET", "/v1/availability"): VIEW,
    ("GET", "/v1/credits"): VIEW,
    ("GET", "/v1/statements/{desk}/{contract}/{period}"): VIEW,
    ("POST", "/v1/credits/{credit_id}/grant"): RECORD,
    ("POST", "/v1/credits/{credit_id}/refuse"): RECORD,
    ("POST", "/v1/credits/{credit_id}/request"): RECORD,
    ("PUT", "/v1/agreements/{desk}"): CONFIGURE,
    ("PUT", "/v1/calendars/{desk}"): CONFIGURE,
}
"""The permission that each route requires; None: public, or signed by a ticket system."""

GRANTED: Final[dict[Role | Scope, set[Permission]]] = {
    Scope.PUSH: {RECORD, ACKNOWLEDGE, INBOX},
    Scope.READ: {VIEW},
    Scope.ADMIN: {VIEW, RECORD, ACKNOWLEDGE, INBOX, CONFIGURE, SUBSCRIBE, PUBLISH, Permission.AUDIT, PEOPLE},
    Role.PUSH: {RECORD, ACKNOWLEDGE, INBOX},
    Role.VIEWER: {VIEW},
    Role.AGENT: {VIEW, RECORD, ACKNOWLEDGE},
    Role.LEAD: {VIEW, RECORD, ACKNOWLEDGE, INBOX, PUBLISH},
    Role.ADMIN: {VIEW, RECORD, ACKNOWLEDGE, INBOX, CONFIGURE, SUBSCRIBE, PUBLISH, Permission.AUDIT, PEOPLE},
}


@dataclass
class Callers:
    """A key of each role and scope on one desk, and an administrator of another desk."""

    room: Room
    keys: dict[Role | Scope, dict[str, str]]
    other: dict[str, str]

    def status(self, method: str, path: str, key: dict[str, str]) -> int:
        """The status of a request about the desk, for objects that it does not have: nothing is changed."""
        values = {"desk": OTHER, "name": "none", "report": "attainment", "system": "zammad"}
        filled = re.sub(r"{(\w+)(?::path)?}", lambda match: values.get(match[1], "none"), path)
        body = TAKES[method, path] if method not in ("GET", "DELETE", "HEAD") else None
        query = QUERIES.get(path, {}) | ({"desk": "nowhere"} if path in ENDLESS else {})
        if method == "PUT":
            body = {"faulty": 1}
        if (method, path) == ("POST", "/v1/subscriptions"):
            body = TAKES[method, path] | {"kinds": ["none"]}
        if (method, path) == ("POST", "/v1/views"):
            body = TAKES[method, path] | {"page": "none"}
        answer = self.room.client.request(method, filled, params=query, json=body, headers=key)
        assert answer.status_code < 500, answer.text
        return answer.status_code


@pytest.fixture(scope="module")
def callers(intruder: Break) -> Callers:
    room = intruder.room
    return Callers(room, {each: room.key(OTHER, each) for each in GRANTED}, room.key(OWN, Role.ADMIN))


def test_every_route_is_named_with_the_permission_that_it_requires() -> None:
    assert sorted(REQUIRES) == ROUTES


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_role_is_admitted_where_its_permissions_say_so_and_nowhere_else(
    callers: Callers, method: str, path: str
) -> None:
    required = REQUIRES[method, path]
    refused = {each for each, key in callers.keys.items() if callers.status(method, path, key) == 403}
    without_key = callers.status(method, path, {"Authorization": ""})
    if required is None:
        # A form of the sign-in proves by its origin that it is our own, whoever sends it.
        assert refused == (set(callers.keys) if method == "POST" and path in FORMS else set())
        return
    assert refused == {each for each, permissions in GRANTED.items() if required not in permissions}
    assert without_key == 401
    if path not in OF_OWN_DESK and ("{" in path or method != "GET"):
        # An administrator of another desk: the route is open to it, and this desk unknown.
        # A form takes no JSON.
        is_form = path in FORMS and "{" not in path
        assert callers.status(method, path, callers.other) in ((415,) if is_form else (200, 404, 422))


@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [
        (Role.VIEWER, "note.added", 403),
        (Role.AGENT, "note.added", 200),
        (Role.AGENT, "exclusion.granted", 422),
        (Role.AGENT, "event.withdrawn", 422),
        (Role.LEAD, "exclusion.granted", 200),
        (Role.LEAD, "event.withdrawn", 200),
        (Role.PUSH, "event.withdrawn", 200),
        (Scope.PUSH, "exclusion.granted", 200),
    ],
)
def test_only_a_lead_and_a_ticket_system_push_exclusions_and_withdrawals(
    callers: Callers, role: Role | Scope, kind: str, status: int
) -> None:
    data = {
        "note.added": {},
        "exclusion.granted": {
            "from": "2026-03-06T10:00:00+01:00",
            "to": "2026-03-06T11:00:00+01:00",
            "author": "Ann",
            "reason": "agreed",
        },
        "event.withdrawn": {"id": "e0", "author": "Ann", "reason": "a mistake"},
    }
    event = callers.room.event(type=kind, data=data[kind])
    answer = callers.room.send(event, callers.keys[role])
    assert answer.status_code == status, answer.text
    if status == 422:
        assert answer.json()["refused"][0]["reason"].startswith("/type: ")


def test_roles_of_one_desk_allow_nothing_on_another_of_the_caller(callers: Callers) -> None:
    room = callers.room
    roles = {OTHER: frozenset({Role.VIEWER}), OWN: frozenset({Role.ADMIN})}
    secret, _ = room.database.write_now(lambda conn, now: keys.create(conn, roles, now))
    key = {"Authorization": f"Bearer {secret}"}
    put = {
        desk: room.client.put(f"/v1/calendars/{desk}", json={}, headers=key) for desk in (OTHER, OWN, OWN_TOO)
    }
    assert {desk: answer.status_code for desk, answer in put.items()} == {OTHER: 403, OWN: 422, OWN_TOO: 404}
    seen = {each["desk"] for each in room.get("/v1/desks", key).json()["desks"]}
    assert seen == {OTHER, OWN}
    pushed = room.send([room.event(source=OTHER, type="note.added"), room.event(source=OWN_TOO)], key)
    reasons = [each["reason"] for each in pushed.json()["refused"]]
    assert "requires the role" in reasons[0]
    assert "no desk 'hvn' is known" in reasons[1]
