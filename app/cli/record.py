"""`slatimer record`: a fact entered by hand, checked and stored like a pushed event.

A call registered by telephone, an intervention begun, a service restored; an exclusion or a withdrawal with its author
and reason. Prints the event's id, by which it can be withdrawn.
"""

import getpass
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from app.cli.opened import must_know, opened
from app.cli.terminal import failed, misused, progress_screen, result
from app.flow.judge.receive import Incoming
from app.flow.judge.record import FaultyFact, fact
from app.flow.process.runtime import Runtime
from app.flow.query.answer import TicketAnswer
from app.flow.query.serialize import instant_text
from app.intake.cloudevents import NotJson, parse
from app.intake.instant import NotAnInstant, read_instant
from app.sla.event import EventType
from app.sla.span import Micros

_BY_CUSTOMERS: Final = frozenset({EventType.CUSTOMER_REPLIED, EventType.TICKET_CREATED})
"""Types whose author is the customer unless --set author says otherwise."""

command = typer.Typer(add_completion=False)


@command.command()
def record(
    desk: Annotated[str, typer.Argument(help="Desk that the ticket belongs to.")],
    ticket: Annotated[str, typer.Argument(help="Ticket id at that desk.")],
    type_: Annotated[
        str,
        typer.Argument(metavar="TYPE", help="Event type, such as call.registered or status:solved."),
    ],
    time: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="When it happened, with an offset; default: now.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="Author of the event; default: the logged-in user.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Reason. Required for an exclusion and a withdrawal.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Start of the exclusion.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="INSTANT", help="End of the exclusion.")] = None,
    commitment: Annotated[
        list[str] | None, typer.Option(help="Commitment that the exclusion covers; repeatable; default: all.")
    ] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", metavar="EVENT", help="Id of the event to withdraw.")
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Further data, repeatable: status=solved for a text, accepted:=true for a JSON value.",
        ),
    ] = None,
) -> None:
    """Record a fact by hand. Prints the new event's id."""
    since, until, at = (_instant(*given) for given in (("--from", start), ("--to", end), ("--time", time)))
    more = _fields(fields or ())
    if commitment:
        more["commitments"] = commitment
    if type_ in _BY_CUSTOMERS:
        more.setdefault("author", "customer")
    with opened() as parts:
        must_know(parts, desk)
        try:
            incoming = fact(
                desk,
                ticket,
                type_,
                at=parts.database.now() if at is None else at,
                author=author or getpass.getuser(),
                max_text=parts.settings.max_text_length,
                reason=reason,
                since=since,
                until=until,
                withdraws=event_id,
                more=more,
            )
        except FaultyFact as error:
            misused(error)
        answer = _receive(parts, incoming)
    result(incoming.event.id)
    if answer is not None:
        _show(answer)


def _instant(option: str, written: str | None) -> Micros | None:
    try:
        return None if written is None else read_instant(written)
    except NotAnInstant as error:
        misused(f"{option}: {written!r} {error}")


def _fields(written: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE is a text, KEY:=VALUE a number, a list or a truth in JSON."""
    found: dict[str, Any] = {}
    for field in written:
        key, equals, value = field.partition("=")
        name = key.removesuffix(":")
        if not name or not equals:
            misused(f"--set: {field!r} is not KEY=VALUE")
        try:
            found[name] = parse(value) if key.endswith(":") else value
        except NotJson:
            misused(f"--set: {value!r} is no JSON")
    return found


def _receive(parts: Runtime, incoming: Incoming) -> TicketAnswer | None:
    """Store the fact and evaluate its ticket."""
    receipt = parts.receiver.receive_now([incoming])
    if receipt.refused:
        failed(receipt.refused[0].reason)
    return receipt.tickets[0] if receipt.tickets else None


def _show(answer: TicketAnswer) -> None:
    table = Table("commitment", "state", "due", "breached", "awaits", box=None, pad_edge=False)
    for clock in answer.evaluation.clocks:
        dates = (instant_text(clock.due_at) or "-", instant_text(clock.breached_at) or "-")
        table.add_row(clock.commitment, clock.state.value, *dates, ", ".join(clock.awaiting))
    progress_screen().print(table)
