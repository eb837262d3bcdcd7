"""Versions of every desk: read, parsed, cached and inserted.

A version is stored as the documents that were applied, with the holidays of its calendars, so that neither a changed
file nor a newer `holidays` package changes how it judges. Parsing takes milliseconds; parsed versions are cached by
number, since a version never changes. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, bindparam, exists, func, select

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import parse_agreement
from app.sla.calendar import Calendar, parse_calendars
from app.sla.calendar.holiday import HolidaySource
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.stored_holidays import StoredHolidays
from app.sla.clock.evaluation import AppliesTo, Version
from app.sla.limits import DEFAULT_LIMITS, Limits
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.contracts.contracts import note_desks
from app.store.engine.database import Connection, memoized
from app.store.engine.dialect import advisory_lock, advisory_lock_shared
from app.store.tables import contract as _contract
from app.store.tables import desk_version as _version

Document = Mapping[str, Any]
"""A file as read: tables, lists and plain values."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What a version is made of.

    `calendars` holds the calendar file of each desk that the agreement counts by, `holidays` the stored holidays of
    each of these files; a file without them counts with the installed package.
    """

    agreement: Document | None
    calendars: Mapping[str, Document]
    agreement_text: str | None = None
    calendars_text: Mapping[str, str] | None = None
    holidays: Mapping[str, StoredHolidays] = field(default_factory=dict[str, StoredHolidays])

    @property
    def digest(self) -> str:
        """A hash of the content, equal however the files are laid out. The holidays are not part of it."""
        return digest_of((self.agreement, dict(self.calendars)))


def digest_of(content: object) -> str:
    """A hash of plain values, equal whatever the order of keys."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version with its documents and what they parse to. `note` states what it changes, where that is recorded."""

    version: Version
    documents: Documents
    calendars: Mapping[str, Calendar]
    digest: str
    recorded_at: Micros
    note: str | None

    @property
    def agreement(self) -> Agreement:
        """The agreement of this version."""
        return self.version.agreement


@dataclass(frozen=True, slots=True)
class VersionWithoutHolidays:
    """A version that was stored before holidays were, by the calendar files that it counts by."""

    desk: str
    number: int
    calendars: Mapping[str, Document]


class UnknownDesk(LookupError):
    """No such desk is known here. Put its agreement into force with `slatimer apply`."""


_NUMBERS: Final = select(
    _version.c.desk,
    func.max(_version.c.number),
    exists().where(_contract.c.desk == _version.c.desk).label("contracts"),
).group_by(_version.c.desk)
_VERSIONS: Final = (
    select(_version)
    .where(_version.c.desk == bindparam("desk"), _version.c.number > bindparam("after"))
    .order_by(_version.c.number)
)
_WITHOUT_HOLIDAYS: Final = (
    select(_version.c.desk, _version.c.number, _version.c.calendars)
    .where(_version.c.holidays.is_(None))
    .order_by(_version.c.desk, _version.c.number)
)
# Compare-and-set: of several processes that start at once, the first one's holidays stay.
_STORE_HOLIDAYS: Final = (
    _version.update()
    .where(
        _version.c.desk == bindparam("_desk"),
        _version.c.number == bindparam("_number"),
        _version.c.holidays.is_(None),
    )
    .values(holidays=bindparam("holidays"))
)
_PUT: Final = _version.insert()
_SETTLED: Final = "versions"


