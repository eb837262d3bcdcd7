"""`slatimer statements`: the statements of a month for all contracts of a desk."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.opened import must_know, opened
from app.cli.terminal import counted, failed, misused, remark, result, result_json
from app.flow.query.credit_documents import statement_csv

if TYPE_CHECKING:
    from app.flow.process.runtime import Runtime

command = typer.Typer(add_completion=False)


@command.command()
def statements(
    desk: Annotated[str, typer.Option(help="The desk of the contracts.")],
    period: Annotated[str, typer.Option(help="The month, as 2026-11.")],
    csv: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write one CSV file for each contract into this folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON, one list.")] = False,
    empty: Annotated[
        bool, typer.Option(help="Also contracts that have neither credits nor charges.")
    ] = False,
) -> None:
    """Compute what the contracts of a desk are owed, and what they are charged, for a month.

    One statement for each contract, as text, as JSON or as CSV files. Progress goes to standard error.
    """
    if csv is not None and as_json:
        misused("--csv and --json: choose one")
    with opened() as runtime:
        must_know(runtime, desk)
        found = _found(runtime, desk, period, with_empty=empty)
        if csv is not None:
            _write(found, csv)
        elif as_json:
            result_json(list(found))
        else:
            for each in found:
                _show(each)


def _found(runtime: "Runtime", desk: str, period: str, *, with_empty: bool) -> Iterator[dict[str, Any]]:
    """The statements, a batch after another; each batch is a read of its own."""
    from app.flow.query.statements import statements as query
    from app.sla.period import PeriodFault

    after, done = "", 0
    while True:
        start = after
        try:
            page, following = runtime.database.read_now(
                lambda conn, start=start: query(
                    conn, runtime.catalogue, desk, period, now=runtime.database.now(), after=start
                )
            )
        except PeriodFault as error:
            misused(f"--period: {error}")
        done += len(page)
        remark(f"{counted(done, 'contract')} so far")
        yield from (each for each in page if with_empty or _is_worth_showing(each))
        if following is None:
            return
        after = following


def _is_worth_showing(statement: dict[str, Any]) -> bool:
    return any(statement[part] for part in ("lines", "without_amount", "closed", "charges"))


def _show(statement: dict[str, Any]) -> None:
    sums = ", ".join(f"{each['amount']} {each['currency']}" for each in statement["totals"]) or "no amount"
    result(f"{statement['contract']}  {statement['customer'] or '-'}  {sums}")
    for line in (each for part in ("lines", "without_amount", "closed") for each in statement[part]):
        amount = f"{line['amount']} {line['currency']}" if line["amount"] else "amount not known"
        result(f"    {line['label']}: {amount}, {line['state']}")
    for charge in statement["charges"]:
        result(f"    {charge['label']}: charged {charge['amount']} {charge['currency']}")


def _write(found: Iterator[dict[str, Any]], folder: Path) -> None:
    written = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in found:
            name = f"{_file_name(each['contract'])}-{each['period']}.csv"
            (folder / name).write_text(statement_csv([each]), encoding="utf-8", newline="")
            written += 1
    except OSError as error:
        failed(f"{folder}: {error}")
    remark(f"{counted(written, 'file')} in {folder}")


def _file_name(contract: str) -> str:
    """The contract's id as a file's name: every other character is written as its code."""
    return "".join(each if each.isalnum() or each in "-_" else f"~{ord(each):x}" for each in contract)
