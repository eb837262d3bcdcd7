"""Queries of a desk's versions: their list, one as written, the difference between two.

A version holds the desk's agreement and its calendars; each is shown apart. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.flow.query.serialize import Json, instant_text
from app.sla.calendar.holiday_changes import HolidayChange, changes
from app.sla.document.difference import KeyChange, difference, plain
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.stored_version import (
    Document,
    Documents,
    StoredVersion,
    VersionState,
    digest_of,
    in_force_at,
    in_force_order,
    known_at,
    states_at,
)
from app.store.engine.database import Connection

_NOTHING: Final = Documents(None, {})


class Part(StrEnum):
    """The two documents of a desk's version."""

    AGREEMENT = "agreement"
    CALENDARS = "calendars"


class UnknownVersion(LookupError):
    """The desk has no version of this number. Its list has them all."""


class NoVersionKnown(LookupError):
    """No version of the desk was known at that instant. Ask for a later one."""


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version, how it stands now, and which documents it changed."""

    stored: StoredVersion
    state: VersionState
    changes: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """What differs between a document of two versions: its keys, and the stored holidays of calendars."""

    old: StoredVersion
    new: StoredVersion
    keys: tuple[KeyChange, ...]
    holidays: tuple[HolidayChange, ...]


def listed_versions(versions: Sequence[StoredVersion], now: Micros) -> list[ListedVersion]:
    """All versions of a desk by number."""
    states = states_at(versions, now)
    return [
        ListedVersion(each, states[each.number], _changed(_followed(versions, each), each))
        for each in versions
    ]


def _followed(versions: Sequence[StoredVersion], version: StoredVersion) -> StoredVersion | None:
    """The version that it follows, or would have followed: what was in force before it by what was recorded then."""
    earlier = [
        each
        for each in in_force_order(known_at(versions, version.recorded_at))
        if each.number != version.number and each.version.effective_from <= version.version.effective_from
    ]
    return earlier[-1] if earlier else None


def _changed(before: StoredVersion | None, version: StoredVersion) -> tuple[Part, ...]:
    return tuple(_parts(before, version))


def _parts(before: StoredVersion | None, version: StoredVersion) -> Iterator[Part]:
    old, new = _NOTHING if before is None else before.documents, version.documents
    if digest_of(old.agreement) != digest_of(new.agreement):
        yield Part.AGREEMENT
    if not replace(old, agreement=None).is_same(replace(new, agreement=None)):
        yield Part.CALENDARS


def version_of(versions: Sequence[StoredVersion], number: int) -> StoredVersion:
    """The version of a number. Raises UnknownVersion."""
    found = next((each for each in versions if each.number == number), None)
    if found is None:
        raise UnknownVersion(f"there is no version {number}; there are 1 to {len(versions)}")
    return found


def version_at(
    conn: Connection, catalogue: Catalogue, desk: str, now: Micros, at: Micros | None, as_of: Micros | None
) -> tuple[StoredVersion, list[StoredVersion]]:
    """The version in force at an instant by what was known at another, and all that were known then.

    Raises UnknownDesk and NoVersionKnown.
    """
    known_by = now if as_of is None else as_of
    known = known_at(catalogue.recorded(conn, desk), known_by)
    if not known:
        raise NoVersionKnown(f"nothing was known of desk {desk!r} at {instant_text(known_by)}")
    return in_force_at(known, known_by if at is None else at), known


def document_of(version: StoredVersion, part: Part, desk: str) -> Document | None:
    """The agreement, or the desk's own calendar file."""
    documents = version.documents
    return documents.agreement if part is Part.AGREEMENT else documents.calendars.get(desk)


def text_of(version: StoredVersion, part: Part, desk: str) -> str | None:
    """The same as written in TOML; None where it was sent as JSON."""
    documents = version.documents
    if part is Part.AGREEMENT:
        return documents.agreement_text or None
    return (documents.calendars_text or {}).get(desk) or None


def difference_of(old: StoredVersion, new: StoredVersion, part: Part, desk: str) -> VersionDifference:
    """What differs between a document of two versions."""
    keys = difference(document_of(old, part, desk) or {}, document_of(new, part, desk) or {})
    holidays: list[HolidayChange] = []
    if part is Part.CALENDARS:
        before, after = old.documents.holidays.get(desk), new.documents.holidays.get(desk)
        if before is not None and after is not None:
            holidays = changes(before, after)
    return VersionDifference(old, new, keys, tuple(holidays))


def version_json(each: ListedVersion) -> Json:
    """A version of a list."""
    stored, version, withdrawal = each.stored, each.stored.version, each.stored.withdrawal
    return {
        "number": version.number,
        "state": each.state.value,
        "changes": [part.value for part in each.changes],
        "applied_at": instant_text(stored.recorded_at),
        "recorded_at": instant_text(stored.recorded_at),
        "effective_from": instant_text(version.effective_from),
        "applies_to": version.applies_to.value,
        "who": stored.author,
        "digest": stored.digest,
        "note": stored.author_note or stored.note,
        "holiday_changes": stored.note,
        "withdrawn_at": None if withdrawal is None else instant_text(withdrawal.at),
        "withdrawn_by": None if withdrawal is None else withdrawal.by,
        "replaced_by": None if withdrawal is None else withdrawal.replaced_by,
    }


def difference_json(desk: str, found: VersionDifference) -> Json:
    """A difference, each change also as a sentence."""
    return {
        "desk": desk,
        "from": found.old.number,
        "to": found.new.number,
        "changes": changes_json(found.keys),
        "holidays": [
            {
                "date": on.isoformat(),
                "name": change.name,
                "change": change.change,
                "holidays": change.holiday_set.name,
            }
            for change in found.holidays
            for on in change.dates
        ],
    }


def changes_json(changed: Iterable[KeyChange]) -> list[Json]:
    """Changed keys, each also as a sentence."""
    return [
        {
            "key": change.key,
            "change": change.kind.value,
            "old": plain(change.old),
            "new": plain(change.new),
            "text": change.sentence,
        }
        for change in changed
    ]


def difference_lines(found: VersionDifference) -> list[str]:
    """A difference in sentences."""
    days = [(on, change) for change in found.holidays for on in change.dates]
    return [
        *(change.sentence for change in found.keys),
        *(f"holiday {on} {change.change}: {change.name} ({change.holiday_set.name})" for on, change in days),
    ]
