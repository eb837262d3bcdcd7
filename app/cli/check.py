"""`slatimer check`: validate files of calendars, agreements and sources, and mappings of logs."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from app.cli.configured import read_settings
from app.cli.shipped import shipped_calendars
from app.cli.terminal import FAILED, counted, remark, result
from app.flow.agreement.desk_files import (
    DeskFile,
    FaultyFiles,
    FileFault,
    FileKind,
    calendars_beside,
    check_files,
    read_files,
)
from app.flow.agreement.limits import limits_of
from app.flow.agreement.remarks import remarks_of
from app.flow.importing.mapping_file import faults_of_mappings, mapping_files
from app.sla.calendar import Calendar

T = TypeVar("T")

command = typer.Typer(add_completion=False)


@command.command()
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of them.")],
) -> None:
    """Validate calendars, agreements, sources and mappings. Prints every fault with its line and a correction.

    Remarks are on what is allowed and seldom meant: they do not change the exit code.
    """
    mappings = mapping_files(paths)
    faults = faults_of_mappings(mappings)
    files = [
        file for path in paths for file in _or_faults(lambda path=path: read_files([path]), faults) or []
    ]
    files = [file for file in files if Path(file.path) not in mappings]
    limits = limits_of(read_settings())
    beside: list[FileFault] = []
    calendars = _or_faults(lambda: _calendars_for(files), beside)
    _or_faults(lambda: check_files(files, calendars or {}, limits=limits), faults)
    # A faulty calendar beside an agreement may be one of the files themselves.
    faults += [fault for fault in beside if fault.fault.place not in {each.fault.place for each in faults}]
    for fault in faults:
        result(str(fault))
    if faults:
        in_files = counted(len({fault.path for fault in faults}), "file")
        remark(f"{counted(len(faults), 'fault')} in {in_files}")
        raise typer.Exit(FAILED)
    if not files and not mappings:
        remark("There is no .toml file here.")
        raise typer.Exit(FAILED)
    remarks = remarks_of(files, datetime.now(UTC).date())
    for each in remarks:
        result(str(each))
    remarked = f", {counted(len(remarks), 'remark')}" if remarks else ""
    remark(f"{counted(len(files) + len(mappings), 'file')}, no fault{remarked}")


def _or_faults(work: Callable[[], T], faults: list[FileFault]) -> T | None:
    """The result of the work, or None; its faults are added to the others, so that all are printed at once."""
    try:
        return work()
    except FaultyFiles as error:
        faults += error.faults
        return None


def _calendars_for(files: Iterable[DeskFile]) -> dict[str, Calendar]:
    """Calendars that an agreement may use besides the given ones: of the folder beside it, and the shipped ones."""
    alone = [file for file in files if file.kind is FileKind.AGREEMENT]
    if not alone:
        return {}
    return shipped_calendars(read_settings().calendars) | calendars_beside(alone)
