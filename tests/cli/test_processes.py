"""Commands as processes of their own: interrupted, beside a running service, and the whole demonstration."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.intake.signature import SCHEMES
from app.settings import Settings
from app.store.engine.database import Connection, Database
from tests.cli.conftest import ROOT, Terminal
from tests.servers.databases import Databases, both_kinds
from tests.servers.process import free_port
from tests.servers.slatimer import Service
from tests.waiting import HANG, until, until_true

DESK = ROOT / "benchmarks" / "helpdesk"
OPENED = "2026-03-02T09:00:00Z"


def _slatimer(url: str, *arguments: object, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, arguments)],
        env={**os.environ, "SLATIMER_DATABASE_URL": url},
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def _output(url: str, *arguments: object) -> str:
    with _slatimer(url, *arguments) as process:
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 0, err
    return out


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """What is started here can be interrupted, also where the tests run in the background and cannot be."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def service(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, dict[str, str]]]:
    """A service that runs on the shipped desks, and the header of a key."""
    with databases.new() as url:
        made = Service(tmp_path_factory.mktemp("service"), url=url)
        headers = made.prepare()
        made.start()
        yield made, headers
        made.end()


def test_python_m_app_is_the_same_command(tmp_path: Path) -> None:
    asked = ("--calendar", "haisoft/tickets", "--start", "2026-03-06T11:30:00+01:00", "--within", "2h")
    assert _output(f"sqlite:///{tmp_path / 'none.db'}", "deadline", *asked) == "2026-03-06T15:30:00+01:00\n"
    assert not (tmp_path / "none.db").exists()


@pytest.fixture
def new_url(databases: Databases) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    with databases.new() as url:
        yield url


def _events(conn: Connection) -> int:
    return conn.exec_driver_sql("SELECT count(*) FROM event").scalar_one()


LENGTH = 2_500
"""Events of a log: some seconds of work."""


def _log(path: Path, number: int) -> Path:
    """A log of so many tickets of its own."""
    with path.open("w") as file:
        for n in range(LENGTH):
            name = f"{number}-{n}"
            about = {"id": name, "type": "ticket.created", "subject": name, "time": "2013-03-04T10:00:00Z"}
            file.write(json.dumps(about | {"data": {}}) + "\n")
    return path


def _interrupted(url: str, *asked: object) -> tuple[int, str, str, int]:
    """(exit code, output, errors, stored events) of a replay that is interrupted after its first transaction."""
    with Database(Settings(database_url=url)) as watched:
        before = watched.read_now(_events)
        with _slatimer(url, *asked) as process:
            until(lambda: watched.read_now(_events) > before)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=HANG)
        return process.returncode, out, err, watched.read_now(_events) - before


@both_kinds
def test_a_replay_that_is_interrupted_keeps_what_it_read_and_goes_on(new_url: str, tmp_path: Path) -> None:
    terminal, number, stored = Terminal(new_url), 0, LENGTH
    terminal.done("apply", DESK / "agreements", DESK / "calendars")
    asked, code, out, err = tuple[object, ...](), 0, "", ""
    while stored == LENGTH:  # one that has come to its end before the signal was not interrupted
        number += 1
        log = _log(tmp_path / f"{number}.jsonl", number)
        asked = ("replay", log, "--desk", "helpdesk", "--at", "2013-03-05T00:00:00Z", "--json")
        code, out, err, stored = _interrupted(new_url, *asked)
    assert (code, out) == (130, ""), err
    assert "Run the command again" in err
    recorded = json.loads(terminal.done(*asked))
    assert recorded["events"] == recorded["tickets"] == LENGTH
    assert recorded["repeated"] == stored


def test_a_fact_recorded_beside_a_running_service_is_seen_by_it(
    service: tuple[Service, dict[str, str]],
) -> None:
    running, headers = service
    running.command(
        "record", "phpnet", "P1", "ticket.created", "--set", "category=hardware", "--set", "level=example-1"
    )
    running.command("record", "phpnet", "P1", "call.registered")
    view = (
        httpx2.get(f"{running.base}/v1/tickets/phpnet/P1", headers=headers, timeout=HANG)
        .raise_for_status()
        .json()
    )
    assert [clock["state"] for clock in view["clocks"]] == ["running"]


def test_a_breach_recorded_beside_a_running_service_is_told_by_it(
    service: tuple[Service, dict[str, str]],
) -> None:
    running, headers = service
    almost = time.time() - 2 * 3600 + 4
    written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(almost))
    running.command("record", "clamehost", "C1", "outage.started", "--time", written)

    def recorded() -> list[str]:
        page = client.get("/v1/breaches", params={"desk": "clamehost"}).raise_for_status().json()
        return [breach["ticket"] for breach in page["breaches"]]

    with httpx2.Client(base_url=running.base, headers=headers, timeout=HANG) as client:
        until(recorded)
        assert recorded() == ["C1"]


