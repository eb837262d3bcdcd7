"""Connections that send slowly, send nothing or read nothing: each ends, and the service answers all the while."""

import asyncio
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.settings import Settings
from app.web.http.connection import protocol_of
from tests.servers.databases import SqliteDatabases
from tests.waiting import HANG
from tests.web.room import with_desks
from tests.web.test_process import Process, started

FILES = 256
"""Descriptors of the process: what a shell or a container may grant."""
IDLE = 1000
TRIES = 100


@pytest.fixture(scope="module")
def strict(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A process with short timeouts."""
    short = {"header_timeout": "PT0.3S", "body_timeout": "PT0.3S", "send_timeout": "PT0.3S"}
    with (
        sqlite_databases.copy_of(with_desks) as url,
        started(url, tmp_path_factory.mktemp("strict"), keep_alive_timeout="PT1S", **short) as process,
    ):
        yield process


@pytest.fixture
def small(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A process that may open few files, with the timeouts as they are by default."""
    folder = tmp_path_factory.mktemp("small")
    with (
        sqlite_databases.copy_of(with_desks) as url,
        started(url, folder, test_files=str(FILES), key_streams_max=str(FILES)) as process,
    ):
        yield process


def connected(process: Process, sent: bytes = b"") -> socket.socket:
    address = urlsplit(str(process.client.base_url))
    made = socket.create_connection((address.hostname, address.port), timeout=HANG)
    with suppress(ConnectionError):  # it has ended already
        made.sendall(sent)
    return made


def everything(connection: socket.socket) -> bytes:
    """What the service sends until it closes the connection."""
    received = b""
    with connection:
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                return received
            if not piece:
                return received
            received += piece


def answers(process: Process, sent: bytes) -> bytes:
    """What the service answers until it closes the connection, which it does.

    Again, when it has closed it before anything arrived: on a busy machine the test itself can be too slow for it.
    """
    for _ in range(TRIES):
        if received := everything(connected(process, sent)):
            return received
    pytest.fail("the service closes every connection without an answer")


def problem_in(answer: bytes) -> dict[str, Any]:
    """The document of an answer."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])


GET = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [b"", b"GE", b"GET /healthz HTTP/1.1\r\nHost: te"],
    ids=["nothing", "half a word", "half of the headers"],
)
def test_headers_that_do_not_arrive_end_the_connection(strict: Process, sent: bytes) -> None:
    assert everything(connected(strict, sent)) == b""


def test_headers_of_a_further_request_have_the_same_time(strict: Process) -> None:
    """A line break is no request, and does not make a connection last."""
    assert answers(strict, GET + b"\r\n").count(b"HTTP/1.1 200") == 1


def test_an_idle_connection_is_closed(strict: Process) -> None:
    assert answers(strict, GET).count(b"HTTP/1.1 200") == 1


def test_a_connection_serves_one_request_after_another(strict: Process) -> None:
    body = b"POST /session HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\n" + b" " * 5000
    received = answers(strict, GET + body + GET + GET)
    assert received.count(b"HTTP/1.1 200") == 3
    assert received.count(b"HTTP/1.1 413") == 1


def test_headers_without_end_are_refused(strict: Process) -> None:
    answer = answers(strict, b"GET /healthz HTTP/1.1\r\nHost: t\r\nX-Long: " + b"x" * 40_000)
    assert answer.startswith(b"HTTP/1.1 431")
    assert b"x-content-type-options: nosniff" in answer
    assert problem_in(answer)["type"] == "urn:slatimer:problem:headers-too-large"


class Written(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.is_ended = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.is_ended = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_ended


POST = b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n"
LONG = b"x" * 100_000


@pytest.mark.parametrize(
    ("sent", "answer", "is_answered"),
    [
        (POST + b"0\r\nAuthorization: Bearer x\r\n\r\n", b"HTTP/1.1 200", False),
        (POST + (b"2;short=x\r\n[]\r\n" * 5_000) + b"0\r\n\r\n", b"HTTP/1.1 200", False),
        (POST + b"0\r\nX-Long: " + LONG, b"HTTP/1.1 431", False),
        (POST + b"0;long=" + LONG, b"HTTP/1.1 431", False),
        (POST + b"0\r\nX-Long: " + LONG, b"HTTP/1.1 200", True),
    ],
    ids=["a trailer", "many chunks", "a long trailer", "a long extension", "answered before"],
)
def test_trailers_have_the_size_of_headers_and_none_is_read_as_one(
    sent: bytes, answer: bytes, *, is_answered: bool
) -> None:
    names: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not is_answered:
            await request.body()
        names.extend(request.headers)
        await Response()(scope, receive, send)

    async def served() -> tuple[bytes, bool]:
        config, transport = uvicorn.Config(app, lifespan="off", log_config=None), Written()
        protocol = protocol_of(Settings())(config, ServerState(), {})
        protocol.connection_made(transport)
        protocol.data_received(sent[: len(POST)])
        tasks = list(protocol.tasks)
        if is_answered:
            await asyncio.gather(*tasks)
        protocol.data_received(sent[len(POST) :])
        is_ended = transport.is_ended
        if is_ended:
            protocol.connection_lost(None)
        with suppress(ClientDisconnect):
            await asyncio.gather(*tasks)
        if not is_ended:
            protocol.connection_lost(None)
        return transport.written, is_ended

    written, is_ended = asyncio.run(served())
    assert (written[: len(answer)], written.count(b"HTTP/1.1")) == (answer, 1)
    assert is_ended is (LONG in sent)
    assert "authorization" not in names


def test_large_headers_that_arrive_at_once_are_refused_and_end_the_connection(strict: Process) -> None:
    answer = answers(
        strict, b"GET /healthz HTTP/1.1\r\nHost: t\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n" + GET
    )
    assert answer.startswith(b"HTTP/1.1 431")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"x-content-type-options: nosniff" in answer


def test_what_is_no_http_is_refused_with_the_headers_of_every_answer(strict: Process) -> None:
    answer = answers(strict, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"content-security-policy: default-src 'none'" in answer
    assert b"content-type: application/problem+json" in answer
    assert (problem_in(answer)["type"], problem_in(answer)["status"]) == (
        "urn:slatimer:problem:not-http",
        400,
    )


def test_the_rest_of_a_refused_body_does_not_make_a_connection_last(strict: Process) -> None:
    head = b"POST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n"
    assert answers(strict, head).startswith(b"HTTP/1.1 401")


def test_a_body_that_stops_gets_an_answer_and_ends_the_connection(strict: Process) -> None:
    key = str(strict.client.headers["authorization"]).encode()
    head = (
        b"POST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nAuthorization: %b\r\n"
        % key
    )
    assert answers(strict, head + b"Content-Length: 9000\r\n\r\n[").startswith(b"HTTP/1.1 408")


@pytest.fixture
def many_files() -> Iterator[None]:
    """Descriptors enough for this end of the connections, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * IDLE)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_more_idle_sockets_than_descriptors_leave_the_service_answering(small: Process) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(small)) for _ in range(IDLE)]
        assert len(idle) == IDLE
        address = str(small.client.base_url)
        for number in range(3):
            with httpx2.Client(base_url=address, headers=small.client.headers, timeout=HANG) as fresh:
                assert fresh.get("/healthz").status_code == 200
                assert fresh.get("/readyz").status_code == 200
            small.push(f"beside{number}")


def test_connections_in_use_leave_room_for_the_health_check_alone(small: Process) -> None:
    key = str(small.client.headers["authorization"]).encode()
    stream = b"GET /v1/stream HTTP/1.1\r\nHost: t\r\nAuthorization: %b\r\n\r\n" % key
    with ExitStack() as stack:
        for _ in range(FILES):
            connection = stack.enter_context(connected(small, stream))
            if not connection.recv(12).endswith(b"200"):
                break
        else:
            pytest.fail("as many connections are in use as there are descriptors")
        close = b"Connection: close\r\n\r\n"
        assert everything(connected(small, GET[:-2] + close)).startswith(b"HTTP/1.1 200")
        refused = everything(connected(small, b"GET /readyz HTTP/1.1\r\nHost: t\r\n" + close))
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in refused
