"""Calendars: opening hours in a time zone, holidays and overrides, and the deadlines counted in them.

An instant is open when the local time of the zone lies inside the hours of its date. The methods here take aware
datetimes and return UTC datetimes; the same methods in int microseconds, which the core uses, end in `_us`.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from app.sla.calendar.compiled import NeverCloses, NeverOpen, UncoveredYear
from app.sla.calendar.days_file import HolidayNames
from app.sla.calendar.digest import digest_of
from app.sla.calendar.file import CalendarFault, parse_rules
from app.sla.calendar.holiday import HolidaySource
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.opening import ALL_DAY, Opening
from app.sla.calendar.rules import OpeningRules
from app.sla.calendar.spans import CalendarSpan
from app.sla.calendar.special_days import ClosedDay
from app.sla.calendar.working_time import WorkingTime
from app.sla.calendar.zone import zone
from app.sla.document.faults import Fault
from app.sla.document.table import Table
from app.sla.span import duration, instant, length_of, micros

if TYPE_CHECKING:
    from app.sla.calendar.bulk import BulkYears, Instants, Seconds

__all__ = [
    "Calendar",
    "CalendarFault",
    "CalendarSpan",
    "ClosedDay",
    "NeverCloses",
    "NeverOpen",
    "UncoveredYear",
    "parse_calendars",
]


class Calendar(WorkingTime):
    """One calendar of a desk. Calendars are equal when their names, their rules and their holidays are.

    `digest` is a stable hash of the rules in their normal form, `version` the package that the holidays were taken
    from ("holidays 0.109", None without a country): both belong into the record of a computed deadline.
    """

    def __init__(
        self, rules: OpeningRules, *, name: str, always: bool = False, holidays: HolidaySource = INSTALLED
    ) -> None:
        super().__init__(name, Opening(rules, holidays), zone(rules.time_zone), always=always)
        self.rules = rules
        self.time_zone = rules.time_zone
        self.version = holidays.version(rules.holidays) if rules.holidays else None
        self.digest = digest_of(rules, always=always)
        self._bulk: BulkYears | None = None

    @staticmethod
    def parse(
        spec: Mapping[str, object], *, name: str = "calendar", holidays: HolidaySource = INSTALLED
    ) -> "Calendar":
        """The calendar that a table of a calendar file describes. Raises CalendarFault with every fault."""
        rules = parse_rules(spec, holidays=holidays, names=HolidayNames(holidays))
        return Calendar(rules, name=name, holidays=holidays)

    @staticmethod
    def always(time_zone: str = "UTC") -> "Calendar":
        """The calendar that is open at every instant; day targets count the dates of its zone."""
        return _always(time_zone)

    def after(self, length: timedelta, *, since: datetime) -> datetime:
        """The deadline: the earliest instant by which `length` of open time has passed since `since`."""
        return instant(self.after_us(length_of(length), micros(since)))

    def within(self, start: datetime, end: datetime) -> timedelta:
        """The open time from start to end, negative when end is before start."""
        return duration(self.within_us(micros(start), micros(end)))

    def is_open(self, at: datetime) -> bool:
        """Whether an instant is open."""
        return self.is_open_us(micros(at))

    def next_open(self, at: datetime) -> datetime:
        """The first open instant at or after `at`."""
        return instant(self.next_open_us(micros(at)))

    def next_close(self, at: datetime) -> datetime:
        """The end of the open span that contains `at`, else of the next one."""
        return instant(self.next_close_us(micros(at)))

    def close_of_working_day(self, n: int, *, since: datetime) -> datetime:
        """The closing of the n-th working day after the local date of `since`."""
        return instant(self.close_of_working_day_us(n, micros(since)))

    def spans(self, start: datetime, end: datetime) -> list[CalendarSpan]:
        """Every span from start to end, open or closed, with its reason; instants in micros."""
        return self.spans_us(micros(start), micros(end))

    def after_many(self, starts: "Instants", seconds: "Seconds") -> "Instants":
        """`after` for many starts at once: int64 microseconds UTC in and out; durations in seconds, one for all or one
        each, whole or with a fraction. Raises as `after` does, for the whole array."""
        return self._bulk_years().after_each(starts, seconds)

    def within_many(self, starts: "Instants", ends: "Instants") -> "Instants":
        """`within` for many pairs of instants: int64 microseconds UTC in, int64 microseconds of open time out."""
        return self._bulk_years().within(starts, ends)

    def _bulk_years(self) -> "BulkYears":
        # Importing numpy takes 0.15 s: only a process that counts in bulk pays for it.
        from app.sla.calendar.bulk import BulkYears

        if self._bulk is None:
            self._bulk = BulkYears(self._years)
        return self._bulk

    def counts_as(self, other: "Calendar") -> bool:
        """Whether the other has the same rules and the same holidays, by whatever name."""
        if self is other:
            return True
        same_holidays = self.version is None or self._opening.source == other._opening.source
        return self.digest == other.digest and same_holidays

    def local(self, at: int) -> datetime:
        """An instant in microseconds as an aware datetime of the calendar's zone."""
        return self._zone.local(at)

    @property
    def holiday_source(self) -> HolidaySource:
        """Where its holidays come from."""
        return self._opening.source

    @property
    def covered(self) -> tuple[int, int]:
        """The first and the last year that it covers."""
        return self._opening.covered

    def closed_days(self, year: int) -> list[ClosedDay]:
        """Every holiday and override of a year with its cause, in order. Raises UncoveredYear."""
        return list(self._covering(year).closed_days(year))

    def holiday_on(self, on: date) -> ClosedDay | None:
        """The holiday of a date, if it is one. Raises UncoveredYear."""
        return self._covering(on.year).holiday_on(on)

    def _covering(self, year: int) -> Opening:
        first, last = self._opening.covered
        if not first <= year <= last:
            raise UncoveredYear(self.name, year, (first, last))
        return self._opening

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and self.name == other.name and self.counts_as(other)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def __repr__(self) -> str:
        return f"Calendar({self.name}, {self.time_zone}, {self.digest[:12]})"


def parse_calendars(
    document: Mapping[str, object],
    *,
    desk: str,
    holidays: HolidaySource = INSTALLED,
    in_force: bool = False,
) -> dict[str, Calendar]:
    """The calendars of one desk's file by their references, as "haisoft/tickets".

    `in_force`: a release accepted the file, so it is not measured by what later ones ask for. Raises CalendarFault with
    the faults of all of them; each names its key from the top of the file.
    """
    names = None if in_force else HolidayNames(holidays)
    faults: list[Fault] = []
    top = Table(document, "", faults)
    tables = top.table("calendars", example="[calendars.desk] with its hours")
    if not tables.content and not faults:
        top.fault("calendars", "the file has no calendar", "Write [calendars.desk] with its hours.")
    found: dict[str, Calendar] = {}
    for key in tables.content:
        inner = tables.inner(key, tables.value(key), example=f"[calendars.{key}] with its hours")
        if inner is None:
            continue
        try:
            rules = parse_rules(inner.content, place=inner.place, holidays=holidays, names=names)
        except CalendarFault as fault:
            faults += fault.faults
        else:
            found[f"{desk}/{key}"] = Calendar(rules, name=f"{desk}/{key}", holidays=holidays)
    top.close()
    if faults:
        raise CalendarFault(faults)
    return found


@cache
def _always(time_zone: str) -> Calendar:
    rules = OpeningRules(time_zone=time_zone, weekly=((ALL_DAY,),) * 7)
    return Calendar(rules, name="always", always=True)
