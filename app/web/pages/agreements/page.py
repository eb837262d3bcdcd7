"""Agreements: `/agreements` lists them, `/agreements/{desk}` shows a desk's commitments in words, with the versions.

`/agreements/{desk}/edit` is the editor: a form and the file's text, each made from the other here, on the server, where
a draft is previewed and applied too. Its script simulates a draft on past tickets by `POST /v1/simulations`.
"""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import Response

from app.flow.agreement.desk_files import FaultyFiles, FileKind
from app.flow.query.versions import Part, text_of
from app.flow.simulation.draft import Draft
from app.intake.data_fields import MAX_NAME
from app.principal import Permission, covers
from app.store.contracts.stored_version import StoredVersion, in_force_at, planned_at
from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.simulations import StoredSimulation
from app.web.http.access import desks_for, must_see
from app.web.http.problems import not_found
from app.web.http.routing import limited_to
from app.web.pages.agreements.editing import editing, starter
from app.web.pages.agreements.form_sent import sent_agreement
from app.web.pages.agreements.notes import notes_of
from app.web.pages.agreements.terms import sections
from app.web.pages.frame.files.draft import (
    Checked,
    ConfigureReader,
    DraftText,
    DraftToApply,
    check,
    read_draft,
)
from app.web.pages.frame.files.editor import (
    Editor,
    Typed,
    open_editor,
    previewed,
    receive_editor,
    receive_text,
    show_editor,
)
from app.web.pages.frame.files.history import history, one_version, versions_of, zone_in
from app.web.pages.frame.files.sent import Sent
from app.web.pages.frame.files.withdrawing import withdraw_version
from app.web.pages.frame.posted import lead_to
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.frame.simulating import NotStarted, start_simulation

room = Room("agreements")


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
    return await open_editor(EDITOR, reader, desk)


@room.router.post("/agreements/{desk}/edit")
@limited_to(lambda settings: settings.max_body_size)
async def receive_form(reader: ConfigureReader, desk: str) -> Response:
    """Writes the fields into the text, previews or simulates the draft, or puts it into force."""
    return await receive_editor(EDITOR, reader, desk)


@room.router.post("/agreements/{desk}/text")
@limited_to(lambda settings: settings.max_body_size)
async def write_text(reader: ConfigureReader, desk: str) -> Response:
    """A draft's text with the fields of the form written into it, for the script."""
    return await receive_text(EDITOR, reader, desk)


@room.router.post("/agreements/{desk}/withdraw")
async def withdraw(reader: ConfigureReader, desk: str) -> Response:
    """Takes a planned version back."""
    return await withdraw_version(reader, desk, "/agreements")


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
    """The faults of a draft and the form of its text, for the script to swap in."""
    must_see(reader.caller, desk)
    checked = await check(reader, FileKind.AGREEMENT, desk, draft.text)
    return room.fragment(reader, "checked.html", **await editing(room, reader, desk, checked))


@room.router.post("/agreements/{desk}/preview")
@limited_to(lambda settings: settings.max_body_size)
async def preview_draft(reader: ConfigureReader, desk: str, draft: DraftToApply) -> Response:
    """What a draft would change, due dates, breaches and money, for the script to swap in."""
    must_see(reader.caller, desk)
    try:
        found = await previewed(EDITOR, reader, desk, draft)
    except FaultyFiles as error:
        return room.fragment(reader, "faults.html", faults=error.faults, remarks=())
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


def _written(sent: Sent) -> str:
    from app.web.pages.agreements.form_text import text_with  # only an editor writes TOML

    return text_with(sent_agreement(sent))


async def _context(reader: Reader, desk: str, checked: Checked, typed: Typed) -> dict[str, Any]:
    return await editing(room, reader, desk, checked, typed)


async def _simulate(reader: Reader, desk: str, typed: Typed) -> Response:
    """Judges past tickets under the draft, and leads to the page that follows it."""
    span = {name: typed.sent.one(name) if typed.sent else "" for name in ("from", "to")}
    try:
        file = await asyncio.to_thread(read_draft, FileKind.AGREEMENT, desk, typed.text)
        started = await start_simulation(reader, desk, span["from"], span["to"], Draft([file]))
    except FaultyFiles as error:
        return await show_editor(EDITOR, reader, desk, typed, faulty=error, refused=True)
    except NotStarted as error:
        fault = room.words(reader).say(error.phrase, **error.values)
        more = {"simulation_fault": fault, "since": span["from"], "until": span["to"]}
        return await show_editor(EDITOR, reader, desk, typed, found=more, refused=True)
    return lead_to(reader, f"/reports/what-if/{started}")


EDITOR: Final = Editor(
    room,
    FileKind.AGREEMENT,
    Part.AGREEMENT,
    "/agreements",
    starter,
    _written,
    _context,
    {"simulate": _simulate},
)
