"""What does a report of a year cost? A desk of 100,000 tickets a year, on a scratch SQLite file.

    python benchmarks/reports.py                # 100,000 tickets
    python benchmarks/reports.py --tickets 10000

The rows of tickets, clocks and waits are written as an evaluation leaves them, without the evaluation: a report reads no
others. Reports as of an earlier instant evaluate real tickets, which are pushed. Times are of this process's processor,
so that others on the machine do not count; the limit is one pass of the database over all clocks. The second time of a
report is from kept figures where it has any, and else with warm caches of the database.
"""

import argparse
import gc
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

# In place of this folder, in which `calendar.py` would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from sqlalchemy import func, select

from app.flow.process.collector import GC_THRESHOLD
from app.flow.query.queue_reports import queue_report
from app.flow.query.report_scope import Answer, Asked
from app.flow.query.reports import ReportKind, clock_report, clocks_behind
from app.settings import Settings
from app.sla.report.cut import By
from app.sla.report.measure import Measure
from app.sla.span import DAY, HOUR, MINUTE, Micros, Span, micros
from app.sla.subject import Subject
from app.store.engine.database import Connection, Database
from app.store.tables import NEVER, clock, ticket, wait_interval
from app.store.tickets import kept_figures
from benchmarks._figures import Figure
from benchmarks._figures import report as report_figure
from tests.service import Service, WallClock, created, event

DESK: Final = "haisoft"
YEAR: Final = Span(micros(datetime(2026, 1, 1, tzinfo=UTC)), micros(datetime(2027, 1, 1, tzinfo=UTC)))
AS_OF_TICKETS: Final = 2000
_BATCH: Final = 2000


def _ticket(number: int, chance: random.Random, at: Micros) -> dict[str, Any]:
    priority = chance.choice(("low", "normal", "high", "urgent"))
    fields = {"plan": chance.choice(("gold", "silver", None)), "level": None, "service": "dedicated"}
    fields |= {"customer": f"customer {chance.randrange(3000)}", "assignee": f"agent {chance.randrange(40)}"}
    fields |= {"group": f"group {chance.randrange(5)}", "queue": f"queue {chance.randrange(3)}"}
    row = {"desk": DESK, "ticket": f"t{number:07d}", "revision": 4, "reported_revision": 4, "next_at": None}
    row |= {"evaluated_at": at + 2 * DAY, "due_at": NEVER, "version": 1, "status": "closed", "created_at": at}
    return row | {"priority": priority, "known_since": at} | fields


def _clocks(name: str, chance: random.Random, at: Micros) -> Iterator[dict[str, Any]]:
    for commitment, target, kind in (
        ("ticket-response", 2 * HOUR, "guarantee"),
        ("solution", 24 * HOUR, "objective"),
        ("update", 8 * HOUR, "objective"),
    ):
        counted = round(target * chance.lognormvariate(-0.7, 0.8))
        late = counted > target
        yield {
            "desk": DESK,
            "subject": Subject.parse(name),
            "commitment": commitment,
            "cycle": at,
            "state": "stopped" if chance.random() < 0.95 else "cancelled",
            "kind": kind,
            "due_at": at + target,
            "breached_at": at + target if late else None,
            "met": not late,
            "started_at": at,
            "ended_at": at + counted,
            "counted": counted,
            "target_length": target,
            "late_cause": "deadline" if late else None,
            "first_pause": chance.choice(("pending", None)) if late else None,
        }


def _waits(name: str, queue: str, chance: random.Random, at: Micros) -> Iterator[dict[str, Any]]:
    for number in range(2):
        start = at + number * 5 * HOUR
        yield {
            "desk": DESK,
            "ticket": name,
            "number": number,
            "queue": queue,
            "from_at": start,
            "to_at": start + chance.randrange(1, 240) * MINUTE,
            "rank": 0,
            "joined_at": start,
            "created_at": at,
            "cause": "message" if number else "created",
            "ended_by": "answered",
        }


def fill(database: Database, tickets: int) -> None:
    """Write a year of a desk."""
    chance = random.Random(1)
    for first in range(0, tickets, _BATCH):
        rows: list[dict[str, Any]] = []
        clocks: list[dict[str, Any]] = []
        waits: list[dict[str, Any]] = []
        for number in range(first, min(first + _BATCH, tickets)):
            at = YEAR.start + YEAR.length * number // tickets
            row = _ticket(number, chance, at)
            rows.append(row)
            clocks += _clocks(row["ticket"], chance, at)
            waits += _waits(row["ticket"], row["queue"], chance, at)

        def write(
            conn: Connection, _: Micros, rows: Any = rows, clocks: Any = clocks, waits: Any = waits
        ) -> None:
            conn.execute(ticket.insert(), rows)
            conn.execute(clock.insert(), clocks)
            conn.execute(wait_interval.insert(), waits)

        database.write_now(write)


