"""The list of commands, and what is imported for it."""

import subprocess
import sys
from importlib.metadata import version
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from app.cli.commands import cli, loaded

COMMANDS: Final = (
    "serve",
    "worker",
    "demo",
    "apply",
    "check",
    "deadline",
    "replay",
    "key",
    "connect",
    "record",
    "inbox",
    "doctor",
    "openapi",
)
HEAVY: Final = {"alembic", "fastapi", "numpy", "rich.progress", "sqlalchemy", "structlog", "uvicorn"}
DEADLINE: Final = "'deadline', '--calendar', '{}', '--start', '2026-03-02T09:00:00+01:00', '--within', '2h'"


def imported_by(script: str) -> set[str]:
    """The modules that a fresh interpreter has after this script."""
    program = f"import sys\n{script}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_list_of_commands_imports_none_of_them() -> None:
    imported = run_by("'--help'")
    assert not imported & HEAVY
    assert not {name for name in imported if name.startswith(("app.flow", "app.store", "app.web"))}
    assert len(imported) < 410


def run_by(arguments: str) -> set[str]:
    """The modules that a command has imported at its end."""
    return imported_by(
        f"from app.cli.commands import cli\ntry:\n    cli([{arguments}])\nexcept SystemExit: pass"
    )


def test_a_deadline_of_a_file_imports_neither_settings_nor_agreements_nor_ticket_systems() -> None:
    imported = run_by(DEADLINE.format("calendars/haisoft.toml#tickets"))
    assert not imported & (HEAVY | {"pydantic_settings", "rich", "app.settings"})
    assert not {name for name in imported if name.startswith(("app.store", "app.web", "app.intake.systems"))}
    assert "app.sla.agreement.file" not in imported
    # What starting takes is nearly all imports, and their number is the same on every machine.
    assert len(imported) < 400


def test_a_deadline_of_a_named_calendar_imports_few_modules() -> None:
    assert len(run_by(DEADLINE.format("haisoft/tickets"))) < 480


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_list_is_there(name: str) -> None:
    command: Any = loaded(name)
    assert command.name == name
    assert command.help or command.commands


def test_the_list_names_every_command_with_its_short_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name in COMMANDS:
        row = next(line.strip("│ ") for line in lines if line.strip("│ ").startswith(f"{name} "))
        assert len(row.split()) > 3, row


def test_the_version_is_that_of_the_installed_package() -> None:
    ended = CliRunner().invoke(cli, ["--version"])
    assert (ended.exit_code, ended.stdout) == (0, f"{version('slatimer')}\n")
