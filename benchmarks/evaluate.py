"""Processor time of one evaluation: a ticket of ten events under three commitments.

Run: python benchmarks/evaluate.py
The limit beside it is what no evaluation can avoid: one deadline by bisection for each commitment.
"""

import statistics
import sys
import time
import tomllib
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from app.sla.agreement.file import parse_agreement
from app.sla.calendar import Calendar
from app.sla.clock.evaluation import Evaluation, Version, evaluate
from app.sla.event import Event
from app.sla.span import HOUR, MINUTE, micros
from benchmarks._figures import Figure, report

RUNS: Final = 15
TIMES: Final = 400
AIM: Final = 200.0
"""Microseconds."""

AGREEMENT: Final = """
desk = "bench"
name = "Bench"

[[commitments]]
id = "response"
label = "First response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "bench/desk"
warn_at = ["75%"]

[[commitments]]
id = "gtr"
label = "Restored"
kind = "guarantee"
measure = "gtr"
starts_on = ["ticket.created"]
stops_on = ["service.restored", "status:solved"]
pauses_while = ["pending"]
target = "8h"
calendar = "bench/desk"
warn_at = ["50%", "30m before"]

[[commitments]]
id = "next-reply"
label = "Next reply"
kind = "objective"
measure = "next_reply"
cycle = "next_reply"
starts_on = ["customer.replied"]
stops_on = ["agent.replied"]
target = "4h"
calendar = "bench/desk"
"""
HOURS: Final = {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-12:00", "13:00-18:00"]}}
STORY: Final[tuple[tuple[int, str, dict[str, object]], ...]] = (
    (0, "ticket.created", {"title": "Server down", "customer": "ACME", "priority": "high"}),
    (20, "status.changed", {"status": "open"}),
    (45, "agent.replied", {"author": "agent"}),
    (46, "status.changed", {"status": "pending"}),
    (130, "customer.replied", {"author": "customer"}),
    (150, "agent.replied", {"author": "agent"}),
    (170, "customer.replied", {"author": "customer"}),
    (200, "ticket.updated", {"priority": "urgent"}),
    (230, "agent.replied", {"author": "agent"}),
    (260, "customer.replied", {"author": "customer"}),
)


def median(task: Callable[[], object]) -> float:
    """Microseconds of processor time of a call: the median of several runs."""
    taken: list[float] = []
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(TIMES):
            task()
        taken.append((time.process_time() - began) / TIMES * 1e6)
    return statistics.median(taken)


def main() -> None:
    """Print the table."""
    calendar = Calendar.parse(HOURS, name="bench/desk")
    calendar.within(datetime(2010, 2, 1, tzinfo=UTC), datetime(2029, 11, 1, tzinfo=UTC))
    agreement = parse_agreement(tomllib.loads(AGREEMENT), calendars={"bench/desk": calendar})
    start = micros(datetime(2026, 3, 4, 9, 30, tzinfo=UTC))
    events = [
        Event(f"e{n}", kind, "1", start + after * MINUTE, data) for n, (after, kind, data) in enumerate(STORY)
    ]
    versions, at = [Version(1, agreement, 0)], start + 5 * HOUR
    opens = [start + timedelta(days=day) // timedelta(microseconds=1) for day in range(-3000, 3000)]

    def judge() -> Evaluation:
        return evaluate(events, versions, at)

    found = judge()
    judged = median(judge)
    deadlines = median(lambda: [calendar.after_us(2 * HOUR, start) for _ in agreement.commitments])
    limit = median(
        lambda: [(bisect_right(opens, start), bisect_right(opens, at)) for _ in agreement.commitments]
    )
    print(
        f"{len(events)} events, {len(agreement.commitments)} commitments, {len(found.clocks)} clocks,",
        end=" ",
    )
    print(f"{len(found.transitions)} transitions; processor time, median of {RUNS} runs")
    print(f"{'':34}{'us':>9}{'ratio':>9}")
    print(f"{'one evaluate':34}{judged:9.1f}{judged / limit:9.0f}")
    print(f"{'its three deadlines':34}{deadlines:9.1f}{deadlines / limit:9.1f}")
    print(f"{'the bisections of those (limit)':34}{limit:9.2f}{1:9.1f}")
    print(f"aim: under {AIM:.0f} us: {'met' if judged < AIM else 'missed'}")
    report(Figure("evaluate: ten events, three commitments", judged, "us", AIM, limit))
    report(Figure("evaluate: three deadlines", deadlines, "us", limit=limit))


if __name__ == "__main__":
    main()
