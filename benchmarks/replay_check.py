"""Does `slatimer replay` count what a second, independent reading of the same log counts?

Run without arguments it makes a log of its own; with a path it takes that file (columns Case ID, Activity, Complete
Timestamp). The judge below shares nothing with the service: it imports none of its code, and knows zoneinfo, plain loops
and the two commitments of benchmarks/helpdesk: GTI 4 h without a pause, GTR 24 h that pauses while pending, both in
Monday-Friday 9-19, Saturday and Sunday 9-18, Paris. Then both counts are compared; any difference is exit code 1.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DESK = Path(__file__).parent / "helpdesk"
PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2014, 1, 1, tzinfo=PARIS)
OPENS, CLOSES, CLOSES_AT_THE_WEEKEND = 9, 19, 18
GTI, GTR = timedelta(hours=4), timedelta(hours=24)
VERDICTS = ("met", "missed", "running", "awaiting", "cancelled")

Span = tuple[datetime, datetime]


def open_spans(first: date, last: date) -> list[Span]:
    """Every opening of the desk between two dates, in UTC."""
    spans: list[Span] = []
    day = first
    while day <= last:
        closes = CLOSES_AT_THE_WEEKEND if day.weekday() >= 5 else CLOSES
        start, end = (datetime(day.year, day.month, day.day, hour, tzinfo=PARIS) for hour in (OPENS, closes))
        spans.append((start.astimezone(UTC), end.astimezone(UTC)))
        day += timedelta(days=1)
    return spans


class Hours:
    """Open time, added up span by span."""

    def __init__(self, first: date, last: date) -> None:
        # A margin on both sides: a deadline may lie weeks behind the last row.
        self.first = first - timedelta(days=7)
        self.spans = open_spans(self.first, last + timedelta(days=60))

    def _from(self, at: datetime) -> Iterator[Span]:
        skip = max(0, (at.date() - self.first).days - 1)
        for start, end in self.spans[skip:]:
            if end > at:
                yield max(start, at), end

    def due(self, at: datetime, length: timedelta) -> datetime:
        """The first instant by which `length` of open time has passed."""
        if length <= timedelta(0):
            return at
        for start, end in self._from(at):
            if length <= end - start:
                return start + length
            length -= end - start
        raise ValueError("the openings do not reach that far")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The open time from start to end."""
        total = timedelta(0)
        for opens, closes in self._from(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total


@dataclass
class Rule:
    """A commitment, as this judge knows it."""

    target: timedelta
    stops: frozenset[str]
    pauses_while_pending: bool


RULES = {
    "gti": Rule(GTI, frozenset({"started"}), pauses_while_pending=False),
    "gtr": Rule(GTR, frozenset({"restored", "closed"}), pauses_while_pending=True),
}

# What a row says, in the order in which it is said: a status before what is done.
SAYS = {
    "Take in charge ticket": ("open", "started"),
    "Wait": ("pending",),
    "Resolve ticket": ("restored",),
    "Closed": ("closed",),
}


@dataclass
class Clock:
    """One commitment on one ticket, walked through its life."""

    rule: Rule
    hours: Hours
    now: datetime
    left: timedelta = field(init=False)
    state: str = "running"
    late: bool = False
    pending: bool = False
    shut: bool = False

    def __post_init__(self) -> None:
        self.left = self.rule.target

    def walk(self, until: datetime) -> None:
        """Let time pass."""
        if self.state == "running":
            if self.hours.due(self.now, self.left) < until:
                self.late = True
            self.left -= self.hours.between(self.now, until)
        self.now = until

    def hear(self, word: str) -> None:
        """Take in what happened at this instant."""
        if word in ("open", "pending", "closed"):
            self.pending, self.shut = word == "pending", word == "closed"
        if self.state == "stopped":
            return
        if word in self.rule.stops:
            self.state = "stopped"
        elif self.shut:
            self.state = "cancelled"
        elif word != "restored":
            self.state = "paused" if self.pending and self.rule.pauses_while_pending else "running"

    @property
    def verdict(self) -> str:
        """The first that applies: missed, met, cancelled, running."""
        if self.late:
            return "missed"
        return {"stopped": "met", "cancelled": "cancelled"}.get(self.state, "running")


def read(path: Path) -> dict[str, list[tuple[datetime, str]]]:
    """Each ticket's rows in the order of time, those of one instant in the order of the file."""
    tickets: dict[str, list[tuple[datetime, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["Complete Timestamp"]).astimezone(UTC)
            tickets.setdefault(row["Case ID"], []).append((at, row["Activity"]))
    for rows in tickets.values():
        rows.sort(key=lambda row: row[0])
    return tickets


def judge(tickets: dict[str, list[tuple[datetime, str]]], at: datetime) -> dict[str, dict[str, int]]:
    """How many clocks of each commitment were met, missed and so on at an instant."""
    at = at.astimezone(UTC)
    every = [when for rows in tickets.values() for when, _ in rows]
    hours = Hours(min(every).date(), max(at, max(every)).date())
    counts = {name: {"clocks": 0, **dict.fromkeys(VERDICTS, 0)} for name in RULES}
    for rows in tickets.values():
        past = [(when, what) for when, what in rows if when <= at]
        if not past:
            continue
        for name, rule in RULES.items():
            clock = Clock(rule, hours, past[0][0])
            for when, what in past:
                clock.walk(when)
                for word in SAYS.get(what, ("open",)):
                    clock.hear(word)
            clock.walk(at)
            counts[name]["clocks"] += 1
            counts[name][clock.verdict] += 1
    return counts


def made_log(path: Path, tickets: int = 1000, seed: int = 7) -> Path:
    """A log of the same form, made up: takes in charge, waits, goes on, reopens; some of it at one instant."""
    chance = random.Random(seed)
    words = ["Take in charge ticket", "Wait", "Resolve ticket", "Require upgrade", "Closed"]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["Case ID", "Activity", "Complete Timestamp", "Resource"])
        for number in range(1, tickets + 1):
            at = datetime(2013, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(366 * 86_400))
            for step in range(chance.randint(1, 7)):
                what = chance.choice(words) if step else "Assign seriousness"
                out.writerow([f"Made{number}", what, at.isoformat(" "), f"Value {chance.randint(1, 9)}"])
                at += timedelta(seconds=chance.choice((0, 600, 9_000, 40_000, 200_000, 900_000)))
    return path


def replayed(path: Path, folder: Path) -> tuple[dict[str, Any], float]:
    """What `slatimer replay` says of the log, in a database in the folder, and how long it took, in seconds."""
    environment = {**os.environ, "SLATIMER_DATABASE_URL": f"sqlite:///{folder / 'replay.db'}"}

    def slatimer(*arguments: object) -> str:
        command = [sys.executable, "-m", "app", *map(str, arguments)]
        done = subprocess.run(
            command, env=environment, cwd=DESK.parents[1], check=False, text=True, capture_output=True
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    slatimer("apply", DESK / "agreements", DESK / "calendars")
    began = time.perf_counter()
    options = ("--desk", "helpdesk", "--mapping", DESK / "mapping.toml", "--at", AT.isoformat(), "--json")
    said = json.loads(slatimer("replay", path, *options))
    return said, time.perf_counter() - began


def main() -> int:
    """Compare, twice: a second replay must change nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else made_log(folder / "made.csv")
        began = time.perf_counter()
        tickets = read(path)
        expected = judge(tickets, AT)
        alone = time.perf_counter() - began
        (first, seconds), (second, again) = replayed(path, folder), replayed(path, folder)
    events = first["events"] or 1
    print(f"{len(tickets)} tickets, {sum(map(len, tickets.values()))} rows, {events} events")
    print(
        f"replay {seconds:.1f} s ({events / seconds:,.0f} events/s), again {again:.1f} s, judge {alone:.1f} s"
    )
    for name, counts in expected.items():
        print(f"{name}: judge {counts}")
        print(f"{name}: replay {first['commitments'].get(name)}")
    agree = first["commitments"] == expected == second["commitments"]
    idle = second["repeated"] == second["events"] == first["events"]
    print(f"counts agree: {agree}; second replay changed nothing: {idle}")
    return 0 if agree and idle else 1


if __name__ == "__main__":
    sys.exit(main())
