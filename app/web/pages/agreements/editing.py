"""What the editor of an agreement shows: the form of the draft, and an example where a desk has no agreement yet."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from app.flow.query.desks import own_calendars
from app.sla.span import instant
from app.store.engine.database import Connection
from app.web.pages.agreements.form import AgreementForm, CommitmentForm, elsewhere, form_of
from app.web.pages.agreements.form_sent import NEW, new_commitment, sent_form
from app.web.pages.agreements.form_words import calendar_options, calendars_in, shown_commitment
from app.web.pages.frame.files.draft import Checked
from app.web.pages.frame.files.editor import NotEditable, Typed
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room

SIMULATED: Final = timedelta(days=30)
"""The days before today that a simulation is offered for at first."""

STARTER: Final = """desk = "{desk}"
name = "{desk} support"
time_zone = "{zone}"

[[commitments]]
id = "response"
label = "First response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "{calendar}"
warn_at = ["75%"]
"""
"""The first text of a desk that has no agreement yet."""


async def starter(reader: Reader, desk: str) -> str:
    """An example that counts by the desk's first calendar."""
    own = await reader.read(lambda conn: _own(conn, reader, desk))
    name, zone = own[0] if own else ("always", "UTC")
    return STARTER.format(desk=desk, zone=zone, calendar=name)


async def editing(
    room: Room, reader: Reader, desk: str, checked: Checked, typed: Typed | None = None
) -> dict[str, Any]:
    """The context of the editor. A form that was not accepted is shown as it was sent."""
    today = instant(reader.now).date()
    context: dict[str, Any] = {
        "faults": checked.faults,
        "remarks": checked.remarks,
        "form": None,
        "unshown": None,
        "simulation_fault": None,
        "since": (today - SIMULATED).isoformat(),
        "until": today.isoformat(),
    }
    own = [name for name, _ in await reader.read(lambda conn: _own(conn, reader, desk))]
    if typed is not None and typed.failure is not None and typed.sent is not None:
        new = new_commitment(typed.sent)
        return context | _fields(room, reader, own, sent_form(typed.sent), new=new)
    if checked.file is not None:
        try:
            document = checked.file.document
            return context | _fields(room, reader, own, form_of(document), elsewhere(document))
        except NotEditable as error:
            context["unshown"] = str(error)
    return context


def _fields(
    room: Room,
    reader: Reader,
    own: Sequence[str],
    form: AgreementForm,
    more: dict[str, list[str]] | None = None,
    new: CommitmentForm | None = None,
) -> dict[str, Any]:
    words, calendars = room.words(reader), calendars_in(form, own)
    blank = new or CommitmentForm("", kind="guarantee", calendar=next(iter(calendars), "always"))
    return {
        "form": form if form.top else None,
        "commitments": [
            shown_commitment(words, each, calendars, (more or {}).get(each.id, ()))
            for each in form.commitments
        ],
        "levels": [(each, calendar_options(words, calendars, each.calendar or "")) for each in form.levels],
        "new": shown_commitment(words, blank, calendars),
        "new_at": NEW,
    }


def _own(conn: Connection, reader: Reader, desk: str) -> list[tuple[str, str]]:
    """The desk's own calendars, each with its zone."""
    catalogue = reader.runtime.catalogue
    if desk not in catalogue.desks(conn):
        return []
    found = own_calendars(desk, catalogue.in_force(conn, desk, at=reader.now).calendars)
    return [(each.name, each.time_zone) for each in found]
