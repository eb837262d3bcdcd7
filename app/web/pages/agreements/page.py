"""Agreements: `/agreements` lists them, `/agreements/{desk}` shows a desk's commitments in words, with the versions.

`/agreements/{desk}/edit` is the editor of the file's text. A draft is checked and previewed here, applied by
`PUT /v1/agreements/{desk}`, and simulated on past tickets by `POST /v1/simulations`.
"""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import Response

from app.flow.agreement.desk_files import FaultyFiles, FileKind
from app.flow.query.desks import own_calendars
from app.flow.query.versions import Part, text_of
from app.intake.data_fields import MAX_NAME
from app.principal import Permission, covers
from app.sla.span import instant
from app.store.contracts.stored_version import StoredVersion, in_force_at, planned_at
from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.simulations import StoredSimulation
from app.web.http.access import desks_for, must_see
from app.web.http.problems import not_found
from app.web.http.routing import limited_to
from app.web.pages.agreements.notes import notes_of
from app.web.pages.agreements.terms import sections
from app.web.pages.frame.files.draft import (
    ConfigureReader,
    DraftText,
    DraftToApply,
    check,
    draft_start,
    preview,
)
from app.web.pages.frame.files.effects import preview_context
from app.web.pages.frame.files.history import APPLIES_TO, history, one_version, versions_of, zone_in, zone_of
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room

room = Room("agreements")

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


@room.get("/agreements")
async def agreements(
    reader: ViewReader, desk: Annotated[str | None, Query(max_length=MAX_NAME)] = None
) -> Response:
    """The agreement in force of every desk."""
    wanted = desks_for(reader.caller, desk)
    shown = [each for each in reader.desks if covers(wanted, each)]

    def read(conn: Connection) -> dict[str, tuple[StoredVersion, ...]]:
        return {each: reader.runtime.catalogue.recorded(conn, each) for each in shown}

    found = await reader.read(read)
    rows = [_row(reader, name, versions) for name, versions in found.items()]
    return room.page(reader, "overview.html", desk=desk, rows=rows)


@room.get("/agreements/{desk}")
async def agreement(reader: ViewReader, desk: str) -> Response:
    """The desk's commitments in words, and the versions."""
    versions = await versions_of(reader, desk)
    current = in_force_at(versions, reader.now)
    words = room.words(reader)
    text = text_of(current, Part.AGREEMENT, desk) or ""
    notes = notes_of(text)
    zone = zone_in(current, desk)
    return room.page(
        reader,
        "agreement.html",
        desk=desk,
        agreement=current.agreement,
        number=current.number,
        since=words.written(current.version.effective_from, zone, reader.now),
        sections=sections(words, current.documents.agreement or {}, notes),
        notes=notes.get(("", 0), []),
        history=history(words, versions, zone, reader),
        may_edit=reader.caller.may(Permission.CONFIGURE, desk),
    )


@room.get("/agreements/{desk}/versions/{number}")
async def version(
    reader: ViewReader, desk: str, number: int, since: Annotated[int | None, Query(alias="from", ge=1)] = None
) -> Response:
    """The text of a version, and what it changes of another."""
    versions = await versions_of(reader, desk)
    found = one_version(versions, Part.AGREEMENT, desk, number, since)
    return room.page(reader, "version.html", desk=desk, version=found)


@room.get("/agreements/{desk}/edit")
async def edit(reader: ConfigureReader, desk: str) -> Response:
    """The editor, with the text in force."""
    text = await draft_start(reader, Part.AGREEMENT, desk) or await _starter(reader, desk)
    checked = await check(reader, FileKind.AGREEMENT, desk, text)
    today = instant(reader.now).date()
    return room.page(
        reader,
        "edit.html",
        desk=desk,
        text=text,
        choices=APPLIES_TO,
        faults=checked.faults,
        remarks=checked.remarks,
        since=(today - SIMULATED).isoformat(),
        until=today.isoformat(),
    )


@room.get("/agreements/{desk}/simulations/{simulation}")
async def simulation(reader: ViewReader, desk: str, simulation: str) -> Response:
    """How a simulation of the desk stands, and once it is done, what it came to."""
    must_see(reader.caller, desk)

    def read(conn: Connection) -> StoredSimulation:
        found = simulations.find(conn, simulation)
        if found is None or found.desk != desk:
            raise not_found("simulation", simulation)
        return reader.runtime.simulations.seen(found)

    found = await reader.read(read)
    result = found.result or {}
    return room.fragment(
        reader,
        "simulation.html",
        state=found.state.value,
        progress=found.progress,
        reason=found.reason,
        tickets=result.get("tickets", 0),
        flips=result.get("flips_in_all", 0),
        commitments=result.get("commitments", {}),
        credits=result.get("credits", []),
    )


@room.router.post("/agreements/{desk}/check")
@limited_to(lambda settings: settings.max_body_size)
async def check_draft(reader: ConfigureReader, desk: str, draft: DraftText) -> Response:
    """The faults of a draft, for the script to swap in."""
    must_see(reader.caller, desk)
    checked = await check(reader, FileKind.AGREEMENT, desk, draft.text)
    return room.fragment(reader, "checked.html", faults=checked.faults, remarks=checked.remarks)


@room.router.post("/agreements/{desk}/preview")
@limited_to(lambda settings: settings.max_body_size)
async def preview_draft(reader: ConfigureReader, desk: str, draft: DraftToApply) -> Response:
    """What a draft would change: due dates, breaches and money."""
    must_see(reader.caller, desk)
    try:
        outcome = await preview(reader, FileKind.AGREEMENT, desk, draft)
    except FaultyFiles as error:
        return room.fragment(reader, "faults.html", faults=error.faults, remarks=())
    found = preview_context(room.words(reader), outcome, await zone_of(reader, desk), reader)
    return room.fragment(reader, "preview.html", **found)


def _row(reader: Reader, desk: str, versions: tuple[StoredVersion, ...]) -> dict[str, Any]:
    """An agreement in the list of all."""
    current = in_force_at(versions, reader.now)
    words, zone = room.words(reader), zone_in(current, desk)
    coming = next(iter(planned_at(versions, reader.now)), None)
    return {
        "desk": desk,
        "name": current.agreement.name,
        "number": current.number,
        "commitments": [
            each.labels.get(words.language, each.label) for each in current.agreement.commitments
        ],
        "coming": None if coming is None else words.written(coming.version.effective_from, zone, reader.now),
        "may_edit": reader.caller.may(Permission.CONFIGURE, desk),
    }


async def _starter(reader: Reader, desk: str) -> str:
    """An example that counts by the desk's first calendar."""

    def read(conn: Connection) -> str:
        catalogue = reader.runtime.catalogue
        known = desk in catalogue.desks(conn)
        own = own_calendars(desk, catalogue.in_force(conn, desk, at=reader.now).calendars) if known else []
        name, zone = (own[0].name, own[0].time_zone) if own else ("always", "UTC")
        return STARTER.format(desk=desk, zone=zone, calendar=name)

    return await reader.read(read)
