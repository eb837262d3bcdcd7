"""Calendars: `/calendars` lists them, `/calendars/{desk}` shows a desk's own by week and year, with the versions.

`/calendars/{desk}/edit` is the editor: a form and the file's text, each made from the other here, on the server, where a
draft is previewed and applied too.
"""

from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Query
from starlette.responses import RedirectResponse, Response

from app.flow.agreement.desk_files import FaultyFiles, FileKind
from app.flow.agreement.put import is_name_of_desk
from app.flow.query.desks import desks_overview, own_calendars
from app.flow.query.versions import Part
from app.intake.data_fields import MAX_NAME
from app.principal import Permission, covers
from app.store.contracts.stored_version import in_force_at
from app.store.people import feeds
from app.web.http.access import desks_for, must_see
from app.web.http.forms import read_form
from app.web.http.problems import Kind, not_found
from app.web.http.routing import limited_to
from app.web.pages.calendars.dates import short_weekday, weekday_name
from app.web.pages.calendars.feeding import PublishReader, new_feed
from app.web.pages.calendars.form import (
    CalendarForms,
    elsewhere,
    forms_of,
    sent_calendars,
)
from app.web.pages.calendars.view import overview_rows, view
from app.web.pages.frame.files.draft import Checked, ConfigureReader, DraftText, DraftToApply, check
from app.web.pages.frame.files.editor import (
    Editor,
    NotEditable,
    Typed,
    open_editor,
    previewed,
    receive_editor,
    receive_text,
)
from app.web.pages.frame.files.history import history, one_version, versions_of
from app.web.pages.frame.files.sent import Sent
from app.web.pages.frame.files.withdrawing import withdraw_version
from app.web.pages.frame.posted import lead_to
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room

room = Room("calendars", script="calendar_form.js")

STARTER: Final = """[calendars.desk]
time_zone = "UTC"
hours = { mon-fri = ["09:00-17:00"] }
"""
"""The first text of a desk that has no calendar yet."""

_TYPED_MAX: Final = 1_000
"""Characters that may be typed as the name of a new desk: longer than any name, so that the answer states the rule."""


@room.get("/calendars")
async def calendars(
    reader: ViewReader,
    desk: Annotated[str | None, Query(max_length=MAX_NAME)] = None,
    new: Annotated[str | None, Query(max_length=_TYPED_MAX)] = None,
) -> Response:
    """The calendars of every desk. With `new`, the editor of a desk that has none yet, or the rule for its name."""
    if new and is_name_of_desk(new):
        return RedirectResponse(f"/calendars/{quote(new, safe='')}/edit", 303)
    wanted = desks_for(reader.caller, desk)
    shown = [each for each in reader.desks if covers(wanted, each)]
    found = await reader.read(lambda conn: desks_overview(conn, reader.runtime.catalogue, shown, reader.now))
    words = room.words(reader)
    rows = [row for each in found for row in overview_rows(words, each, reader.now)]
    answer = room.page(
        reader, "overview.html", desk=desk, rows=rows, may_edit=_may_edit(reader), new=new, name_max=MAX_NAME
    )
    if new:
        answer.status_code = Kind.INVALID.status
    return answer


@room.get("/calendars/{desk}")
async def calendar(
    reader: ViewReader,
    desk: str,
    calendar: Annotated[str | None, Query(max_length=MAX_NAME)] = None,
    week: date | None = None,
    year: Annotated[int | None, Query(ge=1, le=9999)] = None,
) -> Response:
    """One calendar of a desk by week and year, its feeds, and the versions of the desk's file."""
    return await _calendar(reader, desk, calendar, week, year)


@room.router.post("/calendars/{desk}")
async def make_feed(reader: PublishReader, desk: str) -> Response:
    """Makes an address for a calendar program; the page shows it this once."""
    must_see(reader.caller, desk)
    form = await read_form(reader.request)
    name = form.get("calendar", "")
    made = await new_feed(reader, desk, name, form.get("note", "").strip())
    return await _calendar(reader, desk, name, made=made)


@room.get("/calendars/{desk}/versions/{number}")
async def version(
    reader: ViewReader, desk: str, number: int, since: Annotated[int | None, Query(alias="from", ge=1)] = None
) -> Response:
    """The text of a version, and what it changes of another."""
    versions = await versions_of(reader, desk)
    found = one_version(versions, Part.CALENDARS, desk, number, since)
    return room.page(reader, "version.html", desk=desk, version=found)


@room.get("/calendars/{desk}/edit")
async def edit(reader: ConfigureReader, desk: str) -> Response:
    """The editor, with the text in force."""
    return await open_editor(EDITOR, reader, desk)


@room.router.post("/calendars/{desk}/edit")
@limited_to(lambda settings: settings.max_body_size)
async def receive_form(reader: ConfigureReader, desk: str) -> Response:
    """Writes the fields into the text, previews the draft, or puts it into force."""
    return await receive_editor(EDITOR, reader, desk)


