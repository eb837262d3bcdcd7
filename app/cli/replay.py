"""`slatimer replay`: replay a recorded event log, and count how its clocks stand at an instant.

Events are idempotent: after an interruption, start it again. What is stored already is passed over.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.cli.inspect_log import show_inspected
from app.cli.opened import must_know, opened
from app.cli.terminal import FAILED, counted, failed, misused, progress_screen, remark, result_json, screen
from app.flow.importing.counts import Counts
from app.flow.importing.inspection import inspect
from app.flow.importing.mapping_file import FaultyMappingFile, read_mapping
from app.flow.importing.replay import Replay, Replayed, StoppedAtRow, Wanted
from app.flow.process.runtime import Runtime
from app.intake.importing.mapping import Mapped
from app.intake.importing.unreadable import Refused, UnusableLog
from app.intake.instant import NotAnInstant, read_instant
from app.sla.span import Micros

_INTERRUPTED: Final = 130
"""What a shell expects of a command that was interrupted."""

_COUNTS: Final = ("clocks", "met", "missed", "running", "awaiting", "cancelled")

_File = Annotated[
    Path,
    typer.Argument(
        help="CSV, JSON lines or XES, also packed by gzip; - reads standard input.",
    ),
]
_Desk = Annotated[str, typer.Option(help="The desk of the log.")]
_Mapping = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="TOML file: how rows map to events.")
]
_At = Annotated[str | None, typer.Option(metavar="INSTANT", help="When to evaluate; default now.")]
_Inspect = Annotated[
    bool, typer.Option("--inspect", help="Show how the log is read, print a mapping, and write nothing.")
]
_Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first refused row.")]
_Refusals = Annotated[
    Path | None, typer.Option(dir_okay=False, writable=True, help="Write every refused row to this file.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

command = typer.Typer(add_completion=False)


@command.command()
def replay(
    file: _File,
    desk: _Desk,
    mapping: _Mapping = None,
    at: _At = None,
    inspecting: _Inspect = False,
    strict: _Strict = False,
    refusals: _Refusals = None,
    as_json: _AsJson = False,
) -> None:
    """Replay an event log on the same path as a push, and count how its clocks stand.

    Exit codes: 0 when every row was stored, 1 when rows were refused, 2 when the file or its mapping cannot be used, 130
    when it was interrupted.
    """
    instant = _instant(at)
    mapped = None if mapping is None else _mapping(mapping)
    with opened() as runtime:
        must_know(runtime, desk)
        try:
            if inspecting:
                wanted = Wanted(file, desk, mapped, instant)
                found = inspect(wanted, runtime.settings, runtime.database, runtime.catalogue)
                show_inspected(found, as_json=as_json)
                return
            with _written(refusals) as refuse:
                done = _run(runtime, Wanted(file, desk, mapped, instant, strict, refuse))
        except UnusableLog as error:
            misused(f"{file}: {error}")
    _show_refused(done, refusals)
    if as_json:
        result_json(_json(done))
    else:
        _show(done)
    if done.refused:
        raise typer.Exit(FAILED)


def _instant(written: str | None) -> Micros | None:
    try:
        return None if written is None else read_instant(written)
    except NotAnInstant as error:
        misused(f"--at: {written!r} {error}")


def _mapping(path: Path) -> Mapped:
    try:
        return read_mapping(path)
    except FaultyMappingFile as error:
        misused(error)


@contextmanager
def _written(path: Path | None) -> Generator[Callable[[Refused], None] | None]:
    """Writes refused rows to a file, if there is to be one."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        misused(f"--refusals: {path}: {error.strerror}")
    with file:
        yield lambda refused: _write(file, refused)


def _write(file: IO[str], refused: Refused) -> None:
    file.write(f"{refused}\n".encode("utf-8", "backslashreplace").decode())


def _run(runtime: Runtime, wanted: Wanted) -> Replayed:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress_screen(), transient=True) as bar:
        task = bar.add_task(wanted.path.name, total=None)

        def progress(stage: str, done: int, total: int | None) -> None:
            bar.update(task, description=f"{wanted.path.name}: {stage}", completed=done, total=total)

        database, catalogue = runtime.database, runtime.catalogue
        try:
            return Replay(runtime.settings, database, catalogue, runtime.receiver, progress).run(wanted)
        except StoppedAtRow as error:
            before = "What was received before is stored." if error.stored else "Nothing was stored."
            failed(f"{wanted.path}: {error}. {before}")
        except KeyboardInterrupt:
            remark("Interrupted. The tickets before this are stored. Run the command again to continue.")
            raise typer.Exit(_INTERRUPTED) from None


def _show_refused(done: Replayed, path: Path | None) -> None:
    for refused in done.refusals:
        remark(f"refused: {refused}")
    if (more := done.refused - len(done.refusals)) > 0:
        where = (
            f"{path} has all of them" if path is not None else "--refusals FILE writes all of them to a file"
        )
        remark(f"{counted(more, 'more row')} refused; {where}")


def _json(done: Replayed) -> dict[str, Any]:
    return {
        "tickets": done.tickets,
        "events": done.events,
        "repeated": done.repeated,
        "unmapped": dict(done.unmapped),
        "refused": done.refused,
        "refusals": [
            {"line": refused.line, "row": refused.row, "id": refused.id, "reason": refused.reason}
            for refused in done.refusals
        ],
        "local_times_twice": done.twice,
        "local_times_skipped": done.skipped,
        "commitments": {name: _counts(counts) for name, counts in done.counts.items()},
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _COUNTS}


def _show(done: Replayed) -> None:
    order = ", newest first" if done.backwards else ""
    remark(f"{done.layout}{order}")
    if done.guessed is not None:
        remark(done.guessed)
    remark(
        f"{counted(done.tickets, 'ticket')}, {counted(done.events, 'row')}, {done.repeated} of them stored before, "
        f"{done.unmapped.total()} unmapped, {done.refused} refused"
    )
    for value, count in done.unmapped.most_common():
        remark(f"unmapped: {value!r}, {counted(count, 'row')}")
    if done.twice:
        remark(
            f"{counted(done.twice, 'local time')} occur twice (clock change); read as the first of the two"
        )
    if done.skipped:
        remark(
            f"{counted(done.skipped, 'local time')} do not exist (clock change); read as before the change"
        )
    table = Table("commitment", *_COUNTS, box=None, pad_edge=False)
    for commitment, counts in done.counts.items():
        table.add_row(commitment, *(str(each) for each in _counts(counts).values()))
    screen().print(table)
