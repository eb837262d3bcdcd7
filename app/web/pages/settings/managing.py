"""Changes of people by the forms in their rows: roles, links, disabling. Refusals are shown in the row."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from app.flow.people import administrators, manage
from app.flow.people.administrators import LastAdministrator, OwnAccount
from app.sla.span import Micros
from app.store.engine.database import Connection, EveryDesk
from app.store.people.names import key_of
from app.web.http.sign_in import link_address
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room
from app.web.pages.settings.person_rows import OWN, Refusal, is_untouched, last_demoted, last_disabled
from app.web.pages.settings.shown import done, page, people
from app.web.pages.settings.view import Failure, roles_of_form

PEOPLE: Final = "/settings/people"


async def roles_changed(room: Room, reader: Reader, form: Mapping[str, str]) -> Response:
    """After giving a person one role on a desk, or taking what they have there away."""
    who, name, desk = reader.caller.principal, key_of(form.get("name", "")), form.get("desk", "")
    roles = roles_of_form(form)
    if not desk:
        return await people(room, reader, Failure.NO_ROLE)
    if is_untouched(form):
        return done(reader, PEOPLE, "nothing")

    def work(conn: Connection, _: Micros) -> bool:
        with administrators.still_administered(conn, who, name):
            return manage.change_role(conn, who, name, desk, roles)

    try:
        is_changed = await reader.runtime.database.write(work, EveryDesk.PEOPLE)
    except LastAdministrator as error:
        role = next(iter(roles.get(desk, ())), None)
        return await people(room, reader, refusal=last_demoted(error, name, desk, role, room.words(reader)))
    reader.runtime.principals.clear()
    return done(reader, PEOPLE, "roles" if is_changed else "nothing")


async def state_changed(room: Room, reader: Reader, form: Mapping[str, str]) -> Response:
    """After disabling or enabling a person, removing their second factor, or making a link for them."""
    who, name, action = reader.caller.principal, key_of(form.get("name", "")), form.get("action")
    write, settings = reader.runtime.database.write, reader.runtime.settings
    if action == "link":
        secret, _ = await write(lambda conn, _: manage.new_link(conn, who, name, settings), EveryDesk.PEOPLE)
        return page(room, reader, "link.html", name=name, link=link_address(reader.request, secret))
    if action == "disable":
        return await _disabled(room, reader, name)
    if action == "remove_second_factor":
        await write(lambda conn, _: manage.remove_second_factor(conn, who, name), EveryDesk.PEOPLE)
    elif action == "enable":
        await write(lambda conn, _: manage.set_disabled(conn, who, name, disabled=False), EveryDesk.PEOPLE)
    return _changed(reader)


async def _disabled(room: Room, reader: Reader, name: str) -> Response:
    who, words = reader.caller.principal, room.words(reader)
    try:
        await reader.runtime.database.write(
            lambda conn, _: administrators.disable(conn, who, name), EveryDesk.PEOPLE
        )
    except LastAdministrator as error:
        return await people(room, reader, refusal=last_disabled(error, name, words))
    except OwnAccount:
        return await people(room, reader, refusal=Refusal(name, words.say(OWN)))
    return _changed(reader)


def _changed(reader: Reader) -> Response:
    reader.runtime.principals.clear()
    return done(reader, PEOPLE, "person")
