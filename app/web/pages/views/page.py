"""Saved views: the form that saves the filters of a page, and the list with rename, delete and default.

Every change is a form, which works without scripts; `flow.people.views` decides what may be changed, as in the API. A
form that is not accepted is shown again, with the fault at its place and what was typed.
"""

from typing import Final
from urllib.parse import parse_qsl

from starlette.responses import Response

from app.flow.people import views
from app.flow.people.own import NoPerson
from app.flow.people.views import FaultyView, Page, TooManyViews, ViewNameTaken, Wanted
from app.flow.query.desks import known_desks
from app.principal import Permission, PrincipalKind
from app.sla.span import Micros, instant
from app.store.engine.database import Connection
from app.store.people import views as stored
from app.store.people.views import View
from app.web.http.forms import read_form
from app.web.pages.frame.labels import commitment_labels
from app.web.pages.frame.posted import REFUSED, lead_to
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.frame.saved import address_of, may_save
from app.web.pages.views.view import DONE, Audience, Draft, Typed, described, fault_of, page_of, rows

VIEWS: Final = "/views"

room = Room("views")


@room.get(VIEWS)
async def show(reader: ViewReader) -> Response:
    """The views that the reader may see. With `page` and filters in the address also the form that saves them."""
    given = reader.request.query_params
    page = page_of(given.get("page"))
    draft = None if page is None else Draft(page, views.known_filters(page, given))
    return await _page(reader, draft)


@room.router.post(VIEWS)
async def save(reader: ViewReader) -> Response:
    """Saves filters of a page, and leads to the page with them."""
    form = await read_form(reader.request)
    page = page_of(form.get("page")) or Page.NOW
    filters = views.known_filters(page, dict(parse_qsl(form.get("filters", ""))))
    wanted = Wanted(page, form.get("name", ""), filters, form.get("desk") or None)
    who, parts = reader.caller.principal, reader.runtime
    is_default, most = "default" in form and page is Page.NOW, parts.settings.saved_views_max

    def work(conn: Connection, now: Micros) -> View:
        made = views.save(conn, who, wanted, known_desks(conn, parts.catalogue), now, most=most)
        if is_default:
            views.choose(conn, who, made.id)
        return made

    try:
        made = await parts.database.write(work, reader.caller.desks)
    except (FaultyView, ViewNameTaken, TooManyViews, NoPerson) as error:
        draft = Draft(page, filters, wanted.name, wanted.desk, is_default, fault_of(error))
        return await _page(reader, draft)
    return lead_to(reader, address_of(made))


@room.router.post("/views/change")
async def change(reader: ViewReader) -> Response:
    """Renames or deletes a view, or makes it the default or no longer that."""
    form = await read_form(reader.request)
    view_id, name, action = form.get("view", ""), form.get("name", ""), form.get("action", "rename")
    who, write = reader.caller.principal, reader.runtime.database.write

    def work(conn: Connection, now: Micros) -> None:
        match action:
            case "delete":
                views.remove(conn, who, view_id)
            case "default":
                views.choose(conn, who, view_id)
            case "no_default":
                views.choose(conn, who, None)
            case _:
                views.change(conn, who, view_id, name, None, now)

    try:
        await write(work, reader.caller.desks)
    except (FaultyView, ViewNameTaken, NoPerson) as error:
        return await _page(reader, None, Typed(view_id, name, fault_of(error)))
    return lead_to(reader, f"{VIEWS}?done={action if action in DONE else 'rename'}")


async def _page(reader: Reader, draft: Draft | None, typed: Typed | None = None) -> Response:
    who = reader.caller.principal
    found, chosen, labels = await reader.read(
        lambda conn: (
            views.seen(conn, who),
            stored.default_of(conn, who.id),
            commitment_labels(conn, reader, reader.caller.desks),
        )
    )
    to = Audience(room.words(reader), labels, instant(reader.now).date())
    answer = room.page(
        reader,
        "views.html",
        draft=draft if may_save(reader) else None,
        draft_filters=[] if draft is None else described(draft.page, draft.filters, to),
        rows=rows(found, who, chosen, to, typed),
        shares=_shares(reader, draft),
        is_person=who.kind is PrincipalKind.USER,
        done=DONE.get(reader.request.query_params.get("done", "")),
    )
    if typed is not None or (draft is not None and draft.fault is not None):
        answer.status_code = REFUSED
    return answer


def _shares(reader: Reader, draft: Draft | None) -> list[str]:
    """The desks with which the reader may share the view: that of its filters, if they have one."""
    filtered = None if draft is None else draft.filters.get("desk")
    desks = (desk for desk in reader.desks if filtered in (None, desk))
    return [desk for desk in desks if reader.caller.may(Permission.SHARE, desk)]