def push(service: Service, tickets: int) -> None:
    """Push tickets of one month, which are evaluated."""
    chance = random.Random(2)
    start = micros(datetime(2027, 3, 1, 8, tzinfo=UTC))
    service.clock.now = start + 60 * DAY
    for first in range(0, tickets, 500):
        events = []
        for number in range(first, min(first + 500, tickets)):
            at = start + number * 28 * DAY // tickets
            name, when = f"p{number}", datetime.fromtimestamp(at / 1e6, UTC).isoformat()
            later = datetime.fromtimestamp((at + chance.randrange(1, 30) * HOUR) / 1e6, UTC).isoformat()
            events.append(created(name, when, desk=DESK))
            events.append(event(f"{name}r", "agent.replied", name, later, desk=DESK, author="agent"))
            events.append(
                event(f"{name}c", "status.changed", name, later, desk=DESK, sequence=1, status="closed")
            )
        service.push(*events, deliver=False)


def _once(work: Callable[[], object]) -> tuple[object, float]:
    before = process_time()
    return work(), process_time() - before


def one_pass(service: Service) -> float:
    """Seconds of processor time in which the database counts and sums all clocks: the limit."""
    query = select(func.count(), func.sum(clock.c.counted), func.max(clock.c.ended_at)).where(
        clock.c.state == "stopped"
    )
    read = service.database.read_now
    return median(_once(lambda: read(lambda conn: conn.execute(query).one()))[1] for _ in range(5))


def timed(service: Service, what: str, work: Callable[[], object]) -> float:
    """Print the processor time of a first and of a second run. The figures of ended periods are kept in between.

    Returns that of the first, in seconds.
    """
    found, first = _once(work)
    if isinstance(found, Answer) and (kept := found.to_keep):
        most = service.settings.report_kept_max
        service.database.write_now(lambda conn, now: kept_figures.keep(conn, now, kept, most))
    _, again = _once(work)
    size = f"{len(found.report.rows):>6} rows" if isinstance(found, Answer) else ""
    print(f"{what:<44} {first * 1000:>8.0f} ms {again * 1000:>8.0f} ms {size}")
    return first


def measure(service: Service) -> None:
    """Print what each report of the year costs."""
    read, catalogue, settings = service.database.read_now, service.catalogue, service.settings
    now = YEAR.end + DAY

    def report(kind: ReportKind, asked: Asked) -> Callable[[], Answer]:
        return lambda: read(lambda conn: clock_report(conn, catalogue, settings, kind, asked))

    limit = one_pass(service)
    print(f"one pass over all clocks (limit): {limit * 1000:.1f} ms")
    print(f"{'report of the year':<44} {'first':>11} {'kept':>11}")
    for kind in ReportKind:
        shapes = [
            (By.MONTH, ()),
            (By.MONTH, ("commitment", "priority")),
            (By.WEEK, ("assignee",)),
            (By.DAY, ()),
        ]
        # An hourly report by week and assignee would have more rows than one answer may.
        for by, splits in shapes[:1] if kind in (ReportKind.HEATMAP, ReportKind.BREACHES) else shapes:
            asked = Asked(DESK, YEAR, now, by, splits)
            first = timed(service, f"{kind} by {by} {','.join(splits)}", report(kind, asked))
            if by is By.MONTH and not splits:
                cost = Figure(f"reports: {kind} of a year by month", first * 1000, "ms", limit=limit * 1000)
                report_figure(cost)
    year = Asked(DESK, YEAR, now, By.MONTH, ())
    timed(
        service, "queues by month", lambda: read(lambda conn: queue_report(conn, catalogue, settings, year))
    )
    month = Span(YEAR.start + 31 * DAY, YEAR.start + 59 * DAY)
    for kind in ReportKind:
        timed(service, f"{kind}, one month", report(kind, Asked(DESK, month, now, By.MONTH, ("priority",))))
    behind = {"kind": "guarantee", "outcome": "missed"}
    timed(
        service,
        "the first page behind a figure of the year",
        lambda: read(
            lambda conn: clocks_behind(conn, catalogue, settings, Measure.OUTCOMES, year, behind, None, 100)
        ),
    )
    march = Span(YEAR.end + 59 * DAY, YEAR.end + 90 * DAY)
    as_of = Asked(DESK, march, service.clock.now + DAY, By.DAY, (), service.clock.now)
    timed(
        service, f"attainment as of an instant, {AS_OF_TICKETS} tickets", report(ReportKind.ATTAINMENT, as_of)
    )
    timed(
        service,
        "queues as of that instant",
        lambda: read(lambda conn: queue_report(conn, catalogue, settings, as_of)),
    )


def main() -> None:
    """Fill a scratch database and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tickets", type=int, default=100_000)
    gc.set_threshold(GC_THRESHOLD)  # as in the service
    tickets: int = parser.parse_args().tickets
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/reports.db")
        wall = WallClock()
        with Database(settings, wall) as database:
            service = Service(settings, database, wall)
            service.apply_shipped(DESK)
            before = process_time()
            fill(database, tickets)
            push(service, AS_OF_TICKETS)
            print(f"{tickets} tickets, {3 * tickets} clocks, written in {process_time() - before:.0f} s")
            measure(service)


if __name__ == "__main__":
    main()