@room.router.post("/calendars/{desk}/text")
@limited_to(lambda settings: settings.max_body_size)
async def write_text(reader: ConfigureReader, desk: str) -> Response:
    """A draft's text with the fields of the form written into it, for the script."""
    return await receive_text(EDITOR, reader, desk)


@room.router.post("/calendars/{desk}/check")
@limited_to(lambda settings: settings.max_body_size)
async def check_draft(reader: ConfigureReader, desk: str, draft: DraftText) -> Response:
    """The faults of a draft and the form of its text, for the script to swap in."""
    must_see(reader.caller, desk)
    checked = await check(reader, FileKind.CALENDARS, desk, draft.text)
    return room.fragment(reader, "checked.html", **await form_context(reader, desk, checked))


@room.router.post("/calendars/{desk}/preview")
@limited_to(lambda settings: settings.max_body_size)
async def preview_draft(reader: ConfigureReader, desk: str, draft: DraftToApply) -> Response:
    """What a draft would change, for the script to swap in."""
    must_see(reader.caller, desk)
    try:
        found = await previewed(EDITOR, reader, desk, draft)
    except FaultyFiles as error:
        return room.fragment(reader, "faults.html", faults=error.faults, remarks=())
    return room.fragment(reader, "preview.html", **found)


@room.router.post("/calendars/{desk}/withdraw")
async def withdraw(reader: ConfigureReader, desk: str) -> Response:
    """Takes a planned version back."""
    return await withdraw_version(reader, desk, "/calendars")


@room.router.post("/calendars/{desk}/feed/remove")
async def remove_feed(reader: PublishReader, desk: str) -> Response:
    """Removes an address."""
    must_see(reader.caller, desk)
    form = await read_form(reader.request)
    name, which = form.get("calendar", ""), form.get("feed", "")
    await reader.runtime.database.write(
        lambda conn, _: feeds.remove(conn, desk, name, which), reader.caller.desks
    )
    return lead_to(reader, f"/calendars/{quote(desk, safe='')}?{urlencode({'calendar': name})}#feeds-title")


async def _calendar(
    reader: Reader,
    desk: str,
    calendar: str | None,
    week: date | None = None,
    year: int | None = None,
    made: str | None = None,
) -> Response:
    """The page of a calendar. `made`: the address of a new feed. Raises the 404 problem."""
    versions = await versions_of(reader, desk)
    current = in_force_at(versions, reader.now)
    own = {each.name.partition("/")[2]: each for each in own_calendars(desk, current.calendars)}
    name = calendar or next(iter(own), None)
    if name is not None and name not in own:
        raise not_found("calendar", f"{desk}/{name}")
    words = room.words(reader)
    shown = None if name is None else view(words, own[name], reader.now, week, year)
    zone = "UTC" if shown is None else shown.zone
    return room.page(
        reader,
        "calendar.html",
        desk=desk,
        names=list(own),
        name=name,
        shown=shown,
        made=made,
        short_weekdays=[short_weekday(words, day) for day in range(7)],
        history=history(words, versions, zone, reader),
        feeds=await _feeds(reader, desk, name),
        may_edit=reader.caller.may(Permission.CONFIGURE, desk),
    )


async def form_context(
    reader: Reader, _desk: str, checked: Checked, typed: Typed | None = None
) -> dict[str, Any]:
    """The form of a checked draft, or the place that it cannot show. A refused one is shown as it was sent."""
    words = room.words(reader)
    context: dict[str, Any] = {
        "faults": checked.faults,
        "remarks": checked.remarks,
        "weekdays": [weekday_name(words, day) for day in range(7)],
        "forms": None,
        "elsewhere": {},
        "unshown": None,
    }
    if typed is not None and typed.failure is not None and typed.sent is not None:
        with suppress(NotEditable):
            context["forms"] = sent_calendars(typed.sent)
        return context
    if checked.file is not None:
        try:
            context["forms"] = forms_of(checked.file.document)
            context["elsewhere"] = elsewhere(checked.file.document)
        except NotEditable as error:
            context["unshown"] = str(error)
    return context


async def _starter(_reader: Reader, _desk: str) -> str:
    return STARTER


def _written(sent: Sent) -> str:
    forms = CalendarForms(text=sent.text("text"), base=sent.text("base"), calendars=sent_calendars(sent))
    from app.web.pages.calendars.form_text import text_with  # only an editor writes TOML

    return text_with(forms)


EDITOR: Final = Editor(
    room, FileKind.CALENDARS, Part.CALENDARS, "/calendars", _starter, _written, form_context
)


async def _feeds(reader: Reader, desk: str, name: str | None) -> list[feeds.Feed] | None:
    """The feeds of a calendar; None for a reader who may not make them."""
    if name is None or not reader.caller.may(Permission.PUBLISH, desk):
        return None
    return await reader.read(lambda conn: feeds.listed(conn, desk, name))


def _may_edit(reader: Reader) -> frozenset[str]:
    return frozenset(desk for desk in reader.desks if reader.caller.may(Permission.CONFIGURE, desk))
