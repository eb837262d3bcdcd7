"""Health of a process: cached invariant checks for `/readyz`, and a heartbeat for an external monitor.

The checks are cached, so that frequent probes do not load the database. The heartbeat is an HTTP request to
`heartbeat_url` at a fixed interval; it is withheld while breaches are not detected on time. The external monitor alerts
when the requests stop, also when the whole machine is down. Instants are microseconds UTC.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from app.background import BackgroundLoop
from app.flow import metrics
from app.flow.process.invariants import Check, Verdict, run_quick_checks
from app.flow.process.sweep import Sweeper, SweepState
from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database

if TYPE_CHECKING:
    import httpx2

_log = structlog.stdlib.get_logger()

MAX_LAG: Final = 30 * SECOND
"""Sweep lag above which the process is unhealthy. The usual lag is milliseconds."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Results of the invariant checks at an instant."""

    at: Micros
    checks: Sequence[Check]

    @property
    def faults(self) -> int:
        """The number of failed checks."""
        return sum(check.verdict is Verdict.FAULT for check in self.checks)


class HealthMonitor:
    """Health of one process. `start` and `stop` control the heartbeat."""

    def __init__(
        self, database: Database, catalogue: Catalogue, sweeper: Sweeper, settings: Settings, *, sweeps: bool
    ) -> None:
        self._database, self._catalogue, self._sweeper = database, catalogue, sweeper
        self._settings, self._sweeps = settings, sweeps
        self._cached: HealthReport | None = None
        self._background = BackgroundLoop(self._run)

    async def report(self) -> HealthReport:
        """The results of the quick checks, at most `readiness_cache_ttl` old."""
        now = self._database.now()
        cached = self._cached
        if cached is None or not 0 <= now - cached.at < length_of(self._settings.readiness_cache_ttl):
            checks = await self._database.read(
                lambda conn: list(run_quick_checks(conn, self._catalogue, now))
            )
            cached = self._cached = HealthReport(now, checks)
            metrics.FAULTS.set(cached.faults)
        return cached

    def problem(self, state: SweepState) -> str | None:
        """Why breaches may be detected late, or None."""
        if self._sweeps and not state.running:
            return "The sweep is not running."
        if state.failure is not None:
            return "The sweep's last pass failed; the reason is in the log."
        if state.lag > MAX_LAG:
            return f"The sweep is {state.lag // SECOND} s behind."
        return None

    def start(self) -> None:
        """Start the heartbeat in the running event loop, if `heartbeat_url` is set."""
        if self._settings.heartbeat_url is not None:
            self._background.start()

    async def stop(self) -> None:
        """Stop the heartbeat."""
        await self._background.stop()

    async def _run(self) -> None:
        url = self._settings.heartbeat_url
        if url is None:
            return
        import httpx2  # who sets no URL needs no client

        interval = self._settings.heartbeat_interval.total_seconds()
        async with httpx2.AsyncClient(timeout=interval) as client:
            while True:
                await self._beat(client, url)
                await asyncio.sleep(interval)

    async def _beat(self, client: "httpx2.AsyncClient", url: str) -> None:
        import httpx2

        try:
            problem = self.problem(await self._sweeper.state())
            if problem is None:
                (await client.get(url)).raise_for_status()
                metrics.HEARTBEATS.labels("sent").inc()
            else:
                _log.warning("heartbeat withheld", reason=problem)
                metrics.HEARTBEATS.labels("withheld").inc()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Not the error's text: it contains the URL, whose path is the monitor's secret.
            status = error.response.status_code if isinstance(error, httpx2.HTTPStatusError) else None
            _log.warning("heartbeat failed", error=type(error).__name__, status=status)
            metrics.HEARTBEATS.labels("failed").inc()
        except self._database.failures as error:
            _log.warning("heartbeat withheld", reason=f"the database does not answer: {error}")
            metrics.HEARTBEATS.labels("withheld").inc()
