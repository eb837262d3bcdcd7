"""Versions of every desk: read, parsed, cached and inserted.

A version is stored as the documents that were applied, with the holidays of its calendars, so that neither a changed
file nor a newer `holidays` package changes how it judges. Parsing takes milliseconds; parsed versions are cached by
number, since a version never changes. A planned version can be withdrawn before it is in force: that is read with each
query of a desk that ever planned one. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, bindparam, exists, func, select

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import parse_agreement
from app.sla.agreement.version import AppliesTo, Version, begun, in_order
from app.sla.availability.facts import ServiceFacts
from app.sla.calendar import Calendar, parse_calendars
from app.sla.calendar.holiday import HolidaySource
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.stored_holidays import StoredHolidays
from app.sla.limits import DEFAULT_LIMITS, Limits
from app.sla.span import Micros
from app.sla.subject import SubjectKey
from app.store import audit
from app.store.audit import Action
from app.store.contracts.contracts import note_desks
from app.store.contracts.stored_version import (
    Document,
    Documents,
    StoredVersion,
    Withdrawal,
    in_force_at,
)
from app.store.engine import row_security
from app.store.engine.database import Connection, memoized
from app.store.engine.desks import WITHOUT_PARKED
from app.store.engine.dialect import advisory_lock, advisory_lock_shared, has_row_security
from app.store.engine.kept import Kept
from app.store.engine.prepared import Prepared
from app.store.tables import contract as _contract
from app.store.tables import desk_version as _version
from app.store.tables import parked as _parked


@dataclass(frozen=True, slots=True)
class VersionWithoutHolidays:
    """A version that was stored before holidays were, by the calendar files that it counts by."""

    desk: str
    number: int
    calendars: Mapping[str, Document]


KEPT_EVENTS: Final = 50_000
"""Events of services whose facts are kept in memory, unless the settings say otherwise."""


class UnknownDesk(LookupError):
    """No such desk is known here. Put its agreement into force with `slatimer apply`."""


_LATEST: Final = select(_version.c.desk, func.max(_version.c.number)).group_by(_version.c.desk)
_NUMBERS: Final = Prepared(_LATEST)
# With what a write transaction would ask for besides: mostly a desk has neither, or one of them.
_BEGUN: Final = _LATEST.add_columns(
    exists().where(_contract.c.desk == _version.c.desk).label("contracts"),
    exists().where(_parked.c.desk == _version.c.desk).label("parked"),
)
_ALONE: Final = Prepared(_BEGUN)
_SHARED: Final = Prepared(_BEGUN.add_columns(row_security.STREAM_END.label("stream_end")))
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
_WITHDRAWN: Final = select(
    _version.c.number, _version.c.withdrawn_at, _version.c.withdrawn_by, _version.c.replaced_by
).where(_version.c.desk == bindparam("desk"), _version.c.withdrawn_at.is_not(None))
_WITHDRAW: Final = (
    _version.update()
    .where(_version.c.desk == bindparam("_desk"), _version.c.number == bindparam("_number"))
    .values(withdrawn_at=bindparam("at"), withdrawn_by=bindparam("who"), replaced_by=bindparam("replaced_by"))
)
_PUT: Final = _version.insert()
_SETTLED: Final = "versions"


class Catalogue:
    """The versions of every desk. One per process; it may be used from several threads.

    `installed` is where new versions take their holidays from, for `years_ahead` years, and all versions those of years
    that they do not store. `limits` measure new versions only.
    """

    def __init__(
        self,
        years_ahead: int,
        installed: HolidaySource = INSTALLED,
        limits: Limits = DEFAULT_LIMITS,
        kept_events: int = KEPT_EVENTS,
    ) -> None:
        self.years_ahead, self.installed, self.limits = years_ahead, installed, limits
        self._parsed: dict[str, tuple[StoredVersion, ...]] = {}
        self.service_facts = Kept[SubjectKey, ServiceFacts](kept_events)
        """The facts of services, which every statement and report of a desk needs."""

    def desks(self, conn: Connection) -> dict[str, int]:
        """The desks that have a version, each with the number of its latest."""
        return {row[0]: row[1] for row in _NUMBERS.rows(conn, {})}

    def settled(self, conn: Connection) -> dict[str, int]:
        """The same in a transaction that writes, under a shared lock: no version is inserted until it ends.

        Lock order: this lock comes before the locks of tickets. `apply` takes it exclusively, and a transaction that
        held a ticket while it waited for this one could deadlock with it.
        """
        return memoized(conn, _SETTLED, lambda: self._settle(conn))

    def _settle(self, conn: Connection) -> dict[str, int]:
        advisory_lock_shared(conn, _SETTLED)
        is_shared = has_row_security(conn)
        rows = (_SHARED if is_shared else _ALONE).rows(conn, {})
        note_desks(conn, (row.desk for row in rows if row.contracts))
        memoized(conn, WITHOUT_PARKED, set[str]).update(row.desk for row in rows if not row.parked)
        if rows and is_shared:
            memoized(conn, row_security.STREAM_END_READ, lambda: rows[0].stream_end)
        return {row[0]: row[1] for row in rows}

    def recorded(self, conn: Connection, desk: str, latest: int | None = None) -> tuple[StoredVersion, ...]:
        """Every version of a desk by its number, planned and withdrawn ones too. Raises UnknownDesk.

        `latest` saves the query for the latest number.
        """
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
        found = cached[:latest]
        if any(each.was_planned for each in found):
            return _with_withdrawals(conn, desk, found)
        return found

    def timeline(self, conn: Connection, desk: str, latest: int | None = None) -> tuple[Version, ...]:
        """The versions of a desk in the order in which they come into force, planned ones too. Raises UnknownDesk."""
        valid = (each for each in self.recorded(conn, desk, latest) if each.withdrawal is None)
        return in_order(each.version for each in valid)

    def versions(
        self, conn: Connection, desk: str, latest: int | None = None, *, at: Micros
    ) -> tuple[Version, ...]:
        """The versions that are in force or were before `at`, as the core needs them. Raises UnknownDesk."""
        return begun(self.timeline(conn, desk, latest), at)

    def in_force(
        self, conn: Connection, desk: str, latest: int | None = None, *, at: Micros
    ) -> StoredVersion:
        """The version of a desk in force at an instant. Raises UnknownDesk."""
        return in_force_at(self.recorded(conn, desk, latest), at)

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
        return StoredVersion(
            version=version,
            documents=documents,
            calendars=calendars,
            digest=row["digest"],
            recorded_at=recorded_at,
            note=row["note"],
            author=row["author"],
            author_note=row["author_note"],
        )


def _with_withdrawals(
    conn: Connection, desk: str, versions: tuple[StoredVersion, ...]
) -> tuple[StoredVersion, ...]:
    rows = conn.execute(_WITHDRAWN, {"desk": desk}).all()
    found = {row.number: Withdrawal(row.withdrawn_at, row.withdrawn_by, row.replaced_by) for row in rows}
    return tuple(replace(each, withdrawal=found.get(each.number)) for each in versions) if found else versions


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
    effective_from: Micros | None = None,
    author_note: str | None = None,
) -> None:
    """Insert a new version, in force from `effective_from`, else from when it is recorded. The documents must parse.

    The caller schedules what it may change. The author is the actor of this context.
    """
    conn.execute(
        _PUT,
        {
            "desk": desk,
            "number": number,
            "applied_at": recorded_at,
            "recorded_at": recorded_at,
            "effective_from": recorded_at if effective_from is None else effective_from,
            "applies_to": to.value,
            "agreement": None if documents.agreement is None else orjson.dumps(documents.agreement).decode(),
            "calendars": orjson.dumps(dict(documents.calendars)).decode(),
            "agreement_text": documents.agreement_text,
            "calendars_text": orjson.dumps(dict(documents.calendars_text or {})).decode(),
            "digest": documents.digest,
            "holidays": _holidays_text(documents.holidays),
            "note": note,
            "author": audit.acting.get().who,
            "author_note": author_note,
        },
    )
    audit.record(conn, Action.VERSION_APPLIED, [desk], f"version {number}", note=author_note or note)


def withdraw(conn: Connection, desk: str, number: int, at: Micros, *, replaced_by: int | None = None) -> None:
    """Take a planned version back: it never comes into force. The caller has checked that it is planned."""
    who = audit.acting.get().who
    values = {"_desk": desk, "_number": number, "at": at, "who": who, "replaced_by": replaced_by}
    conn.execute(_WITHDRAW, values)
    if replaced_by is None:
        audit.record(conn, Action.VERSION_WITHDRAWN, [desk], f"version {number}")


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
