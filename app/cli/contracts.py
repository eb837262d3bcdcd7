"""`slatimer contracts`: import customers' contracts from a billing system's export, and list them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn

from app.cli.opened import must_know, opened
from app.cli.terminal import counted, misused, progress_screen, remark, result, result_json, screen
from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.desk_files import FileFault, document_of, unreadable
from app.flow.importing.contracts import ContractImport, Imported, Source, read_rows, read_toml
from app.flow.importing.log_file import opened_log
from app.flow.importing.mapping_file import FaultyMappingFile
from app.flow.process.runtime import Runtime
from app.flow.query.contracts import CustomerContract, contracts_of, local_date
from app.flow.query.serialize import instant_text
from app.intake.importing.contract_mapping import ContractMapped, parse_contract_mapping
from app.intake.importing.mapping import FaultyMapping
from app.intake.importing.unreadable import UnusableLog
from app.sla.contract import Contract
from app.sla.contract_document import document_of as contract_document
from app.sla.document.faults import line_of
from app.sla.span import Micros

_PAGE: Final = 500
_LISTED_FAULTS: Final = 100
"""Faults that are printed; the rest is counted."""

command = typer.Typer(no_args_is_help=True, add_completion=False)


@command.callback()
def contracts() -> None:
    """Customers' contracts: what each has bought, at which fee, from when to when."""


@command.command("import")
def import_contracts(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON lines or TOML, also packed by gzip; - reads standard input.")
    ],
    desk: Annotated[str, typer.Option(help="The desk of the contracts.")],
    mapping: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="TOML file: which column holds which key."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Check everything, show what would change, and write nothing.")
    ] = False,
    note: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Import contracts as a billing system exports them. The same contract again changes nothing.

    Exit code 2: the file or its mapping cannot be used, and nothing was stored.
    """
    mapped = None if mapping is None else _mapping(mapping)
    with opened() as runtime:
        must_know(runtime, desk)
        try:
            done = _run(runtime, file, desk, mapped, note, preview=preview)
        except UnusableLog as error:
            misused(f"{file}: {error}")
        except FaultyContracts as error:
            _show_faults(file, error, as_json=as_json)
            raise typer.Exit(2) from error
        if as_json:
            result_json(_json(done, preview=preview))
        else:
            _show(done, preview=preview)
        if done.tickets:
            swept = runtime.sweeper.sweep_now()
            remark(f"{counted(swept, 'ticket')} {'was' if swept == 1 else 'were'} evaluated again")


@command.command("list")
def list_contracts(
    desk: Annotated[str, typer.Option(help="The desk of the contracts.")],
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """List the contracts of a desk with the term that is valid today."""
    with opened() as runtime:
        must_know(runtime, desk)
        now = runtime.database.now()
        found = _all(runtime, desk, customer, now)
        in_force = runtime.database.read_now(lambda conn: runtime.catalogue.in_force(conn, desk, at=now))
        today = local_date(in_force.agreement, now)
        if as_json:
            result_json({"contracts": [_contract_json(each) for each in found]})
            return
        for each in found:
            term = each.on(today)
            result(f"{each.id}\t{each.terms[-1].customer or '-'}\t{_in_words(each, term)}")
        remark(counted(len(found), "contract"))


def _all(runtime: Runtime, desk: str, customer: str | None, now: Micros) -> list[CustomerContract]:
    found: list[CustomerContract] = []
    after = ""
    while True:
        page = runtime.database.read_now(
            lambda conn, after=after: contracts_of(
                conn, runtime.catalogue, desk, customer=customer, at=now, after=after, limit=_PAGE
            )
        )
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1].key


def _in_words(contract: CustomerContract, term: Contract | None) -> str:
    if term is None:
        return "not valid today"
    fee = (
        "no fee"
        if term.fee is None
        else f"{term.fee.amount} {contract.currency_of(term)} a {term.fee.per.value}"
    )
    until = "open" if term.valid_to is None else f"until {term.valid_to}"
    return ", ".join(filter(None, (term.plan, term.level, fee, until)))


def _contract_json(contract: CustomerContract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "version": contract.number,
        "terms": [
            contract_document(term) | {"currency": contract.currency_of(term)} for term in contract.terms
        ],
    }


def _mapping(path: Path) -> ContractMapped:
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = document_of(text)
    except (OSError, ValueError) as error:
        misused(FaultyMappingFile([unreadable(path, error)]))
    try:
        return parse_contract_mapping(document)
    except FaultyMapping as error:
        misused(
            FaultyMappingFile(FileFault(str(path), line_of(text, each.place), each) for each in error.faults)
        )


def _run(
    runtime: Runtime, file: Path, desk: str, mapped: ContractMapped | None, note: str | None, *, preview: bool
) -> Imported:
    importing = ContractImport(runtime.settings, runtime.database, runtime.catalogue, desk)
    zone_name = runtime.database.read_now(importing.agreement).time_zone
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=progress_screen(), transient=True
    ) as bar:
        task = bar.add_task(file.name, total=None)

        def progress(stage: str, done: int, total: int | None) -> None:
            bar.update(task, description=f"{file.name}: {stage}", completed=done, total=total)

        with opened_log(file, runtime.settings.replay_max_size) as log:
            source: Source
            if file.suffix.lower() == ".toml":
                source = read_toml(log.stream.read(), most=runtime.settings.contract_import_max)
            else:
                source = read_rows(log, file.name, mapped, zone_name, runtime.settings, progress)
        return importing.run(source, preview=preview, note=note, progress=progress)


def _show_faults(file: Path, error: FaultyContracts, *, as_json: bool) -> None:
    shown = error.faults[:_LISTED_FAULTS]
    if as_json:
        result_json(
            {
                "faults": [
                    {"place": place, "key": each.place, "wrong": each.wrong, "right": each.right}
                    for place, each in shown
                ],
                "faults_in_all": len(error.faults),
            }
        )
    else:
        for place, each in shown:
            result(f"{_at(file, place)}: {each}")
        if (more := len(error.faults) - len(shown)) > 0:
            result(f"and {more} more")
    remark("Nothing was stored.")


def _at(file: Path, place: str) -> str:
    """A fault's file and line, as editors open them."""
    return f"{file}:{place.removeprefix('line ')}" if place.startswith("line ") else f"{file}: {place}"


