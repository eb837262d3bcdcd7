"""A newer `holidays` package on the path of the process: a copy of the installed one with one more holiday."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import holidays
import pytest

from tests.cli.conftest import ROOT, Terminal
from tests.waiting import HANG

RULE = "    def _populate_public_holidays(self):\n"
AGREEMENT = """
desk = "own"
[[commitments]]
id = "reply"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "240h"
calendar = "own/desk"
"""
CALENDAR = """
[calendars.desk]
time_zone = "UTC"
hours = { mon-sun = ["00:00-24:00"] }
holidays = { country = "NL" }
"""

START_AND_STOP = """
import asyncio
from app.flow.process.runtime import Runtime
from app.settings import Settings
from app.store.engine.database import Database

async def start_and_stop():
    with Database(Settings()) as database:
        runtime = Runtime(Settings(), database)
        runtime.start()
        await runtime.stop()

asyncio.run(start_and_stop())
"""


def soon() -> date:
    """A day after tomorrow that is no holiday yet."""
    today = datetime.now(UTC).date()
    taken = holidays.country_holidays("NL", years=(today.year, today.year + 1))
    return next(on for n in range(2, 9) if (on := today + timedelta(days=n)) not in taken)


def newer_package(folder: Path, added: date) -> Path:
    """A folder for the path of a process, with a package in which the Netherlands have that day."""
    package = folder / "holidays"
    shutil.copytree(Path(holidays.__file__).parent, package)
    (package / "version.py").write_text('__version__ = "99.1"\n')
    country = package / "countries" / "netherlands.py"
    more = f"{RULE}        if self._year == {added.year}:\n"
    more += f'            self._add_holiday("Harvest Day", ({added.month}, {added.day}))\n'
    text = country.read_text()
    assert RULE in text
    country.write_text(text.replace(RULE, more, 1))
    return folder


class Process:
    """Runs commands as processes on one database, with a folder before the installed packages on their path."""

    def __init__(self, url: str, first: Path) -> None:
        self.environment = {
            **os.environ,
            "SLATIMER_DATABASE_URL": url,
            "PYTHONPATH": os.pathsep.join(map(str, (first, ROOT))),
        }

    def __call__(self, *arguments: object) -> str:
        """What a command that must succeed writes to both of its outputs."""
        return self.python("-m", "app", *arguments)

    def python(self, *arguments: object) -> str:
        """The same for a program."""
        ended = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=self.environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=HANG,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout + ended.stderr


@pytest.fixture
def before(tmp_path: Path) -> Terminal:
    """A desk and a ticket, by the installed package."""
    terminal = Terminal(f"sqlite:///{tmp_path / 'slatimer.db'}")
    for folder, text in (("agreements", AGREEMENT), ("calendars", CALENDAR)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.toml").write_text(text)
    terminal.done("apply", tmp_path / "agreements", tmp_path / "calendars")
    terminal.done("record", "own", "4711", "ticket.created")
    return terminal


def test_a_newer_package_moves_a_due_date_when_its_holidays_are_put_into_force(
    before: Terminal, tmp_path: Path
) -> None:
    added = soon()
    after = Process(before.settings.database_url, newer_package(tmp_path / "newer", added))
    difference = f"holidays 99.1: NL {added} added: Harvest Day"

    assert "the stored holidays are those of the installed package" in before.done("doctor")
    examined = "".join(after("doctor", "--json").split("\n"))
    assert f"own: {difference}" in examined
    assert "fault" not in examined

    (line,) = (line for line in after.python("-c", START_AND_STOP).splitlines() if "holidays" in line)
    assert "desk=own" in re.sub("\\x1b\\[[0-9;]*m", "", line)
    assert difference in line

    preview = after("apply", "--refresh-holidays", "--desk", "own", "--preview", "--applies-to", "open")
    assert f"own: would be version 2 ({difference})" in preview
    assert "1 clock would change; nothing was written" in preview
    assert f"own: {difference}" in after("doctor", "--json")

    applied = after("apply", "--refresh-holidays", "--applies-to", "open")
    assert f"own: version 2 is in force, for open tickets ({difference})" in applied
    assert "1 ticket was evaluated again" in applied
    assert "All of this was in force already." in after("apply", "--refresh-holidays")
    assert difference not in after("doctor", "--json")
