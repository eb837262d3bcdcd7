"""What administrators do with people, keys and sessions, and whose they may touch.

An administrator of some desks gives roles on those desks only, and sees people who have one there. What takes a person
over or shuts them out (a link, disabling, removing the second factor) needs every desk of the person: else an
administrator of one desk would act as an administrator of another. Everything here runs in a write transaction, whose
reads see every desk. Instants are microseconds UTC.
"""

from collections import Counter
from typing import Final

from app.principal import (
    EVERY,
    EVERY_DESK,
    Desks,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    Roles,
    covers,
    roles_on,
)
from app.settings import Settings
from app.sla.span import Micros, length_of
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection, transaction_time
from app.store.people import accounts, keys, one_time, persons, second_factor, sessions
from app.store.people.one_time import Purpose
from app.store.people.persons import Person
from app.store.people.sessions import LiveSession, Method

OPERATOR: Final = Principal("command", PrincipalKind.USER, roles_on(EVERY, [Role.ADMIN]))
"""Who runs a command may do everything: the database is open to them anyway."""


class UnknownPerson(LookupError):
    """There is no such person on the desks whose people the caller manages."""


class BeyondAuthority(Exception):
    """The caller does not manage people on every desk that this concerns."""


class UnknownDesk(LookupError):
    """There is no such desk on which the caller has a role."""


class IsDisabled(ValueError):
    """The person is disabled. Enable them first."""


class TooManyKeys(ValueError):
    """A desk has as many API keys as SLATIMER_DESK_KEYS_MAX allows."""


def seen_by(who: Principal, person: Person) -> Person | None:
    """A person as a caller may see them: with the roles on the desks whose people the caller manages; None without."""
    desks = who.desks_with(Permission.PEOPLE)
    roles = {desk: each for desk, each in person.roles.items() if covers(desks, desk)}
    return persons.with_roles(person, roles) if roles or EVERY_DESK in desks else None


def required(conn: Connection, who: Principal, name: str) -> Person:
    """The person of a name, with all roles. Raises UnknownPerson."""
    found = persons.named(conn, name)
    if found is None or seen_by(who, found) is None:
        raise UnknownPerson(f"There is no person {name!r} whom this key may see.")
    return found


def create(
    conn: Connection, who: Principal, name: str, roles: Roles, settings: Settings, *, display_name: str | None
) -> Person:
    """Create a person with these roles. Raises UnknownDesk, BeyondAuthority, FaultyName, NameTaken, TooManyPeople."""
    must_give(who, roles)
    return persons.add(conn, name, roles, most=settings.people_max, display_name=display_name)


def change_roles(conn: Connection, who: Principal, name: str, roles: Roles) -> Person:
    """Give a person exactly these roles on the desks that the caller manages. Raises UnknownPerson, BeyondAuthority."""
    person = required(conn, who, name)
    desks: Desks = who.desks_with(Permission.PEOPLE)
    must_give(who, roles)
    accounts.set_roles(conn, person, roles, desks)
    return required_again(conn, person)


def change_role(conn: Connection, who: Principal, name: str, desk: str, roles: Roles) -> bool:
    """Give a person exactly these roles on one desk; none takes theirs away. False if they had them.

    Raises as `change_roles`.
    """
    person = required(conn, who, name)
    must_give(who, {desk: roles.get(desk, frozenset())})
    return accounts.set_roles(conn, person, roles, frozenset({desk}))


def set_disabled(conn: Connection, who: Principal, name: str, *, disabled: bool) -> Person:
    """Disable or enable a person. Raises UnknownPerson and BeyondAuthority."""
    person = required(conn, who, name)
    must_administer(who, person.roles)
    accounts.set_disabled(conn, person, disabled=disabled)
    return required_again(conn, person)


