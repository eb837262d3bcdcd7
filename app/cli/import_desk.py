"""`slatimer import`: an exported desk into a database that does not have it."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.opened import opened
from app.cli.terminal import counted, counter, failed, misused, remark, result_json
from app.flow.transfer.import_desk import Import
from app.flow.transfer.manifest import UnusableExport

command = typer.Typer(add_completion=False)


@command.command(name="import")
def import_desk(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="What `slatimer export` wrote.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Import an exported desk, whole or not at all. Its views, signals and reports are then those of the export.

    The database must not have the desk. Nothing is delivered to subscriptions.
    """
    with opened() as runtime, counter() as progress:
        importing = Import(runtime.database, runtime.catalogue, runtime.settings, folder, progress)
        try:
            done = importing.run()
        except UnusableExport as error:
            misused(error)
        except OSError as error:
            failed(f"{error.filename or folder}: {error.strerror}. Nothing was imported")
    if as_json:
        result_json({"desk": done.desk, "rows": done.rows})
        return
    for name, rows in done.rows.items():
        remark(f"{name}: {counted(rows, 'row')}")
    remark(f"{done.desk} is imported. Connect its ticket systems again, then start the service")
