"""What the settings show: rows of tables, and the phrases for what was done or went wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_
from app.principal import PERSON_ROLES, Principal, Role, Roles
from app.sla.span import Micros
from app.store.audit import Entry
from app.store.people.sessions import LiveSession, Method
from app.web.pages.frame.words import Words
from app.web.pages.settings.acts import ACTS

DONE: Final[Mapping[str, str]] = {
    "link": N_("You are signed in. Set a password now: the link does not work again."),
    "password": N_("The password is set. Your other sessions have ended."),
    "second_factor": N_("The second factor is on already."),
    "second_factor_removed": N_("The second factor is off."),
    "looks": N_("Language and time zone are saved."),
    "session": N_("The session has ended."),
    "roles": N_("The roles are changed. The person's sessions have ended."),
    "person": N_("The change is saved."),
    "nothing": N_("Nothing has changed."),
    "key": N_("The key is revoked."),
}
"""What was done, by the name in the address."""


class Failure:
    """Why a form was not accepted: phrases."""

    DIFFERENT: Final = N_("The two passwords differ.")
    UNFIT: Final = N_("The password is too short, too long, or your name.")
    ZONE: Final = N_("There is no such time zone. Write one as Europe/Paris.")
    NO_ROLE: Final = N_("Choose a desk and a role.")
    NAME_TAKEN: Final = N_("Somebody has this name already.")
    NAME: Final = N_("A name has letters, digits and . _ @ + -")


ROLES: Final[Mapping[Role, str]] = {
    Role.VIEWER: N_("Viewer"),
    Role.AGENT: N_("Agent"),
    Role.LEAD: N_("Team lead"),
    Role.ADMIN: N_("Administrator"),
    Role.PUSH: N_("Ticket system"),
}
METHODS: Final[Mapping[Method, str]] = {
    Method.PASSWORD: N_("password"),
    Method.PROVIDER: N_("organisation"),
    Method.LINK: N_("link"),
    Method.KEY: N_("API key"),
    Method.GUEST: N_("guest"),
}


@dataclass(frozen=True, slots=True)
class RoleRow:
    """The role on one desk, in words."""

    desk: str
    role: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session, in words."""

    id: str
    who: str
    method: str
    agent: str
    address: str
    since: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the audit log, in words."""

    at: str
    desk: str
    who: str
    action: str
    """In words, with how often where it is more than once."""
    code: str
    """The action's name in the log, the API and the command line."""
    about: str
    address: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An API key, in words."""

    id: str
    roles: list[RoleRow]


def role_rows(roles: Roles, words: Words) -> list[RoleRow]:
    """Roles by desk."""
    return [
        RoleRow(desk, words.both(*(words.say(ROLES[role]) for role in sorted(each))))
        for desk, each in sorted(roles.items())
    ]


def session_rows(
    found: Iterable[LiveSession], words: Words, zone: str, now: Micros, current: str | None
) -> list[SessionRow]:
    """Sessions, the latest first."""
    return [
        SessionRow(
            each.id,
            each.principal.label,
            words.say(METHODS[each.method]) if each.method else "",
            each.origin.agent or "",
            each.origin.address or "",
            words.written(each.created_at, zone, now),
            each.id == current,
        )
        for each in reversed(list(found))
    ]


def key_rows(found: Iterable[Principal], words: Words) -> list[KeyRow]:
    """API keys, the oldest first."""
    return [KeyRow(each.id, role_rows(each.roles, words)) for each in found]


def audit_rows(found: Iterable[Entry], words: Words, zone: str, now: Micros) -> list[AuditRow]:
    """Entries of the audit log."""
    return [
        AuditRow(
            words.written(each.at, zone, now),
            each.desk,
            each.who,
            _act(each, words),
            each.action.value,
            each.about if each.note is None else f"{each.about} ({each.note})",
            each.address or "",
        )
        for each in found
    ]


def _act(entry: Entry, words: Words) -> str:
    text = words.say(ACTS[entry.action])
    return text if entry.count == 1 else f"{text} ({words.number(entry.count)})"


def roles_of_form(form: Mapping[str, str]) -> Roles:
    """The role on the desk that a form names; none without a desk or a role."""
    desk, role = form.get("desk", "").strip(), form.get("role", "")
    is_role = role in PERSON_ROLES or role == Role.PUSH
    return {desk: frozenset({Role(role)})} if desk and len(desk) <= 100 and is_role else {}
