"""Look-up of a desk's calendar in force, as an address names it."""

from typing import Annotated

from fastapi import Path

from app.sla.calendar import Calendar
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue, StoredVersion
from app.store.engine.database import Connection
from app.web.http.problems import not_found

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
Name = Annotated[str, Path(description="the calendar's name in the desk's file", examples=["tickets"])]


def names_of(desk: str, stored: StoredVersion) -> list[str]:
    """The names of the desk's own calendars, in order."""
    return sorted(stored.documents.calendars.get(desk, {}).get("calendars", {}))


def calendar_in_force(
    conn: Connection, catalogue: Catalogue, desk: str, name: str, now: Micros
) -> tuple[StoredVersion, Calendar]:
    """A calendar in force and its version. Raises Problem: not found."""
    latest = catalogue.desks(conn).get(desk)
    if latest is None:
        raise not_found("desk", desk)
    stored = catalogue.in_force(conn, desk, latest, at=now)
    return stored, calendar_of(stored, desk, name)


def calendar_of(stored: StoredVersion, desk: str, name: str) -> Calendar:
    """A calendar of this version. Raises Problem: not found."""
    if name not in names_of(desk, stored):
        raise not_found("calendar", f"{desk}/{name}")
    return stored.calendars[f"{desk}/{name}"]