class Catalogue:
    """The versions of every desk. One per process; it may be used from several threads.

    `installed` is where new versions take their holidays from, for `years_ahead` years, and all versions those of years
    that they do not store. `limits` measure new versions only.
    """

    def __init__(
        self, years_ahead: int, installed: HolidaySource = INSTALLED, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.years_ahead, self.installed, self.limits = years_ahead, installed, limits
        self._parsed: dict[str, tuple[StoredVersion, ...]] = {}

    def desks(self, conn: Connection) -> dict[str, int]:
        """The desks that have a version, each with the number of its latest."""
        return {row[0]: row[1] for row in conn.execute(_NUMBERS).all()}

    def settled(self, conn: Connection) -> dict[str, int]:
        """The same in a transaction that writes, under a shared lock: no version is inserted until it ends.

        Lock order: this lock comes before the locks of tickets. `apply` takes it exclusively, and a transaction that
        held a ticket while it waited for this one could deadlock with it.
        """
        return memoized(conn, _SETTLED, lambda: self._settle(conn))

    def _settle(self, conn: Connection) -> dict[str, int]:
        advisory_lock_shared(conn, _SETTLED)
        rows = conn.execute(_NUMBERS).all()
        note_desks(conn, (row.desk for row in rows if row.contracts))
        return {row[0]: row[1] for row in rows}

    def history(self, conn: Connection, desk: str, latest: int | None = None) -> tuple[StoredVersion, ...]:
        """The versions of a desk, oldest first. Raises UnknownDesk. `latest` saves the query for the latest number."""
        if latest is None:
            latest = self.desks(conn).get(desk)
        if latest is None:
            raise UnknownDesk(f"no desk {desk!r} is known")
        cached = self._parsed.get(desk, ())
        if len(cached) < latest:
            rows = conn.execute(_VERSIONS, {"desk": desk, "after": len(cached)}).mappings().all()
            cached = (*cached, *(self._stored(desk, row) for row in rows))
            # Versions are numbered without a gap and never change, so it does not matter which thread writes last.
            self._parsed[desk] = cached
        return cached[:latest]

    def versions(self, conn: Connection, desk: str, latest: int | None = None) -> tuple[Version, ...]:
        """The versions of a desk as the core needs them, oldest first. Raises UnknownDesk."""
        return tuple(stored.version for stored in self.history(conn, desk, latest))

    def forget(self) -> None:
        """Empty the cache: a version was rolled back with its transaction, or its row was changed."""
        self._parsed.clear()

    def parsed(self, desk: str, documents: Documents) -> tuple[Agreement, dict[str, Calendar]]:
        """The agreement and the calendars of these documents. Raises FaultyFile, with every fault."""
        calendars: dict[str, Calendar] = {}
        for owner, document in documents.calendars.items():
            holidays = documents.holidays.get(owner, self.installed)
            calendars |= parse_calendars(document, desk=owner, holidays=holidays, in_force=True)
        if documents.agreement is None:
            return Agreement(desk=desk, name=desk, commitments=()), calendars
        return parse_agreement(documents.agreement, calendars=calendars), calendars

    def _stored(self, desk: str, row: RowMapping) -> StoredVersion:
        holidays: Mapping[str, Any] = orjson.loads(row["holidays"] or "{}")
        documents = Documents(
            agreement=None if row["agreement"] is None else orjson.loads(row["agreement"]),
            calendars=orjson.loads(row["calendars"]),
            agreement_text=row["agreement_text"],
            calendars_text=orjson.loads(row["calendars_text"]),
            holidays={
                owner: StoredHolidays.of_document(document, self.installed)
                for owner, document in holidays.items()
            },
        )
        agreement, calendars = self.parsed(desk, documents)
        # A process of the release before writes `applied_at` only.
        recorded_at = row["applied_at"] if row["recorded_at"] is None else row["recorded_at"]
        effective_from = recorded_at if row["effective_from"] is None else row["effective_from"]
        version = Version(row["number"], agreement, effective_from, AppliesTo(row["applies_to"]), recorded_at)
        return StoredVersion(version, documents, calendars, row["digest"], recorded_at, row["note"])


def lock_versions(conn: Connection) -> None:
    """Take the exclusive lock on versions until the transaction ends: no evaluation runs while one is inserted.

    What was judged before it can be marked to be judged again; what is judged after it uses the new version.
    """
    advisory_lock(conn, [_SETTLED])


def put(
    conn: Connection,
    desk: str,
    number: int,
    documents: Documents,
    recorded_at: Micros,
    to: AppliesTo,
    *,
    note: str | None = None,
) -> None:
    """Insert a new version, in force from the instant at which it is recorded. The documents must parse.

    A version that takes effect later needs a wake-up of every open ticket at that instant: not supported yet.
    """
    conn.execute(
        _PUT,
        {
            "desk": desk,
            "number": number,
            "applied_at": recorded_at,
            "recorded_at": recorded_at,
            "effective_from": recorded_at,
            "applies_to": to.value,
            "agreement": None if documents.agreement is None else orjson.dumps(documents.agreement).decode(),
            "calendars": orjson.dumps(dict(documents.calendars)).decode(),
            "agreement_text": documents.agreement_text,
            "calendars_text": orjson.dumps(dict(documents.calendars_text or {})).decode(),
            "digest": documents.digest,
            "holidays": _holidays_text(documents.holidays),
            "note": note,
        },
    )
    audit.record(conn, Action.VERSION_APPLIED, [desk], f"version {number}", note=note)


def without_holidays(conn: Connection) -> list[VersionWithoutHolidays]:
    """The versions that the release before stored, and has stored beside this one since."""
    rows = conn.execute(_WITHOUT_HOLIDAYS).all()
    return [VersionWithoutHolidays(row[0], row[1], orjson.loads(row[2])) for row in rows]


def store_holidays(conn: Connection, desk: str, number: int, holidays: Mapping[str, StoredHolidays]) -> None:
    """Store the holidays of a version that has none yet. Idempotent: a version that has some keeps them."""
    values = {"_desk": desk, "_number": number, "holidays": _holidays_text(holidays)}
    conn.execute(_STORE_HOLIDAYS, values)


def _holidays_text(holidays: Mapping[str, StoredHolidays]) -> str:
    return orjson.dumps({owner: stored.document() for owner, stored in holidays.items()}).decode()
