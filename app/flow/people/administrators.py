"""Administration that a person's change may not end: every desk that had an administrator has one afterwards.

Only pages refuse such a change. The API and the command line make it: their callers have a key or the database, and so
can give the role back. Everything here runs in the write transaction of the change, which is rolled back on a refusal.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from app.flow.people import manage
from app.principal import Desks, Permission, Principal
from app.store.engine import dialect
from app.store.engine.database import Connection
from app.store.people import persons

_LOCK: Final = "administrators"


class LastAdministrator(ValueError):
    """Without this person no person who is enabled would administer these desks."""

    def __init__(self, desks: Desks) -> None:
        super().__init__(f"This is the last administrator of {', '.join(sorted(desks))}.")
        self.desks = desks


class OwnAccount(ValueError):
    """One does not disable oneself. Ask another administrator."""


@contextmanager
def still_administered(conn: Connection, who: Principal, name: str) -> Generator[None]:
    """Around the change of a person: raises LastAdministrator where it leaves a desk without an administrator.

    A lock serializes such changes: two administrators who disable each other at the same time would both find the other.
    Raises UnknownPerson.
    """
    dialect.advisory_lock(conn, [_LOCK])
    person = manage.required(conn, who, name)
    before: Desks = frozenset() if person.disabled_at else person.principal.desks_with(Permission.PEOPLE)
    yield
    enabled = [each.principal for each in persons.listed(conn) if each.disabled_at is None]
    lost = {desk for desk in before if not any(each.may(Permission.PEOPLE, desk) for each in enabled)}
    if lost:
        raise LastAdministrator(frozenset(lost))


def disable(conn: Connection, who: Principal, name: str) -> None:
    """Disable a person. Raises LastAdministrator, OwnAccount, UnknownPerson and BeyondAuthority."""
    with still_administered(conn, who, name):
        person = manage.set_disabled(conn, who, name, disabled=True)
    if person.id == who.id:
        raise OwnAccount("One does not disable oneself. Ask another administrator.")
