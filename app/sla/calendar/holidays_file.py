"""The table `holidays` of a calendar file: the country's holidays, further closing days, and days that are worked."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, cast

from app.sla.calendar.days_file import DayReader, Days, HolidayNames
from app.sla.calendar.holiday import HALF_DAY, HolidaySet, HolidaySource, UnknownHolidays
from app.sla.calendar.hours_file import hours_of
from app.sla.calendar.place_names import with_codes
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.span import Span

COUNTRY_EXAMPLE: Final = 'country = "NL"'
_LONGEST_LIST: Final = 20
_ADD_EXAMPLE: Final = 'add = { "2026-05-05" = "Liberation Day" }'
_REMOVE_EXAMPLE: Final = '["2026-04-03"]'
_HALF_DAY_RIGHT: Final = (
    'Write half_day_hours = ["09:00-13:00"], the hours of these days; an empty list closes them.'
)


@dataclass(frozen=True, slots=True)
class ClosingDays:
    """The table `holidays`. `reader` reads further days with the same holidays."""

    reader: DayReader
    added: Days[str]
    removed: Days[None]
    half_day_hours: tuple[Span, ...] | None
    make_up_days: bool


def closing_days(table: Table, source: HolidaySource, names: HolidayNames | None) -> ClosingDays:
    """The table `holidays`; without `names` it is one that a release accepted."""
    holiday_set = _holiday_set(table, source)
    reader = DayReader(holiday_set, names)
    half_days = _half_day_hours(table, holiday_set, is_new=names is not None)
    make_up_days = table.flag("make_up_days", default=False)
    found = ClosingDays(reader, _added(table, reader), _removed(table, reader), half_days, make_up_days)
    table.close()
    return found


def _half_day_hours(table: Table, holiday_set: HolidaySet | None, *, is_new: bool) -> tuple[Span, ...] | None:
    """The hours of half-days. A version of the release before closed them the whole day, and still does."""
    value = table.value("half_day_hours")
    has_half_days = holiday_set is not None and HALF_DAY in holiday_set.categories
    if value is not None:
        if holiday_set is not None and not has_half_days:
            wrong = f"{holiday_set.name} has no half-days"
            table.fault("half_day_hours", wrong, f'Add "{HALF_DAY}" to the categories, or leave it out.')
        return hours_of(table, "half_day_hours", value)
    if has_half_days and is_new:
        table.fault("half_day_hours", "it is missing beside the category half_day", _HALF_DAY_RIGHT)
    return None


def _holiday_set(table: Table, source: HolidaySource) -> HolidaySet | None:
    country, subdivision = table.value("country"), table.value("subdivision")
    categories = table.value("categories")
    if country is None:
        for key in ("subdivision", "categories", "remove", "make_up_days", "half_day_hours"):
            if table.content.get(key):
                table.fault("country", f"it is missing beside {key}", f"Write {COUNTRY_EXAMPLE}.")
        return None
    words = ("public",)
    if _is_words(categories):
        words = tuple(sorted(set(cast(list[str], categories))))
    elif categories is not None:
        right = 'Write categories = ["public"].'
        table.fault("categories", f"{categories!r} is not a list of categories", right)
    return _known(
        table, HolidaySet(str(country), None if subdivision is None else str(subdivision), words), source
    )


def _known(table: Table, written: HolidaySet, source: HolidaySource) -> HolidaySet | None:
    """The set as the source knows it: codes as they are written, names by their codes."""
    try:
        source.covered(written)
    except UnknownHolidays:
        holiday_set = with_codes(written)
    else:
        return written
    try:
        source.covered(holiday_set)
    except UnknownHolidays as unknown:
        words = {"country": written.country, "subdivision": str(written.subdivision)}
        word = words.get(unknown.key) or next(
            (each for each in written.categories if each not in unknown.known), written.categories[0]
        )
        table.fault(unknown.key, str(unknown), _nearest(word, unknown.known))
        return None
    return holiday_set


def _added(table: Table, reader: DayReader) -> Days[str]:
    found = Days[str]()
    inner = table.table("add", example=_ADD_EXAMPLE)
    for key, name in inner.content.items():
        on = reader.read(inner, str(key), key)
        if not isinstance(name, str) or not name:
            inner.fault(str(key), f"{name!r} is not a name", f"Write {_ADD_EXAMPLE}.")
        elif on is not None:
            found.put(inner, str(key), on, name)
    return found


def _removed(table: Table, reader: DayReader) -> Days[None]:
    found = Days[None]()
    for n, value in enumerate(table.values("remove", example=_REMOVE_EXAMPLE)):
        # Without a country nothing can be removed: that is the fault, not the name of a holiday.
        if table.content.get("country") is None:
            continue
        on = reader.read(table, f"remove[{n}]", value)
        if on is not None:
            found.put(table, f"remove[{n}]", on, None)
    return found


def _is_words(value: object) -> bool:
    words = cast(list[object], value) if isinstance(value, list | tuple) else []
    return bool(words) and all(isinstance(word, str) for word in words)


def _nearest(word: str, known: Mapping[str, str]) -> str:
    """What to write instead of an unknown word, with names beside codes; a long list is not written out."""
    if not any(known.values()) and len(known) <= _LONGEST_LIST:
        return instead_of(word, known)
    by_word: dict[str, str] = {}
    for code in sorted(known, key=len):
        for each in (code, known[code]):
            by_word.setdefault(each.casefold(), code)
    close = get_close_matches(word.casefold(), by_word, n=1)
    meant = f"Did you mean {_with_name(by_word[close[0]], known)}? " if close else ""
    if len(known) <= _LONGEST_LIST:
        return f"{meant}Write one of {', '.join(_with_name(code, known) for code in sorted(known))}."
    if close:
        return meant.rstrip()
    first, last = min(known), max(known)
    return f"Write one of {len(known)}, as {_with_name(first, known)} or {_with_name(last, known)}."


def _with_name(code: str, known: Mapping[str, str]) -> str:
    return f'"{code}" ({known[code]})' if known[code] else f'"{code}"'
