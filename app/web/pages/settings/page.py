"""The settings: routes of one's own settings, and of people, keys and the audit log for administrators.

Every change is a form of the page, which works without scripts. What changes is decided by `flow.people`, as in the API.
"""

from zoneinfo import available_timezones

from starlette.responses import Response

from app.delivery.wording.language import Language
from app.flow.people import manage
from app.flow.people.own import SecondFactorIsOn
from app.flow.people.passwords import UnfitPassword
from app.store import audit
from app.store.audit import AuditFilters
from app.store.engine.database import EveryDesk
from app.store.people import persons
from app.store.tickets.board import cursor_of, key_of
from app.web.http.forms import read_form
from app.web.http.problems import Problem
from app.web.http.sign_in import link_address, sender_of, signing_in
from app.web.pages.frame.choices import LANGUAGE_PARAMETER
from app.web.pages.frame.files.draft import ConfigureReader
from app.web.pages.frame.reader import ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.settings.exporting import export_page, exported
from app.web.pages.settings.managing import PEOPLE, roles_changed, state_changed
from app.web.pages.settings.reader import AuditReader, PeopleReader, zone_of
from app.web.pages.settings.shown import done, factor, factor_again, own, page, people, shown_keys
from app.web.pages.settings.view import Failure, audit_rows, roles_of_form
from app.web.pages.sign_in.view import phrase_of

room = Room("settings")

OWN, KEYS, EXPORT = "/settings", "/settings/keys", "/settings/export"


@room.get(OWN)
async def show_own(reader: ViewReader) -> Response:
    """How the reader signs in, their sessions and language."""
    return await own(room, reader)


@room.router.post("/settings/password")
async def set_password(reader: ViewReader) -> Response:
    """Sets the reader's password; other sessions end."""
    form = await read_form(reader.request)
    new, present = form.get("new", ""), form.get("present") or None
    mine, who, sender = reader.runtime.own, reader.caller.principal, sender_of(reader.request)
    try:
        if new != form.get("again"):
            return await own(room, reader, Failure.DIFFERENT)
        await signing_in(reader.request, lambda: mine.set_password(who, present, new, sender))
    except UnfitPassword:
        return await own(room, reader, Failure.UNFIT)
    except Problem as problem:
        return await own(room, reader, phrase_of(problem))
    return done(reader, OWN, "password")


@room.router.post("/settings/second-factor")
async def prepare_second_factor(reader: ViewReader) -> Response:
    """Shows a new secret as a QR code, to be confirmed by the app's first code."""
    form = await read_form(reader.request)
    mine, who, sender = reader.runtime.own, reader.caller.principal, sender_of(reader.request)
    try:
        secret = await signing_in(
            reader.request, lambda: mine.prepare_second_factor(who, form.get("present") or None, sender)
        )
    except SecondFactorIsOn:
        return done(reader, OWN, "second_factor")
    except Problem as problem:
        return await own(room, reader, phrase_of(problem))
    return factor(room, reader, secret)


@room.router.post("/settings/second-factor/confirm")
async def confirm_second_factor(reader: ViewReader) -> Response:
    """Turns the second factor on, and shows the recovery codes once."""
    form = await read_form(reader.request)
    mine, who = reader.runtime.own, reader.caller.principal
    try:
        codes = await signing_in(
            reader.request, lambda: mine.confirm_second_factor(who, form.get("code", ""))
        )
    except Problem as problem:
        return await factor_again(room, reader, phrase_of(problem))
    reader.runtime.principals.clear()
    return page(room, reader, "codes.html", codes=codes)


@room.router.post("/settings/second-factor/remove")
async def remove_second_factor(reader: ViewReader) -> Response:
    """Turns the second factor off, by a code."""
    form = await read_form(reader.request)
    mine, who, sender = reader.runtime.own, reader.caller.principal, sender_of(reader.request)
    try:
        await signing_in(reader.request, lambda: mine.remove_second_factor(who, form.get("code", ""), sender))
    except Problem as problem:
        return await own(room, reader, phrase_of(problem))
    return done(reader, OWN, "second_factor_removed")


@room.router.post("/settings/looks")
async def set_looks(reader: ViewReader) -> Response:
    """Stores the reader's language and zone, for every browser."""
    form = await read_form(reader.request)
    person = await reader.runtime.own.person(reader.caller.principal)
    language = form.get("language") if form.get("language") in set(Language) else None
    zone = form.get("time_zone", "").strip() or None
    if zone is not None and zone not in available_timezones():
        return await own(room, reader, Failure.ZONE, form)
    await reader.runtime.database.write(
        lambda conn, _: persons.set_looks(conn, person.id, language, zone), reader.caller.desks
    )
    chosen = f"&{LANGUAGE_PARAMETER}={language}" if language else ""
    return done(reader, OWN, f"looks{chosen}")


