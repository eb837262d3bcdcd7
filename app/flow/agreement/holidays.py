"""Holidays of stored versions: taken from the installed package, stored once, compared with a newer package.

Versions of the release before have no holidays stored. A process stores them when it starts, from the package that it
has, which is what that release counted with: no due date moves. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import structlog

from app.sla.calendar import CalendarFault, parse_calendars
from app.sla.calendar.days_file import MOST_SETS
from app.sla.calendar.holiday_changes import changes, in_words
from app.sla.calendar.stored_holidays import StoredHolidays, take
from app.sla.document.faults import Fault, FaultyFile
from app.sla.span import Micros, instant
from app.store.contracts.catalogue import Catalogue, Documents, store_holidays, without_holidays
from app.store.engine.database import Connection, Database, EveryDesk

_log = structlog.stdlib.get_logger()


def with_holidays(catalogue: Catalogue, documents: Documents, now: Micros) -> Documents:
    """The documents with the holidays of each calendar file: the stored ones, or taken now. Raises CalendarFault."""
    holidays = {
        owner: documents.holidays.get(owner) or _taken(catalogue, owner, document, now, in_force=False)
        for owner, document in documents.calendars.items()
    }
    return replace(documents, holidays=holidays)


def _taken(
    catalogue: Catalogue, owner: str, document: Mapping[str, Any], now: Micros, *, in_force: bool
) -> StoredHolidays:
    """The holidays of a calendar file by the installed package, for the years that a version stores."""
    rules = [
        calendar.rules
        for calendar in parse_calendars(
            document, desk=owner, holidays=catalogue.installed, in_force=in_force
        ).values()
    ]
    sets = {each.holidays for each in rules} - {None}
    if not in_force and len(sets) > MOST_SETS:
        wrong = f"{len(sets)} different sets of holidays are more than one file may name"
        raise CalendarFault(
            [Fault("calendars", wrong, f"Name {MOST_SETS} sets or fewer, each by several calendars.")]
        )
    return take(rules, catalogue.installed, instant(now).year + catalogue.years_ahead)


def store_missing_holidays(database: Database, catalogue: Catalogue) -> int:
    """Store the holidays of versions that have none, in one transaction. Returns how many versions had none.

    Idempotent, and safe in several processes at once: the first one's holidays stay.
    """
    if not database.read_now(without_holidays):
        return 0

    def store(conn: Connection, now: Micros) -> int:
        missing = without_holidays(conn)
        for version in missing:
            try:
                holidays = {
                    owner: _taken(catalogue, owner, document, now, in_force=True)
                    for owner, document in version.calendars.items()
                }
            except FaultyFile as error:
                # The installed package does not know them any more: the desk cannot be judged, as before.
                _log.error(
                    "holidays missing for version",
                    desk=version.desk,
                    version=version.number,
                    error=str(error),
                )
            else:
                store_holidays(conn, version.desk, version.number, holidays)
        return len(missing)

    stored = database.write_now(store, EveryDesk.UPGRADE)
    catalogue.forget()
    return stored


def newer_holidays(conn: Connection, catalogue: Catalogue, now: Micros) -> dict[str, str]:
    """By desk what the installed package changes in the holidays of its version in force, in words."""
    found: dict[str, str] = {}
    for desk, number in sorted(catalogue.desks(conn).items()):
        own = catalogue.in_force(conn, desk, number, at=now).documents.holidays.get(desk)
        differing = [] if own is None else changes(own, catalogue.installed)
        if words := in_words(differing, catalogue.installed, _today(now)):
            found[desk] = words
    return found


def log_newer_holidays(database: Database, catalogue: Catalogue) -> None:
    """One line for each desk whose stored holidays differ from those of the installed package."""
    now = database.now()
    for desk, words in database.read_now(lambda conn: newer_holidays(conn, catalogue, now)).items():
        _log.warning("the installed holidays differ from the stored ones", desk=desk, difference=words)


def note_of(before: Documents | None, after: Documents, now: Micros) -> str | None:
    """What a new version changes in the holidays of the calendars that it keeps, in words; None for nothing."""
    if before is None:
        return None
    notes: list[str] = []
    for owner, holidays in after.holidays.items():
        old = before.holidays.get(owner)
        if old is not None and (words := in_words(changes(old, holidays), holidays, _today(now))):
            notes.append(words)
    # Files of several desks may close on the same country.
    return "; ".join(dict.fromkeys(notes)) or None


def _today(now: Micros) -> date:
    """The date in UTC: of several dates of a change the next one is shown."""
    return instant(now).date()
