"""Records what the forms of a ticket's page say, as events, and shows a form again that is not accepted."""

from typing import Any

from starlette.responses import Response

from app.flow.judge.record import FaultyFact, fact
from app.principal import Permission, permission_to_record
from app.web.http.access import lacking, must_see
from app.web.http.problems import Kind, Problem
from app.web.pages.frame.addresses import ticket_path
from app.web.pages.frame.posted import REFUSED, lead_to
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room
from app.web.pages.ticket.entered import Entered


def may_record_here(reader: Reader, desk: str, permission: Permission) -> None:
    """Raises Problem where the reader may not record this on the desk, or not see what they record about."""
    must_see(reader.caller, desk)
    for needed in (permission, Permission.VIEW):
        if not reader.caller.may(needed, desk):
            raise lacking(needed, desk)


async def record_fact(reader: Reader, desk: str, ticket: str, kind: str) -> Response:
    """Record that something happened now, and lead back to the ticket. A correction is no fact: it has a reason."""
    if permission_to_record(kind) is not Permission.RECORD:
        raise Problem(Kind.INVALID, f"{kind[:100]} is a correction, which has a form of its own.")
    try:
        await _receive(reader, desk, ticket, kind, author=reader.caller.principal.label)
    except FaultyFact as error:
        raise Problem(Kind.INVALID, f"{error}.") from error
    return lead_to(reader, ticket_path(desk, ticket, done="recorded"))


async def record_correction(
    room: Room, reader: Reader, desk: str, ticket: str, entered: Entered, context: dict[str, Any]
) -> Response:
    """Record a correction and lead back to the ticket. One with faults is shown again."""
    if entered.faults:
        return correct_page(room, reader, desk, ticket, context, entered)
    try:
        await _receive(
            reader,
            desk,
            ticket,
            entered.kind,
            author=entered.fields.get("author", "").strip(),
            reason=entered.fields["reason"].strip(),
            since=entered.since,
            until=entered.until,
            withdraws=entered.withdraws,
            more={"commitments": list(entered.commitments)} if entered.commitments else None,
        )
    except FaultyFact as error:
        return correct_page(room, reader, desk, ticket, context, entered, str(error))
    return lead_to(reader, ticket_path(desk, ticket, done="recorded"))


def correct_page(
    room: Room,
    reader: Reader,
    desk: str,
    ticket: str,
    context: dict[str, Any],
    entered: Entered | None = None,
    failure: str | None = None,
) -> Response:
    """The forms of the corrections. `context`: the ticket; `entered`: what was sent, to be shown again."""
    shown = context | typed(entered)
    answer = room.page(reader, "correct.html", desk=desk, ticket=ticket, failure=failure, **shown)
    if entered is not None:
        answer.status_code = REFUSED
    return answer


def typed(entered: Entered | None = None) -> dict[str, Any]:
    """What the template of the corrections shows of a form that was sent."""
    if entered is None:
        return {"chosen_form": None, "typed": {}, "faults": {}, "ticked": ()}
    shown = {"typed": entered.fields, "faults": entered.faults, "ticked": entered.commitments}
    return {"chosen_form": entered.form, **shown}


async def _receive(reader: Reader, desk: str, ticket: str, kind: str, *, author: str, **given: Any) -> None:
    """Receive one event of now. Raises FaultyFact."""
    parts, who = reader.runtime, reader.caller.principal
    incoming = fact(
        desk,
        ticket,
        kind,
        at=parts.database.now(),
        author=who.signs(author),
        max_text=parts.settings.max_text_length,
        **given,
    )
    receipt = await parts.receiver.receive([incoming])
    if receipt.refused:
        raise FaultyFact(receipt.refused[0].reason)
