"""The second factor of a person: the secret of an authenticator app, and the codes that replace it.

The secret is encrypted by the vault; recovery codes are random, so a fast hash is what is stored of them. Instants are
microseconds UTC.
"""

import secrets
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select

from app.principal import EVERY_DESK
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection, transaction_time
from app.store.engine.vault import vault
from app.store.people import sessions
from app.store.people.persons import Person, Proofs
from app.store.people.secrets import hash_of
from app.store.tables import person as _person
from app.store.tables import recovery_code as _code

_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what is read as another: 0 and o, 1, i and l."""
_GROUP: Final = 5
_GROUPS: Final = 3
"""Fifteen characters of thirty-one: 74 bits, which no one guesses within the tries that a sign-in has."""


def new_code() -> str:
    """A new recovery code, in groups that can be read aloud."""
    group = ["".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    return "-".join(group)


def prepare(conn: Connection, person: Person, secret: str) -> None:
    """Store the secret of an app that has not proved yet that it has it."""
    _update(conn, person, totp=vault(conn).seal(secret), totp_confirmed_at=None, totp_step=None)


def secret_of(conn: Connection, proofs: Proofs) -> str | None:
    """The app's secret, confirmed or not."""
    return None if proofs.totp is None else vault(conn).unseal(proofs.totp)


def confirm(conn: Connection, person: Person, step: int, codes: list[str], *, but: str | None) -> None:
    """Ask for the app's codes from now on. Other sessions than `but` end, which were signed in without one."""
    _update(conn, person, totp_confirmed_at=transaction_time(conn), totp_step=step)
    _replace_codes(conn, person, codes)
    sessions.end_all(conn, person.id, but=but)
    _record(conn, Action.SECOND_FACTOR_ADDED, person)


def remove(conn: Connection, person: Person) -> None:
    """Forget the app and its recovery codes."""
    _update(conn, person, totp=None, totp_confirmed_at=None, totp_step=None)
    _replace_codes(conn, person, [])
    if person.has_second_factor:
        _record(conn, Action.SECOND_FACTOR_REMOVED, person)


def use_step(conn: Connection, person_id: str, step: int) -> bool:
    """Note that the code of a time step was accepted. False if that one, or a later one, was before."""
    is_new: ColumnElement[bool] = or_(_person.c.totp_step.is_(None), _person.c.totp_step < step)
    changed = conn.execute(_person.update().where(_person.c.id == person_id, is_new).values(totp_step=step))
    return changed.rowcount == 1


def use_recovery_code(conn: Connection, person_id: str, code: str) -> bool:
    """Accept a recovery code, once. False for one that is unknown or was used."""
    wanted = (_code.c.person == person_id, _code.c.hash == hash_of(code.strip().lower()))
    return conn.execute(_code.delete().where(*wanted)).rowcount == 1


def codes_left(conn: Connection, person_id: str) -> int:
    """How many recovery codes a person has left."""
    return conn.execute(
        select(func.count()).select_from(_code).where(_code.c.person == person_id)
    ).scalar_one()


def _replace_codes(conn: Connection, person: Person, codes: list[str]) -> None:
    conn.execute(_code.delete().where(_code.c.person == person.id))
    if codes:
        conn.execute(_code.insert(), [{"person": person.id, "hash": hash_of(code)} for code in codes])


def _update(conn: Connection, person: Person, **values: Any) -> None:
    conn.execute(_person.update().where(_person.c.id == person.id).values(**values))


def _record(conn: Connection, action: Action, person: Person) -> None:
    audit.record(conn, action, list(person.roles) or [EVERY_DESK], f"user {person.name}")
