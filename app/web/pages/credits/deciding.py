"""Deciding on a credit by a form: what the dialog of the list does, as a page that works without scripts."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from app.flow.judge.decision import DECISIONS, ChangesNothing, decision
from app.flow.judge.record import FaultyFact
from app.flow.query.statements import credit
from app.intake.data_fields import is_visible
from app.principal import Permission
from app.sla.credit.line import LineKey, UnknownCredit
from app.sla.event import EventType
from app.store.engine.database import Connection
from app.web.http.access import lacking, must_see
from app.web.http.problems import not_found
from app.web.pages.credits.rows import Audience, credit_row
from app.web.pages.frame.labels import rule_labels
from app.web.pages.frame.posted import REFUSED, Fault, back_of, came_from, lead_to, name_fault
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room
from app.web.pages.frame.words import Words

LIST: Final = "/credits"
_REASON_LENGTH: Final = 500
"""As of the API."""


def audiences(conn: Connection, reader: Reader, words: Words, desks: list[str]) -> dict[str, Audience]:
    """For whom the credits of each desk are written, and what the reader may decide there."""
    catalogue, caller = reader.runtime.catalogue, reader.caller
    agreements = {desk: catalogue.in_force(conn, desk, at=reader.now).agreement for desk in desks}
    return {
        desk: Audience(
            words,
            reader.now,
            agreement.time_zone,
            may_request=caller.may(Permission.RECORD, desk),
            may_decide=caller.may(Permission.RECORD, desk) and caller.may(Permission.CORRECT, desk),
            labels=rule_labels(agreement, words.language),
        )
        for desk, agreement in agreements.items()
    }


async def decide_page(
    room: Room,
    reader: Reader,
    credit_id: str,
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    failure: str | None = None,
) -> Response:
    """The form. `faults`: phrases by the field that they are about; `failure`: why the decision is not possible now."""
    desk = _desk(reader, credit_id)
    document = await _credit(reader, credit_id)
    to = await reader.read(lambda conn: audiences(conn, reader, room.words(reader), [desk])[desk])
    context: dict[str, Any] = {
        "row": credit_row(document, to),
        "typed": typed or {},
        "faults": faults or {},
        "failure": failure,
        "back": came_from(reader, LIST) if typed is None else back_of(typed, LIST),
    }
    answer = room.page(reader, "decide.html", desk=desk, **context)
    if typed is not None:
        answer.status_code = REFUSED
    return answer


async def decide(room: Room, reader: Reader, form: Mapping[str, str]) -> Response:
    """Record a decision, and lead back. One that is not possible, or has faults, is shown again."""
    credit_id, who = form.get("credit", ""), reader.caller.principal
    kind, author, reason = (
        DECISIONS.get(form.get("decision", "")),
        form.get("author", ""),
        form.get("reason", ""),
    )
    desk = _desk(reader, credit_id)
    if kind is not EventType.CREDIT_REQUESTED and not reader.caller.may(Permission.CORRECT, desk):
        raise lacking(Permission.CORRECT, desk)
    faults = _faults(reader, author, reason)
    if faults or kind is None:
        return await decide_page(room, reader, credit_id, form, faults)
    parts, document = reader.runtime, await _credit(reader, credit_id)
    try:
        incoming = decision(
            document,
            kind,
            author=who.signs(author).strip(),
            reason=reason.strip(),
            at=parts.database.now(),
            max_text=parts.settings.max_text_length,
        )
    except (ChangesNothing, FaultyFact) as error:
        return await decide_page(room, reader, credit_id, form, failure=str(error))
    await parts.receiver.receive([incoming])
    return lead_to(reader, back_of(form, LIST))


def _faults(reader: Reader, author: str, reason: str) -> dict[str, str]:
    faults: dict[str, str] = {}
    if (fault := name_fault(reader.caller.principal, author)) is not None:
        faults["author"] = fault
    if not is_visible(reason):
        faults["reason"] = Fault.REASON
    elif len(reason) > _REASON_LENGTH:
        faults["reason"] = Fault.TOO_LONG
    return faults


def _desk(reader: Reader, credit_id: str) -> str:
    """The desk of a credit, on which the reader may record and view. Raises the 404 and 403 problems."""
    try:
        desk = must_see(reader.caller, LineKey.parse(credit_id).desk)
    except UnknownCredit as error:
        raise not_found("credit", credit_id[:200]) from error
    if not reader.caller.may(Permission.VIEW, desk):
        raise lacking(Permission.VIEW, desk)
    return desk


async def _credit(reader: Reader, credit_id: str) -> dict[str, Any]:
    catalogue = reader.runtime.catalogue
    try:
        return await reader.read(lambda conn: credit(conn, catalogue, credit_id, now=reader.now)[1])
    except UnknownCredit as error:
        raise not_found("credit", credit_id[:200]) from error
