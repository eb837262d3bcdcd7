"""Rows of the people in the settings, and why the change of one was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.people.administrators import LastAdministrator
from app.principal import EVERY_DESK, PERSON_ROLES, Role, Roles
from app.store.people.persons import Person
from app.web.pages.frame.words import Words
from app.web.pages.settings.view import RoleRow, role_rows

LAST: Final = N_(
    "{name} is the last enabled administrator of {desks}. "
    "Make another person an administrator first, or run this command on the server:"
)
OWN: Final = N_("You cannot disable your own account. Ask another administrator.")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form of roles has chosen."""

    desk: str
    role: str
    """Empty for no role."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form in the row of a person was refused, in the reader's language."""

    name: str
    text: str
    command: str = ""
    """What makes the change all the same."""
    choice: Choice | None = None
    """What was chosen in the form of roles; None where the refusal is about the other form."""

    @property
    def is_of_roles(self) -> bool:
        """Whether it is about the form of roles."""
        return self.choice is not None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person, with what the reader may change."""

    person: Person
    roles: list[RoleRow]
    is_managed: bool
    """Whether the reader manages people on all desks of the person."""
    desks: Sequence[str]
    """The desks of the form of roles."""
    shown: Choice
    """The role that the form shows: saving it again changes nothing."""
    refusal: Refusal | None

    @property
    def chosen(self) -> Choice:
        """What the form begins with: the role that the person has, or what was chosen and refused."""
        return (self.refusal and self.refusal.choice) or self.shown


def person_row(
    person: Person, words: Words, desks: Sequence[str], refusal: Refusal | None, *, is_managed: bool
) -> PersonRow:
    """A person with the roles that the reader may see. `refusal`: of the change of this person or of another.

    `desks`: those of the form; a desk on which the person has a role and which is not there yet is added.
    """
    own = refusal if refusal is not None and refusal.name == person.name else None
    offered = [*desks, *(desk for desk in sorted(person.roles) if desk not in desks)]
    shown = _present(person.roles, offered)
    return PersonRow(person, role_rows(person.roles, words), is_managed, offered, shown, own)


def is_untouched(form: Mapping[str, str]) -> bool:
    """Whether a form of roles is sent as it was shown."""
    return (form.get("desk"), form.get("role")) == (form.get("shown_desk"), form.get("shown_role"))


def _present(roles: Roles, desks: Sequence[str]) -> Choice:
    """The first desk of a person with the highest role there; without a role, the first desk of the form and none."""
    for desk, each in sorted(roles.items()):
        highest = [role for role in PERSON_ROLES if role in each][-1:]
        if highest:
            return Choice(desk, highest[0])
    return Choice(next(iter(desks), ""), "")


def last_disabled(error: LastAdministrator, name: str, words: Words) -> Refusal:
    """The refusal to disable the last administrator."""
    return Refusal(name, _last(error, name, words), command=f"slatimer user disable {quote(name)}")


def last_demoted(error: LastAdministrator, name: str, desk: str, role: Role | None, words: Words) -> Refusal:
    """The refusal to take the role of the last administrator away, or to give another in its place."""
    instead = "--role admin --remove" if role is None else f"--role {role}"
    command = f"slatimer user roles {quote(name)} --desk {quote(desk)} {instead}"
    return Refusal(name, _last(error, name, words), command=command, choice=Choice(desk, role or ""))


def _last(error: LastAdministrator, name: str, words: Words) -> str:
    desks = words.say(N_("all desks")) if EVERY_DESK in error.desks else words.both(*sorted(error.desks))
    return words.say(LAST, name=name, desks=desks)
