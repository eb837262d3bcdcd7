"""The files of sources: each desk's configuration of its ticket systems.

One file a desk, the one applied last. Unlike an agreement it has no versions: a webhook that was read wrongly is read
again by the corrected file. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import bindparam, select

from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.tables import source as _source


@dataclass(frozen=True, slots=True)
class StoredSources:
    """A desk's file as applied. `digest` is equal for equal content, whatever the layout."""

    desk: str
    document: Mapping[str, Any]
    text: str
    digest: str
    applied_at: Micros


_DIGEST: Final = select(_source.c.digest).where(_source.c.desk == bindparam("desk"))
_FIND: Final = select(
    _source.c.desk, _source.c.document, _source.c.text, _source.c.digest, _source.c.applied_at
).where(_source.c.desk == bindparam("desk"))
_INSERT: Final = _source.insert()
_UPDATE: Final = (
    _source.update()
    .where(_source.c.desk == bindparam("_desk"))
    .values({name: bindparam(name) for name in ("document", "text", "digest", "applied_at")})
)


def digest_of(document: Mapping[str, Any]) -> str:
    """A digest of the document; equal documents have equal digests."""
    return sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def digest(conn: Connection, desk: str) -> str | None:
    """The digest of the file in force; none without one. Cheaper than `find`."""
    return conn.execute(_DIGEST, {"desk": desk}).scalar()


def find(conn: Connection, desk: str) -> StoredSources | None:
    """The file in force, if there is one."""
    row = conn.execute(_FIND, {"desk": desk}).first()
    if row is None:
        return None
    return StoredSources(row[0], orjson.loads(row[1]), row[2], row[3], row[4])


def put(conn: Connection, desk: str, document: Mapping[str, Any], text: str, now: Micros) -> bool:
    """Put a file into force. Returns whether that changed anything. The file must parse."""
    found = digest_of(document)
    before = digest(conn, desk)
    if before == found:
        return False
    content = {
        "document": orjson.dumps(document).decode(),
        "text": text,
        "digest": found,
        "applied_at": now,
    }
    if before is None:
        conn.execute(_INSERT, {"desk": desk, **content})
    else:
        conn.execute(_UPDATE, {"_desk": desk, **content})
    audit.record(conn, Action.SOURCES_APPLIED, [desk], f"digest {found}")
    return True
