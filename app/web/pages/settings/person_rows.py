"""Rows of the people in the settings, and why the change of one was refused."""

from dataclasses import dataclass, field
from shlex import quote
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.people.administrators import LastAdministrator
from app.principal import EVERY_DESK, Role
from app.store.people.persons import Person
from app.web.pages.frame.words import Words
from app.web.pages.settings.view import RoleRow, role_rows

LAST: Final = N_(
    "{name} is the last enabled administrator of {desks}. "
    "Make another person an administrator first, or run this command on the server:"
)
OWN: Final = N_("You cannot disable your own account. Ask another administrator.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form in the row of a person was refused, in the reader's language."""

    name: str
    text: str
    is_of_roles: bool = False
    """Whether it is about the form of roles; otherwise about the other one."""
    command: str = ""
    """What makes the change all the same."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person, with what the reader may change."""

    person: Person
    roles: list[RoleRow]
    is_managed: bool
    """Whether the reader manages people on all desks of the person."""
    refusal: Refusal | None = field(default=None)


def person_row(person: Person, words: Words, refusal: Refusal | None, *, is_managed: bool) -> PersonRow:
    """A person with the roles that the reader may see. `refusal`: of the change of this person or of another."""
    own = refusal if refusal is not None and refusal.name == person.name else None
    return PersonRow(person, role_rows(person.roles, words), is_managed, own)


def last_disabled(error: LastAdministrator, name: str, words: Words) -> Refusal:
    """The refusal to disable the last administrator."""
    return Refusal(name, _last(error, name, words), command=f"slatimer user disable {quote(name)}")


def last_demoted(error: LastAdministrator, name: str, desk: str, role: Role | None, words: Words) -> Refusal:
    """The refusal to take the role of the last administrator away, or to give another in its place."""
    instead = "--role admin --remove" if role is None else f"--role {role}"
    command = f"slatimer user roles {quote(name)} --desk {quote(desk)} {instead}"
    return Refusal(name, _last(error, name, words), is_of_roles=True, command=command)


def _last(error: LastAdministrator, name: str, words: Words) -> str:
    desks = words.say(N_("all desks")) if EVERY_DESK in error.desks else words.both(*sorted(error.desks))
    return words.say(LAST, name=name, desks=desks)
