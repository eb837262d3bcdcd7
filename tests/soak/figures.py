"""One row of figures of a running set-up: memory by process, lag of detection, times of requests, failures."""

import asyncio
from pathlib import Path
from typing import Final

from tests.chaos.beside import Pace
from tests.chaos.fleet import Fleet
from tests.chaos.life import SECOND
from tests.chaos.processes import Member
from tests.soak.readers import Readers
from tests.soak.systems import Systems
from tests.soak.verdict import Row

# A breach that became known later than it happened says nothing about the lag: it is recorded with the late event that
# made it known, not by the sweep. What the sweep has not come to is in `_BEHIND`.
_LAG: Final = """
SELECT coalesce(max(seq), 0) AS seq, coalesce(max(detected_at - at) FILTER (
    WHERE kind IN ('clock.breached', 'clock.missed') AND NOT late AND trace LIKE 'sweep-%'), 0) AS lag
FROM signal WHERE seq > $1
"""
_BEHIND: Final = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp()) * 1000000 - next_at), 0)::bigint AS behind
FROM ticket WHERE next_at <= extract(epoch FROM clock_timestamp()) * 1000000
"""
_PENDING: Final = "SELECT count(*) AS pending FROM delivery WHERE state = 'pending'"
_ERROR: Final = b'"level":"error"'
_KILOBYTES: Final = 1024


class Meter:
    """Measures from one row to the next."""

    def __init__(self, fleet: Fleet, systems: Systems, readers: Readers) -> None:
        self._pace = Pace()
        fleet.beside.begin(self._pace.watch())
        self._fleet, self._systems, self._readers = fleet, systems, readers
        self._seq = self._acknowledged = 0
        self._logged: dict[str, int] = {}

    async def row(self, after: float) -> Row:
        """The figures since the last row."""
        pushed, read = self._systems.answers.take(), self._readers.answers.take()
        events = len(self._systems.acknowledged)
        failures = [*pushed.failures, *read.failures, *self._errors_logged()]
        with (self._fleet.folder / "errors.txt").open("a") as file:
            file.writelines(f"{after:.0f} {each}\n" for each in failures)
        lag, behind, pending = await asyncio.to_thread(self._asked)
        made, self._acknowledged = events - self._acknowledged, events
        memory = {member.name: memory_of(member) for member in self._fleet.members}
        times = percentile(pushed.times), percentile(read.times)
        return Row(after, made, len(failures), lag, self._pace.take(), behind, *times, pending, memory)

    def _asked(self) -> tuple[float, float, int]:
        found = self._fleet.ask(_LAG, self._seq)[0]
        self._seq = max(self._seq, found["seq"])
        behind = self._fleet.ask(_BEHIND)[0]["behind"]
        return found["lag"] / SECOND, behind / SECOND, self._fleet.ask(_PENDING)[0]["pending"]

    def _errors_logged(self) -> list[str]:
        """Lines of errors that the processes have logged since the last row."""
        found: list[str] = []
        for member in self._fleet.members:
            path = self._fleet.folder / f"{member.name}.log"
            with path.open("rb") as log:
                log.seek(self._logged.get(member.name, 0))
                lines = log.read()
                self._logged[member.name] = log.tell()
            errors = (line for line in lines.splitlines() if _ERROR in line)
            found += [f"{member.name}: {line[:300].decode(errors='replace')}" for line in errors]
        return found


def percentile(times: list[float]) -> float:
    """The 99th percentile; 0 of none."""
    return sorted(times)[int(len(times) * 0.99)] if times else 0.0


def memory_of(member: Member) -> float:
    """Resident memory in megabytes; 0 of a process that has ended."""
    if not member.alive:
        return 0.0
    lines = Path(f"/proc/{member.pid}/status").read_text().splitlines()
    resident = next((line for line in lines if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(resident.split()[1]) / _KILOBYTES
