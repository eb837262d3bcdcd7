"""Calendar files: a calendar's table read into its rules in their normal form.

A faulty file is refused with all of its faults at once: the key, what is wrong, what to write instead. Dates are local
dates of the calendar's zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final, cast
from zoneinfo import available_timezones

from app.sla.calendar.holiday import HolidaySet, HolidaySource, UnknownHolidays
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.hours_file import overrides, weekly
from app.sla.calendar.opening import ALL_YEARS, OpeningRules
from app.sla.calendar.zone import zone
from app.sla.document.faults import Fault, FaultyFile, instead_of
from app.sla.document.table import Table

_LONGEST_LIST: Final = 20
_COUNTRY_EXAMPLE: Final = 'country = "NL"'
_ADD_EXAMPLE: Final = 'add = { "2026-05-05" = "Liberation Day" }'
_REMOVE_EXAMPLE: Final = '["2026-04-03"]'


class CalendarFault(FaultyFile):
    """A calendar cannot be read. Each of its `faults` names the key, what is wrong and what to write instead."""


def parse_rules(
    spec: Mapping[str, object], *, place: str = "", holidays: HolidaySource = INSTALLED
) -> OpeningRules:
    """The rules of a calendar's table at a place of the file. Raises CalendarFault with every fault."""
    faults: list[Fault] = []
    table = Table(spec, place, faults)
    closed = _holidays(table.table("holidays", example=f"holidays = {{ {_COUNTRY_EXAMPLE} }}"), holidays)
    rules = OpeningRules(
        time_zone=time_zone(table, required=True),
        weekly=weekly(table),
        holidays=closed.set,
        added=closed.added,
        removed=closed.removed,
        make_up_days=closed.make_up_days,
        overrides=overrides(table),
        years=_years(table, closed.set, holidays),
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


@dataclass(frozen=True, slots=True)
class _Holidays:
    set: HolidaySet | None
    added: Mapping[date, str]
    removed: frozenset[date]
    make_up_days: bool


def _holidays(table: Table, source: HolidaySource) -> _Holidays:
    """The table `holidays`."""
    make_up_days = table.flag("make_up_days", default=False)
    found = _Holidays(_holiday_set(table, source), _added(table), _removed(table), make_up_days)
    table.close()
    return found


def _holiday_set(table: Table, source: HolidaySource) -> HolidaySet | None:
    country, subdivision = table.value("country"), table.value("subdivision")
    categories = table.value("categories")
    if country is None:
        for key in ("subdivision", "categories", "remove", "make_up_days"):
            if table.content.get(key):
                table.fault("country", f"it is missing beside {key}", f"Write {_COUNTRY_EXAMPLE}.")
        return None
    words = ("public",)
    if _is_words(categories):
        words = tuple(sorted(set(cast(list[str], categories))))
    elif categories is not None:
        right = 'Write categories = ["public"].'
        table.fault("categories", f"{categories!r} is not a list of categories", right)
    holiday_set = HolidaySet(str(country), None if subdivision is None else str(subdivision), words)
    try:
        source.covered(holiday_set)
    except UnknownHolidays as unknown:
        word = {"country": str(country), "subdivision": str(subdivision)}.get(unknown.key, words[0])
        table.fault(unknown.key, str(unknown), _nearest(word, unknown.known))
        return None
    return holiday_set


def _added(table: Table) -> dict[date, str]:
    found: dict[date, str] = {}
    inner = table.table("add", example=_ADD_EXAMPLE)
    for key, name in inner.content.items():
        on = inner.date_of(str(key), key)
        if not isinstance(name, str) or not name:
            inner.fault(str(key), f"{name!r} is not a name", f"Write {_ADD_EXAMPLE}.")
        elif on is not None:
            found[on] = name
    return found


def _removed(table: Table) -> frozenset[date]:
    entries = enumerate(table.values("remove", example=_REMOVE_EXAMPLE))
    dates = (table.date_of(f"remove[{n}]", on) for n, on in entries)
    return frozenset(on for on in dates if on is not None)


def _is_words(value: object) -> bool:
    words = cast(list[object], value) if isinstance(value, list | tuple) else []
    return bool(words) and all(isinstance(word, str) for word in words)


def _nearest(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown word; a long list is not written out."""
    words = sorted(set(known))
    if len(words) <= _LONGEST_LIST:
        return instead_of(word, words)
    close = get_close_matches(word, words, n=1)
    return (
        f'Did you mean "{close[0]}"?'
        if close
        else f'Write one of {len(words)}, as "{words[0]}" or "{words[-1]}".'
    )


def _nearest_zone(word: str) -> str | None:
    by_lowercase = {name.lower(): name for name in available_timezones()}
    close = get_close_matches(word.lower(), by_lowercase, n=1)
    return f'Did you mean "{by_lowercase[close[0]]}"?' if close else None
