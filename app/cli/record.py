"""`slatimer record`: a fact entered by hand, checked and stored like a pushed event.

A call registered by telephone, a service that is down or restored, announced maintenance; an exclusion or a withdrawal
with its author and reason. Prints the event's id, by which it can be withdrawn.
"""

import getpass
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from app.cli.opened import must_know, opened
from app.cli.terminal import failed, misused, progress_screen, remark, result
from app.flow.judge.receive import Incoming
from app.flow.judge.record import FaultyFact, fact
from app.flow.process.runtime import Runtime
from app.flow.query.answer import TicketAnswer
from app.flow.query.serialize import instant_text
from app.intake.cloudevents import NotJson, parse
from app.intake.instant import NotAnInstant, read_instant
from app.sla.document.faults import instead_of
from app.sla.event import EventType
from app.sla.fields import casefolded
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind

_BY_CUSTOMERS: Final = frozenset({EventType.CUSTOMER_REPLIED, EventType.TICKET_CREATED})
"""Types whose author is the customer unless --set author says otherwise."""

_Desk = Annotated[str, typer.Argument(help="Desk that the subject belongs to.")]
_Subject = Annotated[
    str,
    typer.Argument(metavar="SUBJECT", help="Ticket id at that desk, or service:NAME, call:ID, contract:ID."),
]
_Type = Annotated[
    str, typer.Argument(metavar="TYPE", help="Event type, such as call.registered or status:solved.")
]
_Time = Annotated[
    str | None,
    typer.Option(metavar="INSTANT", help="When it happened, or was announced, with an offset; default: now."),
]
_Author = Annotated[str | None, typer.Option(help="Author of the event; default: the logged-in user.")]
_Reason = Annotated[
    str | None,
    typer.Option(help="Reason. Required for an exclusion, a withdrawal and a decision on a credit."),
]
_Start = Annotated[
    str | None,
    typer.Option("--from", metavar="INSTANT", help="Start of the exclusion or of the maintenance."),
]
_End = Annotated[
    str | None, typer.Option("--to", metavar="INSTANT", help="End of the exclusion or of the maintenance.")
]
_Commitments = Annotated[
    list[str] | None,
    typer.Option(
        help="Commitment that the exclusion covers, or for a service an availability; repeatable; default: all."
    ),
]
_EventId = Annotated[str | None, typer.Option("--id", metavar="EVENT", help="Id of the event to withdraw.")]
_Reference = Annotated[
    str | None, typer.Option(help="Which outage or maintenance it is about; any text of your own.")
]
_Resource = Annotated[
    str | None, typer.Option(help="Host, server or domain of the service; default: all of them.")
]
_Cause = Annotated[
    str | None, typer.Option(help="Cause of the outage: network, hardware, third_party, force_majeure, ...")
]
_Emergency = Annotated[bool, typer.Option("--emergency", help="The maintenance is an emergency.")]
_Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Further data, repeatable: status=solved for a text, accepted:=true for a JSON value.",
    ),
]

_EXAMPLES: Final = """
A service is down: slatimer record haisoft service:network outage.started --reference N-1 --cause hardware

It is up again: slatimer record haisoft service:network outage.ended --reference N-1

A credit is granted: slatimer record haisoft contract:C-1 credit.granted --reason asked --set credit=ID
"""

command = typer.Typer(add_completion=False)


@command.command(epilog=_EXAMPLES)
def record(
    desk: _Desk,
    subject: _Subject,
    type_: _Type,
    time: _Time = None,
    author: _Author = None,
    reason: _Reason = None,
    start: _Start = None,
    end: _End = None,
    commitment: _Commitments = None,
    event_id: _EventId = None,
    reference: _Reference = None,
    resource: _Resource = None,
    cause: _Cause = None,
    emergency: _Emergency = False,
    fields: _Fields = None,
) -> None:
    """Record a fact by hand: a call, an outage, maintenance, an exclusion. Prints the new event's id."""
    since, until, at = (_instant(*given) for given in (("--from", start), ("--to", end), ("--time", time)))
    options = {"commitments": commitment, "reference": reference, "resource": resource, "cause": cause}
    more = _fields(fields or ()) | {name: value for name, value in options.items() if value}
    if emergency:
        more["emergency"] = True
    if type_ in _BY_CUSTOMERS:
        more.setdefault("author", "customer")
    with opened() as parts:
        must_know(parts, desk)
        try:
            incoming = fact(
                desk,
                subject,
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
        _store(parts, incoming)


def _store(parts: Runtime, incoming: Incoming) -> None:
    """Store the fact; print its id and the clocks of the ticket that it is about."""
    answer = _receive(parts, incoming)
    result(incoming.event.id)
    _remark_unknown_service(parts, incoming)
    if answer is not None:
        _show(answer)


def _remark_unknown_service(parts: Runtime, incoming: Incoming) -> None:
    """Say so where the fact is of a service that no uptime is judged of, as a mistyped one: it would count nowhere."""
    subject = Subject.parse(incoming.event.subject)
    if subject.kind is not SubjectKind.SERVICE:
        return
    now, desk = parts.database.now(), incoming.desk
    in_force = parts.database.read_now(lambda conn: parts.catalogue.in_force(conn, desk, at=now))
    known = {service for rule in in_force.agreement.availability for service in rule.services}
    if casefolded(subject.id) not in map(casefolded, known):
        wrong = f"{desk} has no availability of the service {subject.id}, so this counts nowhere"
        remark(f"{wrong}. {instead_of(subject.id, known)}")


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
