"""`slatimer replay`: replay a recorded event log, and count how its clocks stand at an instant.

Events are idempotent: after an interruption, start it again, and it goes on after what was committed.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.cli.opened import must_know, opened
from app.cli.terminal import FAILED, failed, misused, progress_screen, remark, result_json, screen
from app.flow.judge.event_log import FaultyMapping, Mapped, parse_mapping
from app.flow.judge.replay import Counts, Replayed, StoppedAtRow, counts_at
from app.flow.judge.replay import replay as feed
from app.flow.process.runtime import Runtime
from app.intake.instant import NotAnInstant, read_instant
from app.sla.document.faults import line_of
from app.sla.span import Micros

_INTERRUPTED = 130
"""What a shell expects of a command that was interrupted."""

command = typer.Typer(add_completion=False)


@command.command()
def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, or JSON lines (.jsonl).")],
    desk: Annotated[str, typer.Option(help="The desk of the log.")],
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="TOML file: how rows map to events.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="INSTANT", help="When to evaluate; default now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Replay an event log on the same path as a push, and count how its clocks stand."""
    instant = _instant(at)
    mapped = None if mapping is None else _mapping(mapping)
    with opened() as runtime:
        must_know(runtime, desk)
        replayed = _feed(runtime, file, desk, mapped)
        counts = counts_at(runtime.database, runtime.catalogue, desk, instant)
    _show_refused(replayed)
    if as_json:
        result_json(_json(replayed, counts))
    else:
        _show(replayed, counts)
    if replayed.refused:
        raise typer.Exit(FAILED)


def _instant(written: str | None) -> Micros | None:
    try:
        return None if written is None else read_instant(written)
    except NotAnInstant as error:
        misused(f"--at: {written!r} {error}")


def _mapping(path: Path) -> Mapped:
    text = path.read_text(encoding="utf-8")
    try:
        return parse_mapping(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        misused(f"{path}: {error}")
    except FaultyMapping as error:
        misused("\n".join(f"{path}:{line_of(text, fault.place) or '?'}: {fault}" for fault in error.faults))


def _feed(runtime: Runtime, file: Path, desk: str, mapped: Mapped | None) -> Replayed:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress_screen(), transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        try:
            return feed(
                runtime.receiver,
                file,
                desk,
                mapped,
                lambda done, total: bar.update(task, completed=done, total=total),
                max_text=runtime.settings.max_text_length,
            )
        except StoppedAtRow as error:
            _show_refused(error.replayed)
            failed(f"{file}: {error}. The rows before it are stored.")
        except KeyboardInterrupt:
            remark("Interrupted. The batches before this are stored. Run the command again to continue.")
            raise typer.Exit(_INTERRUPTED) from None


def _show_refused(replayed: Replayed) -> None:
    for refusal in replayed.refused:
        remark(f"refused: {refusal.id}: {refusal.reason}")


def _json(replayed: Replayed, counts: dict[str, Counts]) -> dict[str, Any]:
    return {
        "tickets": replayed.tickets,
        "events": replayed.events,
        "repeated": replayed.repeated,
        "unmapped": dict(replayed.unmapped),
        "commitments": {
            commitment: {
                "clocks": count.clocks,
                "met": count.met,
                "missed": count.missed,
                "running": count.running,
                "awaiting": count.awaiting,
                "cancelled": count.cancelled,
            }
            for commitment, count in counts.items()
        },
    }


def _show(replayed: Replayed, counts: dict[str, Counts]) -> None:
    unmapped = sum(replayed.unmapped.values())
    remark(
        f"{replayed.tickets} tickets, {replayed.events} rows, {replayed.repeated} of them stored before, "
        f"{unmapped} unmapped"
    )
    for value, count in replayed.unmapped.most_common():
        remark(f"unmapped: {value!r}, {count} rows")
    names = ("clocks", "met", "missed", "running", "awaiting", "cancelled")
    table = Table("commitment", *names, box=None, pad_edge=False)
    for commitment, count in counts.items():
        table.add_row(commitment, *(str(getattr(count, name)) for name in names))
    screen().print(table)
