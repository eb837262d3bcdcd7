"""Contracts in great number: an outage pushed on a service that many have, their evaluation, and their statements.

Run: CONTRACTS=10000 EARLIER=10000 python benchmarks/contracts.py  (1,000 each by default)
On SQLite in one process, without the web, with the service's settings of garbage collection. Every contract has a
resource of its own and a monthly fee; the service has been down in each of the last months, and before the last part
for so many earlier facts about resources. Pushed are late outages of a month that is over, which concern every contract,
and outages of the running one; then some beside the sweep of all contracts. Milliseconds and seconds are of the
process's processor time, so that others on the machine do not count; only the pushes beside the sweep are real time, for
a quiet machine. The limit beside: the same push on a desk without contracts, and without the sweep.
"""

import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.flow.agreement import contracts
from app.flow.agreement.apply import apply
from app.flow.agreement.desk_files import read_files
from app.flow.agreement.plan import Proposal
from app.flow.judge.assess import Assessor
from app.flow.judge.incoming import Incoming
from app.flow.judge.receive import Receiver
from app.flow.process.collector import GC_THRESHOLD
from app.flow.process.sweep import Sweeper
from app.flow.query.contracts import agreement_known
from app.flow.query.report_scope import Asked
from app.flow.query.statements import statement, statements
from app.flow.query.uptime_reports import availability_report
from app.settings import Settings
from app.sla.event import Event
from app.sla.report.cut import By
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros, Span, micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database

ROOT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = int(os.environ.get("CONTRACTS", "1000"))
EARLIER: Final = int(os.environ.get("EARLIER", "1000"))
PUSHES: Final = 200
AIM_PUSH_MS: Final = 100.0
AIM_ALL_S: Final = 60.0
AIM_ONE_MS: Final = 50.0
AIM_REPORT_S: Final = 2.0
"""For 10,000 contracts. Those of pushes and statements are for the 99th of a hundred."""
AIM_BESIDE: Final = 2.0
"""A push beside the sweep against one without it, at the 99th of a hundred."""


def at(written: str) -> Micros:
    """An instant from its text."""
    return micros(datetime.fromisoformat(written))


class Wall:
    """A clock that runs on from an instant."""

    def __init__(self, start: Micros) -> None:
        self._start, self._since = start, time.perf_counter()

    def __call__(self) -> Micros:
        """Now."""
        return self._start + round((time.perf_counter() - self._since) * SECOND)


