"""People of the desks: list and create them, change their roles, disable them, and make links that sign them in."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.people import manage
from app.flow.query.serialize import instant_text
from app.principal import EVERY_DESK, Desks, Principal
from app.sla.span import Micros
from app.store.engine.database import Connection, EveryDesk
from app.store.people import persons
from app.store.people.persons import Person
from app.store.tickets.board import cursor_of, key_of
from app.web.api.people.views import PersonRoles, PersonView, granted, person_json
from app.web.http.access import PeopleAdmin, desks_for
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running
from app.web.http.sign_in import link_address

router = Router(prefix="/v1/people", tags=["people"])

Name = Annotated[str, Path(description="the person's name", max_length=100)]


class NewPerson(BaseModel):
    """A person to create."""

    model_config = ConfigDict(
        strict=False,
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "ann", "display_name": "Ann Lee", "roles": {"haisoft": ["lead"]}}]
        },
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    display_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=255)] | None = None
    roles: PersonRoles = Field(min_length=1)


class WantedRoles(BaseModel):
    """The roles that a person has afterwards on the desks whose people the caller manages."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"roles": {"haisoft": ["agent"]}}]}
    )

    roles: PersonRoles


class LinkView(BaseModel):
    """A one-time link. It is shown this once."""

    link: str = Field(examples=["https://sla.example/sign-in#link=sll_…"])
    expires_at: InstantOut


class NewPersonView(PersonView, LinkView):
    """A person, and the link by which they sign in for the first time."""


class PeoplePage(BaseModel):
    """A page of people, by name."""

    people: list[PersonView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class PeopleQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = Field(None, description="only those with a role on this desk, or on every one")
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="people on the page")


@router.get("", summary="List people", response_model=PeoplePage, responses=problems(401, 403, 404, 422))
async def list_people(
    request: Request, caller: PeopleAdmin, wanted: Annotated[PeopleQuery, Query()]
) -> Response:
    """The people who have a role on a desk whose people the caller manages, by name, disabled ones included."""
    parts = running(request)
    limit = parts.settings.entries_on_page(wanted.limit)
    after: str = "" if wanted.cursor is None else key_of(wanted.cursor, str)[0]
    everybody = await parts.database.read(persons.listed)
    seen = [found for each in everybody if (found := manage.seen_by(caller.principal, each)) is not None]
    desks = desks_for(caller, wanted.desk)
    following = [each for each in seen if each.name > after and _is_on(each, desks)]
    more = cursor_of(following[limit - 1].name) if len(following) > limit else None
    return Json({"people": [person_json(each) for each in following[:limit]], "next": more})


@router.post(
    "",
    summary="Create a person",
    operation_id="create_person",
    status_code=201,
    response_model=NewPersonView,
    responses=problems(401, 403, 404, 409, 422),
)
async def create_person(request: Request, caller: PeopleAdmin, body: NewPerson) -> Response:
    """Creates a person, and a one-time link by which they sign in and set a password.

    403: a role on a desk whose people the caller does not manage. 409: the name is taken, or the limit
    `SLATIMER_PEOPLE_MAX` is reached.
    """
    parts, who = running(request), caller.principal

    def work(conn: Connection, _: Micros) -> tuple[Person, tuple[str, Micros]]:
        roles, settings = granted(body.roles), parts.settings
        made = manage.create(conn, who, body.name, roles, settings, display_name=body.display_name)
        return made, manage.new_link(conn, who, made.name, settings)

    made, link = await parts.database.write(work, EveryDesk.PEOPLE)
    return Json(person_json(made) | _link_json(request, link), status_code=201)


@router.put(
    "/{name}/roles",
    summary="Change the roles of a person",
    operation_id="change_roles",
    response_model=PersonView,
    responses=problems(401, 403, 404, 422),
)
async def change_roles(request: Request, caller: PeopleAdmin, name: Name, body: WantedRoles) -> Response:
    """The person has exactly these roles on the desks whose people the caller manages; roles elsewhere stay.

    The person's sessions end. 403: a role on a desk whose people the caller does not manage.
    """
    roles = granted(body.roles)
    return await _changed(
        request, caller.principal, lambda conn, who: manage.change_roles(conn, who, name, roles)
    )


@router.post(
    "/{name}/disable",
    summary="Disable a person",
    operation_id="disable_person",
    response_model=PersonView,
    responses=problems(401, 403, 404),
)
async def disable_person(request: Request, caller: PeopleAdmin, name: Name) -> Response:
    """The person signs in no more, and their sessions and links end. Nothing is deleted: the record names them.

    403: the person has a role on a desk whose people the caller does not manage.
    """
    return await _changed(
        request, caller.principal, lambda conn, who: manage.set_disabled(conn, who, name, disabled=True)
    )


@router.post(
    "/{name}/enable",
    summary="Enable a person again",
    operation_id="enable_person",
    response_model=PersonView,
    responses=problems(401, 403, 404),
)
async def enable_person(request: Request, caller: PeopleAdmin, name: Name) -> Response:
    """The person signs in again as before."""
    return await _changed(
        request, caller.principal, lambda conn, who: manage.set_disabled(conn, who, name, disabled=False)
    )


@router.post(
    "/{name}/link",
    summary="Make a one-time link for a person",
    operation_id="create_link",
    status_code=201,
    response_model=LinkView,
    responses=problems(401, 403, 404, 409),
)
async def create_link(request: Request, caller: PeopleAdmin, name: Name) -> Response:
    """The link signs the person in once, within `SLATIMER_LINK_LIFETIME`; with it a forgotten password is replaced.

    It replaces the link before. The second factor is asked for after it. 409: the person is disabled.
    """
    parts, who = running(request), caller.principal
    link = await parts.database.write(
        lambda conn, _: manage.new_link(conn, who, name, parts.settings), EveryDesk.PEOPLE
    )
    return Json(_link_json(request, link), status_code=201)


@router.delete(
    "/{name}/second-factor",
    summary="Remove the second factor of a person",
    operation_id="remove_second_factor_of",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404),
)
async def remove_second_factor_of(request: Request, caller: PeopleAdmin, name: Name) -> Response:
    """For a person who has lost the app and the recovery codes. They sign in with the password alone from now on."""
    who = caller.principal
    await running(request).database.write(
        lambda conn, _: manage.remove_second_factor(conn, who, name), EveryDesk.PEOPLE
    )
    return Response(status_code=204)


def _is_on(person: Person, desks: Desks) -> bool:
    return EVERY_DESK in desks or any(desk == EVERY_DESK or desk in desks for desk in person.roles)


async def _changed(
    request: Request, who: Principal, work: Callable[[Connection, Principal], Person]
) -> Response:
    parts = running(request)
    person = await parts.database.write(lambda conn, _: work(conn, who), EveryDesk.PEOPLE)
    parts.principals.clear()
    seen = manage.seen_by(who, person)
    return Json(person_json(persons.with_roles(person, {}) if seen is None else seen))


def _link_json(request: Request, link: tuple[str, Micros]) -> dict[str, Any]:
    secret, expires_at = link
    return {"link": link_address(request, secret), "expires_at": instant_text(expires_at)}
