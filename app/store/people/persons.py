"""People who sign in: their names, roles, password hashes and whether they are disabled.

A person is disabled and never deleted, so that a name in the record stays the same person's. Changes that end sessions
are in `accounts`. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, select

from app.principal import EVERY_DESK, Principal, PrincipalKind, Roles
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection, transaction_time
from app.store.people import roles as role_rows
from app.store.people.names import is_name, key_of
from app.store.people.secrets import new_id
from app.store.tables import person as _person


class NameTaken(ValueError):
    """Another person has this name already."""


class FaultyName(ValueError):
    """A name has letters, digits and `. _ @ + -`, at most a hundred."""


class TooManyPeople(ValueError):
    """The limit of people is reached: SLATIMER_PEOPLE_MAX."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person, without what proves that it is them."""

    id: str
    name: str
    display_name: str | None
    roles: Roles
    has_password: bool
    has_second_factor: bool
    issuer: str | None
    language: str | None
    time_zone: str | None
    created_at: Micros
    created_by: str
    disabled_at: Micros | None

    @property
    def principal(self) -> Principal:
        """The person as the sender of a request."""
        return Principal(self.id, PrincipalKind.USER, self.roles, name=self.name)


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a person signs in with."""

    person: str
    password: str | None
    totp: str | None
    """The authenticator app's secret as it is stored, whether it is confirmed or not."""
    totp_confirmed_at: Micros | None
    totp_step: int | None


def add(conn: Connection, name: str, roles: Roles, *, most: int, display_name: str | None = None) -> Person:
    """Create a person who cannot sign in yet. Raises FaultyName, NameTaken and TooManyPeople."""
    key = key_of(name)
    if not is_name(key):
        raise FaultyName(
            f"{name[:100]!r} is no name: it has letters, digits and . _ @ + -, at most a hundred."
        )
    if named(conn, key) is not None:
        raise NameTaken(f"There is a person {key!r} already.")
    if conn.execute(select(func.count()).select_from(_person)).scalar_one() >= most:
        raise TooManyPeople("The limit SLATIMER_PEOPLE_MAX of people is reached.")
    values: dict[str, Any] = {"id": new_id(), "name": key, "display_name": display_name or None}
    values |= {"created_at": transaction_time(conn), "created_by": audit.acting.get().who}
    conn.execute(_person.insert(), values)
    role_rows.grant(conn, values["id"], roles)
    record_roles(conn, Action.USER_CREATED, key, roles, roles)
    return _required(conn, values["id"])


def named(conn: Connection, name: str) -> Person | None:
    """The person of a name, also a disabled one."""
    return _one(conn, _person.c.name == key_of(name))


def with_id(conn: Connection, person_id: str) -> Person | None:
    """The person of an id, also a disabled one."""
    return _one(conn, _person.c.id == person_id)


def of_provider(conn: Connection, issuer: str, subject: str) -> Person | None:
    """The person whom an identity provider knows by this subject."""
    return _one(conn, _person.c.issuer == issuer, _person.c.subject == subject)


def listed(conn: Connection) -> list[Person]:
    """Everybody, by name."""
    rows = conn.execute(select(_person).order_by(_person.c.name)).mappings().all()
    return _people(conn, rows)


def with_roles(person: Person, roles: Roles) -> Person:
    """The same person with these roles."""
    return replace(person, roles=roles)


def is_any(conn: Connection) -> bool:
    """Whether there is a person at all."""
    return conn.execute(select(_person.c.id).limit(1)).first() is not None


def principal(conn: Connection, person_id: str) -> Principal | None:
    """The principal of a person who is not disabled."""
    found = with_id(conn, person_id)
    return None if found is None or found.disabled_at is not None else found.principal


def proofs(conn: Connection, person_id: str) -> Proofs:
    """What a person signs in with."""
    return _proofs(conn.execute(select(_person).where(_person.c.id == person_id)).mappings().one())


def proofs_of(conn: Connection, name: str) -> Proofs | None:
    """What the person of a name signs in with; none for an unknown or a disabled one.

    One query in each case, so that the time does not show which.
    """
    query = select(_person).where(_person.c.name == key_of(name), _person.c.disabled_at.is_(None))
    row = conn.execute(query).mappings().first()
    return None if row is None else _proofs(row)


def _proofs(row: RowMapping) -> Proofs:
    return Proofs(row["id"], row["password"], row["totp"], row["totp_confirmed_at"], row["totp_step"])


def store_rehashed(conn: Connection, person_id: str, before: str, encoded: str) -> None:
    """Store the same password by the present parameters, unless it was changed meanwhile."""
    conn.execute(
        _person.update()
        .where(_person.c.id == person_id, _person.c.password == before)
        .values(password=encoded)
    )


def set_provider(conn: Connection, person: Person, issuer: str, subject: str) -> None:
    """Note whom an identity provider means by a subject."""
    update(conn, person.id, issuer=issuer, subject=subject)


def set_looks(conn: Connection, person_id: str, language: str | None, time_zone: str | None) -> None:
    """Store the language and the zone in which a person reads the pages; none: the desk's."""
    update(conn, person_id, language=language, time_zone=time_zone)


def time_zone(conn: Connection, person_id: str) -> str | None:
    """The zone that a person has chosen; None for who has chosen none, or is no person."""
    return conn.execute(select(_person.c.time_zone).where(_person.c.id == person_id)).scalar()


def update(conn: Connection, person_id: str, **values: Any) -> None:
    """Change columns of a person."""
    conn.execute(_person.update().where(_person.c.id == person_id).values(**values))


def _one(conn: Connection, *conditions: ColumnElement[bool]) -> Person | None:
    found = _people(conn, conn.execute(select(_person).where(*conditions)).mappings().all())
    return found[0] if found else None


def _required(conn: Connection, person_id: str) -> Person:
    found = with_id(conn, person_id)
    assert found is not None, "a person is never deleted"  # noqa: S101
    return found


def _people(conn: Connection, rows: Sequence[RowMapping]) -> list[Person]:
    roles = role_rows.of(conn, [row["id"] for row in rows])
    return [_read(row, roles.get(row["id"], {})) for row in rows]


def _read(row: RowMapping, roles: Roles) -> Person:
    return Person(
        id=row["id"],
        name=row["name"],
        display_name=row["display_name"],
        roles=roles,
        has_password=row["password"] is not None,
        has_second_factor=row["totp_confirmed_at"] is not None,
        issuer=row["issuer"],
        language=row["language"],
        time_zone=row["time_zone"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        disabled_at=row["disabled_at"],
    )


def record(
    conn: Connection, action: Action, name: str, desks: Iterable[str], *, note: str | None = None
) -> None:
    """Record what was done to a person, on each of their desks."""
    audit.record(conn, action, list(desks) or [EVERY_DESK], f"user {name}", note=note)


def record_roles(conn: Connection, action: Action, name: str, roles: Roles, desks: Iterable[str]) -> None:
    """Record a person's roles on each of these desks. Each entry has those of its desk alone: others read the rest."""
    for desk in sorted(desks):
        note = f"{desk}:{','.join(sorted(roles[desk]))}" if desk in roles else "none"
        record(conn, action, name, [desk], note=note)
