"""Time until very many simultaneous breaches are recorded: due in the same second, and overdue after downtime.

Run: AT_ONCE=10000 OVERDUE=100000 python benchmarks/storm.py  (PLANS=sqlite,spread; short by default)
First so many clocks come due within one second. Then the service starts on a database where so many have been overdue
for six to eight hours, while events are pushed to it one after the other. The limit beside: the same rows written in
transactions of the same size on the same database, with nothing read and nothing judged.
"""

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx2
from sqlalchemy import func, select

from app.sla.span import SECOND, Micros, instant
from app.store.engine.database import Database
from app.store.tables import signal, ticket
from benchmarks._backlog import Backlog
from benchmarks._figures import Figure, report
from benchmarks._shape import opened
from benchmarks._site import EMBEDDED, SPREAD, Plan, Site, server, site
from benchmarks._stream import at_share, now

AT_ONCE: Final = int(os.environ.get("AT_ONCE", "2000"))
OVERDUE: Final = int(os.environ.get("OVERDUE", "10000"))
KNOWN: Final = {"sqlite": EMBEDDED, "spread": SPREAD}
PLANS: Final = tuple(KNOWN[name] for name in os.environ.get("PLANS", "sqlite,spread").split(","))
AIM_AT_ONCE: Final = 10.0
AIM_OVERDUE: Final = {EMBEDDED.name: 30.0, SPREAD.name: 60.0}
"""Seconds, for 10,000 and 100,000."""
AIM_BESIDE: Final = 2.0
"""The p99 of pushes beside the sweep, as a multiple of the usual one."""
USUAL: Final = 10.0
"""Seconds for which events are pushed when all is recorded."""
LEAD: Final = 8 * SECOND
"""From the filling to the breaches: sweeps look at the latest every five seconds at what others wrote."""
PATIENCE: Final = 600.0
LOOK: Final = 0.2


