"""A request is admitted before its body is read: key, size and content type first, on every route of the app."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.types import Message

from app.intake.validation import MAX_FAULTS
from app.main import ROUTERS
from app.principal import Scope
from app.web.http.routing import BODY_METHODS, GuardedRoute
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

ROUTES = [route for router in ROUTERS for route in router.routes]
SIGNED = "/v1/hooks/{desk}/{system}"
"""A webhook's signature covers its body, which is therefore read first."""


class Sender:
    """A client that sends a body in pieces, and notes what was read of it."""

    def __init__(self, *pieces: bytes, stops: bool = False, hangs_up: bool = False) -> None:
        self._pieces = list(pieces)
        self._stops, self._hangs_up = stops, hangs_up
        self.read = 0
        self.status = 0
        self.answer = b""

    async def receive(self) -> Message:
        if not self._pieces:
            if self._hangs_up:
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
        piece = self._pieces.pop(0)
        self.read += len(piece)
        more = bool(self._pieces) or self._stops or self._hangs_up
        return {"type": "http.request", "body": piece, "more_body": more}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.answer += message.get("body", b"")


def send(room: Room, sender: Sender, method: str, path: str, headers: dict[str, str]) -> Sender:
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "query_string": b"",
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }

    async def request() -> None:
        await room.app(scope, sender.receive, sender.send)

    assert room.client.portal is not None
    room.client.portal.call(request)
    return sender


def filled(path: str) -> str:
    return re.sub(r"{\w+(?::path)?}", "none", path)


JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def impatient(databases: Databases) -> Iterator[Room]:
    """A room whose bodies must arrive at once."""
    given = {"body_timeout": "PT0.05S", "body_min_rate": 1_000_000}
    with databases.copy_of(with_desks) as url, room_on(url, **given) as room:
        yield room


@pytest.fixture(scope="module")
def small(databases: Databases) -> Iterator[Room]:
    """A room whose bodies must fit into a megabyte together."""
    with databases.copy_of(with_desks) as url, room_on(url, max_pending_body_size=1_000_000) as room:
        yield room


def test_every_route_of_the_app_is_guarded() -> None:
    assert [route for route in ROUTES if not isinstance(route, GuardedRoute)] == []


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if isinstance(route, GuardedRoute)], ids=lambda route: route.path
)
def test_without_a_key_nothing_of_a_body_is_read(shared_room: Room, route: APIRoute) -> None:
    large = b'{"unknown":0}' * 1000
    for method in route.methods or ():
        sender = Sender(*[large] * 40)
        send(shared_room, sender, method, filled(route.path), JSON)
        if method not in BODY_METHODS:
            assert sender.read <= len(large), (method, route.path)  # a stream looks for the client's end
        elif route.path.startswith("/session"):
            assert (sender.status, sender.read) == (413, len(large))
        elif route.path.startswith("/sign-"):
            assert (sender.status, sender.read) == (403, 0)  # no form of our own
        elif route.path == SIGNED:
            assert sender.status == 404  # no system is connected there
        else:
            assert (sender.status, sender.read) == (401, 0), (method, route.path)


@pytest.mark.parametrize(
    ("path", "length"), [("/session", 5_000), ("/v1/events", 20_000_000), ("/v1/subscriptions", 100_000)]
)
def test_a_body_that_declares_too_much_is_refused_before_it_is_read(
    shared_room: Room, path: str, length: int
) -> None:
    key = shared_room.key("*", Scope.ADMIN)
    sender = send(shared_room, Sender(b"{}"), "POST", path, key | JSON | {"Content-Length": str(length)})
    assert (sender.status, sender.read) == (413, 0)


@pytest.mark.parametrize("path", ["/session", "/v1/events", "/v1/subscriptions", "/v1/deadlines"])
def test_a_body_of_another_type_is_refused_before_it_is_read(shared_room: Room, path: str) -> None:
    key = shared_room.key("*", Scope.ADMIN)
    sender = send(shared_room, Sender(b"a=b"), "POST", path, key | {"Content-Type": "text/csv"})
    assert (sender.status, sender.read) == (415, 0)


def test_a_body_that_does_not_arrive_in_time_is_refused(impatient: Room) -> None:
    sender = send(impatient, Sender(b"[", b"1,", stops=True), "POST", "/v1/events", impatient.push | JSON)
    assert sender.status == 408
    assert b"bytes a second" in sender.answer
    assert impatient.app.state.running.bodies.used == 0


def test_bodies_beyond_the_memory_set_aside_are_asked_to_come_again(small: Room) -> None:
    pieces = [b" " * 400_000] * 3
    sender = send(small, Sender(*pieces), "POST", "/v1/events", small.push | JSON)
    assert sender.status == 503
    assert small.app.state.running.bodies.used == 0
    assert small.send(small.event()).status_code == 200


def test_a_sender_that_hangs_up_is_no_error(shared_room: Room, capfd: pytest.CaptureFixture[str]) -> None:
    sender = Sender(b"[", hangs_up=True)
    send(shared_room, sender, "POST", "/v1/events", shared_room.push | JSON)
    assert sender.status == 0
    assert "Traceback" not in capfd.readouterr().err


def test_an_answer_lists_the_first_twenty_faults_only(shared_room: Room) -> None:
    key = shared_room.key("*", Scope.ADMIN)
    unknown = {f"unknown{number}": 0 for number in range(100)}
    one = shared_room.client.post("/v1/subscriptions", json=unknown, headers=key)
    many = shared_room.client.post("/v1/deadlines", json=[unknown] * 100, headers=key)
    put = shared_room.client.put("/v1/calendars/hvn", json={"calendars": unknown}, headers=key)
    for response in (one, many, put):
        assert response.status_code == 422
        assert len(response.json()["errors"]) <= MAX_FAULTS
    assert "only the first 20" in one.json()["detail"]