def test_a_tested_connection_has_sent_a_sample(service: tuple[Service, dict[str, str]]) -> None:
    running, _ = service
    out = running.command(
        "connect", "cloudevents", "--desk", "haisoft", "--url", running.base, "--test", "--json"
    )
    connection = json.loads(out)
    sample = connection["template"] | {"id": "x1", "subject": "H1", "type": "note.added"}
    answer = httpx2.post(connection["url"], json=sample, headers=connection["headers"], timeout=HANG)
    assert answer.json()["accepted"] == 1


def test_the_demonstration_serves_its_day_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "app", "demo", "--quiet", "--port", str(port)]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as demo:
        assert demo.stdout is not None
        recorded: list[str] = []
        for line in demo.stdout:
            recorded.append(line)
            if "Ctrl-C" in line:
                break
        key = next(part for line in recorded for part in line.split() if part.startswith("slt_")).rstrip("'")
        page = httpx2.get(
            f"http://127.0.0.1:{port}/v1/tickets",
            params={"limit": 500},
            headers={"Authorization": f"Bearer {key}"},
            timeout=HANG,
        )
        demo.send_signal(signal.SIGTERM)
        _, err = demo.communicate(timeout=HANG)
    assert demo.returncode == 0, err
    assert {view["desk"] for view in page.json()["tickets"]} == {
        "haisoft",
        "webxtra",
        "clamehost",
        "hvn",
        "phpnet",
    }
    assert list(tmp_path.glob("slatimer-*")) == []


def test_a_tested_ticket_system_has_sent_a_signed_sample(service: tuple[Service, dict[str, str]]) -> None:
    running, headers = service
    for system in ("zammad", "zendesk", "glpi"):
        out = running.command(
            "connect", system, "--desk", "haisoft", "--url", running.base, "--test", "--json"
        )
        assert json.loads(out)["url"] == f"{running.base}/v1/hooks/haisoft/{system}"
    inbox = httpx2.get(f"{running.base}/v1/inbox", headers=headers, timeout=HANG)
    assert inbox.raise_for_status().json()["deliveries"] == []


SENDERS = 3
PACE = 0.02
"""Seconds between two deliveries of a sender."""
ROTATIONS = 5


class Sending:
    """Senders of Zammad's deliveries to a desk. Sender n changes over n rotations late; all secrets are live."""

    def __init__(self, client: httpx2.AsyncClient, secret: str) -> None:
        self._client, self._number = client, 0
        self.secrets = [secret]
        self.answers: Counter[tuple[str, int]] = Counter()
        """How many deliveries of each secret had which status for an answer."""
        self.sent: Counter[int] = Counter()
        """How many deliveries each sender has sent."""

    async def send(self, late: int) -> None:
        """Send one after the other until this is cancelled."""
        while True:
            secret = self.secrets[max(len(self.secrets) - 1 - late, 0)]
            self.answers[secret, await self._status(secret)] += 1
            self.sent[late] += 1
            await asyncio.sleep(PACE)

    async def until_all_have_sent(self) -> None:
        """Wait until each sender has begun to send with the secret that it uses now, and has its answer."""
        before = self.sent.copy()
        await until_true(lambda: all(self.sent[late] >= before[late] + 2 for late in range(SENDERS)))

    async def _status(self, secret: str) -> int:
        self._number += 1
        ticket = {"id": self._number, "title": "down", "state": "open", "created_at": OPENED}
        body = json.dumps({"ticket": ticket | {"updated_at": OPENED}, "article": {}}).encode()
        headers = SCHEMES["hub-sha1"].sign(secret, body, 0, "")
        return (
            await self._client.post("/v1/hooks/webxtra/zammad", content=body, headers=headers)
        ).status_code


async def test_a_secret_rotated_by_the_command_while_deliveries_come_refuses_none(
    service: tuple[Service, dict[str, str]],
) -> None:
    running, _ = service
    # In this process: the new secret is used at once, while the service still believes the look-up before.
    terminal = Terminal(running.url)

    async def connect(*more: str) -> str:
        asked = ("connect", "zammad", "--desk", "webxtra", "--json", *more)
        return json.loads(await asyncio.to_thread(terminal.done, *asked))["secret"]

    async with httpx2.AsyncClient(base_url=running.base, timeout=HANG) as client:
        sending = Sending(client, await connect())
        tasks = [asyncio.create_task(sending.send(late)) for late in range(SENDERS)]
        for _ in range(ROTATIONS):
            await sending.until_all_have_sent()
            sending.secrets.append(await connect("--rotate"))
        await sending.until_all_have_sent()
        made_up = await client.post("/v1/hooks/webxtra/zammad", headers={"x-hub-signature": "sha1=0"})
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert len(set(sending.secrets)) == ROTATIONS + 1
    assert set(sending.answers) == {(secret, 202) for secret in sending.secrets}
    assert made_up.status_code == 401