@room.router.post("/settings/sessions/end")
async def end_session(reader: ViewReader) -> Response:
    """Ends one of the sessions that the page lists."""
    form = await read_form(reader.request)
    who = reader.caller.principal
    await reader.runtime.database.write(
        lambda conn, now: manage.end_session(conn, who, form.get("session", ""), now), EveryDesk.PEOPLE
    )
    reader.runtime.principals.clear()
    return done(reader, OWN, "session")


@room.get(PEOPLE)
async def show_people(reader: PeopleReader) -> Response:
    """The people of the desks whose people the reader manages."""
    return await people(room, reader)


@room.router.post(PEOPLE)
async def create_person(reader: PeopleReader) -> Response:
    """Creates a person, and shows their link once."""
    form = await read_form(reader.request)
    settings, who = reader.runtime.settings, reader.caller.principal
    name, shown = form.get("name", ""), form.get("display_name", "").strip()[:255] or None
    roles = roles_of_form(form)
    if not roles:
        return await people(room, reader, Failure.NO_ROLE, form)
    try:
        _, link = await reader.runtime.database.write(
            lambda conn, _: (
                manage.create(conn, who, name, roles, settings, display_name=shown),
                manage.new_link(conn, who, name, settings),
            ),
            EveryDesk.PEOPLE,
        )
    except persons.NameTaken:
        return await people(room, reader, Failure.NAME_TAKEN, form)
    except persons.FaultyName:
        return await people(room, reader, Failure.NAME, form)
    return page(room, reader, "link.html", name=name, link=link_address(reader.request, link[0]))


@room.router.post("/settings/people/roles")
async def change_roles(reader: PeopleReader) -> Response:
    """Gives a person one role on a desk, or takes what they have there away."""
    return await roles_changed(room, reader, await read_form(reader.request))


@room.router.post("/settings/people/state")
async def change_state(reader: PeopleReader) -> Response:
    """Disables or enables a person, removes their second factor, or makes a link for them."""
    return await state_changed(room, reader, await read_form(reader.request))


@room.get(KEYS)
async def show_keys(reader: PeopleReader) -> Response:
    """The API keys all of whose desks the reader manages."""
    return await shown_keys(room, reader)


@room.router.post(KEYS)
async def create_key(reader: PeopleReader) -> Response:
    """Creates a key, and shows its secret once."""
    form = await read_form(reader.request)
    who, roles = reader.caller.principal, roles_of_form(form)
    most = reader.runtime.settings.desk_keys_max
    if not roles:
        return await shown_keys(room, reader, Failure.NO_ROLE)
    secret, _ = await reader.runtime.database.write(
        lambda conn, now: manage.create_key(conn, who, roles, now, most=most), EveryDesk.PEOPLE
    )
    return page(room, reader, "key.html", key=secret)


@room.router.post("/settings/keys/revoke")
async def revoke_key(reader: PeopleReader) -> Response:
    """Revokes a key."""
    form = await read_form(reader.request)
    who = reader.caller.principal
    await reader.runtime.database.write(
        lambda conn, now: manage.revoke_key(conn, who, form.get("key", ""), now), EveryDesk.PEOPLE
    )
    reader.runtime.principals.clear()
    return done(reader, KEYS, "key")


@room.get(EXPORT)
async def show_export(reader: ConfigureReader) -> Response:
    """The desks that the reader may export."""
    return await export_page(room, reader)


@room.router.post(EXPORT)
async def export_desk(reader: ConfigureReader) -> Response:
    """Everything of a desk as an archive; it is in the audit log."""
    return await exported(room, reader, (await read_form(reader.request)).get("desk", ""))


@room.get("/settings/audit")
async def show_audit(reader: AuditReader) -> Response:
    """The audit log of the reader's desks, the latest entry first."""
    given, settings = reader.request.query_params, reader.runtime.settings
    before: int | None = key_of(given["cursor"], int)[0] if "cursor" in given else None
    filters = AuditFilters(reader.caller.desks, who=given.get("who") or None)
    found, following = await reader.read(lambda conn: audit.page(conn, filters, before, settings.page_size))
    rows = audit_rows(found, room.words(reader), zone_of(reader), reader.now)
    cursor = None if following is None else cursor_of(following)
    return page(room, reader, "audit.html", rows=rows, cursor=cursor, who=given.get("who", ""))
