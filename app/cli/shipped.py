"""The calendars that come with the service."""

from pathlib import Path

from app.flow.agreement.desk_files import read_files
from app.sla.calendar import Calendar, parse_calendars


def shipped_calendars(folder: Path) -> dict[str, Calendar]:
    """The calendars of a folder by their references, as "haisoft/tickets"."""
    found: dict[str, Calendar] = {}
    for file in read_files([folder]):
        found |= parse_calendars(file.document, desk=file.desk)
    return found
