"""`slatimer inbox`: list what could not be read or evaluated, and run it again."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from app.cli.opened import opened
from app.cli.terminal import FAILED, counted, misused, remark, result, result_json, screen
from app.flow.inbound import inbox as use_case
from app.flow.inbound.inbox import Inbox
from app.flow.inbound.rerun import run_again as run_inbox_again
from app.flow.process.runtime import Runtime
from app.flow.query.serialize import instant_text
from app.principal import EVERY_DESK
from app.store.inbound import hooks

command = typer.Typer(add_completion=False)


@command.command()
def inbox(
    desk: Annotated[str, typer.Option(help="One desk only.")] = EVERY_DESK,
    run_again: Annotated[
        bool, typer.Option("--run-again", help="Read and evaluate everything in the inbox again.")
    ] = False,
    show: Annotated[
        str | None,
        typer.Option("--show", metavar="ID", help="Print the body of an inbound webhook as it was received."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every entry, not only the first page of each list.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """List webhooks that could not be read or mapped, events of unknown types, tickets that cannot be evaluated."""
    with opened() as runtime:
        if show is not None:
            _show_body(runtime, show)
            return
        still_failing = _run_again(runtime, desk) if run_again else False
        read, page = use_case.whole_inbox if everything else use_case.inbox, runtime.settings.max_page_size
        found = runtime.database.read_now(lambda conn: read(conn, page, frozenset({desk})))
    if as_json:
        result_json(use_case.inbox_json(found))
    else:
        _show(found)
    if found.next is not None:
        remark(f"A list has more than {page} entries; --all shows every one.")
    if still_failing:
        raise typer.Exit(FAILED)


def _show_body(runtime: Runtime, hook_id: str) -> None:
    found = runtime.database.read_now(lambda conn: hooks.find(conn, hook_id))
    if found is None:
        misused(f"there is no webhook {hook_id!r}")
    result(found.body.decode("utf-8", errors="replace"))


def _run_again(runtime: Runtime, desk: str) -> bool:
    """Run the inbox again. Returns whether anything is left in it."""
    done = asyncio.run(run_inbox_again(runtime.database, runtime.reader, runtime.assessor, frozenset({desk})))
    remark(f"{counted(done.deliveries, 'webhook')} read again, {done.left} left in the inbox")
    remark(f"{counted(done.tickets, 'ticket')} evaluated again, {done.failed} failed")
    return bool(done.left or done.failed)


def _show(found: Inbox) -> None:
    if found.empty:
        remark("The inbox is empty.")
        return
    if found.delivery_counts:
        _show_deliveries(found)
    if found.counts:
        counts = Table("desk", "unknown type", "events", box=None, pad_edge=False)
        for (desk, kind), count in sorted(found.counts.items()):
            counts.add_row(desk, kind, str(count))
        events = Table("desk", "event", "type", "subject", "time", box=None, pad_edge=False)
        for event in found.events:
            events.add_row(event.desk, event.id, event.type, event.subject, instant_text(event.at))
        screen().print(counts, "", events, sep="\n")
    if found.parked:
        parked = Table("desk", "parked ticket", "tried", "next try", "reason", box=None, pad_edge=False)
        for row in found.parked:
            parked.add_row(row.desk, row.subject.text, str(row.times), instant_text(row.retry_at), row.error)
        screen().print(parked)


def _show_deliveries(found: Inbox) -> None:
    counts = Table("desk", "system", "state", "webhooks", box=None, pad_edge=False)
    for (desk, system, state), count in sorted(found.delivery_counts.items()):
        counts.add_row(desk, system, state, str(count))
    listed = Table("delivery", "desk", "system", "received", "reason", box=None, pad_edge=False)
    for hook in found.deliveries:
        wrong = "; ".join([*([hook.reason] if hook.reason else []), *hook.warnings])
        listed.add_row(hook.id, hook.desk, hook.system, instant_text(hook.received_at), wrong)
    screen().print(counts, "", listed, sep="\n")
