"""Differences between the holidays that a version stores and those of another source, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.sla.calendar.holiday import HolidaySet, HolidaySource, HolidayYear, UnknownHolidays
from app.sla.calendar.stored_holidays import StoredHolidays

_SHOWN: Final = 10
"""Changes that are written out. A revised country changes many names at once."""


@dataclass(frozen=True, slots=True)
class HolidayChange:
    """A day of the same name that another source adds or removes, on these dates in order, or names otherwise."""

    holiday_set: HolidaySet
    change: str
    name: str
    dates: tuple[date, ...]

    def sentence(self, since: date) -> str:
        """ "NL 2026-05-05 added: Liberation Day". The date is the first one from `since` on, else the last before."""
        first = next((on for on in self.dates if on >= since), self.dates[-1])
        more = len(self.dates) - 1
        others = f", and {more} more from {self.dates[0]} to {self.dates[-1]}" if more else ""
        return f"{_place(self.holiday_set)} {first} {self.change}: {self.name}{others}"


def changes(stored: StoredHolidays, source: HolidaySource) -> list[HolidayChange]:
    """What differs in the stored years, where the versions differ. Provisional marks move no date: they do not count."""
    return [
        change
        for holiday_set, held in stored.sets.items()
        if _version(holiday_set, source) not in (None, held.version)
        for change in _changes_of(holiday_set, stored, source)
    ]


def in_words(found: Iterable[HolidayChange], source: HolidaySource, since: date) -> str:
    """All of it in one line, what is ahead first: "holidays 0.112: NL 2026-05-05 added: Liberation Day"; "" for none."""
    listed = sorted(found, key=lambda change: change.dates[-1] < since)
    if not listed:
        return ""
    sentences = [change.sentence(since) for change in listed[:_SHOWN]]
    if len(listed) > _SHOWN:
        sentences.append(f"{len(listed) - _SHOWN} more changes")
    return f"{source.version(listed[0].holiday_set)}: {'; '.join(sentences)}"


def _version(holiday_set: HolidaySet, source: HolidaySource) -> str | None:
    """The version of the source; None when it has no such set to compare with."""
    try:
        return source.version(holiday_set)
    except UnknownHolidays:
        return None


def _changes_of(
    holiday_set: HolidaySet, stored: StoredHolidays, source: HolidaySource
) -> Iterator[HolidayChange]:
    try:
        known = source.covered(holiday_set)
    except UnknownHolidays as unknown:
        yield HolidayChange(
            holiday_set,
            "removed",
            f"all of them, {unknown}",
            (date(stored.sets[holiday_set].years[0], 1, 1),),
        )
        return
    found: dict[tuple[str, str], list[date]] = {}
    first, last = stored.sets[holiday_set].years
    for year in range(max(first, known[0]), min(last, known[1]) + 1):
        old, new = _days(stored.year(holiday_set, year)), _days(source.year(holiday_set, year))
        for on in sorted(old.keys() | new.keys()):
            if change := _change(old.get(on), new.get(on)):
                found.setdefault(change, []).append(on)
    for (change, name), dates in found.items():
        yield HolidayChange(holiday_set, change, name, tuple(dates))


def _days(year: HolidayYear) -> dict[date, str]:
    return dict(year.names) | {worked: f"make-up day for {off}" for worked, off in year.make_up.items()}


def _change(old: str | None, new: str | None) -> tuple[str, str] | None:
    if old == new:
        return None
    if old is None:
        return "added", str(new)
    return ("removed", old) if new is None else ("renamed", f"{new}, was {old}")


def _place(holiday_set: HolidaySet) -> str:
    return holiday_set.place if holiday_set.categories == ("public",) else holiday_set.name
