"""What a process imports: heavy packages only where they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("numpy", "icalendar", "holidays")


def imported_by(program: str) -> set[str]:
    """Which of the heavy packages a program has imported at its end."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return set(ended.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("module", ["app.main", "app.worker", "app.cli.serve", "app.cli.deadline"])
def test_a_process_starts_without_heavy_packages(module: str) -> None:
    assert imported_by(f"import {module}") == set()


def test_single_deadlines_do_without_numpy() -> None:
    program = (
        "from datetime import datetime, timedelta, UTC\nfrom app.sla.calendar import Calendar\n"
        "c = Calendar.parse({'time_zone': 'UTC', 'hours': {'mon-fri': ['09:00-17:00']}})\n"
        "c.after(timedelta(hours=2), since=datetime(2026, 3, 2, tzinfo=UTC))"
    )
    assert imported_by(program) == set()
