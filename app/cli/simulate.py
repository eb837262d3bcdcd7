"""`slatimer simulate`: what the recorded tickets would have come to under other hours, targets or contracts."""

import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer

from app.cli.opened import must_know, opened
from app.cli.simulated import Json, show_simulated
from app.cli.terminal import MISUSED, misused, progress_screen, remark, result, result_json
from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileKind, read_files
from app.flow.importing.contracts import read_rows, read_toml
from app.flow.importing.log_file import opened_log
from app.flow.simulation.draft import ContractDocument, Draft, Question, sides_of
from app.flow.simulation.simulation import Simulation
from app.intake.importing.unreadable import UnusableLog
from app.intake.instant import NotAnInstant, read_instant
from app.sla.calendar.zone import midnight, zone
from app.sla.span import DAY, Micros, Span

if TYPE_CHECKING:
    from app.flow.process.runtime import Runtime

_Desk = Annotated[str, typer.Option(help="The desk whose tickets are judged again.")]
_Since = Annotated[
    str,
    typer.Option(
        "--from", metavar="INSTANT|DATE", help="Tickets created from then on; a date in the desk's zone."
    ),
]
_Until = Annotated[
    str,
    typer.Option(
        "--to", metavar="INSTANT|DATE", help="Up to then, when all are judged; a date is not included."
    ),
]
_Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A single change, as commitments.gti.target=8h; no value removes the key.",
    ),
]
_Agreement = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="TOML file: a draft of the agreement.")
]
_Calendars = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="TOML file: a draft of the calendars.")
]
_Contracts = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="CSV, JSON lines or TOML: drafts of contracts."),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON, with every flip.")]

command = typer.Typer(add_completion=False)


@command.command()
def simulate(
    desk: _Desk,
    since: _Since,
    until: _Until,
    changes: _Changes = None,
    agreement: _Agreement = None,
    calendars: _Calendars = None,
    contracts: _Contracts = None,
    as_json: _AsJson = False,
) -> None:
    """Judge the recorded tickets of a span twice, as they were and under a draft. Nothing is written.

    Exit code 2: a change, a file or an instant cannot be used.
    """
    made = _changes(changes or [])
    with opened() as runtime:
        must_know(runtime, desk)
        span = _span(runtime, desk, since, until)
        try:
            files = _files(desk, agreement, calendars)
            draft = Draft(files, [] if contracts is None else _contracts(runtime, desk, contracts), made)
            question = Question(desk, span, runtime.database.now(), draft)
            found, flips = _run(runtime, question)
        except FaultyFiles as error:
            _refuse(map(str, error.faults))
        except FaultyContracts as error:
            file = "" if contracts is None else f"{contracts}: "
            _refuse(f"{file}{place}: {fault}" for place, fault in error.faults)
        except UnusableLog as error:
            misused(f"{contracts}: {error}")
    if as_json:
        result_json(found | {"flips": flips, "flips_next": None})
    else:
        show_simulated(found, flips)


def _refuse(faults: Iterable[str]) -> NoReturn:
    for fault in faults:
        result(fault)
    remark("Nothing was simulated.")
    raise typer.Exit(MISUSED)


def _changes(written: list[str]) -> Json:
    found: Json = {}
    for each in written:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            misused(f"--set {each!r} is not KEY=VALUE. Write it as commitments.gti.target=8h")
        found[key.strip()] = value_of(value.strip())
    return found


def value_of(written: str) -> Any:
    """A value as TOML writes it; a text that is no TOML, as 8h, stands for itself. None for nothing.

    A number with a fraction stays a text: amounts are written as texts.
    """
    if not written:
        return None
    try:
        document = tomllib.loads(f"value = {written}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return written
    value: Any = document.pop("value", None)
    is_whole = isinstance(value, int) and abs(value) < 2**63
    is_plain = is_whole or isinstance(value, bool | str | list | dict)
    return cast(object, value) if is_plain and not document else written


def _span(runtime: "Runtime", desk: str, since: str, until: str) -> Span:
    now = runtime.database.now()
    in_force = runtime.database.read_now(lambda conn: runtime.catalogue.in_force(conn, desk, at=now))
    start, end = (
        _instant(name, text, in_force.agreement.time_zone)
        for name, text in (("--from", since), ("--to", until))
    )
    longest = runtime.settings.simulation_span_max
    if end <= start:
        misused("--to must be later than --from")
    if end - start > longest.days * DAY:
        misused(f"--to is more than {longest.days} days after --from, the limit SLATIMER_SIMULATION_SPAN_MAX")
    return Span(start, end)


def _instant(name: str, text: str, zone_name: str) -> Micros:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        try:
            return read_instant(text)
        except NotAnInstant as error:
            misused(f"{name}: {text!r} {error}, or as a date")
    return zone(zone_name).end_of_day(date.fromordinal(on.toordinal() - 1)) if midnight(on) > 0 else 0


def _files(desk: str, agreement: Path | None, calendars: Path | None) -> list[DeskFile]:
    found: list[DeskFile] = []
    for path, kind in ((agreement, FileKind.AGREEMENT), (calendars, FileKind.CALENDARS)):
        if path is not None:
            (file,) = read_files([path])
            # A draft may lie in a file of any name.
            found.append(DeskFile(file.path, desk, kind, file.document, file.text))
    return found


def _contracts(runtime: "Runtime", desk: str, path: Path) -> list[ContractDocument]:
    now = runtime.database.now()
    in_force = runtime.database.read_now(lambda conn: runtime.catalogue.in_force(conn, desk, at=now))
    with opened_log(path, runtime.settings.replay_max_size) as log:
        if path.suffix.lower() == ".toml":
            source = read_toml(log.stream.read())
        else:
            source = read_rows(log, path.name, None, in_force.agreement.time_zone, runtime.settings)
    if source.faults:
        raise FaultyContracts(source.faults)
    return list(source.documents)


def _run(runtime: "Runtime", question: Question) -> tuple[Json, list[Json]]:
    """The result and its flips, with a progress bar on a terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    database, catalogue, most = runtime.database, runtime.catalogue, runtime.settings.simulation_flips_max
    sides = database.read_now(lambda conn: sides_of(conn, catalogue, question))
    run = database.read_now(lambda conn: Simulation.of(conn, question, sides, most))
    flips: list[Json] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress_screen(), transient=True) as bar:
        task = bar.add_task(question.desk, total=1.0)
        while not run.is_done:
            flips += database.read_now(lambda conn: run.step(conn, catalogue))
            bar.update(task, completed=run.progress)
    return run.result(), flips
