"""People and programs that read: lists, pages with a session, a report each minute, a simulation now and then."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import httpx2

from tests.soak.systems import DESKS, Answers

_PAUSE: Final = (0.5, 4.0)
"""Seconds between two looks of one reader."""
_TIMEOUT: Final = 60.0
_REPORT_INTERVAL: Final = 60.0
_SIMULATION_INTERVAL: Final = 180.0
_ERROR: Final = 400
_PATHS: Final = (
    "/v1/tickets?desk={desk}",
    "/v1/breaches?desk={desk}",
    "/v1/signals?desk={desk}",
    "/",
    "/breaches?desk={desk}",
    "/queues?desk={desk}",
    "/services",
    "/reports?desk={desk}",
    "/credits",
)


class Readers:
    """Readers with one key, of the API and, signed in, of pages."""

    def __init__(self, bases: list[str], key: str, seed: int) -> None:
        self._bases, self._key, self._chance = bases, key, Random(seed)
        self.answers = Answers()
        self.simulations = 0

    async def read(self) -> None:
        """Read lists and pages until cancelled."""
        async with self._signed_in() as client:
            while True:
                await asyncio.sleep(self._chance.uniform(*_PAUSE))
                await self._get(client, self._chance.choice(_PATHS).format(desk=self._desk()))

    async def report(self) -> None:
        """Ask for a report of each desk in turn until cancelled."""
        async with self._signed_in() as client:
            while True:
                await asyncio.sleep(_REPORT_INTERVAL)
                since, until = _span()
                query = f"desk={self._desk()}&from={since}T00:00:00Z&to={until}T00:00:00Z"
                await self._get(client, f"/v1/reports/attainment?{query}&by=day&split=commitment")

    async def simulate(self) -> None:
        """Run simulations until cancelled."""
        async with self._signed_in() as client:
            while True:
                await asyncio.sleep(_SIMULATION_INTERVAL)
                await self._simulation(client)

    async def _simulation(self, client: httpx2.AsyncClient) -> None:
        since, until = _span()
        asked = {"desk": "haisoft", "from": since, "to": until}
        answer = await client.post("/v1/simulations", json=asked)
        if answer.status_code >= _ERROR:
            self.answers.failures.append(f"simulation: {answer.status_code} {answer.text[:200]}")
            return
        path, found = f"/v1/simulations/{answer.json()['id']}", dict[str, Any]()
        while found.get("state", "running") in ("running", "queued"):
            await asyncio.sleep(1.0)
            found = (await client.get(path)).json()
        if found["state"] != "done":
            self.answers.failures.append(f"simulation: {found['state']}")
        self.simulations += 1

    @asynccontextmanager
    async def _signed_in(self) -> AsyncGenerator[httpx2.AsyncClient]:
        headers = {"Authorization": f"Bearer {self._key}"}
        base = self._chance.choice(self._bases)
        async with httpx2.AsyncClient(base_url=base, timeout=_TIMEOUT, headers=headers) as client:
            (await client.post("/session", json={"key": self._key})).raise_for_status()
            yield client

    async def _get(self, client: httpx2.AsyncClient, path: str) -> None:
        began = time.monotonic()
        try:
            answer = await client.get(path)
        except httpx2.TransportError as error:
            self.answers.failures.append(f"{path}: {type(error).__name__}")
            return
        self.answers.times.append(time.monotonic() - began)
        if answer.status_code >= _ERROR:
            self.answers.failures.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    def _desk(self) -> str:
        return self._chance.choice(list(DESKS))


def _span() -> tuple[str, str]:
    """Yesterday and tomorrow."""
    today = datetime.now(UTC).date()
    return str(today - timedelta(days=1)), str(today + timedelta(days=1))
