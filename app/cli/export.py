"""`slatimer export`: everything of a desk as JSON lines and CSV, for a warehouse or another database."""

from pathlib import Path
from threading import Event
from typing import Annotated, Final

import typer

from app.cli.opened import must_know, opened
from app.cli.terminal import counted, counter, failed, misused, remark, result_json
from app.flow.transfer.export import Export, Wanted, period
from app.flow.transfer.manifest import Manifest, UnusableExport
from app.intake.instant import NotAnInstant, read_instant
from app.sla.span import Micros

_INTERRUPTED: Final = 130
"""What a shell expects of a command that was interrupted."""

command = typer.Typer(add_completion=False)


@command.command()
def export(
    desk: Annotated[str, typer.Option(help="The desk.")],
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="The folder of the files; default export-DESK.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Only events received and signals recorded then or later."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Only events and signals of before then.")
    ] = None,
    no_csv: Annotated[bool, typer.Option("--no-csv", help="Write JSON lines only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Export everything of a desk, as of one instant: one file for each kind, with a manifest.

    Run it again in the same folder to go on: events and signals are appended, all else is written anew. Secrets, keys
    and subscriptions are not exported.
    """
    folder = Path(f"export-{desk}") if out is None else out
    try:
        extent = period(desk, _instant("--since", since), _instant("--until", until))
    except ValueError as error:
        misused(f"--until: {error}")
    done = _run(Wanted(extent, folder, csv=not no_csv))
    if as_json:
        result_json(done.model_dump())
        return
    for name, kind in done.kinds.items():
        remark(f"{name}: {counted(kind.rows, 'row')}")
    remark(f"{folder} has everything of {desk} as of {done.as_of}")


def _instant(option: str, written: str | None) -> Micros | None:
    try:
        return None if written is None else read_instant(written)
    except NotAnInstant as error:
        misused(f"{option}: {written!r} {error}")


def _run(wanted: Wanted) -> Manifest:
    stop = Event()
    with opened() as runtime, counter() as progress:
        must_know(runtime, wanted.extent.desk)
        running = Export(runtime.database, runtime.catalogue, runtime.settings, wanted, progress, stop)
        try:
            return running.run()
        except UnusableExport as error:
            misused(error)
        except OSError as error:
            failed(f"{error.filename or wanted.folder}: {error.strerror}. Run it again to go on")
        except KeyboardInterrupt:
            remark("Interrupted. Run it again to go on.")
            raise typer.Exit(_INTERRUPTED) from None
        finally:
            stop.set()