class Process:
    """One process over one database, without the web."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.catalogue = Catalogue(settings.holiday_years_ahead)
        assessor = Assessor(settings, self.catalogue)
        self.receiver = Receiver(database, assessor, settings)
        self.sweeper = Sweeper(database, assessor, settings)
        files = read_files([ROOT / folder / "haisoft.toml" for folder in ("calendars", "agreements")])
        database.write_now(lambda conn, now: apply(conn, now, assessor, Proposal(files)))
        self._count = 0

    def outage(self, since: Micros) -> float:
        """Push an outage of an hour. Returns the milliseconds of its first event."""
        start, end = self.facts(since)
        began = time.process_time()
        self.receiver.receive_now([start])
        took = (time.process_time() - began) * 1000
        self.receiver.receive_now([end])
        return took

    def facts(
        self, since: Micros, length: Micros = HOUR, resource: str | None = None
    ) -> tuple[Incoming, Incoming]:
        """The facts of a further outage."""
        self._count += 1
        data = {"reference": f"o-{self._count}", "cause": "network"}
        if resource is not None:
            data["resource"] = resource
        start, end = (
            Incoming.of("haisoft", Event(f"{kind}-{self._count}", kind, "service:network", when, data))
            for kind, when in (("outage.started", since), ("outage.ended", since + length))
        )
        return start, end

    def earlier(self, count: int) -> None:
        """So many facts about resources, over the months before."""
        first, step = at("2026-01-02T00:00:00Z"), 330 * DAY // max(1, count // 2)
        found = [self.facts(first + n * step, MINUTE, f"srv-{n % 3000}") for n in range(count // 2)]
        for start in range(0, len(found), 500):
            self.receiver.receive_now(
                [fact for pair in found[start : start + 500] for fact in pair], answered=False
            )

    def put(self, count: int) -> None:
        """So many contracts."""

        def work(conn: Connection, now: Micros) -> None:
            agreement = agreement_known(conn, self.catalogue, "haisoft", None, at=now)
            documents = [("", document(n)) for n in range(count)]
            found, faults = contracts.read_terms(documents, agreement)
            assert not faults, faults[:3]
            contracts.put_terms(conn, now, "haisoft", found)

        self.database.write_now(work)


def document(n: int) -> dict[str, object]:
    """The n-th contract."""
    fee = {"amount": str(10 + n % 90), "per": "month"}
    return {
        "id": f"C-{n:06}",
        "customer": f"customer {n}",
        "fee": fee,
        "resources": [f"srv-{n}"],
        "valid_from": "2026-01-01",
    }


def p99(measured: list[float]) -> float:
    """The ninety-ninth of a hundred."""
    return sorted(measured)[int(len(measured) * 0.99)]


def timings(measured: list[float]) -> str:
    """The middle one and the ninety-ninth of a hundred."""
    return f"p50 {sorted(measured)[len(measured) // 2]:.1f} ms, p99 {p99(measured):.1f} ms"


def report(what: str, figures: str, *, kept: bool = True) -> None:
    """Print a figure."""
    print(f"{what:<58}{figures}{'' if kept else '   MISSED'}", flush=True)


def run(process: Process) -> None:
    """Measure."""
    for month in range(6, 12):
        process.outage(at(f"2026-{month:02}-03T10:00:00Z"))
    _pushes(process, "a late outage, no contracts", "2026-11-10T00:00:00Z")
    _timed(f"{CONTRACTS:,} contracts put", lambda: process.put(CONTRACTS))
    _timed("all of them evaluated by the sweep", process.sweeper.sweep_now)
    gc.collect()
    gc.freeze()
    _pushes(process, "a late outage of a month that is over", "2026-11-20T00:00:00Z")
    _timed("all of them evaluated again", process.sweeper.sweep_now)
    _pushes(process, "an outage of the running month", "2026-12-01T00:00:00Z")
    _statements(process)
    _report(process)
    asyncio.run(_beside(process))
    _timed(f"{EARLIER:,} earlier facts pushed", lambda: process.earlier(EARLIER))
    _pushes(process, "an outage of the running month after them", "2026-12-02T00:00:00Z")


def _timed(what: str, work: Callable[[], object], aim: float | None = None) -> None:
    began = time.process_time()
    work()
    took = time.process_time() - began
    report(what, f"{took:.1f} s", kept=aim is None or took < aim)


def _pushes(process: Process, what: str, since: str) -> None:
    taken = [process.outage(at(since) + n * HOUR // 5) for n in range(PUSHES)]
    report(what, timings(taken), kept=p99(taken) < AIM_PUSH_MS)


def _report(process: Process) -> None:
    """The report of availability of a month, by contract."""
    span = Span(at("2026-11-01T00:00:00+01:00"), at("2026-12-01T00:00:00+01:00"))
    asked = Asked("haisoft", span, process.database.now(), By.MONTH, splits=("contract",))
    settings = process.settings.model_copy(update={"report_time_budget": timedelta(minutes=10)})
    _timed(
        f"availability by contract, {CONTRACTS:,} contracts, a month",
        lambda: process.database.read_now(
            lambda conn: availability_report(conn, process.catalogue, settings, asked)
        ),
        AIM_REPORT_S,
    )


async def _beside(process: Process) -> None:
    """Pushes one after the other, without the sweep and beside one of all contracts, in real time."""
    usual = await _pushed(process, "2026-11-25T00:00:00Z", lambda n: n < PUSHES)
    sweep = asyncio.create_task(process.sweeper.sweep())
    beside = await _pushed(process, "2026-11-27T00:00:00Z", lambda n: not sweep.done() and n < PUSHES)
    await sweep
    report("a push, real time", timings(usual))
    slower = p99(beside) / p99(usual)
    report(f"beside the sweep of all contracts ({slower:.1f})", timings(beside), kept=slower < AIM_BESIDE)


async def _pushed(process: Process, since: str, goes_on: Callable[[int], bool]) -> list[float]:
    taken: list[float] = []
    while goes_on(len(taken)):
        start, end = process.facts(at(since) + len(taken) * HOUR // 5)
        for fact in (start, end):
            began = time.perf_counter()
            await process.receiver.receive([fact])
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.02)
    return taken


def _statements(process: Process) -> None:
    now, catalogue = process.database.now(), process.catalogue
    one: list[float] = []
    for n in range(PUSHES):
        began = time.process_time()
        process.database.read_now(
            lambda conn, n=n: statement(
                conn, catalogue, "haisoft", f"C-{n % CONTRACTS:06}", "2026-11", now=now
            )
        )
        one.append((time.process_time() - began) * 1000)
    report("one statement", timings(one), kept=p99(one) < AIM_ONE_MS)

    def every() -> None:
        done, after = 0, ""
        while True:
            found, following = process.database.read_now(
                lambda conn, after=after: statements(
                    conn, catalogue, "haisoft", "2026-11", now=now, after=after
                )
            )
            done += len(found)
            if following is None:
                break
            after = following
        assert done == CONTRACTS

    _timed(f"the statements of {CONTRACTS:,} contracts", every, AIM_ALL_S)


def main() -> None:
    """Measure on a database of its own."""
    gc.set_threshold(GC_THRESHOLD)  # as in the service
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/contracts.db")
        with Database(settings, Wall(at("2026-12-05T10:00:00Z"))) as database:
            run(Process(database, settings))


if __name__ == "__main__":
    main()
