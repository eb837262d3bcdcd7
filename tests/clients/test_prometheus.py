"""A real Prometheus and a real Alertmanager: both restarted while an alert fires; a dead target that comes back."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
import pytest

from tests.servers.process import HOST, Process, free_port, new_folder
from tests.servers.slatimer import Service
from tests.waiting import HANG, until

AGREEMENT: Final = """
desk = "{desk}"
name = "Watched systems"
time_zone = "UTC"

[[commitments]]
id = "gtr"
label = "Service restored"
kind = "guarantee"
measure = "gtr"
starts_on = ["anomaly.detected"]
stops_on = ["service.restored"]
target = "4h"
calendar = "always"

[[availability]]
id = "uptime"
label = "Uptime"
kind = "guarantee"
services = ["Mail"]
target = ">= 50%"
"""

PROMETHEUS: Final = """
global: {{scrape_interval: {scrape}, evaluation_interval: 1s}}
scrape_configs:
  - job_name: disk
    static_configs: [{{targets: ["{target}"]}}]
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["{alertmanager}"]}}]
"""

RULES: Final = """
groups:
  - name: disk
    rules:
      - alert: DiskFull
        expr: disk_full == 1
        labels: {severity: critical}
        annotations: {summary: "The disk of {{ $labels.service }} is full"}
"""

DEAD: Final = """
groups:
  - name: targets
    rules:
      - alert: TargetDead
        expr: up == 0
        labels: {severity: page, service: Mail, cause: hardware}
        annotations: {summary: "{{ $labels.instance }} does not answer"}
