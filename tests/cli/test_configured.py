"""A wrong setting: a usage error that names the variable, on one line, without a traceback and without the value."""

import pytest
from typer.testing import CliRunner

from app.cli.commands import cli

COMMANDS = [
    ["serve"],
    ["worker"],
    ["demo"],
    ["apply", "agreements"],
    ["check", "agreements"],
    ["deadline", "--calendar", "haisoft/tickets", "--start", "2026-03-06T15:30:00Z", "--within", "2h"],
    ["key", "list"],
    ["connect", "zammad", "--desk", "haisoft"],
    ["record", "haisoft", "T1", "note.added"],
    ["inbox"],
    ["doctor"],
    ["openapi", "--check"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=[command[0] for command in COMMANDS])
def test_every_command_refuses_a_wrong_setting(command: list[str]) -> None:
    ended = CliRunner(env={"SLATIMER_MAX_PAGE_SIZE": "many"}).invoke(cli, command)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("slatimer: SLATIMER_MAX_PAGE_SIZE: Input should be a valid integer")
    assert "many" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLATIMER_SWEEP_BATCH", "many"),
        ("slatimer_sweep_batch_size", "0"),
        ("SLATIMER_PORT", "tpc://10.0.0.7:8000"),
        ("SLATIMER_JOB_TIMEOUT", "soon"),
        ("SLATIMER_LOG_LEVEL", "loud"),
        ("SLATIMER_REDIS_URL", "http://ann:secret@x"),
        ("SLATIMER_REDIS_URL", "redis://ann:secret@x:port/0"),
        ("SLATIMER_REDIS_URL", "redis://ann:secret@x/first"),
    ],
)
def test_a_fault_names_the_variable_as_it_is_set(name: str, value: str) -> None:
    ended = CliRunner(env={name: value, "SLATIMER_XYZ": "1"}).invoke(cli, ["doctor"])
    assert ended.exit_code == 2
    *warnings, fault = ended.stderr.splitlines()
    assert fault.startswith(f"slatimer: {name}: ")
    assert "SLATIMER_XYZ is not a setting" in warnings
    assert "secret" not in ended.stderr


def test_every_fault_has_a_line() -> None:
    environ = {"SLATIMER_PORT": "x", "SLATIMER_MAX_PAGE_SIZE": "y"}
    ended = CliRunner(env=environ).invoke(cli, ["doctor"])
    assert [line.split(": ")[1] for line in ended.stderr.splitlines()] == list(environ)