@dataclass(slots=True)
class Pushing:
    """Events pushed one after the other while the rest goes on. Milliseconds until each was acknowledged."""

    measured: Site
    name: str
    taken: list[float] = field(default_factory=list[float])
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Push until told to end."""
        web = self.measured.web
        with httpx2.Client(base_url=web.base, headers=self.measured.headers, timeout=120) as client:
            while not self._ended.wait(0.01):
                number, began = len(self.taken), time.perf_counter()
                event = {
                    "specversion": "1.0",
                    "source": "haisoft",
                    "id": f"{self.name}-{number}",
                    "type": "ticket.created",
                    "subject": f"{self.name}-{number}",
                    "time": instant(now()).isoformat(),
                    "data": {"title": f"Server {number} down", "customer": "ACME", "service": "dedicated"},
                }
                client.post("/v1/events", json=event).raise_for_status()
                self.taken.append((time.perf_counter() - began) * 1000)

    def end(self) -> None:
        """Push no more."""
        self._ended.set()


@contextmanager
def pushing(measured: Site, name: str) -> Generator[list[float]]:
    """Events pushed while the context lasts. Gives the milliseconds until each was acknowledged."""
    pushed = Pushing(measured, name)
    thread = threading.Thread(target=pushed.run)
    thread.start()
    try:
        yield pushed.taken
    finally:
        pushed.end()
        thread.join()


def main() -> int:
    """Print what each plan takes."""
    backlog = Backlog()
    recorded = [_plan(plan, backlog) for plan in PLANS]
    return 0 if all(recorded) else 1


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """Seconds until all were told, and the processor time of all processes in milliseconds for each breach."""

    seconds: float
    cpu: float


def _plan(plan: Plan, backlog: Backlog) -> bool:
    print(f"\n{plan.name}")
    with server(plan) as on:
        with site(plan, on=on, name="bare") as bare:
            limit = backlog.limit(bare.url, 4000)
        with site(plan, on=on, name="atonce") as measured:
            at_once = _at_once(measured, backlog)
            _said(plan.name, "in the same second", AT_ONCE, at_once, limit, AIM_AT_ONCE * AT_ONCE / 10_000)
        with site(plan, on=on, name="overdue") as measured:
            overdue = _overdue(measured, backlog)
            _said(
                plan.name,
                "overdue at the start",
                OVERDUE,
                overdue,
                limit,
                AIM_OVERDUE[plan.name] * OVERDUE / 100_000,
            )
    return at_once.seconds < PATIENCE and overdue.seconds < PATIENCE


def _said(
    plan: str, what: str, count: int, recorded: RecordedSignal, limit: tuple[float, float], aim: float
) -> None:
    per_second, bare = count / recorded.seconds, limit[0]
    print(
        f"{count} breaches {what}: all recorded in {recorded.seconds:.1f} s, {per_second:.0f}/s, "
        f"{recorded.cpu:.2f} ms of cpu each; "
        f"limit {bare:.0f}/s, {limit[1]:.2f} ms; ratio {per_second / bare:.2f}; "
        f"aim {aim:.0f} s: {'met' if recorded.seconds < aim else 'missed'}"
    )
    report(Figure(f"storm: a breach {what}, {plan}", recorded.cpu, "ms", limit=limit[1]))


def _at_once(measured: Site, backlog: Backlog) -> RecordedSignal:
    measured.start()
    rest = measured.memory()
    due = now() + LEAD + AT_ONCE * SECOND // 2000
    with opened(measured.url) as database:
        backlog.fill(database, AT_ONCE, due, SECOND // AT_ONCE)
        if now() > due:
            print("filling took longer than the lead: the figure is too good")
        before = measured.cpu()
        seconds = _until_told(database, AT_ONCE, due, due + 2 * SECOND)
        spent = measured.cpu() - before
    _memory(rest, measured)
    return RecordedSignal(seconds, spent / AT_ONCE * 1000)


def _overdue(measured: Site, backlog: Backlog) -> RecordedSignal:
    with opened(measured.url) as database:
        backlog.fill_overdue(database, OVERDUE)
        began = now()
        up = measured.start()
        before = measured.cpu()
        with pushing(measured, "during") as beside:
            seconds = _until_told(database, OVERDUE, began, began)
            spent = measured.cpu() - before
        with pushing(measured, "usual") as usual:
            time.sleep(USUAL)
    print(f"up after {up:.1f} s (counted in)")
    for when, taken in (("beside it", beside), ("usually", usual)):
        print(
            f"{len(taken)} events accepted {when}: p50 {at_share(taken, 0.5):.0f} ms, p99 {at_share(taken, 0.99):.0f} ms"
        )
    times = at_share(beside, 0.99) / at_share(usual, 0.99)
    print(f"p99 beside it {times:.1f} times the usual; aim under {AIM_BESIDE:.0f}")
    _memory({}, measured)
    return RecordedSignal(seconds, spent / OVERDUE * 1000)


def _memory(rest: dict[str, float], measured: Site) -> None:
    for role, most in measured.memory().items():
        print(f"memory of a {role} process: {rest.get(role, 0):.0f} MB at rest, {most:.0f} MB after")


def _until_told(database: Database, count: int, since: Micros, last_due: Micros) -> float:
    """Seconds from an instant until so many breaches are told, by the record of the last.

    What is asked again and again is whether any ticket is due still, which costs the service nothing.
    """
    due = select(ticket.c.next_at).where(ticket.c.next_at.is_not(None), ticket.c.next_at <= last_due).limit(1)
    recorded = select(func.count(), func.max(signal.c.detected_at)).where(signal.c.kind == "clock.breached")
    until = time.time() + PATIENCE
    while time.time() < until:
        if database.read_now(lambda conn: conn.execute(due).first()) is None:
            found, last = database.read_now(lambda conn: conn.execute(recorded).one())
            if found == count:
                return (last - since) / SECOND
        time.sleep(LOOK)
    return PATIENCE


if __name__ == "__main__":
    sys.exit(main())
