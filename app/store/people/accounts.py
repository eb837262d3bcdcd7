"""Changes of a person's roles and ways in. Each ends the person's sessions, in its own transaction.

So a stolen session does not outlive the change that was made because of it. Instants are microseconds UTC.
"""

from app.principal import EVERY_DESK, Desks, Roles
from app.store.audit import Action
from app.store.engine.database import Connection, transaction_time
from app.store.people import one_time, persons, sessions, views
from app.store.people import roles as role_rows
from app.store.people.persons import Person


def set_roles(conn: Connection, person: Person, roles: Roles, desks: Desks) -> bool:
    """Give a person exactly these roles on these desks, which ends the person's sessions. False if they had them."""
    before = {desk: each for desk, each in person.roles.items() if EVERY_DESK in desks or desk in desks}
    if before == dict(roles):
        return False
    role_rows.replace(conn, person.id, roles, desks)
    sessions.end_all(conn, person.id)
    persons.record_roles(conn, Action.USER_ROLES, person.name, roles, {**before, **roles})
    return True


def set_disabled(conn: Connection, person: Person, *, disabled: bool) -> None:
    """Disable a person, which ends their sessions and links and deletes their own saved views, or enable them again."""
    if (person.disabled_at is not None) == disabled:
        return
    persons.update(conn, person.id, disabled_at=transaction_time(conn) if disabled else None)
    if disabled:
        sessions.end_all(conn, person.id)
        one_time.remove_all(conn, person.id)
        views.remove_all_of(conn, person.id)
    action = Action.USER_DISABLED if disabled else Action.USER_ENABLED
    persons.record(conn, action, person.name, person.roles)


def set_password(conn: Connection, person: Person, encoded: str | None, *, but: str | None = None) -> None:
    """Store a password's hash. It ends the person's sessions `but` one, and what could still sign them in."""
    persons.update(conn, person.id, password=encoded)
    sessions.end_all(conn, person.id, but=but)
    one_time.remove_all(conn, person.id)
    persons.record(conn, Action.PASSWORD_CHANGED, person.name, person.roles)
