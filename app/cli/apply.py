"""`slatimer apply`: put files, or newer holidays, into force, or preview what they would change."""

from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from app.cli.opened import must_know, opened
from app.cli.terminal import MISUSED, counted, misused, progress_screen, remark, result, screen
from app.flow.agreement import apply as use_case
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileKind, faults_of_sources, read_files
from app.flow.agreement.effective import Unplannable
from app.flow.agreement.effects import Change
from app.flow.agreement.plan import Plan, Proposal, plans
from app.flow.agreement.preview import Preview
from app.flow.importing.mapping_file import mapping_files
from app.flow.inbound.sources import apply_sources
from app.flow.process.runtime import Runtime
from app.flow.query.serialize import instant_text
from app.intake.instant import read_instant
from app.sla.agreement.version import AppliesTo
from app.sla.span import Micros

_MOST_CHANGES: Final = 1_000
"""Changes of due dates that are listed; all are counted. No person reads a longer list."""

_Paths = Annotated[list[Path] | None, typer.Argument(metavar="[PATH...]", help="Files, or folders of them.")]
_Preview = Annotated[bool, typer.Option("--preview", help="Show what would change, and write nothing.")]
_AppliesTo = Annotated[
    AppliesTo, typer.Option(help="New tickets only, open ones too, or the rest of their lives.")
]
_EffectiveFrom = Annotated[
    str | None,
    typer.Option(metavar="INSTANT|DATE", help="When it comes into force, ahead; a date in the desk's zone."),
]
_Note = Annotated[str | None, typer.Option(help="Why: kept with the version.")]
_RefreshHolidays = Annotated[
    bool,
    typer.Option("--refresh-holidays", help="Use the holidays of the installed package. Takes no files."),
]
_Desk = Annotated[
    str | None, typer.Option(help="With --refresh-holidays: the desk whose calendars take them.")
]

command = typer.Typer(add_completion=False)


def read_day_or_instant(text: str) -> Micros | date:
    """An instant with an offset, or a date. Exits with a usage error for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return read_instant(text)
    except ValueError as error:
        misused(f"--effective-from {error}")


@command.command()
def apply(
    paths: _Paths = None,
    preview: _Preview = False,
    applies_to: _AppliesTo = AppliesTo.NEW,
    effective_from: _EffectiveFrom = None,
    note: _Note = None,
    refresh_holidays: _RefreshHolidays = False,
    desk: _Desk = None,
) -> None:
    """Put calendars, agreements and sources into force. A new calendar or agreement is a new version of its desk.

    Exit code 2: a file is faulty, and nothing was put into force.
    """
    if refresh_holidays == bool(paths):
        misused("name files to apply, or --refresh-holidays without files.")
    if desk is not None and not refresh_holidays:
        misused("--desk goes with --refresh-holidays. A file names its desk itself.")
    begins = None if effective_from is None else read_day_or_instant(effective_from)
    with opened() as parts:
        try:
            files = _without_mappings(read_files(paths or []))
            proposal = Proposal(
                files,
                refresh=_refreshed(parts, desk) if refresh_holidays else (),
                applies_to=applies_to,
                effective_from=begins,
                author_note=note,
            )
            (_show if preview else _put)(parts, files, proposal)
        except FaultyFiles as error:
            for fault in error.faults:
                result(str(fault))
            remark("Nothing was put into force.")
            raise typer.Exit(MISUSED) from error
        except Unplannable as error:
            misused(f"--effective-from: {error}. Nothing was put into force.")


def _without_mappings(files: list[DeskFile]) -> list[DeskFile]:
    """The files without mappings of logs, which belong to no desk: they are read by a replay."""
    mappings = mapping_files(Path(file.path) for file in files)
    for path in mappings:
        remark(f"{path} is a mapping of a log and is passed over; slatimer replay --mapping reads it")
    return [file for file in files if Path(file.path) not in mappings]


def _refreshed(parts: Runtime, desk: str | None) -> list[str]:
    """The desks whose calendars take the holidays of the installed package."""
    if desk is None:
        return sorted(parts.database.read_now(parts.catalogue.desks))
    must_know(parts, desk)
    return [desk]


def _show(parts: Runtime, files: list[DeskFile], proposal: Proposal) -> None:
    if faults := faults_of_sources(files):
        raise FaultyFiles(faults)
    now = parts.database.now()
    planned = parts.database.read_now(lambda conn: plans(conn, now, parts.catalogue, proposal))
    for plan in planned:
        remark(f"{plan.desk}: would be version {plan.number}{_from(plan)}{_because(plan.note)}")
    sources = [file for file in files if file.kind is FileKind.SOURCES]
    for file in sources:
        remark(f"{file.desk}: its ticket systems would be read by {file.path}")
    if not planned and not sources:
        remark("All of this is in force already.")
    run = Preview(planned, now, float("inf"), _MOST_CHANGES)
    _compare(parts, run)
    _list("", run.effects.changes)
    if run.effects.changed > len(run.effects.changes):
        _list("furthest", run.effects.worst)
    if run.skipped:
        remark(f"{counted(run.skipped, 'open ticket')} cannot change and need no comparison")
    remark(run.effects.sentence)
    remark(f"{counted(run.effects.changed, 'clock')} would change; nothing was written")


def _compare(parts: Runtime, run: Preview) -> None:
    """Compare the tickets slice by slice, with progress on a terminal."""
    with progress_screen().status("open tickets") as status:
        while not run.is_done:
            parts.database.read_now(lambda conn: run.step(conn, parts.catalogue))
            status.update(f"{run.compared:,} of {run.total:,} open tickets compared")


def _from(plan: Plan) -> str:
    return f" from {instant_text(plan.effective_from)} on" if plan.is_planned else ""


def _list(title: str, changes: list[Change]) -> None:
    table = Table("desk", "ticket", "commitment", "cycle", "due", "would be due", box=None, pad_edge=False)
    for change in changes:
        due = (instant_text(change.old_due_at) or "-", instant_text(change.new_due_at) or "-")
        table.add_row(change.desk, change.ticket, change.commitment, str(change.cycle), *due)
    if title:
        remark(f"The {title} of them:")
    screen().print(table)


def _put(parts: Runtime, files: list[DeskFile], proposal: Proposal) -> None:
    applied, changed_sources = parts.database.write_now(
        lambda conn, now: (
            use_case.apply(conn, now, parts.assessor, proposal),
            apply_sources(conn, now, parts.catalogue, parts.sources, files),
        )
    )
    for one in applied:
        begins = (
            "is in force"
            if one.effective_from is None
            else f"is planned from {instant_text(one.effective_from)} on"
        )
        result(
            f"{one.desk}: version {one.number} {begins}, for {one.applies_to.value} tickets{_because(one.note)}"
        )
        for number in one.replaces:
            remark(
                f"{one.desk}: it takes the place of version {number}, which was planned for the same instant"
            )
    for desk in changed_sources:
        result(f"{desk}: its ticket systems are read by its sources from now on")
        remark(f"To read what is in the inbox by them: slatimer inbox --run-again --desk {desk}")
    if not applied and not changed_sources:
        remark("All of this was in force already.")
    if any(one.tickets and one.effective_from is None for one in applied):
        swept = parts.sweeper.sweep_now()
        remark(f"{counted(swept, 'ticket')} {'was' if swept == 1 else 'were'} evaluated again")


def _because(note: str | None) -> str:
    return "" if note is None else f" ({note})"
