"""A holiday edit over many open clocks: previewed, applied, and pushes beside the sweep that judges the clocks again.

Run: CLOCKS=100000 python benchmarks/holiday.py  (10,000 by default)
On SQLite in one process, without the web, with the service's settings of garbage collection. So many open tickets have
a clock each that is due tomorrow, and the edit closes tomorrow: every one is judged by both calendars, and every due
date moves. The same edit of a day behind all due dates is previewed too, and the first one with a tenth of its time.
Seconds are of the process's processor time, so that others on the machine do not count; only the pushes beside the sweep
are real time, for a quiet machine. The limit beside them: the same pushes without the sweep. The aims are for 100,000.
"""

import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from itertools import count
from math import inf
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.cli.terminal import log_warnings_only
from app.flow.agreement.apply import Applied, apply
from app.flow.agreement.desk_files import DeskFile, desk_file, read_files
from app.flow.agreement.plan import Proposal, plans
from app.flow.agreement.preview import Preview
from app.flow.judge.incoming import Incoming
from app.flow.process.collector import GC_THRESHOLD
from app.flow.process.runtime import Runtime
from app.settings import Settings
from app.sla.agreement.version import AppliesTo
from app.sla.event import Event
from app.sla.span import DAY, HOUR, MINUTE, Micros
from app.store.engine.database import Connection, Database
from benchmarks._shape import BEGIN, NAME, Copies, Story, analyse, fill, rows_of

ROOT: Final = Path(__file__).resolve().parent.parent
CLOCKS: Final = int(os.environ.get("CLOCKS", "10000"))
PUSHES: Final = 200
MOST_CHANGES: Final = 1_000
AIM_PREVIEW_S: Final = 5.0
AIM_APPLY_S: Final = 60.0
AIM_BESIDE: Final = 2.0
"""A push beside the sweep against one without it, at the 99th of a hundred."""
TOMORROW: Final = date(2026, 11, 18)
LATER: Final = date(2026, 12, 24)
CREATED: Final = {
    "title": f"Server {NAME} down",
    "customer": NAME,
    "service": "dedicated",
    "priority": "high",
}
DUE_TOMORROW: Final = Story("haisoft", ((6 * HOUR, "ticket.created", CREATED),), 6 * HOUR)
"""Two of the desk's hours from five past four: until five past eleven of the next day."""
NOW: Final = BEGIN + 6 * HOUR + 20 * MINUTE


def closed_on(day: date) -> DeskFile:
    """The desk's calendars with a day on which it is closed."""
    text = (ROOT / "calendars" / "haisoft.toml").read_text()
    table = "[calendars.tickets]\n"
    assert table in text
    return desk_file(
        "calendars/haisoft.toml",
        "haisoft",
        text.replace(table, f'{table}overrides = {{ "{day.isoformat()}" = [] }}\n'),
    )


def previewed(runtime: Runtime, day: date, budget: float = inf) -> tuple[Preview, float]:
    """The preview of closing a day, and its seconds."""
    began = time.process_time()

    def planned(conn: Connection) -> Preview:
        proposal = Proposal([closed_on(day)], applies_to=AppliesTo.OPEN)
        return Preview(plans(conn, NOW, runtime.catalogue, proposal), NOW, budget, MOST_CHANGES)

    run = runtime.database.read_now(planned)
    while not run.is_done:
        runtime.database.read_now(lambda conn: run.step(conn, runtime.catalogue))
    return run, time.process_time() - began


def applied(runtime: Runtime, day: date) -> tuple[list[Applied], float]:
    """Close a day. Returns what was put into force, and its seconds."""
    began = time.process_time()
    proposal = Proposal([closed_on(day)], applies_to=AppliesTo.OPEN)
    found = runtime.database.write_now(lambda conn, now: apply(conn, now, runtime.assessor, proposal))
    return found, time.process_time() - began


def report(what: str, figures: str, *, kept: bool = True) -> None:
    """Print a figure."""
    print(f"{what:<58}{figures}{'' if kept else '   MISSED'}", flush=True)