"""

SOURCES: Final = """
[sources.alertmanager]
outages = true
outage_when = { alertname = "TargetDead" }
resource_label = "job"
"""

# The group is sent again each second, so that what a restarted Alertmanager learns is sent too.
ROUTE: Final = """
route: {receiver: slatimer, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1s}
"""


def polling_client() -> httpx2.Client:
    """One client for all polls, since a new one costs more than a poll. Each poll has a connection of its own, which no
    server can close before the next one."""
    return httpx2.Client(timeout=HANG, limits=httpx2.Limits(max_keepalive_connections=0))


class Disk:
    """What Prometheus scrapes: a disk that is full or is not. A dead one answers with an error, and keeps its port: a
    port that is given up may be another's when it is wanted again."""

    def __init__(self) -> None:
        self.full = self.dead = False
        disk = self

        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f'disk_full{{service="mail"}} {int(disk.full)}\n'.encode()
                self.send_response(503 if disk.dead else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((HOST, 0), Metrics)
        self.address = f"{HOST}:{self.server.server_address[1]}"

    @contextmanager
    def served(self) -> Generator["Disk"]:
        thread = Thread(target=self.server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()
            thread.join()


class Monitor:
    """One of the two servers, with its configuration and its data in a folder."""

    def __init__(self, program: str, configuration: dict[str, str], *flags: str) -> None:
        self.program = program
        self.address = f"{HOST}:{free_port()}"
        self.process = Process(new_folder(program), None, signal.SIGKILL)
        self.flags = (f"--web.listen-address={self.address}", *flags)
        self.client = polling_client()
        for name, text in configuration.items():
            (self.process.folder / name).write_text(text)

    def start(self) -> None:
        self.process.start([self.program, *self.flags], dict(os.environ))
        assert self.process.until(self._is_ready), self.process.failed("ended")

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(f"http://{self.address}{path}")

    def kill(self) -> None:
        self.process.end(signal.SIGKILL)

    def close(self) -> None:
        if self.process.running:
            self.kill()
        self.process.close()
        self.client.close()

    def _is_ready(self) -> bool:
        try:
            return self.get("/-/ready").is_success
        except httpx2.TransportError:
            return False


def installed(*names: str) -> str:
    """The first of these programs that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(f"{names[0]} is not installed: apt install prometheus prometheus-alertmanager")
    return found


class Desk:
    """The desk that alerts are reported to."""

    def __init__(self, service: Service, folder: Path, name: str, sources: str = "") -> None:
        self.name = name
        (folder / f"{name}.toml").write_text(AGREEMENT.replace("{desk}", name))
        service.command("apply", folder / f"{name}.toml")
        if sources:
            described = folder / "sources" / f"{name}.toml"
            described.parent.mkdir()
            described.write_text(sources)
            service.command("apply", described)
        secret = service.command("key", "create", "--desk", name, "--scope", "push,read").strip()
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.base, self.client = service.base, polling_client()
        plug = json.loads(service.command("connect", "alertmanager", "--desk", name, "--json"))
        template = str(plug["template"]).replace("<SECRET>", plug["secret"])
        self.receiver = template.replace("<URL>", plug["url"]).replace(
            plug["url"], f"{service.base}/v1/hooks/{name}/alertmanager"
        )

    def get(self, path: str) -> Any:
        return self.client.get(self.base + path, headers=self.headers).json()

    def close(self) -> None:
        self.client.close()

    def tickets(self) -> list[dict[str, Any]]:
        return self.get(f"/v1/tickets?desk={self.name}")["tickets"]

    def open(self) -> list[str]:
        return [ticket["ticket"] for ticket in self.tickets() if ticket["status"] == "open"]

    def events(self, ticket: str) -> list[dict[str, Any]]:
        return self.get(f"/v1/tickets/{self.name}/{ticket}/events")["events"]

    def uptime(self, service: str, resource: str, at: str) -> dict[str, Any]:
        """The uptime of a resource in the month of an instant, as it is then."""
        asked = {"desk": self.name, "service": service, "resource": resource, "at": at}
        (found,) = self.get(f"/v1/availability?{urlencode(asked)}")["availability"]
        return found

    def outages(self, ticket: str) -> list[dict[str, Any]]:
        """The facts of the outage that a ticket is about, without when they were received."""
        found = [event for event in self.events(ticket) if event["type"].startswith("outage.")]
        return [{key: event[key] for key in ("type", "time", "data")} for event in found]


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk().served() as served:
        yield served


@pytest.fixture
def desk_named(running: Service, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes a desk of this name, with these settings of its sources."""
    made: list[Desk] = []

    def make(name: str, sources: str = "") -> Desk:
        made.append(Desk(running, tmp_path, name, sources))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


Monitored = Callable[[Desk, str, str], tuple[Monitor, Monitor]]


@pytest.fixture
def monitored(disk: Disk) -> Iterator[Monitored]:
    """Makes an Alertmanager that sends to a desk, and a Prometheus that scrapes the disk and judges it by rules."""
    made: list[Monitor] = []

    def make(desk: Desk, rules: str, scrape: str) -> tuple[Monitor, Monitor]:
        made.append(_alertmanager(desk))
        made.append(_prometheus(disk, made[0], rules, scrape))
        return made[0], made[1]

    yield make
    for monitor in made:
        monitor.close()


def _alertmanager(desk: Desk) -> Monitor:
    return Monitor(
        installed("prometheus-alertmanager", "alertmanager"),
        {"alertmanager.yml": ROUTE + desk.receiver},
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        "--cluster.listen-address=",
    )


def _prometheus(disk: Disk, alertmanager: Monitor, rules: str, scrape: str) -> Monitor:
    configuration = PROMETHEUS.format(target=disk.address, alertmanager=alertmanager.address, scrape=scrape)
    return Monitor(
        installed("prometheus"),
        {"prometheus.yml": configuration, "rules.yml": rules},
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        # An alert that fires before Prometheus has found its Alertmanager is dropped, and sent again after this time.
        # It is valid for four times as long: no slowness of a machine resolves it.
        "--rules.alert.resend-delay=10s",
    )


def _beginnings(alertmanager: Monitor) -> set[str]:
    return {alert["startsAt"] for alert in alertmanager.get("/api/v2/alerts").json()}


def _sent(alertmanager: Monitor) -> float:
    """How many webhooks it has sent since it started."""
    lines = alertmanager.get("/metrics").text.splitlines()
    (line,) = (
        line for line in lines if line.startswith('alertmanager_notifications_total{integration="webhook"}')
    )
    return float(line.rpartition(" ")[2])


def _health(prometheus: Monitor) -> str:
    """The health of its target; Prometheus says "unknown" before the first scrape, and has no target before that."""
    targets = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
    return str(targets[0]["health"]) if targets else "unknown"


def _start(alertmanager: Monitor, prometheus: Monitor) -> None:
    alertmanager.start()
    prometheus.start()
    until(lambda: bool(prometheus.get("/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]))


def _restart(alertmanager: Monitor, prometheus: Monitor) -> None:
    """Kill both and start both. Returns when Alertmanager has an alert again, and has sent it."""
    prometheus.kill()
    alertmanager.kill()
    alertmanager.start()
    prometheus.start()
    until(lambda: bool(_beginnings(alertmanager)))
    until(lambda: _sent(alertmanager) >= 1)


def test_both_restarted_during_an_alert_are_one_ticket_and_one_clock_without_a_breach(
    desk_named: Callable[..., Desk], disk: Disk, monitored: Monitored
) -> None:
    desk = desk_named("watch")
    alertmanager, prometheus = monitored(desk, RULES, "1s")
    _start(alertmanager, prometheus)
    disk.full = True
    until(lambda: len(desk.tickets()) == 1)
    (before,) = _beginnings(alertmanager)

    _restart(alertmanager, prometheus)
    assert before not in _beginnings(alertmanager), "the alert was dated anew"

    disk.full = False
    until(lambda: any(ticket["status"] == "solved" for ticket in desk.tickets()))
    (ticket,) = desk.tickets()
    (clock,) = ticket["clocks"]
    assert (ticket["title"], ticket["priority"]) == ("The disk of mail is full", "urgent")
    assert (clock["state"], clock["met"], clock["breached_at"]) == ("stopped", True, None)
    assert desk.get("/v1/breaches?desk=watch")["breaches"] == []
    kinds = [event["type"] for event in desk.events(ticket["ticket"])]
    assert sorted(kinds) == ["anomaly.detected", "service.restored", "status.changed", "ticket.created"]
    assert desk.get("/v1/inbox?desk=watch")["deliveries"] == []


def test_a_dead_target_is_an_outage_of_its_service_through_a_restart_of_both_until_it_is_restored(
    desk_named: Callable[..., Desk], disk: Disk, monitored: Monitored
) -> None:
    desk = desk_named("probe", SOURCES)
    # A scrape may take as long as the interval. A busy machine that exceeds it makes an outage of its own, so only the
    # one that is open while the target is dead is looked at.
    alertmanager, prometheus = monitored(desk, DEAD, "3s")
    _start(alertmanager, prometheus)
    until(lambda: _health(prometheus) == "up")

    disk.dead = True
    until(lambda: _health(prometheus) == "down")
    until(lambda: len(desk.open()) == 1)
    (ticket,) = desk.open()
    (started,) = desk.outages(ticket)
    assert started["data"] == {
        "service": "Mail",
        "resource": "disk",
        "cause": "hardware",
        "reference": ticket,
        "ticket": ticket,
    }

    _restart(alertmanager, prometheus)
    disk.dead = False
    until(lambda: ticket not in desk.open())
    begun, ended = desk.outages(ticket)
    assert (begun, ended["type"]) == (started, "outage.ended")
    assert ended["data"] == {name: value for name, value in started["data"].items() if name != "cause"}
    assert begun["time"] < ended["time"]
    (restored,) = (event for event in desk.events(ticket) if event["type"] == "service.restored")
    assert ended["time"] == restored["time"]
    month = desk.uptime("Mail", "disk", at=ended["time"])
    assert (month["state"], month["downtime_seconds"] > 0) == ("running", True)
    assert Decimal(month["uptime"]) < 100
    assert ticket in [outage["reference"] for outage in month["outages"]]
    assert desk.get("/v1/inbox?desk=probe")["deliveries"] == []
