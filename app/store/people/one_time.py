"""Secrets that are accepted once: links that sign a person in, and sign-ins that await their second factor.

Rows are created by who may already act for the person, an administrator or somebody who knows the password, so no
stranger can fill the table. Instants are microseconds UTC.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select

from app.sla.span import Micros
from app.store.engine.database import Connection, transaction_time
from app.store.engine.vault import vault
from app.store.people.secrets import hash_of, new_secret
from app.store.people.sessions import Method
from app.store.tables import one_time as _one_time


class Purpose(StrEnum):
    """What a secret is accepted for."""

    LINK = "link"
    SECOND_FACTOR = "second_factor"


PREFIX: Final = {Purpose.LINK: "sll_", Purpose.SECOND_FACTOR: "sl2_"}


@dataclass(frozen=True, slots=True)
class OneTime:
    """A secret that is accepted once, without the secret."""

    hash: str
    person: str
    method: Method
    tries: int
    id_token: str | None


def create(
    conn: Connection,
    purpose: Purpose,
    person_id: str,
    *,
    method: Method,
    expires_at: Micros,
    id_token: str | None = None,
) -> str:
    """Create a secret. It replaces an earlier one of the same purpose, so a person has one of each."""
    now = transaction_time(conn)
    conn.execute(_one_time.delete().where(_one_time.c.expires_at <= now))
    conn.execute(
        _one_time.delete().where(_one_time.c.person == person_id, _one_time.c.purpose == purpose.value)
    )
    secret = new_secret(PREFIX[purpose])
    values: dict[str, Any] = {
        "hash": hash_of(secret),
        "purpose": purpose.value,
        "person": person_id,
        "method": method.value,
        "created_at": now,
        "expires_at": expires_at,
        "tries": 0,
        "id_token": None if id_token is None else vault(conn).seal(id_token),
    }
    conn.execute(_one_time.insert(), values)
    return secret


def find(conn: Connection, purpose: Purpose, secret: str, now: Micros) -> OneTime | None:
    """What a secret is for; none for one that is unknown, used or over."""
    conditions = (
        _one_time.c.hash == hash_of(secret),
        _one_time.c.purpose == purpose.value,
        _one_time.c.expires_at > now,
    )
    row = conn.execute(select(_one_time).where(*conditions)).mappings().first()
    if row is None:
        return None
    token = row["id_token"] and vault(conn).unseal(row["id_token"])
    return OneTime(row["hash"], row["person"], Method(row["method"]), row["tries"], token)


def use(conn: Connection, found: OneTime) -> bool:
    """Take a secret out of use. False when another transaction has: the row is there for one of them only."""
    return conn.execute(_one_time.delete().where(_one_time.c.hash == found.hash)).rowcount == 1


def count_try(conn: Connection, found: OneTime, most: int) -> None:
    """Count a wrong code. The last one allowed ends the secret."""
    if found.tries + 1 >= most:
        use(conn, found)
    else:
        conn.execute(
            _one_time.update().where(_one_time.c.hash == found.hash).values(tries=_one_time.c.tries + 1)
        )


def remove_all(conn: Connection, person_id: str) -> None:
    """End every secret of a person."""
    conn.execute(_one_time.delete().where(_one_time.c.person == person_id))
