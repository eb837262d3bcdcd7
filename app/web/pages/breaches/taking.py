"""Taking a breach on by a form: what the dialog of the lists does, as a page that works without scripts."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from app.flow.query import tickets
from app.sla.agreement.agreement import Agreement
from app.store.engine.database import Connection
from app.store.tickets import breaches
from app.store.tickets.breaches import Breach
from app.web.http.problems import not_found
from app.web.pages.breaches.rows import breach_row
from app.web.pages.frame.posted import REFUSED, Fault, back_of, came_from, lead_to, name_fault
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room

LIST: Final = "/breaches"
_NOTE_LENGTH: Final = 2_000
"""As of the API."""


async def take_on_page(
    room: Room,
    reader: Reader,
    breach_id: str,
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
) -> Response:
    """The form, or who has taken the breach on. `faults`: phrases by the field that they are about."""

    def read(conn: Connection) -> tuple[Breach, Agreement]:
        found = _seen(conn, reader, breach_id)
        return found, reader.runtime.catalogue.in_force(conn, found.desk, at=reader.now).agreement

    found, agreement = await reader.read(read)
    context: dict[str, Any] = {
        "breach": breach_row(found, agreement, room.words(reader), reader),
        "typed": typed or {},
        "faults": faults or {},
        "back": came_from(reader, LIST) if typed is None else back_of(typed, LIST),
    }
    answer = room.page(reader, "take_on_page.html", desk=found.desk, **context)
    if faults:
        answer.status_code = REFUSED
    return answer


async def take_on(room: Room, reader: Reader, form: Mapping[str, str]) -> Response:
    """Record that the reader has taken a breach on, and lead back. The first who does stays."""
    breach_id, who = form.get("breach", ""), reader.caller.principal
    author, note = form.get("author", ""), form.get("note", "").strip()
    faults: dict[str, str] = {}
    if (fault := name_fault(who, author)) is not None:
        faults["author"] = fault
    if len(note) > _NOTE_LENGTH:
        faults["note"] = Fault.TOO_LONG
    if faults:
        return await take_on_page(room, reader, breach_id, form, faults)

    def record(conn: Connection, now: int) -> None:
        _seen(conn, reader, breach_id)
        tickets.acknowledge(conn, breach_id, who.signs(author).strip(), note or None, now)

    await reader.runtime.database.write(record, reader.caller.desks)
    return lead_to(reader, back_of(form, LIST))


def _seen(conn: Connection, reader: Reader, breach_id: str) -> Breach:
    """A breach of a desk on which the reader may take breaches on. Raises the 404 problem."""
    found = breaches.breach(conn, breach_id) if breach_id.isprintable() else None
    if found is None or not reader.caller.sees(found.desk):
        raise not_found("breach", breach_id[:100])
    return found
