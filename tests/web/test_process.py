"""A real process: the stream resumes where a client was, and shutdown does not wait for its clients."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.principal import EVERY, Scope, roles_on
from app.settings import Settings
from app.store.engine.database import Database
from app.store.people import keys
from app.store.tickets import ledger
from tests.servers.databases import Databases, both_kinds
from tests.servers.process import free_port
from tests.waiting import HANG, until
from tests.web.room import with_desks

SERVE = """
import os, resource
if files := os.environ.get("SLATIMER_TEST_FILES"):
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(files), int(files)))
from app.main import serve
from app.settings import Settings
serve(Settings())
"""


@dataclass
class Process:
    running: subprocess.Popen[bytes]
    client: httpx2.Client
    url: str
    """Of its database."""

    def push(self, event_id: str, **given: Any) -> Any:
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": "haisoft",
            "type": "ticket.created",
            "subject": event_id,
            "time": datetime.now(UTC).isoformat(),
            "data": {"title": "Server unreachable", "customer": "ACME"},
        }
        response = self.client.post("/v1/events", json=event | given)
        assert response.status_code == 200, response.text
        return response.json()

    def listen(self, stack: ExitStack, last: str | None = None, **params: str) -> Iterator[tuple[str, Any]]:
        """(id, signal) as they arrive. Returns once the stream is open."""
        headers = {} if last is None else {"Last-Event-ID": last}
        response = stack.enter_context(
            self.client.stream("GET", "/v1/stream", params=params, headers=headers)
        )
        assert response.status_code == 200
        lines = response.iter_lines()
        assert next(lines).startswith(":")
        return self._signals(lines)

    @staticmethod
    def _signals(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
        place = ""
        for line in lines:
            if line.startswith("id: "):
                place = line.removeprefix("id: ")
            elif line.startswith("data: "):
                yield place, json.loads(line.removeprefix("data: "))


@pytest.fixture(scope="module")
def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for the tests that leave it running."""
    with databases.copy_of(with_desks) as url, started(url, tmp_path_factory.mktemp("process")) as process:
        yield process


@pytest.fixture
def process(databases: Databases, tmp_path: Path) -> Iterator[Process]:
    """A process that the test may end."""
    with databases.copy_of(with_desks) as url, started(url, tmp_path) as process:
        yield process


