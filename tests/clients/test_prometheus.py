"""A real Prometheus and a real Alertmanager, killed and restarted together while an alert fires."""

import json
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx2
import pytest

from tests.servers.process import HOST, Process, free_port, new_folder
from tests.servers.slatimer import Service
from tests.waiting import HANG, until

AGREEMENT: Final = """
desk = "watch"
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
"""

PROMETHEUS: Final = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
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

# The group is sent again each second, so that what a restarted Alertmanager learns is sent too.
ROUTE: Final = """
route: {receiver: slatimer, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1s}
"""


class Disk:
    """What Prometheus scrapes: a disk that is full or is not."""

    def __init__(self) -> None:
        self.full = False
        disk = self

        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f'disk_full{{service="mail"}} {int(disk.full)}\n'.encode()
                self.send_response(200)
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
        for name, text in configuration.items():
            (self.process.folder / name).write_text(text)

    def start(self) -> None:
        self.process.start([self.program, *self.flags], dict(os.environ))
        assert self.process.until(self._is_ready), self.process.failed("ended")

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"http://{self.address}{path}", timeout=HANG)

    def kill(self) -> None:
        self.process.end(signal.SIGKILL)

    def close(self) -> None:
        if self.process.running:
            self.kill()
        self.process.close()

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
    """The desk that is told of alerts."""

    def __init__(self, service: Service, folder: Path) -> None:
        (folder / "watch.toml").write_text(AGREEMENT)
        service.command("apply", folder / "watch.toml")
        secret = service.command("key", "create", "--desk", "watch", "--scope", "push,read").strip()
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.base = service.base
        plug = json.loads(service.command("connect", "alertmanager", "--desk", "watch", "--json"))
        template = str(plug["template"]).replace("<SECRET>", plug["secret"])
        self.receiver = template.replace("<URL>", plug["url"]).replace(
            plug["url"], f"{service.base}/v1/hooks/watch/alertmanager"
        )

    def get(self, path: str) -> Any:
        return httpx2.get(self.base + path, headers=self.headers, timeout=HANG).json()

    def tickets(self) -> list[dict[str, Any]]:
        return self.get("/v1/tickets?desk=watch")["tickets"]


@pytest.fixture
def desk(running: Service, tmp_path: Path) -> Desk:
    return Desk(running, tmp_path)


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk().served() as served:
        yield served


@pytest.fixture
def alertmanager(desk: Desk) -> Iterator[Monitor]:
    monitor = Monitor(
        installed("prometheus-alertmanager", "alertmanager"),
        {"alertmanager.yml": ROUTE + desk.receiver},
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        "--cluster.listen-address=",
    )
    yield monitor
    monitor.close()


@pytest.fixture
def prometheus(disk: Disk, alertmanager: Monitor) -> Iterator[Monitor]:
    configuration = PROMETHEUS.format(target=disk.address, alertmanager=alertmanager.address)
    monitor = Monitor(
        installed("prometheus"),
        {"prometheus.yml": configuration, "rules.yml": RULES},
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        # An alert that fires before Prometheus has found its Alertmanager is dropped, and sent again after this time.
        # It is valid for four times as long: no slowness of a machine resolves it.
        "--rules.alert.resend-delay=10s",
    )
    yield monitor
    monitor.close()


def _beginnings(alertmanager: Monitor) -> set[str]:
    return {alert["startsAt"] for alert in alertmanager.get("/api/v2/alerts").json()}


def _sent(alertmanager: Monitor) -> float:
    """How many webhooks it has sent since it started."""
    lines = alertmanager.get("/metrics").text.splitlines()
    (line,) = (
        line for line in lines if line.startswith('alertmanager_notifications_total{integration="webhook"}')
    )
    return float(line.rpartition(" ")[2])


def test_both_restarted_during_an_alert_are_one_ticket_and_one_clock_without_a_breach(
    desk: Desk, disk: Disk, alertmanager: Monitor, prometheus: Monitor
) -> None:
    alertmanager.start()
    prometheus.start()
    until(lambda: bool(prometheus.get("/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]))
    disk.full = True
    until(lambda: len(desk.tickets()) == 1)
    (before,) = _beginnings(alertmanager)

    prometheus.kill()
    alertmanager.kill()
    alertmanager.start()
    prometheus.start()
    until(lambda: bool(_beginnings(alertmanager)))
    assert before not in _beginnings(alertmanager), "the alert was dated anew"
    until(lambda: _sent(alertmanager) >= 1)

    disk.full = False
    until(lambda: any(ticket["status"] == "solved" for ticket in desk.tickets()))
    (ticket,) = desk.tickets()
    (clock,) = ticket["clocks"]
    assert (ticket["title"], ticket["priority"]) == ("The disk of mail is full", "urgent")
    assert (clock["state"], clock["met"], clock["breached_at"]) == ("stopped", True, None)
    assert desk.get("/v1/breaches?desk=watch")["breaches"] == []
    kinds = [event["type"] for event in desk.get(f"/v1/tickets/watch/{ticket['ticket']}/events")["events"]]
    assert sorted(kinds) == ["anomaly.detected", "service.restored", "status.changed", "ticket.created"]
    assert desk.get("/v1/inbox?desk=watch")["deliveries"] == []
