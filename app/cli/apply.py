"""`slatimer apply`: put calendars, agreements and sources into force, or see first which deadlines that would move."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app.cli.opened import opened
from app.cli.terminal import FAILED, remark, result, screen
from app.flow.agreement import apply as use_case
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileKind, faults_of_sources, read_files
from app.flow.inbound.sources import apply_sources
from app.flow.process.runtime import Runtime
from app.flow.query.serialize import moment
from app.sla.clock.evaluation import AppliesTo

command = typer.Typer()


@command.command()
def apply(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of them.")],
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change, and write nothing.")
    ] = False,
    applies_to: Annotated[
        AppliesTo, typer.Option(help="New tickets only, open ones too, or the rest of their lives.")
    ] = AppliesTo.NEW,
) -> None:
    """Put calendars, agreements and sources into force. A new calendar or agreement is a new version of its desk."""
    with opened() as parts:
        try:
            files = read_files(paths)
            (_show if preview else _put)(parts, files, applies_to)
        except FaultyFiles as error:
            for fault in error.faults:
                result(str(fault))
            remark("Nothing was put into force.")
            raise typer.Exit(FAILED) from error


def _show(parts: Runtime, files: list[DeskFile], applies_to: AppliesTo) -> None:
    if faults := faults_of_sources(files):
        raise FaultyFiles(faults)
    plans = parts.database.read_now(lambda conn: use_case.plans(conn, parts.catalogue, files))
    now = parts.database.now()
    changes = parts.database.read_now(
        lambda conn: use_case.preview(conn, now, parts.catalogue, files, applies_to)
    )
    for plan in plans:
        remark(f"{plan.desk}: would be version {plan.number}")
    sources = [file for file in files if file.kind is FileKind.SOURCES]
    for file in sources:
        remark(f"{file.desk}: its ticket systems would be read by {file.path}")
    if not plans and not sources:
        remark("All of this is in force already.")
    table = Table("desk", "ticket", "commitment", "cycle", "due", "would be due", box=None, pad_edge=False)
    for change in changes:
        due = (moment(change.old_due_at) or "-", moment(change.new_due_at) or "-")
        table.add_row(change.desk, change.ticket, change.commitment, str(change.cycle), *due)
    screen().print(table)
    remark(f"{len(changes)} clocks would change; nothing was written")


def _put(parts: Runtime, files: list[DeskFile], applies_to: AppliesTo) -> None:
    applied, read_otherwise = parts.database.write_now(
        lambda conn, now: (
            use_case.apply(conn, now, parts.catalogue, files, applies_to),
            apply_sources(conn, now, parts.catalogue, parts.sources, files),
        )
    )
    for one in applied:
        result(f"{one.desk}: version {one.number} is in force, for {applies_to.value} tickets")
    for desk in read_otherwise:
        result(f"{desk}: its ticket systems are read by its sources from now on")
        remark(f"What is in the inbox is read by them with: slatimer inbox --run-again --desk {desk}")
    if not applied and not read_otherwise:
        remark("All of this was in force already.")
    if any(one.tickets for one in applied):
        remark(f"{parts.sweeper.sweep_now()} tickets were judged anew")