def _preview(runtime: Runtime) -> None:
    run, took = previewed(runtime, TOMORROW)
    assert run.is_complete
    assert run.effects.moved == run.compared == CLOCKS, (run.effects.moved, run.compared)
    report(
        f"tomorrow closed: previewed, {run.compared:,} compared", f"{took:.2f} s", kept=took < AIM_PREVIEW_S
    )
    run, cut = previewed(runtime, TOMORROW, took / 10)
    report(
        "the same with a tenth of the time",
        f"{cut:.2f} s, {run.compared:,} compared",
        kept=not run.is_complete,
    )
    run, took = previewed(runtime, LATER)
    report(
        f"a later day closed: previewed, {run.skipped:,} left out", f"{took:.2f} s", kept=took < AIM_PREVIEW_S
    )


def _apply(runtime: Runtime) -> None:
    found, took = applied(runtime, TOMORROW)
    assert [each.tickets for each in found] == [CLOCKS]
    report("tomorrow closed: applied", f"{took:.2f} s")
    began = time.process_time()
    evaluated = runtime.sweeper.sweep_now()
    spent = time.process_time() - began
    assert evaluated == CLOCKS, evaluated
    report(f"the sweep, {evaluated:,} judged again", f"{spent:.1f} s", kept=took + spent < AIM_APPLY_S)


async def _beside(runtime: Runtime) -> None:
    """Pushes one after the other, without the sweep and beside the one after a second edit, in real time."""
    numbers = count()
    usual = await _pushed(runtime, numbers.__next__, lambda done: done < PUSHES)
    applied(runtime, LATER)
    runtime.database.write_now(_all_due)
    began, spent = time.perf_counter(), time.process_time()
    sweep = asyncio.create_task(runtime.sweeper.sweep())
    beside = await _pushed(runtime, numbers.__next__, lambda _: not sweep.done())
    await sweep
    took, spent = time.perf_counter() - began, time.process_time() - spent
    report("a push, real time", timings(usual))
    slower = p99(beside) / p99(usual)
    report(f"{len(beside)} beside the sweep ({slower:.1f})", timings(beside), kept=slower < AIM_BESIDE)
    figures = f"{took:.1f} s, {spent:.1f} s of processor time with the pushes"
    report("the sweep beside them, real time", figures, kept=took < AIM_APPLY_S)


def _all_due(conn: Connection, now: Micros) -> None:
    conn.exec_driver_sql("UPDATE ticket SET next_at = ? WHERE desk = 'haisoft'", (now,))


async def _pushed(runtime: Runtime, number: Callable[[], int], goes_on: Callable[[int], bool]) -> list[float]:
    taken: list[float] = []
    while goes_on(len(taken)):
        n = number()
        data = {**CREATED, "customer": f"pushed-{n}", "title": f"Server p{n} down"}
        pushed = Incoming.of("haisoft", Event(f"p-{n}", "ticket.created", f"p-{n}", NOW, data))
        began = time.perf_counter()
        await runtime.receiver.receive([pushed])
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.02)
    return taken


def p99(measured: list[float]) -> float:
    """The ninety-ninth of a hundred."""
    return sorted(measured)[int(len(measured) * 0.99)]


def timings(measured: list[float]) -> str:
    """The middle one and the ninety-ninth of a hundred."""
    return f"p50 {sorted(measured)[len(measured) // 2]:.1f} ms, p99 {p99(measured):.1f} ms"


def main() -> None:
    """Measure on a database of its own."""
    log_warnings_only()
    gc.set_threshold(GC_THRESHOLD)  # as in the service
    shape = rows_of(DUE_TOMORROW)
    clock = [BEGIN - DAY]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/holiday.db")
        with Database(settings, lambda: clock[0]) as database:
            runtime = Runtime(settings, database)
            files = read_files([ROOT / each / "haisoft.toml" for each in ("calendars", "agreements")])
            database.write_now(lambda conn, now: apply(conn, now, runtime.assessor, Proposal(files)))
            fill(database, shape, Copies(0, CLOCKS, BEGIN, 10 * MINUTE // CLOCKS))
            analyse(database)
            clock[0] = NOW
            gc.collect()
            gc.freeze()
            _preview(runtime)
            _apply(runtime)
            asyncio.run(_beside(runtime))


if __name__ == "__main__":
    main()
