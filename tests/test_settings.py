"""Settings from the environment: former names still work, and warnings name what to set instead."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from app.settings import RENAMED, Settings, environment_warnings
from app.settings.renamed import variable
from app.settings.server import LogLevel

ROOT = Path(__file__).resolve().parent.parent
KNOWN = Settings.model_fields


def other_value(setting: str) -> str:
    """A valid value of a setting that differs from its default, as text."""
    match KNOWN[setting].default:
        case bool(value):
            return str(not value).lower()
        case int(value):
            return str(value + 1)
        case float():
            return "0.5"
        case str():
            return "fr"
        case tuple(value):
            written = TypeAdapter(tuple[Any, ...]).dump_python(value[:2], mode="json")
            return ",".join(map(str, written))
        case _:
            return "PT42S"


@pytest.mark.parametrize(("former", "name"), RENAMED.items())
def test_a_former_name_sets_the_setting(monkeypatch: pytest.MonkeyPatch, former: str, name: str) -> None:
    monkeypatch.setenv(variable(former), other_value(name))
    under_former_name = getattr(Settings(), name)
    monkeypatch.delenv(variable(former))
    monkeypatch.setenv(variable(name), other_value(name))
    assert under_former_name == getattr(Settings(), name) != KNOWN[name].default


@pytest.mark.parametrize(("former", "name"), RENAMED.items())
def test_a_former_name_is_reported_with_its_replacement(former: str, name: str) -> None:
    assert former not in KNOWN
    assert list(environment_warnings({variable(former): "1"}, KNOWN)) == [
        f"{variable(former)} is deprecated and will be removed: use {variable(name)}"
    ]


def test_the_new_name_wins_over_the_former_one(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"SLATIMER_SWEEP_BATCH": "7", "SLATIMER_SWEEP_BATCH_SIZE": "8"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Settings().sweep_batch_size == 8
    assert list(environment_warnings(environ, KNOWN)) == [
        "SLATIMER_SWEEP_BATCH is ignored: SLATIMER_SWEEP_BATCH_SIZE replaces it and is set as well"
    ]


def test_an_empty_former_name_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLATIMER_SWEEP_BATCH", "")
    assert Settings().sweep_batch_size == KNOWN["sweep_batch_size"].default
    assert list(environment_warnings({"SLATIMER_SWEEP_BATCH": ""}, KNOWN)) == []


def test_a_faulty_value_under_a_former_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLATIMER_SWEEP_BATCH", "many")
    with pytest.raises(ValueError, match="sweep_batch_size"):
        Settings()


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLATIMER_SWEEP_BATCH", "7")
    assert Settings(sweep_batch_size=9).sweep_batch_size == 9


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ("SLATIMER_SWEEP_BACTH_SIZE", "Did you mean SLATIMER_SWEEP_BATCH_SIZE?"),
        ("slatimer_database_ulr", "Did you mean SLATIMER_DATABASE_URL?"),
        ("SLATIMER_DELIVER_WAIT", "Did you mean SLATIMER_DELIVERY_RETRY_SCHEDULE?"),
        ("SLATIMER_XYZ", "SLATIMER_XYZ is not a setting"),
    ],
)
def test_an_unknown_variable_is_reported_with_the_nearest_name(given: str, warning: str) -> None:
    (found,) = environment_warnings({given: "1"}, KNOWN)
    assert found.endswith(warning)


@pytest.mark.parametrize(
    "given", ["PATH", "SLATIMER_PORT", "SLATIMER_PORT_8000_TCP", "SLATIMER_SERVICE_HOST"]
)
def test_other_variables_are_not_reported(given: str) -> None:
    assert list(environment_warnings({given: "1"}, KNOWN)) == []


def test_the_port_that_kubernetes_sets_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLATIMER_PORT", "tcp://10.0.0.7:8000")
    assert Settings().port == KNOWN["port"].default
    assert Settings(port=9000).port == 9000
    monkeypatch.setenv("SLATIMER_PORT", "9001")
    assert Settings().port == 9001


@pytest.mark.parametrize("url", ["redis://h", "redis://:p@h:6379/3", "rediss://h/", "unix:///run/redis.sock"])
def test_a_redis_url_is_accepted(url: str) -> None:
    assert Settings(redis_url=url).redis_url == url


def test_a_command_reports_former_names_on_standard_error(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "SLATIMER_DATABASE_URL": f"sqlite:///{tmp_path / 'slatimer.db'}",
        "SLATIMER_READERS": "1",
    }
    command = [sys.executable, "-m", "app", "doctor", "--json"]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "use SLATIMER_DATABASE_READ_POOL_SIZE" in done.stderr
    assert "SLATIMER" not in done.stdout


@pytest.mark.parametrize("written", ["debug", "Debug", "DEBUG"])
def test_a_log_level_is_read_in_any_case(written: str) -> None:
    assert Settings.model_validate({"log_level": written}).log_level is LogLevel.DEBUG
