"""Encrypted columns: which ones hold secrets, and how all of them are encrypted again by the newest key."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, Table, select

from app.store.engine.vault import vault
from app.store.tables import connection, embedding, one_time, person, session, subscription

COLUMNS: Final = (
    (connection, "secrets"),
    (embedding, "secrets"),
    (subscription, "secrets"),
    (subscription, "url"),
    (person, "totp"),
    (session, "id_token"),
    (one_time, "id_token"),
)
"""Tables and columns. The URL of a subscription may hold a password or a token of the receiver."""


def rotate(conn: Connection) -> int:
    """Store every secret as the newest key encrypts it. Returns how many changed. Raises UnreadableSecret."""
    keys, changed = vault(conn), 0
    for table, column, where, stored in list(_stored(conn)):
        if not keys.is_current(stored):
            conn.execute(table.update().where(*where).values({column: keys.seal(keys.unseal(stored))}))
            changed += 1
    return changed


def read_all(conn: Connection) -> None:
    """Decrypt every stored secret. Raises UnreadableSecret where a key is missing."""
    keys = vault(conn)
    for *_, stored in _stored(conn):
        keys.unseal(stored)


def outdated(conn: Connection) -> tuple[int, int]:
    """(how many secrets are stored otherwise than now, how many there are)."""
    keys = vault(conn)
    current = [keys.is_current(stored) for *_, stored in _stored(conn)]
    return current.count(False), len(current)


def _stored(conn: Connection) -> Iterator[tuple[Table, str, list[ColumnElement[bool]], str]]:
    for table, name in COLUMNS:
        identity: list[Column[object]] = list(table.primary_key)
        for *key, stored in conn.execute(
            select(*identity, table.c[name]).where(table.c[name].is_not(None))
        ).all():
            yield table, name, [column == value for column, value in zip(identity, key, strict=True)], stored
