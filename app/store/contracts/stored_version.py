"""A stored version of a desk: its documents, who applied it, and whether it is planned, in force or over.

Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import Version
from app.sla.calendar import Calendar
from app.sla.calendar.stored_holidays import StoredHolidays
from app.sla.span import Micros

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

    def is_same(self, other: "Documents") -> bool:
        """Whether both state the same and store the same holidays, for the same files."""
        return (
            self.digest == other.digest
            and self.holidays.keys() == other.holidays.keys()
            and all(stored.is_same(other.holidays[owner]) for owner, stored in self.holidays.items())
        )


def digest_of(content: object) -> str:
    """A hash of plain values, equal whatever the order of keys."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A planned version was taken back before it was in force, by a person or by the version that replaced it."""

    at: Micros
    by: str | None
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version with its documents and what they parse to.

    `note` states what it changes in the holidays, `author_note` what its author says; `author` is as in the audit log,
    None for a version of a release that did not store it.
    """

    version: Version
    documents: Documents
    calendars: Mapping[str, Calendar]
    digest: str
    recorded_at: Micros
    note: str | None
    author: str | None = None
    author_note: str | None = None
    withdrawal: Withdrawal | None = None

    @property
    def agreement(self) -> Agreement:
        """The agreement of this version."""
        return self.version.agreement

    @property
    def number(self) -> int:
        """Its number, from 1 on in the order of recording."""
        return self.version.number

    @property
    def was_planned(self) -> bool:
        """Whether it was recorded before it came into force; only such a version can be withdrawn."""
        return self.version.effective_from > self.recorded_at


class VersionState(StrEnum):
    """How a version stands at an instant."""

    PLANNED = "planned"
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    """Another one is in force since, or took its place before it was in force."""
    WITHDRAWN = "withdrawn"


def in_force_order(versions: Iterable[StoredVersion]) -> list[StoredVersion]:
    """The versions that are not withdrawn, in the order in which they come into force."""
    valid = (each for each in versions if each.withdrawal is None)
    return sorted(valid, key=lambda each: (each.version.effective_from, each.number))


def in_force_at(versions: Iterable[StoredVersion], at: Micros) -> StoredVersion:
    """The version in force at an instant; before the first one, the first: it judges everything before it too."""
    ordered = in_force_order(versions)
    return next((each for each in reversed(ordered) if each.version.effective_from <= at), ordered[0])


def planned_at(versions: Iterable[StoredVersion], at: Micros) -> list[StoredVersion]:
    """The versions that come into force after an instant, the next one first. The first version is never planned."""
    return [each for each in in_force_order(versions)[1:] if each.version.effective_from > at]


def states_at(versions: Sequence[StoredVersion], at: Micros) -> dict[int, VersionState]:
    """The state of each of a desk's versions at an instant, by number."""
    current = in_force_at(versions, at).number
    planned = {each.number for each in planned_at(versions, at)}
    found: dict[int, VersionState] = {}
    for each in versions:
        if each.withdrawal is not None and each.withdrawal.replaced_by is None:
            found[each.number] = VersionState.WITHDRAWN
        elif each.number == current:
            found[each.number] = VersionState.IN_FORCE
        else:
            found[each.number] = VersionState.PLANNED if each.number in planned else VersionState.REPLACED
    return found


def known_at(versions: Iterable[StoredVersion], as_of: Micros) -> list[StoredVersion]:
    """The versions that were recorded by an instant, as they stood then: what was withdrawn later is not yet."""
    return [
        replace(each, withdrawal=None) if each.withdrawal is not None and each.withdrawal.at > as_of else each
        for each in versions
        if each.recorded_at <= as_of
    ]
