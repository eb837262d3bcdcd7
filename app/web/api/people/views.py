"""People, roles and sessions as the API shows and takes them."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from app.flow.query.serialize import instant_text
from app.principal import PERSON_ROLES, Role, Roles
from app.store.people.persons import Person
from app.store.people.sessions import LiveSession
from app.web.http.instant import InstantOut

_MOST_DESKS: Final = 200
"""Desks in one request: more than any known installation has."""

DeskName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_RolesByDesk = Annotated[
    dict[DeskName, Annotated[list[Role], Field(min_length=1, max_length=len(Role))]],
    Field(
        max_length=_MOST_DESKS,
        description="roles by desk; `*` is every desk, those to come included",
        examples=[{"haisoft": ["lead"]}],
    ),
]


def _of_people(given: dict[str, list[Role]]) -> dict[str, list[Role]]:
    if any(role not in PERSON_ROLES for roles in given.values() for role in roles):
        raise ValueError(f"a person has one of the roles {', '.join(PERSON_ROLES)}")
    return given


KeyRoles = Annotated[_RolesByDesk, Field(min_length=1)]
"""Roles of a key, at least one."""
PersonRoles = Annotated[_RolesByDesk, AfterValidator(_of_people)]
"""Roles of a person."""


def granted(roles: dict[str, list[Role]]) -> Roles:
    """The roles of a request."""
    return {desk: frozenset(each) for desk, each in roles.items()}


def roles_json(roles: Roles) -> dict[str, list[Role]]:
    """Roles as JSON."""
    return {desk: sorted(each) for desk, each in sorted(roles.items())}


class PersonView(BaseModel):
    """A person, with the roles on the desks whose people the caller manages."""

    name: str = Field(
        description="what the person signs in with, and what the record shows", examples=["ann"]
    )
    display_name: str | None = Field(examples=["Ann Lee"])
    roles: dict[str, list[Role]] = Field(examples=[{"haisoft": ["lead"]}])
    password: bool = Field(description="whether one is set")
    second_factor: bool = Field(description="whether one is asked for")
    provider: bool = Field(description="whether the identity provider knows the person")
    created_at: InstantOut
    created_by: str = Field(examples=["user eva"])
    disabled_at: InstantOut | None


def person_json(person: Person) -> dict[str, Any]:
    """A person as JSON."""
    return {
        "name": person.name,
        "display_name": person.display_name,
        "roles": roles_json(person.roles),
        "password": person.has_password,
        "second_factor": person.has_second_factor,
        "provider": person.issuer is not None,
        "created_at": instant_text(person.created_at),
        "created_by": person.created_by,
        "disabled_at": instant_text(person.disabled_at),
    }


class SessionView(BaseModel):
    """A browser that is signed in."""

    id: str
    who: str = Field(description="`user NAME`, `key ID` or `guest ID`", examples=["user ann"])
    own: bool = Field(description="whether it is one of the caller's")
    current: bool = Field(description="whether the request was sent through it")
    method: str | None = Field(
        description="`password`, `provider`, `link`, `key` or `guest`; null: started by the release before"
    )
    address: str | None
    agent: str | None = Field(description="the browser's description of itself")
    created_at: InstantOut
    expires_at: InstantOut


def session_json(session: LiveSession, caller_id: str, current: str | None) -> dict[str, Any]:
    """A session as JSON."""
    return {
        "id": session.id,
        "who": session.principal.label,
        "own": session.principal.id == caller_id,
        "current": session.id == current,
        "method": session.method,
        "address": session.origin.address,
        "agent": session.origin.agent,
        "created_at": instant_text(session.created_at),
        "expires_at": instant_text(session.expires_at),
    }
