"""Refused sign-ins for the audit log: counted by address and minute, and written by one task.

A flood of wrong keys adds one row for each minute and address, to a limit of addresses; beyond it there is one row for
the rest. A write waits until the one before is an interval ago, so a flood costs one transaction in each.
"""

import asyncio
from contextlib import suppress
from contextvars import Context
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

import structlog

from app.settings import Settings
from app.sla.span import MINUTE, Micros
from app.store import audit
from app.store.engine.database import Connection, Database, EveryDesk

_log = structlog.stdlib.get_logger()

OTHERS: Final = "others"
UNKNOWN: Final = "unknown"
_NETWORK: Final = 64
"""Bits of an IPv6 address that name its network: one sender has all addresses in it."""


_Counted = dict[tuple[Micros, str], tuple[int, str | None]]
"""How many, and the first request, by minute and address."""


class RefusedSignIns:
    """The refused sign-ins of one web process. All methods belong to the event loop."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._most = database, settings.refused_sign_in_addresses
        self._interval = settings.refused_sign_in_interval.total_seconds()
        self._minute: Micros = 0
        self._addresses: set[str] = set()
        """Those that have a row of this minute."""
        self._pending: _Counted = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def count(self, host: str | None, request_id: str | None) -> None:
        """Count one from this host; the first request of a row names it."""
        now = self._database.now()
        minute = now - now % MINUTE
        if minute != self._minute:
            self._minute, self._addresses = minute, set()
        place = network_of(host)
        if place not in self._addresses:
            if len(self._addresses) < self._most:
                self._addresses.add(place)
            else:
                place = OTHERS
        before, first = self._pending.get((minute, place), (0, request_id))
        self._pending[minute, place] = (before + 1, first)
        if self._task is None or self._task.done():
            # An empty context: the task serves all requests, not only the first.
            self._task = asyncio.create_task(self._write_all(), context=Context())

    async def stop(self) -> None:
        """Write what is counted, then stop."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        await self._write()

    async def _write_all(self) -> None:
        while await self._write():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval)

    async def _write(self) -> bool:
        """Write what is counted. False when there is nothing, or it cannot be written: then it goes with the next."""
        counted, self._pending = self._pending, {}
        if not counted:
            return False

        def work(conn: Connection, _: Micros) -> None:
            for (minute, address), (count, request_id) in sorted(counted.items()):
                audit.record_refused(conn, minute, address, count, request_id)

        try:
            await self._database.write(work, EveryDesk.SIGN_IN)
        except self._database.failures as error:
            _log.warning("refused sign-ins are not written yet", error=str(error))
            self._take_back(counted)
            return False
        return True

    def _take_back(self, counted: _Counted) -> None:
        """Count again what was not written: of the minutes after the last one, to keep within bounds."""
        for (minute, address), (count, request_id) in counted.items():
            place = (minute, address) if minute == self._minute else (self._minute, OTHERS)
            more, _ = self._pending.get(place, (0, None))
            self._pending[place] = (count + more, request_id)


def network_of(host: str | None) -> str:
    """The address that a sender is counted by: of IPv6 its network."""
    try:
        address = ip_address(host or "")
    except ValueError:  # behind a proxy the text is the proxy's
        return UNKNOWN
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, _NETWORK), strict=False))
