"""How is the service doing, for those who ask every few seconds and for those who wait to hear nothing?

A probe is answered from the last glance at the invariants, which is renewed when it is old. A heartbeat is sent to an
address of the operator's as long as breaches are told on time: whoever gets none for a while raises the alarm, also
when this whole machine is gone. Instants are microseconds UTC.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx2
import structlog

from app.background import Background
from app.flow import metrics
from app.flow.process.invariants import Check, Verdict, glance
from app.flow.process.sweep import Sweeper, SweepState
from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database

_log = structlog.stdlib.get_logger()

MOST_LAG: Final = 30 * SECOND
"""A sweep that is this far behind tells breaches too late to be of use; its usual lag is milliseconds."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What the invariants looked like at an instant."""

    at: Micros
    checks: Sequence[Check]

    @property
    def faults(self) -> int:
        """How many do not hold."""
        return sum(check.verdict is Verdict.FAULT for check in self.checks)


class Watch:
    """Looks after one process. `start` and `stop` send the heartbeat, where one is wanted."""

    def __init__(
        self, database: Database, catalogue: Catalogue, sweeper: Sweeper, settings: Settings, *, sweeps: bool
    ) -> None:
        self._database, self._catalogue, self._sweeper = database, catalogue, sweeper
        self._settings, self._sweeps = settings, sweeps
        self._glance: Glance | None = None
        self._background = Background(self._beat)

    async def glance(self) -> Glance:
        """The invariants, as they were a moment ago at most."""
        now = self._database.now()
        held = self._glance
        if held is None or not 0 <= now - held.at < length_of(self._settings.readiness_cache_ttl):
            checks = await self._database.read(lambda conn: list(glance(conn, self._catalogue, now)))
            held = self._glance = Glance(now, checks)
            metrics.FAULTS.set(held.faults)
        return held

    def wrong(self, state: SweepState) -> str | None:
        """Why breaches may not be told on time; none when they are."""
        if self._sweeps and not state.running:
            return "The sweep is not running."
        if state.failure is not None:
            return "The sweep's last pass failed; the reason is in the log."
        if state.lag > MOST_LAG:
            return f"The sweep is {state.lag // SECOND} s behind."
        return None

    def start(self) -> None:
        """Begin to send the heartbeat, in this event loop."""
        if self._settings.heartbeat_url is not None:
            self._background.start()

    async def stop(self) -> None:
        """Send none any more."""
        await self._background.stop()

    async def _beat(self) -> None:
        url = self._settings.heartbeat_url
        if url is None:
            return
        pause = self._settings.heartbeat_interval.total_seconds()
        async with httpx2.AsyncClient(timeout=pause) as client:
            while True:
                await self._beat_once(client, url)
                await asyncio.sleep(pause)

    async def _beat_once(self, client: httpx2.AsyncClient, url: str) -> None:
        try:
            wrong = self.wrong(await self._sweeper.state())
            if wrong is None:
                (await client.get(url)).raise_for_status()
                metrics.HEARTBEATS.labels("sent").inc()
            else:
                _log.warning("no heartbeat", wrong=wrong)
                metrics.HEARTBEATS.labels("withheld").inc()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            _log.warning("heartbeat failed", error=f"{type(error).__name__}: {error}")
            metrics.HEARTBEATS.labels("failed").inc()
        except self._database.failures as error:
            _log.warning("no heartbeat", wrong=f"the database does not answer: {error}")
            metrics.HEARTBEATS.labels("withheld").inc()
