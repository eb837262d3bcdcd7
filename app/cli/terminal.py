"""How does a command speak? Results on standard output, everything else on standard error."""

import logging
import sys
from typing import Any, Final, NoReturn

import orjson
import structlog
import typer
from rich.console import Console

from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

FAILED: Final = 1
"""A check failed, or what was asked could not be done."""

MISUSED: Final = 2
"""The question itself was wrong: an argument, a file or a setting that cannot be used."""


def result(text: str) -> None:
    """A line of the result."""
    typer.echo(text)


def result_json(value: Any) -> None:
    """The result as JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def remark(text: str) -> None:
    """A remark for whoever watches."""
    typer.echo(text, err=True)


def screen() -> Console:
    """A console on standard output, for tables that are the result; wide when it is no terminal."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160, highlight=False)


def progress_screen() -> Console:
    """A console on standard error, for tables and bars that are not."""
    return Console(stderr=True, highlight=False)


def log_warnings_only() -> None:
    """Logs go to standard error, and only what is wrong: a command's own words say the rest."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def failed(why: object) -> NoReturn:
    """End with the exit code of a failure."""
    remark(f"slatimer: {why}")
    raise typer.Exit(FAILED)


def misused(why: object) -> NoReturn:
    """End with the exit code of a wrong question."""
    remark(f"slatimer: {why}")
    raise typer.Exit(MISUSED)


_UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))


def length(micros: Micros) -> str:
    """A duration as people write it: 1d 2h, 1h 30m, 45s; rounded down to seconds."""
    written: list[str] = []
    for unit, letter in _UNITS:
        count, micros = divmod(micros, unit)
        if count:
            written.append(f"{count}{letter}")
    return " ".join(written) or "0s"
