"""`slatimer audit`: list sign-ins, and what administrators did."""

from typing import Annotated

import typer
from rich.table import Table

from app.cli.opened import opened
from app.cli.terminal import remark, result_json, screen
from app.flow.query.audit_log import entry_json
from app.flow.query.serialize import instant_text
from app.principal import EVERY_DESK
from app.store import audit as log
from app.store.audit import Action, AuditFilters, Entry

command = typer.Typer(add_completion=False)


@command.command()
def audit(
    desk: Annotated[str, typer.Option(help="One desk only.")] = EVERY_DESK,
    action: Annotated[Action | None, typer.Option(help="One kind of entry only.")] = None,
    who: Annotated[str | None, typer.Option(help="As listed: key ID, command USER, service.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Entries to list.")] = 100,
    before: Annotated[
        int | None, typer.Option(metavar="ID", help="Continue a list: only entries before this one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """List sign-ins and what administrators did, the latest first. Retention: SLATIMER_KEEP_AUDIT."""
    filters = AuditFilters(frozenset({desk}), action, who)
    with opened() as runtime:
        found, following = runtime.database.read_now(lambda conn: log.page(conn, filters, before, limit))
    if as_json:
        result_json({"entries": [entry_json(each) for each in found], "next": following})
    else:
        _show(found)
    if following is not None:
        remark(f"There are more; continue with --before {following}")


def _show(found: list[Entry]) -> None:
    table = Table("id", "at", "desk", "who", "action", "about", "times", "address", box=None, pad_edge=False)
    for each in found:
        about = each.about if each.note is None else f"{each.about} ({each.note})"
        table.add_row(
            str(each.id),
            instant_text(each.at),
            each.desk,
            each.who,
            each.action.value,
            about,
            str(each.count),
            each.address or "-",
        )
    screen().print(table)