@contextmanager
def started(url: str, folder: Path, **settings: str) -> Generator[Process]:
    """A web process with these settings, by their names without the prefix."""
    with Database(Settings(database_url=url)) as database:
        secret, _ = database.write_now(
            lambda conn, now: keys.create(conn, roles_on(EVERY, [Scope.ADMIN]), now)
        )
    port = free_port()
    env = os.environ | {"SLATIMER_DATABASE_URL": url, "SLATIMER_PORT": str(port)}
    env |= {f"SLATIMER_{name.upper()}": value for name, value in settings.items()}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-c", SERVE], env=env, stderr=log, cwd=Path(__file__).parents[2]
        ) as running,
    ):
        header = {"Authorization": f"Bearer {secret}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=header, timeout=HANG) as client:
            try:
                until(lambda: _is_ready(running, client))
                yield Process(running, client, url)
            finally:
                running.kill()


def _is_ready(running: subprocess.Popen[bytes], client: httpx2.Client) -> bool:
    assert running.poll() is None, "the process has ended"
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_a_client_that_was_cut_off_goes_on_without_a_gap_and_without_a_repetition(shared: Process) -> None:
    with ExitStack() as first:
        live = shared.listen(first, kind="clock.started")
        shared.push("a")
        last, recorded = next(live)
        assert (recorded["kind"], recorded["ticket"]) == ("clock.started", "a")
    shared.push("b")
    shared.push("c")
    with ExitStack() as second:
        live = shared.listen(second, last, kind="clock.started")
        shared.push("d")
        missed = [next(live) for _ in range(3)]
    assert [recorded["ticket"] for _, recorded in missed] == ["b", "c", "d"]
    places = [int(place) for place, _ in missed]
    assert places == sorted(set(places))
    assert min(places) > int(last)


def test_a_stream_has_the_kind_as_the_event_and_no_event_without_data(shared: Process) -> None:
    with shared.client.stream("GET", "/v1/stream", params={"kind": "clock.started"}) as response:
        text = response.iter_text()
        got = next(text)
        assert got == ": slatimer\n"
        shared.push("named")
        while not got.endswith("\n\n"):
            got += next(text)
    event = [line for line in got.splitlines() if line and not line.startswith(":")]
    assert [line.partition(":")[0] for line in event] == ["retry", "event", "id", "data"]
    assert event[1] == "event: clock.started"


def test_a_client_with_one_handler_asks_for_events_without_names(shared: Process) -> None:
    with shared.client.stream("GET", "/v1/stream", params={"named": "false", "after": "0"}) as response:
        shared.push("plain")
        lines = response.iter_lines()
        assert next(line for line in lines if line.startswith("data: "))
        assert not any(line.startswith("event:") for line in (next(lines), next(lines)))


def test_several_clients_hear_the_same_and_each_only_what_it_asked_for(shared: Process) -> None:
    with ExitStack() as stack:
        everything, stopped = shared.listen(stack), shared.listen(stack, kind="clock.stopped")
        shared.push("e")
        shared.push("e-reply", type="agent.replied", subject="e", data={"author": "agent"})
        kinds = [next(everything)[1]["kind"] for _ in range(4)]
        assert kinds == ["clock.started", "queue.joined", "clock.stopped", "queue.left"]
        assert next(stopped)[1]["kind"] == "clock.stopped"


def test_an_open_stream_has_no_signal_after_its_session_has_ended(shared: Process) -> None:
    secret = shared.client.headers["authorization"].removeprefix("Bearer ")
    with httpx2.Client(base_url=shared.client.base_url, headers={"X-Slatimer": "page"}, timeout=HANG) as page:
        assert page.post("/session", json={"key": secret}).status_code == 200
        with page.stream("GET", "/v1/stream", params={"kind": "clock.started"}) as response:
            lines = response.iter_lines()
            shared.push("signed-in")
            assert '"signed-in"' in next(line for line in lines if line.startswith("data: "))
            assert page.delete("/session").status_code == 204
            shared.push("signed-out")
            assert not [line for line in lines if line.startswith("data: ")]


def test_a_client_that_does_not_read_harms_nobody(shared: Process) -> None:
    with ExitStack() as stack:
        shared.listen(stack)
        listener = shared.listen(stack, kind="clock.started")
        for number in range(50):
            shared.push(f"t{number}")
        assert [next(listener)[1]["ticket"] for _ in range(50)] == [f"t{number}" for number in range(50)]


def test_asked_to_stop_with_open_streams_it_does_not_wait_for_their_clients(
    databases: Databases, tmp_path: Path
) -> None:
    """They would stay for as long as it lets them: here an hour."""
    with (
        databases.copy_of(with_desks) as url,
        started(url, tmp_path, graceful_timeout="PT1H") as process,
        ExitStack() as stack,
    ):
        listeners = [process.listen(stack, kind="clock.started") for _ in range(3)]
        process.push("a")
        assert {next(listener)[1]["ticket"] for listener in listeners} == {"a"}
        process.running.send_signal(signal.SIGTERM)
        process.running.wait(HANG)
        assert [list(listener) for listener in listeners] == [[], [], []]


@both_kinds
def test_what_was_answered_is_there_after_a_restart_on_the_same_database(process: Process) -> None:
    process.push("a")
    process.running.kill()
    process.running.wait(HANG)
    with Database(Settings(database_url=process.url)) as database:
        assert database.read_now(lambda conn: ledger.known(conn, "haisoft", ["a"])) == {"a"}
