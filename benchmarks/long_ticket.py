"""Processor time of one event: on a ticket of 20,000 events, and in a group of 10,000 duplicates.

Run: python benchmarks/long_ticket.py
The limit beside both is the same event on a ticket of its own, in the same run. Each figure is a median.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.flow.judge.receive import Incoming
from app.settings import Settings
from app.sla.event import Event
from app.sla.span import SECOND
from app.store.engine.database import Database
from benchmarks._figures import Figure, report
from tests.service import Service, WallClock, with_desks_in_force

EVENTS: Final = 20_000
DUPLICATES: Final = 10_000
BATCH: Final = 500
RUNS: Final = 15
AIMS: Final = {"a ticket of 20,000 events": 50.0, "a group of 10,000 duplicates": 20.0}
"""Milliseconds."""
DESK: Final = "webxtra"
START: Final = WallClock().now


def reply(number: int, ticket: str, second: int) -> Incoming:
    """A message of the customer and the desk in turn."""
    who = ("agent", "customer")[number % 2]
    at = START + second * SECOND
    return Incoming.of(DESK, Event(f"{ticket}-{number}", f"{who}.replied", ticket, at, {"author": who}))


def opened(ticket: str, second: int, customer: str) -> Incoming:
    """A ticket of a customer, always with the same subject."""
    data = {"author": "customer", "customer": customer, "title": "Mail is down"}
    at = START + second * SECOND
    return Incoming.of(DESK, Event(f"{ticket}-created", "ticket.created", ticket, at, data))


def fill(service: Service, make: Callable[[int], Incoming], count: int) -> None:
    """Push the first events in large batches."""
    for first in range(0, count, BATCH):
        service.clock.now = START + (first + BATCH) * SECOND
        service.receiver.receive_now(
            [make(number) for number in range(first, first + BATCH)], deliver=False, answered=False
        )


def median_of(service: Service, make: Callable[[int], Incoming], first: int) -> float:
    """Milliseconds of processor time for one event more, RUNS of them in turn."""
    taken: list[float] = []
    for number in range(first, first + RUNS):
        service.clock.now = START + (number + 1) * SECOND
        before = time.process_time()
        service.push(make(number))
        taken.append((time.process_time() - before) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/long.db"
        with_desks_in_force(url)
        clock = WallClock()
        with Database(Settings(database_url=url), clock) as database:
            service = Service(database.settings, database, clock)
            service.push(opened("long", 0, "A"), opened("short", 0, "B"))
            fill(service, lambda number: reply(number, "long", number), EVENTS)
            long = median_of(service, lambda number: reply(number, "long", number), EVENTS)
            limit = median_of(service, lambda number: reply(number, "short", number), EVENTS)
            fill(service, lambda number: opened(f"d{number}", number, "C"), DUPLICATES)
            group = median_of(service, lambda n: opened(f"e{n}", n, "C"), EVENTS + RUNS)
    for (name, aim), found in zip(AIMS.items(), (long, group), strict=True):
        print(
            f"{name}: {found:.1f} ms (aim {aim:.0f}), {found / limit:.1f} times a short ticket's {limit:.1f} ms"
        )
        report(Figure(f"long_ticket: an event of {name}", found, "ms", aim, limit))


if __name__ == "__main__":
    main()
