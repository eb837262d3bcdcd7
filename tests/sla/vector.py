"""Cases with answers, as data: where they lie, how they are read, and the calendar that one states."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.sla.calendar import Calendar

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
Case = dict[str, Any]


def lines(name: str) -> Iterator[Case]:
    """The cases of a file, in its order."""
    for line in (VECTORS / name).read_text().splitlines():
        yield json.loads(line)


def calendar_of(given: Case) -> Calendar:
    """A case's calendar: "weekly" as pairs of times, "holidays" as bare dates."""

    def hours(pairs: list[list[str]]) -> list[str]:
        return [f"{opens}-{closes}" for opens, closes in pairs]

    return Calendar.parse(
        {
            "time_zone": given["time_zone"],
            "hours": {day: hours(pairs) for day, pairs in given["weekly"].items()},
            "holidays": {"add": dict.fromkeys(given["holidays"], "closed")},
            "overrides": {on: hours(pairs) for on, pairs in given.get("overrides", {}).items()},
        }
    )
