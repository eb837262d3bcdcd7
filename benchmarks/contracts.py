"""Contracts in great number: an outage pushed on a service that many have, their evaluation, and their statements.

Run: CONTRACTS=10000 python benchmarks/contracts.py  (1,000 by default)
On SQLite in one process, without the web. Every contract has a resource of its own and a monthly fee; the service has
been down in each of the last months. Pushed are late outages of a month that is over, which concern every contract, and
outages of the running one. The limit beside: the same push on a desk without contracts.
"""

import os
import sys
import tempfile
import time
from datetime import datetime
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
from app.flow.process.sweep import Sweeper
from app.flow.query.contracts import agreement_known
from app.flow.query.statements import statement, statements
from app.settings import Settings
from app.sla.event import Event
from app.sla.span import HOUR, SECOND, Micros, micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database

ROOT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = int(os.environ.get("CONTRACTS", "1000"))
PUSHES: Final = 50
AIM_PUSH_MS: Final = 100.0
AIM_ALL_S: Final = 60.0
AIM_ONE_MS: Final = 50.0
"""For 10,000 contracts."""


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
        self.database = database
        self.catalogue = Catalogue(settings.holiday_years_ahead)
        assessor = Assessor(settings, self.catalogue)
        self.receiver = Receiver(database, assessor, settings)
        self.sweeper = Sweeper(database, assessor, settings)
        files = read_files([ROOT / folder / "haisoft.toml" for folder in ("calendars", "agreements")])
        database.write_now(lambda conn, now: apply(conn, now, assessor, Proposal(files)))
        self._count = 0

    def outage(self, since: Micros) -> float:
        """Push an outage of an hour. Returns the milliseconds of its first event."""
        self._count += 1
        began = time.perf_counter()
        self._push("outage.started", since)
        took = (time.perf_counter() - began) * 1000
        self._push("outage.ended", since + HOUR)
        return took

    def _push(self, kind: str, when: Micros) -> None:
        data = {"reference": f"o-{self._count}", "cause": "network"}
        event = Event(f"{kind}-{self._count}", kind, "service:network", when, data)
        self.receiver.receive_now([Incoming.of("haisoft", event)])

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


def timings(measured: list[float]) -> str:
    """The middle one and the ninety-ninth of a hundred."""
    ordered = sorted(measured)
    return f"p50 {ordered[len(ordered) // 2]:.1f} ms, p99 {ordered[int(len(ordered) * 0.99)]:.1f} ms"


def report(what: str, figures: str, *, kept: bool = True) -> None:
    """Print a figure."""
    print(f"{what:<58}{figures}{'' if kept else '   MISSED'}", flush=True)


def run(process: Process) -> None:
    """Measure."""
    for month in range(6, 12):
        process.outage(at(f"2026-{month:02}-03T10:00:00Z"))
    before = [process.outage(at("2026-11-10T00:00:00Z") + n * 2 * HOUR) for n in range(PUSHES)]
    report("a late outage, no contracts", timings(before))
    began = time.perf_counter()
    process.put(CONTRACTS)
    report(f"{CONTRACTS:,} contracts put", f"{time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    process.sweeper.sweep_now()
    report("all of them evaluated by the sweep", f"{time.perf_counter() - began:.1f} s")
    late = [process.outage(at("2026-11-20T00:00:00Z") + n * 2 * HOUR) for n in range(PUSHES)]
    report("a late outage of a month that is over", timings(late), kept=max(late) < AIM_PUSH_MS)
    began = time.perf_counter()
    process.sweeper.sweep_now()
    report("all of them evaluated again", f"{time.perf_counter() - began:.1f} s")
    running = [process.outage(at("2026-12-01T00:00:00Z") + n * HOUR // 10) for n in range(PUSHES)]
    report("an outage of the running month", timings(running), kept=max(running) < AIM_PUSH_MS)
    _statements(process)


def _statements(process: Process) -> None:
    now, catalogue = process.database.now(), process.catalogue
    one: list[float] = []
    for n in range(PUSHES):
        began = time.perf_counter()
        process.database.read_now(
            lambda conn, n=n: statement(conn, catalogue, "haisoft", f"C-{n:06}", "2026-11", now=now)
        )
        one.append((time.perf_counter() - began) * 1000)
    report("one statement", timings(one), kept=sorted(one)[PUSHES // 2] < AIM_ONE_MS)
    began, done, after = time.perf_counter(), 0, ""
    while True:
        found, following = process.database.read_now(
            lambda conn, after=after: statements(conn, catalogue, "haisoft", "2026-11", now=now, after=after)
        )
        done += len(found)
        if following is None:
            break
        after = following
    took = time.perf_counter() - began
    assert done == CONTRACTS
    report(f"the statements of {done:,} contracts", f"{took:.1f} s", kept=took < AIM_ALL_S)


def main() -> None:
    """Measure on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/contracts.db")
        with Database(settings, Wall(at("2026-12-05T10:00:00Z"))) as database:
            run(Process(database, settings))


if __name__ == "__main__":
    main()