def _show(done: Imported, *, preview: bool) -> None:
    result(
        f"{counted(done.contracts, 'contract')} with {counted(done.terms, 'term')} ({done.layout}): "
        f"{done.changed} {'would be ' if preview else ''}new or changed, {done.contracts - done.changed} as before"
    )
    if done.unread:
        remark(f"not read: {', '.join(done.unread)}")
    if preview:
        _show_changes(done)


def _show_changes(done: Imported) -> None:
    from rich.table import Table

    table = Table("ticket", "commitment", "cycle", "due", "would be due", box=None, pad_edge=False)
    if done.seen is None:
        return
    for change in done.seen.effects.changes[:_PAGE]:
        due = (instant_text(change.old_due_at) or "-", instant_text(change.new_due_at) or "-")
        table.add_row(change.ticket, change.commitment, str(change.cycle), *due)
    if done.seen.effects.changes:
        screen().print(table)
    remark(
        f"{counted(done.seen.effects.changed, 'due date')} would move; {done.seen.late_added} would be late, "
        f"{done.seen.late_removed} no longer; nothing was written"
    )
    for money in done.seen.effects.money:
        remark(money.text)


def _json(done: Imported, *, preview: bool) -> dict[str, Any]:
    return {
        "preview": preview,
        "layout": done.layout,
        "terms": done.terms,
        "contracts": done.contracts,
        "changed": done.changed,
        "tickets": done.tickets,
        "unread": done.unread,
        **_preview_json(done.seen),
    }


def _preview_json(seen: ContractsPreview | None) -> dict[str, Any]:
    if seen is None:
        return dict.fromkeys(
            (
                *("changes", "changes_in_all", "late_added", "late_removed"),
                *("closed_tickets", "closed_tickets_in_all", "sentence", "credits"),
            )
        )
    return {
        "changes": [_change_json(each) for each in _first(seen.effects.changes)],
        "changes_in_all": seen.effects.changed,
        "late_added": seen.late_added,
        "late_removed": seen.late_removed,
        "closed_tickets": _first(seen.closed),
        "closed_tickets_in_all": seen.closed_changed,
        "sentence": seen.effects.sentence,
        "credits": [
            {"currency": each.currency, "before": each.amounts[0], "after": each.amounts[1]}
            for each in seen.effects.money
        ],
    }


def _first(changes: Iterable[Any]) -> list[Any]:
    return list(changes)[:_PAGE]


def _change_json(change: Any) -> dict[str, Any]:
    return {
        "ticket": change.ticket,
        "commitment": change.commitment,
        "cycle": change.cycle,
        "old_due_at": instant_text(change.old_due_at),
        "new_due_at": instant_text(change.new_due_at),
    }
