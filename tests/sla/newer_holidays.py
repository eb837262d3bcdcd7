"""A later `holidays` package: it has Liberation Day, which the Netherlands close on every five years, in every year."""

from dataclasses import replace
from datetime import date

from app.sla.calendar.holiday import HolidaySet, HolidayYear
from app.sla.calendar.holiday_package import INSTALLED

NEWER = "holidays 99.1"
LIBERATION_DAY = "Liberation Day"


class NewerHolidays:
    """The installed package with one more holiday."""

    def version(self, holiday_set: HolidaySet) -> str:
        return NEWER

    def covered(self, holiday_set: HolidaySet) -> tuple[int, int]:
        return INSTALLED.covered(holiday_set)

    def year(self, holiday_set: HolidaySet, year: int) -> HolidayYear:
        found = INSTALLED.year(holiday_set, year)
        added = {date(year, 5, 5): LIBERATION_DAY} if holiday_set.country == "NL" else {}
        return replace(found, names=dict(sorted({**added, **found.names}.items())), version=NEWER)
