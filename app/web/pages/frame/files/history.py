"""The versions of a desk as its pages show them: a list, and one with its text and what it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.flow.query.desks import own_calendars
from app.flow.query.versions import (
    ListedVersion,
    Part,
    UnknownVersion,
    difference_lines,
    difference_of,
    listed_versions,
    text_of,
    version_of,
)
from app.sla.agreement.version import AppliesTo
from app.store.contracts.catalogue import UnknownDesk
from app.store.contracts.stored_version import StoredVersion, VersionState
from app.store.engine.database import Connection
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.words import Words

STATES: Final = {
    VersionState.PLANNED: N_("planned"),
    VersionState.IN_FORCE: N_("in force"),
    VersionState.REPLACED: N_("replaced"),
    VersionState.WITHDRAWN: N_("withdrawn"),
}
PARTS: Final = {Part.AGREEMENT: N_("agreement"), Part.CALENDARS: N_("calendars")}
APPLIES_TO: Final = {
    AppliesTo.NEW: N_("New tickets only"),
    AppliesTo.OPEN: N_("Open tickets too, from their start"),
    AppliesTo.REST: N_("Open tickets too, for the rest of their lives"),
}


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One version of the list, in words."""

    number: int
    state: str
    is_planned: bool
    changes: str
    since: str
    applies_to: str
    who: str | None
    note: str | None


async def versions_of(reader: Reader, desk: str) -> tuple[StoredVersion, ...]:
    """Every version of a desk. Raises Problem."""
    must_see(reader.caller, desk)
    try:
        return await reader.read(lambda conn: reader.runtime.catalogue.recorded(conn, desk))
    except UnknownDesk as error:
        raise not_found("desk", desk) from error


async def zone_of(reader: Reader, desk: str) -> str:
    """The time zone in which a desk's pages write instants: that of its first calendar, else of its agreement."""

    def read(conn: Connection) -> str:
        catalogue = reader.runtime.catalogue
        if desk not in catalogue.desks(conn):
            return "UTC"
        return zone_in(catalogue.in_force(conn, desk, at=reader.now), desk)

    return await reader.read(read)


def zone_in(stored: StoredVersion, desk: str) -> str:
    """The same, of a version."""
    own = own_calendars(desk, stored.calendars)
    return own[0].time_zone if own else stored.agreement.time_zone


def history(words: Words, versions: Sequence[StoredVersion], zone: str, reader: Reader) -> list[HistoryRow]:
    """The list of versions, the newest first."""
    listed = listed_versions(versions, reader.now)
    return [_row(words, each, zone, reader) for each in reversed(listed)]


def _row(words: Words, listed: ListedVersion, zone: str, reader: Reader) -> HistoryRow:
    stored = listed.stored
    since = stored.version.effective_from
    return HistoryRow(
        stored.number,
        words.say(STATES[listed.state]),
        listed.state is VersionState.PLANNED,
        words.both(*(words.say(PARTS[part]) for part in listed.changes)) if listed.changes else "",
        words.written(since, zone, reader.now),
        words.say(APPLIES_TO[stored.version.applies_to]),
        stored.author,
        stored.author_note or stored.note,
    )


def one_version(
    versions: Sequence[StoredVersion], part: Part, desk: str, number: int, since: int | None
) -> dict[str, Any]:
    """A version's text, and what it changes of `since`, else of the one before it. Raises Problem."""
    try:
        stored = version_of(versions, number)
        other = version_of(versions, since) if since else version_of(versions, max(number - 1, 1))
    except UnknownVersion as error:
        raise not_found("version", str(since or number)) from error
    return {
        "number": number,
        "other": other.number,
        "numbers": [each.number for each in versions if each.number != number],
        "text": text_of(stored, part, desk),
        "differences": difference_lines(difference_of(other, stored, part, desk)),
        "note": stored.author_note or stored.note,
        "who": stored.author,
    }
