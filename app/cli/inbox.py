"""`slatimer inbox`: what was kept and could not be read or judged, and another try at it."""

from typing import Annotated, Any

import typer
from rich.table import Table

from app.cli.opened import Opened, opened
from app.cli.terminal import FAILED, remark, result_json, screen
from app.flow import inbox as use_case
from app.flow.inbox import Inbox
from app.flow.wire import moment
from app.store.batch import parts as parts_of_list

command = typer.Typer()


@command.command()
def inbox(
    run_again: Annotated[bool, typer.Option("--run-again", help="Judge the tickets concerned anew.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Show events of unknown types, which are kept and move no clock, and tickets that cannot be judged."""
    with opened() as parts:
        still_failing = _run_again(parts) if run_again else 0
        found = parts.database.read_now(use_case.inbox)
    if as_json:
        result_json(_json(found))
    else:
        _show(found)
    if still_failing:
        raise typer.Exit(FAILED)


def _run_again(parts: Opened) -> int:
    tickets = parts.database.read_now(use_case.to_run_again)
    failed = 0
    for part in parts_of_list(tickets):
        failed += parts.database.write_now(
            lambda conn, now, part=part: use_case.run_again(conn, now, parts.assessor, part)
        )
    remark(f"{len(tickets)} tickets were judged anew, {failed} of them still cannot be")
    return failed


def _json(found: Inbox) -> dict[str, Any]:
    return {
        "unknown": [
            {"desk": desk, "type": kind, "events": count}
            for (desk, kind), count in sorted(found.counts.items())
        ],
        "events": [
            {
                "desk": event.desk,
                "id": event.id,
                "type": event.type,
                "subject": event.subject,
                "ticket": event.ticket,
                "time": moment(event.at),
                "received_at": moment(event.received_at),
            }
            for event in found.events
        ],
        "parked": [
            {
                "desk": row.desk,
                "ticket": row.ticket,
                "error": row.error,
                "times": row.times,
                "first_at": moment(row.first_at),
                "last_at": moment(row.last_at),
                "retry_at": moment(row.retry_at),
            }
            for row in found.parked
        ],
    }


def _show(found: Inbox) -> None:
    if not found.counts and not found.parked:
        remark("The inbox is empty.")
        return
    if found.counts:
        counts = Table("desk", "unknown type", "events", box=None, pad_edge=False)
        for (desk, kind), count in sorted(found.counts.items()):
            counts.add_row(desk, kind, str(count))
        events = Table("desk", "event", "type", "subject", "time", box=None, pad_edge=False)
        for event in found.events:
            events.add_row(event.desk, event.id, event.type, event.subject, moment(event.at))
        screen().print(counts, "", events, sep="\n")
    if found.parked:
        parked = Table("desk", "parked ticket", "tried", "next try", "why", box=None, pad_edge=False)
        for row in found.parked:
            parked.add_row(row.desk, row.ticket, str(row.times), moment(row.retry_at), row.error)
        screen().print(parked)
