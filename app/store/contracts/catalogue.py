"""What has each desk promised, in which versions?

A version is stored as the documents that were applied, and parsed when first asked for; parsing costs milliseconds,
so parsed ones are kept, by number, since a version never changes. The rule it guards: a version is judged by the
documents that it was applied with, whatever the files say today. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, bindparam, func, select

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import parse_agreement
from app.sla.calendar import Calendar, parse_calendars
from app.sla.clock.evaluation import AppliesTo, Version
from app.sla.span import Micros
from app.store.engine.database import Connection, memoized
from app.store.engine.dialect import advisory_lock, advisory_lock_shared
from app.store.tables import desk_version as _version

Document = Mapping[str, Any]
"""A file as read: tables, lists and plain values."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What a version is made of. `calendars` holds the calendar file of each desk that the agreement counts by."""

    agreement: Document | None
    calendars: Mapping[str, Document]
    agreement_text: str | None = None
    calendars_text: Mapping[str, str] | None = None

    @property
    def digest(self) -> str:
        """Equal for equal content, however the files are laid out."""
        content = (self.agreement, dict(self.calendars))
        return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version with its documents and what they parse to."""

    version: Version
    documents: Documents
    calendars: Mapping[str, Calendar]
    digest: str

    @property
    def agreement(self) -> Agreement:
        """What the desk has promised."""
        return self.version.agreement


class UnknownDesk(LookupError):
    """No such desk is known here. Put its agreement into force with `slatimer apply`."""


_NUMBERS: Final = select(_version.c.desk, func.max(_version.c.number)).group_by(_version.c.desk)
_VERSIONS: Final = (
    select(_version)
    .where(_version.c.desk == bindparam("desk"), _version.c.number > bindparam("after"))
    .order_by(_version.c.number)
)
_PUT: Final = _version.insert()
_SETTLED: Final = "versions"


class Catalogue:
    """The versions of every desk. One per process; safe to be asked from several threads."""

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[StoredVersion, ...]] = {}

    def desks(self, conn: Connection) -> dict[str, int]:
        """The desks that have a version, each with the number of its latest."""
        return {row[0]: row[1] for row in conn.execute(_NUMBERS).all()}

    def settled(self, conn: Connection) -> dict[str, int]:
        """The same in a transaction that writes: no version comes until it ends.

        To be asked before any ticket is held, so that it does not wait for one who applies and waits for the ticket.
        """
        return memoized(conn, _SETTLED, lambda: self._settle(conn))

    def _settle(self, conn: Connection) -> dict[str, int]:
        advisory_lock_shared(conn, _SETTLED)
        return self.desks(conn)

    def history(self, conn: Connection, desk: str, latest: int | None = None) -> tuple[StoredVersion, ...]:
        """The versions of a desk, oldest first. Raises UnknownDesk. `latest` saves asking which is the latest."""
        if latest is None:
            latest = self.desks(conn).get(desk)
        if latest is None:
            raise UnknownDesk(f"no desk {desk!r} is known")
        held = self._parsed.get(desk, ())
        if len(held) < latest:
            rows = conn.execute(_VERSIONS, {"desk": desk, "after": len(held)}).mappings().all()
            held = (*held, *(_stored(desk, row) for row in rows))
            # Versions are numbered without a gap and never change, so whichever thread is last is as right.
            self._parsed[desk] = held
        return held[:latest]

    def versions(self, conn: Connection, desk: str, latest: int | None = None) -> tuple[Version, ...]:
        """The versions of a desk as the core needs them, oldest first. Raises UnknownDesk."""
        return tuple(stored.version for stored in self.history(conn, desk, latest))

    def forget(self) -> None:
        """Read again what is asked for next: a version was taken back with its transaction."""
        self._parsed.clear()


def lock_versions(conn: Connection) -> None:
    """Be the only one that puts versions, with nobody judging by those that are, until the transaction ends.

    What was judged before is there to be looked at again; what is judged afterwards is judged by what was put.
    """
    advisory_lock(conn, [_SETTLED])


def put(
    conn: Connection, desk: str, number: int, documents: Documents, applied_at: Micros, to: AppliesTo
) -> None:
    """Store a new version. The documents must parse; `parsed` tells."""
    conn.execute(
        _PUT,
        {
            "desk": desk,
            "number": number,
            "applied_at": applied_at,
            "applies_to": to.value,
            "agreement": None if documents.agreement is None else orjson.dumps(documents.agreement).decode(),
            "calendars": orjson.dumps(dict(documents.calendars)).decode(),
            "agreement_text": documents.agreement_text,
            "calendars_text": orjson.dumps(dict(documents.calendars_text or {})).decode(),
            "digest": documents.digest,
        },
    )


def parsed(desk: str, documents: Documents) -> tuple[Agreement, dict[str, Calendar]]:
    """What the documents say. Raises FaultyFile, with every fault, for documents that cannot be read."""
    calendars: dict[str, Calendar] = {}
    for owner, document in documents.calendars.items():
        calendars |= parse_calendars(document, desk=owner)
    if documents.agreement is None:
        return Agreement(desk=desk, name=desk, commitments=()), calendars
    return parse_agreement(documents.agreement, calendars=calendars), calendars


def _stored(desk: str, row: RowMapping) -> StoredVersion:
    documents = Documents(
        agreement=None if row["agreement"] is None else orjson.loads(row["agreement"]),
        calendars=orjson.loads(row["calendars"]),
        agreement_text=row["agreement_text"],
        calendars_text=orjson.loads(row["calendars_text"]),
    )
    agreement, calendars = parsed(desk, documents)
    version = Version(row["number"], agreement, row["applied_at"], AppliesTo(row["applies_to"]))
    return StoredVersion(version, documents, calendars, row["digest"])