def new_link(conn: Connection, who: Principal, name: str, settings: Settings) -> tuple[str, Micros]:
    """A new one-time link of a person: its secret, and when it is over. It replaces the one before.

    Raises UnknownPerson, BeyondAuthority and IsDisabled.
    """
    person = required(conn, who, name)
    must_administer(who, person.roles)
    if person.disabled_at is not None:
        raise IsDisabled(f"{person.name} is disabled. Enable them first.")
    until = transaction_time(conn) + length_of(settings.link_lifetime)
    secret = one_time.create(conn, Purpose.LINK, person.id, method=Method.LINK, expires_at=until)
    audit.record(conn, Action.LINK_CREATED, list(person.roles) or [EVERY_DESK], f"user {person.name}")
    return secret, until


def remove_second_factor(conn: Connection, who: Principal, name: str) -> None:
    """Remove the second factor of a person who has lost it. Raises UnknownPerson and BeyondAuthority."""
    person = required(conn, who, name)
    must_administer(who, person.roles)
    second_factor.remove(conn, person)


def visible_sessions(conn: Connection, who: Principal, now: Micros) -> list[LiveSession]:
    """The caller's own sessions, and those of the people and keys that the caller administers, the oldest first."""
    if not who.desks_with(Permission.PEOPLE):
        return sessions.listed_of(conn, who.id, now)
    return [each for each in sessions.listed(conn, now) if _may_end(who, each)]


def end_session(conn: Connection, who: Principal, session_id: str, now: Micros) -> bool:
    """End one of those sessions. False when there is no such session."""
    found = sessions.with_id(conn, session_id, now)
    return found is not None and _may_end(who, found) and sessions.end_own(conn, session_id, now)


def visible_keys(conn: Connection, who: Principal) -> list[Principal]:
    """The API keys all of whose desks the caller manages, the oldest first."""
    return [each for each in keys.listed(conn) if each.session_id is None and who.administers(each.roles)]


def create_key(
    conn: Connection, who: Principal, roles: Roles, now: Micros, *, most: int
) -> tuple[str, Principal]:
    """Create a key with these roles: its secret and its principal.

    `most`: keys with a role on one desk. Raises BeyondAuthority, UnknownDesk and TooManyKeys.
    """
    must_give(who, roles)
    there = Counter(desk for each in keys.listed(conn) if each.session_id is None for desk in each.roles)
    for desk in sorted(roles):
        if there[desk] >= most:
            raise TooManyKeys(
                f"{most} keys have a role on {desk}, the limit SLATIMER_DESK_KEYS_MAX. Revoke some."
            )
    return keys.create(conn, roles, now)


def revoke_key(conn: Connection, who: Principal, key_id: str, now: Micros) -> bool:
    """Revoke one of those keys. False when there is no such key."""
    found = keys.with_id(conn, key_id, now)
    is_own = found is not None and found.session_id is None and who.administers(found.roles)
    return is_own and keys.revoke(conn, key_id, now)


def must_administer(who: Principal, roles: Roles) -> None:
    """Raises BeyondAuthority unless the caller manages people on every desk of these roles."""
    if not who.administers(roles):
        beyond = sorted(desk for desk in roles or [EVERY_DESK] if not who.may(Permission.PEOPLE, desk))
        known = [desk for desk in beyond if covers(who.desks, desk)] or ["every desk of the person"]
        raise BeyondAuthority(f"This requires the role {Role.ADMIN} on {', '.join(known)}.")


def must_give(who: Principal, roles: Roles) -> None:
    """Raises BeyondAuthority unless the caller may give these roles, and UnknownDesk for a desk it has no role on."""
    for desk in roles:
        if desk != EVERY_DESK and not covers(who.desks, desk):
            raise UnknownDesk(f"There is no desk {desk} that this key may see.")
    if roles:
        must_administer(who, roles)


def required_again(conn: Connection, person: Person) -> Person:
    """A person as the transaction has changed them."""
    found = persons.with_id(conn, person.id)
    if found is None:
        raise UnknownPerson(f"There is no person {person.name!r}.")
    return found


def _may_end(who: Principal, session: LiveSession) -> bool:
    principal = session.principal
    if principal.id == who.id:
        return True
    return principal.kind is not PrincipalKind.GUEST and who.administers(principal.roles)
