"""Roles per desk of people and API keys: rows of `principal_role`, by the principal's id."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, select

from app.principal import Desks, Role, Roles
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.tables import principal_role as _role

_GRANT: Final = _role.insert()
_ROLES: Final = select(_role).where(_role.c.principal.in_(bindparam("principals", expanding=True)))


def of(conn: Connection, principals: Iterable[str]) -> dict[str, Roles]:
    """The roles of each principal that has any."""
    found: defaultdict[str, defaultdict[str, set[Role]]] = defaultdict(lambda: defaultdict(set))
    for part in parts(principals):
        for row in conn.execute(_ROLES, {"principals": part}).mappings():
            found[row["principal"]][row["desk"]].add(Role(row["role"]))
    return {
        principal: {desk: frozenset(roles) for desk, roles in by_desk.items()}
        for principal, by_desk in found.items()
    }


def grant(conn: Connection, principal: str, roles: Roles) -> None:
    """Give a principal these roles, none of which it has."""
    rows = [
        {"principal": principal, "desk": desk, "role": role.value}
        for desk, granted in roles.items()
        for role in sorted(granted)
    ]
    if rows:
        conn.execute(_GRANT, rows)


def replace(conn: Connection, principal: str, roles: Roles, desks: Desks) -> None:
    """Give a principal exactly these roles on these desks. Roles on other desks stay."""
    conn.execute(_role.delete().where(_role.c.principal == principal, in_desks(_role.c.desk, desks)))
    grant(conn, principal, roles)
