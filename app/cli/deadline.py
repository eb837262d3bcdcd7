"""`slatimer deadline`: a deadline and its spans, from a calendar file alone, without a server or a database."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.terminal import failed, length, misused, result, result_json, screen
from app.flow.agreement.desk_files import FaultyFiles, FileKind, check_files, read_files
from app.flow.query.reasons import span_text
from app.flow.query.serialize import explanation, instant_text, local
from app.intake.instant import NotAnInstant, read_instant
from app.sla.calendar import Calendar, NeverCloses, NeverOpen, UncoveredYear, parse_calendars
from app.sla.calendar.target import Target, TargetFault
from app.sla.clock.explanation import Explanation, explain_deadline

if TYPE_CHECKING:
    from rich.table import Table

ALWAYS: Final = "always"
_EXAMPLE: Final = "calendars/haisoft.toml#tickets, haisoft/tickets or always"

command = typer.Typer(add_completion=False)


@command.command()
def deadline(
    calendar: Annotated[str, typer.Option(help=f"PATH#NAME or DESK/NAME: {_EXAMPLE}")],
    start: Annotated[str, typer.Option(metavar="INSTANT", help="With an offset: 2026-03-06T15:30:00+01:00")],
    within: Annotated[str, typer.Option(metavar="TARGET", help="2h, 3 working days, 7 days, 3 months")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every span that was counted or not.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as POST /v1/deadlines does.")] = False,
) -> None:
    """Print when something is due that starts at an instant."""
    recorded = _answer(_calendar(calendar), start, within)
    if as_json:
        result_json({"due_at": instant_text(recorded.due_at), "explanation": explanation(recorded)})
        return
    result(str(local(recorded.due_at, recorded.calendar)))
    if explain and recorded.calendar is not None:
        screen().print(_table(recorded, recorded.calendar))


def _answer(calendar: Calendar, start: str, within: str) -> Explanation:
    try:
        target = Target.parse(within)
        target.check(calendar)
    except TargetFault as error:
        misused(f"--within: {error}")
    try:
        since = read_instant(start)
    except NotAnInstant as error:
        misused(f"--start: {start!r} {error}")
    try:
        return explain_deadline(target, calendar, since)
    except (UncoveredYear, NeverOpen, NeverCloses) as error:
        failed(error)


def _calendar(reference: str) -> Calendar:
    """The calendar that a reference names: `always`, DESK/NAME of the shipped ones, or PATH#NAME."""
    if reference == ALWAYS:
        return Calendar.always()
    path, hash_sign, name = reference.partition("#")
    if not hash_sign and not Path(path).exists():
        from app.cli.configured import read_settings

        desk, _, name = reference.partition("/")
        path = str(read_settings().calendars / f"{desk}.toml")
        if not Path(path).exists():
            misused(f"--calendar: there is no {reference!r}. Write {_EXAMPLE}.")
    calendars = _calendars_in(Path(path))
    if not name and len(calendars) == 1:
        return next(iter(calendars.values()))
    if name not in calendars:
        misused(f"--calendar: {path} has no calendar {name!r}. It has: {', '.join(calendars) or 'none'}.")
    return calendars[name]


def _calendars_in(path: Path) -> dict[str, Calendar]:
    """The calendars of a file by their own names."""
    try:
        files = read_files([path])
        check_files(files)
    except FaultyFiles as error:
        misused(f"--calendar: {error}")
    read = (parse_calendars(f.document, desk=f.desk) for f in files if f.kind is FileKind.CALENDARS)
    return {name.partition("/")[2]: calendar for found in read for name, calendar in found.items()}


def _local(start: datetime, end: datetime) -> str:
    """Both ends in local time; each with its own offset where a clock change lies between them."""
    first = f"{start:%z} " if start.utcoffset() != end.utcoffset() else ""
    return f"{start:%a %d %b %H:%M} {first}- {end:%a %H:%M} {end:%z}"


def _table(recorded: Explanation, calendar: Calendar) -> "Table":
    from rich.table import Table

    table = Table("from", "to", "local", "", "counts", "total", "why", box=None, pad_edge=False)
    for span in recorded.spans:
        start, end = calendar.local(span.start), calendar.local(span.end)
        table.add_row(
            instant_text(span.start),
            instant_text(span.end),
            _local(start, end),
            "+" if span.counted else "",
            length(span.end - span.start) if span.counted else "",
            length(span.total),
            f"{span_text(span)} ({span.source})" if span.source else span_text(span),
        )
    return table
