"""Over HTTP: a desk on another server is redirected to or forwarded; one that moves is answered with 503."""

import socket
from collections.abc import Iterator

import orjson
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import func, insert, select

from app.principal import Scope
from app.settings import Settings
from app.store.engine.database import Database
from app.store.engine.routes import RouteState
from app.store.tables import event, route
from app.web.http.access import FORWARDED
from tests.receiver import Receiver
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

ANSWER = b'{"accepted":1}'
OTHER = "https://sla2.example/sla"


def routed(url: str, **routes: tuple[RouteState, str]) -> None:
    """Put routes into the table, as `slatimer desk move` does."""
    rows = [
        {"desk": desk, "state": state.value, "is_hidden": True, "base_url": base, "changed_at": 0}
        for desk, (state, base) in routes.items()
    ]
    with Database(Settings(database_url=url)) as database:
        database.write_now(lambda conn, _: conn.execute(insert(route), rows))


@pytest.fixture(scope="module")
def moved(databases: Databases) -> Iterator[tuple[Room, Receiver]]:
    """haisoft lives on a server that the receiver stands for, clamehost on a third one; hvn moves."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Own: 1\r\nContent-Length: %d\r\n\r\n"
    other = Receiver(lambda number, request: (head % len(ANSWER)).encode() + ANSWER)
    with databases.copy_of(with_desks) as url, start_blocking_portal() as portal:
        portal.call(other.open)
        routed(
            url,
            haisoft=(RouteState.AWAY, f"http://{other.host}:{other.port}/sla"),
            clamehost=(RouteState.AWAY, OTHER),
            hvn=(RouteState.LEAVING, OTHER),
        )
        with room_on(url) as room:
            yield room, other
        portal.call(other.shut)


def stored(room: Room) -> int:
    return room.database.read_now(
        lambda conn: conn.execute(select(func.count()).select_from(event)).scalar_one()
    )


@pytest.mark.parametrize(
    "path",
    [
        "/v1/tickets/clamehost/a%2Fb?at=2026-03-06T12:00:00Z",
        "/v1/signals?desk=clamehost",
        "/calendars/clamehost",
    ],
)
def test_a_request_that_names_the_desk_is_redirected_with_its_path_and_query(
    moved: tuple[Room, Receiver], path: str
) -> None:
    answer = moved[0].client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, OTHER + path)


def test_a_list_of_a_key_whose_only_desk_lives_elsewhere_is_redirected(moved: tuple[Room, Receiver]) -> None:
    room = moved[0]
    own = room.key("clamehost", Scope.READ)
    answer = room.client.get("/v1/tickets", headers=own, follow_redirects=False)
    assert answer.headers["location"] == f"{OTHER}/v1/tickets"
    assert room.get("/v1/tickets", room.key("clamehost,phpnet", Scope.READ)).status_code == 200


def test_a_push_is_forwarded_with_its_bytes_and_key_and_gets_the_other_servers_answer(
    moved: tuple[Room, Receiver],
) -> None:
    room, other = moved
    body = b"[ %b ]" % orjson.dumps(room.event())
    before = len(other.arrived)
    headers = room.push | {"Content-Type": "application/json"}
    answer = room.client.post("/v1/events?x=1", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (200, ANSWER)
    assert "x-own" not in answer.headers
    request = other.arrived[before]
    assert request.body == body
    assert request.headers["authorization"] == room.push["Authorization"]
    assert request.headers[FORWARDED] == "1"
    assert stored(room) == 0


def test_an_inbound_webhook_is_forwarded_with_its_signature_and_no_key(moved: tuple[Room, Receiver]) -> None:
    room, other = moved
    before = len(other.arrived)
    signed = {"X-Hub-Signature": "sha1=0", "Content-Type": "text/plain"}
    answer = room.client.post("/v1/hooks/haisoft/zammad", content=b"\x00raw", headers=signed)
    assert answer.content == ANSWER
    assert other.arrived[before].body == b"\x00raw"
    assert other.arrived[before].headers["x-hub-signature"] == "sha1=0"


@pytest.mark.parametrize("sources", [("hvn",), ("hvn", "phpnet"), ("hvn", "haisoft")])
def test_while_a_desk_moves_a_push_is_to_be_sent_again_and_nothing_of_it_is_stored(
    moved: tuple[Room, Receiver], sources: tuple[str, ...]
) -> None:
    room = moved[0]
    answer = room.send([room.event(source=desk) for desk in sources])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert room.get("/v1/tickets", desk="hvn").status_code == 503
    assert stored(room) == 0


def test_a_push_for_desks_on_different_servers_is_refused_with_their_addresses(
    moved: tuple[Room, Receiver],
) -> None:
    room = moved[0]
    answer = room.send([room.event(source=desk) for desk in ("clamehost", "phpnet")])
    assert answer.status_code == 421
    assert answer.json()["servers"] == {"clamehost": OTHER}
    assert stored(room) == 0


def test_a_request_that_was_forwarded_in_a_circle_ends(moved: tuple[Room, Receiver]) -> None:
    room = moved[0]
    answer = room.client.post("/v1/hooks/haisoft/zammad", content=b"", headers={FORWARDED: "3"})
    assert answer.status_code == 503


def test_a_server_that_does_not_answer_is_a_503_and_no_refusal(databases: Databases) -> None:
    with socket.socket() as closed, databases.copy_of(with_desks) as url:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        routed(url, haisoft=(RouteState.AWAY, f"http://127.0.0.1:{closed.getsockname()[1]}"))
        with room_on(url) as room:
            answer = room.send(room.event())
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert room.send(room.event(source="phpnet")).status_code == 200
