"""Calendar files: a calendar's table read into its rules in their normal form.

A faulty file is refused with all of its faults at once: the key, what is wrong, what to write instead. Dates are local
dates of the calendar's zone.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from zoneinfo import available_timezones

from app.sla.calendar.days_file import HolidayNames
from app.sla.calendar.holiday import HolidaySet, HolidaySource
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.holidays_file import COUNTRY_EXAMPLE, closing_days
from app.sla.calendar.hours_file import overrides
from app.sla.calendar.opening import ALL_YEARS
from app.sla.calendar.rules import OpeningRules
from app.sla.calendar.seasons_file import seasons, week_plan
from app.sla.calendar.zone import zone
from app.sla.document.faults import Fault, FaultyFile
from app.sla.document.table import Table


class CalendarFault(FaultyFile):
    """A calendar cannot be read. Each of its `faults` names the key, what is wrong and what to write instead."""


def parse_rules(
    spec: Mapping[str, object],
    *,
    place: str = "",
    holidays: HolidaySource = INSTALLED,
    names: HolidayNames | None = None,
) -> OpeningRules:
    """The rules of a calendar's table at a place of the file. Raises CalendarFault with every fault.

    Without `names` the table is one that a release accepted: it is not measured by what later ones ask for.
    """
    faults: list[Fault] = []
    table = Table(spec, place, faults)
    closing = table.table("holidays", example=f"holidays = {{ {COUNTRY_EXAMPLE} }}")
    closed = closing_days(closing, holidays, names)
    special = overrides(table, closed.reader)
    plan = week_plan(table)
    rules = OpeningRules(
        time_zone=time_zone(table, required=True),
        weekly=plan.weekly,
        alternate=plan.alternate,
        seasons=seasons(table),
        holidays=closed.reader.holiday_set,
        added=closed.added.dates,
        added_yearly=closed.added.in_order,
        removed=frozenset(closed.removed.dates),
        removed_yearly=tuple(rule for rule, _ in closed.removed.in_order),
        half_day_hours=closed.half_day_hours,
        make_up_days=closed.make_up_days,
        overrides=special.dates,
        overrides_yearly=special.in_order,
        years=_years(table, closed.reader.holiday_set, holidays),
    )
    table.close()
    if faults:
        raise CalendarFault(faults)
    return rules


def time_zone(table: Table, *, required: bool = False) -> str:
    """The zone of the key `time_zone`; UTC where it is absent or faulty."""
    name = table.text("time_zone", example='"Europe/Paris"', required=required) or "UTC"
    try:
        return zone(name).name
    except (LookupError, ValueError, OSError):
        right = _nearest_zone(name) or 'Name a zone of the zone database, as time_zone = "Europe/Paris".'
        table.fault("time_zone", f"{name!r} is not a zone of the zone database", right)
        return "UTC"


def _years(table: Table, holiday_set: HolidaySet | None, source: HolidaySource) -> tuple[int, int] | None:
    value = table.value("years")
    if value is None:
        return None
    first, last = source.covered(holiday_set) if holiday_set else ALL_YEARS
    right = f"Write years = [2020, 2035], the first and the last year, within {first} and {last}."
    match value:
        case [int() as start, int() as end] if first <= start <= end <= last:
            return start, end
        case _:
            table.fault("years", f"{value!r} is not a range of covered years", right)
            return None


def _nearest_zone(word: str) -> str | None:
    by_lowercase = {name.lower(): name for name in available_timezones()}
    close = get_close_matches(word.lower(), by_lowercase, n=1)
    return f'Did you mean "{by_lowercase[close[0]]}"?' if close else None
