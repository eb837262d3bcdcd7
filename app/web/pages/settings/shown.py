"""The pages of the settings, rendered: after a visit as after a form that was not accepted."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from app.delivery.wording.language import Language
from app.flow.people import manage, totp
from app.principal import EVERY_DESK, PERSON_ROLES, Permission, Role, covers
from app.store.engine.database import Connection
from app.store.people import persons, second_factor, sessions
from app.store.people.persons import Person
from app.store.people.sessions import LiveSession
from app.web.http.running import seeing_every_desk
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room
from app.web.pages.settings.person_rows import Refusal, person_row
from app.web.pages.settings.reader import zone_of
from app.web.pages.settings.view import DONE, ROLES, key_rows, role_rows, session_rows

_REFUSED: Final = 422
PEOPLE_SHOWN: Final = 500
"""People on the page; the API pages through more."""


async def own(
    room: Room, reader: Reader, failure: str | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """One's own settings. `failure` is a phrase, `typed` the form that it is about."""
    principal, now = reader.caller.principal, reader.now

    def read(conn: Connection) -> tuple[Person | None, int, list[LiveSession]]:
        return (
            persons.with_id(conn, principal.id),
            second_factor.codes_left(conn, principal.id),
            sessions.listed_of(conn, principal.id, now),
        )

    person, codes, found = await reader.runtime.database.look_up(read)
    words = room.words(reader)
    return page(
        room,
        reader,
        "settings.html",
        failure,
        person=person,
        who=principal.label,
        codes=codes,
        roles=role_rows(principal.roles, words),
        sessions=session_rows(found, words, zone_of(reader), now, principal.session_id),
        languages=list(Language),
        typed=typed or {},
        least=reader.runtime.settings.password_min_length,
    )


async def people(
    room: Room,
    reader: Reader,
    failure: str | None = None,
    typed: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    """The people whom the reader may see, with the roles that the reader may give. `refusal`: of a change of one."""
    who = reader.caller.principal
    with seeing_every_desk():
        everybody = await reader.runtime.database.read(persons.listed)
    seen = [(found, each) for each in everybody if (found := manage.seen_by(who, each)) is not None]
    words, desks = room.words(reader), _desks(reader)
    rows = [
        person_row(found, words, desks, refusal, is_managed=who.administers(whole.roles))
        for found, whole in seen[:PEOPLE_SHOWN]
    ]
    given = [(role, ROLES[role]) for role in PERSON_ROLES]
    answer = page(
        room,
        reader,
        "people.html",
        failure,
        rows=rows,
        more=len(seen) > PEOPLE_SHOWN,
        typed=typed or {},
        given=given,
        desks=desks,
    )
    if refusal is not None:
        answer.status_code = _REFUSED
    return answer


async def shown_keys(room: Room, reader: Reader, failure: str | None = None) -> Response:
    """The API keys that the reader may revoke."""
    who = reader.caller.principal
    with seeing_every_desk():
        found = await reader.runtime.database.read(lambda conn: manage.visible_keys(conn, who))
    given = [(role, ROLES[role]) for role in (Role.PUSH, *PERSON_ROLES)]
    rows = key_rows(found, room.words(reader))
    return page(room, reader, "keys.html", failure, rows=rows, given=given, desks=_desks(reader))


def factor(room: Room, reader: Reader, secret: str, failure: str | None = None) -> Response:
    """The secret of a second factor that is being set up, as a QR code and as text."""
    who = reader.caller.principal
    picture = totp.picture_of(secret, who.name or who.id)
    return page(room, reader, "factor.html", failure, secret=secret, picture=picture)


async def factor_again(room: Room, reader: Reader, failure: str) -> Response:
    """The same after a wrong code; one's own settings where none is being set up."""
    person_id = reader.caller.principal.id

    def prepared(conn: Connection) -> str | None:
        person = persons.with_id(conn, person_id)
        if person is None or person.has_second_factor:
            return None
        return second_factor.secret_of(conn, persons.proofs(conn, person_id))

    secret = await reader.runtime.database.look_up(prepared)
    return await own(room, reader, failure) if secret is None else factor(room, reader, secret, failure)


def done(reader: Reader, path: str, what: str) -> Response:
    """To the page that shows what was done, so that reloading it does it no second time."""
    prefix = reader.request.scope.get("root_path", "")
    return RedirectResponse(f"{prefix}{path}?done={what}", status_code=303)


def _desks(reader: Reader) -> list[str]:
    """The desks on which the reader may give roles."""
    allowed = reader.caller.principal.desks_with(Permission.PEOPLE)
    every = [EVERY_DESK] if EVERY_DESK in allowed else []
    return [*(desk for desk in reader.desks if covers(allowed, desk)), *every]


def page(room: Room, reader: Reader, template: str, failure: str | None = None, **context: Any) -> Response:
    """A page of the settings, with what was done or went wrong, and the tabs that the reader may open."""
    phrase = DONE.get(reader.request.query_params.get("done", ""))
    tabs = [
        ("/settings", reader.may(Permission.VIEW)),
        ("/settings/people", reader.may(Permission.PEOPLE)),
        ("/settings/keys", reader.may(Permission.PEOPLE)),
        ("/settings/export", reader.may(Permission.CONFIGURE)),
        ("/settings/audit", reader.may(Permission.AUDIT)),
    ]
    shown = [path for path, may in tabs if may]
    answer = room.page(reader, template, failure=failure, done=phrase, tabs=shown, **context)
    if failure is not None:
        answer.status_code = _REFUSED
    return answer
