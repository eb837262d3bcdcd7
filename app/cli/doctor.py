"""`slatimer doctor`: check the invariants on the database."""

from typing import Annotated

import typer
from rich.table import Table

from app.cli.opened import opened
from app.cli.terminal import FAILED, remark, result_json, screen
from app.flow.process.invariants import Verdict, run_checks

command = typer.Typer(add_completion=False)


@command.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Check every invariant on the database. Changes nothing; the exit code is 1 when one does not hold."""
    with opened() as parts:
        now = parts.database.now()
        checks = parts.database.read_now(lambda conn: list(run_checks(conn, parts.catalogue, now)))
    if as_json:
        result_json([{"check": c.name, "verdict": c.verdict.value, "detail": c.detail} for c in checks])
    else:
        table = Table("", "", "", box=None, pad_edge=False, show_header=False)
        for check in checks:
            table.add_row(check.verdict.value, check.name, check.detail)
        screen().print(table)
    faults = sum(check.verdict is Verdict.FAULT for check in checks)
    if faults:
        remark(f"{faults} of {len(checks)} checks failed")
        raise typer.Exit(FAILED)
