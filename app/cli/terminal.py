"""Output of a command: results on standard output, everything else on standard error.

Rich and structlog are imported where they are used: most commands print plain lines.
"""

import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn
from unicodedata import category

import orjson
import typer

from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

if TYPE_CHECKING:
    from rich.console import Console

FAILED: Final = 1
"""Exit code: a check failed, or the command could not be carried out."""

MISUSED: Final = 2
"""Exit code: an argument, a file or a setting cannot be used."""


_HARMLESS: Final = frozenset("\n\t")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that a terminal obeys or hides: control, direction and other format characters."""


def printable(text: str) -> str:
    """A text in which every character that a terminal would obey is written as its escape: \\x1b.

    Foreign text is printed in this form only: a ticket's title could else move the cursor or change its window.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        repr(each)[1:-1] if each not in _HARMLESS and category(each) in _HIDDEN else each for each in text
    )


def result(text: str) -> None:
    """Print a line of the result."""
    typer.echo(printable(text))


def result_json(value: Any) -> None:
    """Print the result as JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def remark(text: str) -> None:
    """Print a message on standard error."""
    typer.echo(printable(text), err=True)


def screen() -> "Console":
    """A console on standard output, for tables that are the result. It is wide when it is not a terminal."""
    return _console(file=sys.stdout, width=None if sys.stdout.isatty() else 160)


def progress_screen() -> "Console":
    """A console on standard error, for progress."""
    return _console(stderr=True)


def _console(**given: Any) -> "Console":
    from rich.console import Console
    from rich.text import Text

    class PlainConsole(Console):
        """Prints texts as they are: no markup, no emoji, no character that the terminal obeys."""

        def render_str(self, text: str, **given: Any) -> Text:
            options: Any = given | {"markup": False, "emoji": False}
            return super().render_str(printable(text), **options)

    return PlainConsole(highlight=False, **given)


@contextmanager
def counter() -> Generator[Callable[[str, int], None]]:
    """Shows a name and a count of rows on standard error while they grow. It may be called from any thread."""
    with progress_screen().status("") as shown:
        yield lambda name, count: shown.update(f"{name}: {counted(count, 'row')}")


def log_warnings_only() -> None:
    """Log warnings and errors only, on standard error: a command prints its own messages."""
    import structlog

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
    """Exit with the code of a failure."""
    remark(f"slatimer: {why}")
    raise typer.Exit(FAILED)


def misused(why: object) -> NoReturn:
    """Exit with the code of a usage error."""
    remark(f"slatimer: {why}")
    raise typer.Exit(MISUSED)


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 file, 2 files."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


_UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))


def length(micros: Micros) -> str:
    """A duration as text: 1d 2h, 1h 30m, 45s; rounded down to seconds."""
    written: list[str] = []
    for unit, letter in _UNITS:
        count, micros = divmod(micros, unit)
        if count:
            written.append(f"{count}{letter}")
    return " ".join(written) or "0s"
