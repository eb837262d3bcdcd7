"""Is this table of a calendar file right, and what does it say in its normal form?

A bad file is refused with every fault at once: the key, what is wrong, what would be right. Nothing is
guessed: overlapping hours, an unknown key or a weekday named twice are faults. Hours are local times of
day, in micros since midnight; dates are local dates of the calendar's zone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from typing import cast
from zoneinfo import available_timezones

from app.sla.calendar.holiday import HolidaySet, HolidaySource, UnknownHolidays
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.calendar.opening import ALL_YEARS, OpeningRules, Override, hours_as_text
from app.sla.calendar.zone import zone
from app.sla.document.faults import Fault, FaultyFile, instead_of
from app.sla.span import DAY, MINUTE, Span

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = ("time_zone", "hours", "holidays", "overrides", "years")
_HOLIDAY_KEYS = ("country", "subdivision", "categories", "add", "remove", "make_up_days")
_OVERRIDE_KEYS = ("hours", "reason")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_HOURS_RIGHT = 'Write "10:00-12:00", with 24:00 as the latest end.'
_LONGEST_LIST = 20
_DATE_RIGHT = 'Write a date as "2026-12-24".'


class CalendarFault(FaultyFile):
    """A calendar cannot be read. Each fault names the key, what is wrong and what would be right."""


def parse_rules(
    spec: Mapping[str, object], *, place: str = "", holidays: HolidaySource = INSTALLED
) -> OpeningRules:
    """The rules that a calendar's table states. `place` is the path of that table, with its dot at the end.
    Raises CalendarFault with every fault that it has."""
    reader = _Reader(place, holidays)
    reader.only_keys(spec, _KEYS, "")
    time_zone = reader.time_zone(spec.get("time_zone"))
    weekly = reader.weekly(spec.get("hours"))
    closed = _HolidayReader(reader).table(spec.get("holidays", {}))
    overrides = reader.overrides(spec.get("overrides", {}))
    years = reader.years(spec.get("years"), closed.kept)
    if reader.faults:
        raise CalendarFault(reader.faults)
    return OpeningRules(
        time_zone=time_zone,
        weekly=weekly,
        holidays=closed.kept,
        added=closed.added,
        removed=closed.removed,
        make_up_days=closed.make_up_days,
        overrides=overrides,
        years=years,
    )


@dataclass(slots=True)
class _Reader:
    """Reads the parts of a table and gathers the faults; each method gives something harmless after one."""

    place: str
    source: HolidaySource
    faults: list[Fault] = field(default_factory=list[Fault])

    def fault(self, key: str, wrong: str, right: str) -> None:
        self.faults.append(Fault(self.place + key, wrong, right))

    def table(self, value: object, key: str, right: str) -> Mapping[object, object]:
        if isinstance(value, Mapping):
            return cast(Mapping[object, object], value)
        self.fault(key, f"{value!r} is no table", right)
        return {}

    def only_keys(
        self, table: Mapping[object, object] | Mapping[str, object], keys: tuple[str, ...], at: str
    ) -> None:
        for key in table:
            if key not in keys:
                self.fault(f"{at}{key}", "no such key", instead_of(key, keys))

    def time_zone(self, value: object) -> str:
        right = 'Name a zone of the zone database, as time_zone = "Europe/Paris".'
        if not isinstance(value, str):
            self.fault("time_zone", "it is missing" if value is None else f"{value!r} is no text", right)
            return "UTC"
        try:
            return zone(value).name
        except (LookupError, ValueError, OSError):
            self.fault(
                "time_zone", f"{value!r} is no zone of the zone database", _nearest_zone(value) or right
            )
            return "UTC"

    def weekly(self, value: object) -> tuple[tuple[Span, ...], ...]:
        right = 'Write hours = { mon-fri = ["09:00-17:30"] }.'
        if value is None:
            self.fault("hours", "it is missing", right)
            return ((),) * 7
        found: dict[int, tuple[Span, ...]] = {}
        for key, hours in self.table(value, "hours", right).items():
            spans = self.hours(hours, f"hours.{key}")
            for day in self.weekdays(str(key)):
                if day in found:
                    self.fault(f"hours.{key}", f"{_DAYS[day]} has hours already", "Name each weekday once.")
                found[day] = spans
        return tuple(found.get(day, ()) for day in range(7))

    def weekdays(self, key: str) -> list[int]:
        """The weekdays of "mon-fri", "sat,sun" or "mon,wed-fri"; a range may pass Sunday."""
        days: list[int] = []
        for part in key.lower().replace(" ", "").split(","):
            first, dash, last = part.partition("-")
            if first not in _DAYS or (dash and last not in _DAYS):
                right = 'Write weekdays as "mon", "mon-fri" or "sat,sun".'
                self.fault(f"hours.{key}", f"{part!r} is no weekday or range of weekdays", right)
                continue
            start, end = _DAYS.index(first), _DAYS.index(last or first)
            days += [day % 7 for day in range(start, end + (1 if end >= start else 8))]
        return days

    def hours(self, value: object, key: str) -> tuple[Span, ...]:
        """The hours of one date, in order; adjacent ones are joined, overlapping ones are a fault."""
        if not isinstance(value, list | tuple):
            self.fault(
                key, f"{value!r} is no list", 'Write a list of hours, as ["10:00-12:00", "14:00-17:00"].'
            )
            return ()
        read = (self.one_window(text, f"{key}[{n}]") for n, text in enumerate(cast(list[object], value)))
        spans = sorted(span for span in read if span is not None)
        for early, late in pairwise(spans):
            if late.start < early.end:
                wrong = f"{hours_as_text(late)} overlaps {hours_as_text(early)}"
                joined = Span(early.start, max(early.end, late.end))
                self.fault(
                    key, wrong, f'Write one window, "{hours_as_text(joined)}", or two that do not overlap.'
                )
        return _joined(spans)

    def one_window(self, value: object, key: str) -> Span | None:
        match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            self.fault(key, f"{value!r} is no pair of hours", _HOURS_RIGHT)
            return None
        hour, minute, end_hour, end_minute = map(int, match.groups())
        start, end = (hour * 60 + minute) * MINUTE, (end_hour * 60 + end_minute) * MINUTE
        if max(minute, end_minute) > 59 or start >= DAY or end > DAY:
            self.fault(key, f"{value!r} has an hour that no clock shows", _HOURS_RIGHT)
            return None
        if start == end:
            right = 'Write "00:00-24:00" for a whole day, or an empty list for a closed one.'
            self.fault(key, f"{value!r} has no length", right)
            return None
        return Span(start, end if end > start else end + DAY)

    def overrides(self, value: object) -> dict[date, Override]:
        right = 'Write overrides = { "2026-12-24" = ["10:00-12:00"] }.'
        found: dict[date, Override] = {}
        for key, given in self.table(value, "overrides", right).items():
            path = f"overrides.{key}"
            on = self.date(key, path)
            reason: object = None
            hours, at = given, path
            if isinstance(given, Mapping):
                table = cast(Mapping[object, object], given)
                self.only_keys(table, _OVERRIDE_KEYS, f"{path}.")
                hours, reason, at = table.get("hours"), table.get("reason"), f"{path}.hours"
            if reason is not None and not isinstance(reason, str):
                self.fault(f"{path}.reason", f"{reason!r} is no text", 'Write reason = "stocktaking".')
            spans = self.hours(hours, at)
            if on is not None:
                found[on] = Override(spans, reason if isinstance(reason, str) else None)
        return found

    def date(self, value: object, key: str) -> date | None:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(cast(str, value))
        except (TypeError, ValueError):
            self.fault(key, f"{value!s} is no date", _DATE_RIGHT)
            return None

    def years(self, value: object, kept: HolidaySet | None) -> tuple[int, int] | None:
        if value is None:
            return None
        first, last = self.source.covered(kept) if kept else ALL_YEARS
        right = f"Write years = [2020, 2035], the first and the last year, within {first} and {last}."
        match value:
            case [int() as start, int() as end] if first <= start <= end <= last:
                return start, end
            case _:
                self.fault("years", f"{value!r} is no range of covered years", right)
                return None


@dataclass(frozen=True, slots=True)
class _Holidays:
    kept: HolidaySet | None
    added: Mapping[date, str]
    removed: frozenset[date]
    make_up_days: bool


class _HolidayReader:
    """Reads the table `holidays` into a reader's faults."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def table(self, value: object) -> _Holidays:
        right = 'Write holidays = { country = "NL" }.'
        table = self._reader.table(value, "holidays", right)
        self._reader.only_keys(table, _HOLIDAY_KEYS, "holidays.")
        make_up_days = table.get("make_up_days", False)
        if not isinstance(make_up_days, bool):
            self._reader.fault(
                "holidays.make_up_days", f"{make_up_days!r} is no yes or no", "Write true or false."
            )
        return _Holidays(
            kept=self._kept(table),
            added=self._added(table.get("add", {})),
            removed=self._removed(table.get("remove", [])),
            make_up_days=make_up_days is True,
        )

    def _kept(self, table: Mapping[object, object]) -> HolidaySet | None:
        country, subdivision = table.get("country"), table.get("subdivision")
        categories = table.get("categories", ["public"])
        if country is None:
            for key in ("subdivision", "categories", "remove", "make_up_days"):
                if table.get(key):
                    self._reader.fault(
                        "holidays.country", f"it is missing beside {key}", 'Write country = "NL".'
                    )
            return None
        if not _is_words(categories):
            right = 'Write categories = ["public"].'
            self._reader.fault("holidays.categories", f"{categories!r} is no list of categories", right)
            categories = ["public"]
        words = tuple(sorted(set(cast(list[str], categories))))
        kept = HolidaySet(str(country), None if subdivision is None else str(subdivision), words)
        try:
            self._reader.source.covered(kept)
        except UnknownHolidays as unknown:
            word = {"country": kept.country, "subdivision": str(kept.subdivision)}.get(unknown.key, words[0])
            self._reader.fault(f"holidays.{unknown.key}", str(unknown), _nearest(word, unknown.known))
            return None
        return kept

    def _added(self, value: object) -> dict[date, str]:
        right = 'Write add = { "2026-05-05" = "Liberation Day" }.'
        found: dict[date, str] = {}
        for key, name in self._reader.table(value, "holidays.add", right).items():
            on = self._reader.date(key, f"holidays.add.{key}")
            if not isinstance(name, str) or not name:
                self._reader.fault(f"holidays.add.{key}", f"{name!r} is no name", right)
            elif on is not None:
                found[on] = name
        return found

    def _removed(self, value: object) -> frozenset[date]:
        if not isinstance(value, list | tuple):
            right = 'Write remove = ["2026-04-03"].'
            self._reader.fault("holidays.remove", f"{value!r} is no list", right)
            return frozenset()
        entries = enumerate(cast(list[object], value))
        dates = (self._reader.date(on, f"holidays.remove[{n}]") for n, on in entries)
        return frozenset(on for on in dates if on is not None)


def _is_words(value: object) -> bool:
    words = cast(list[object], value) if isinstance(value, list | tuple) else []
    return bool(words) and all(isinstance(word, str) for word in words)


def _nearest(word: str, known: Iterable[str]) -> str:
    """What would be right instead of a word that is not known; a long list is not written out."""
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
    folded = {name.lower(): name for name in available_timezones()}
    close = get_close_matches(word.lower(), folded, n=1)
    return f'Did you mean "{folded[close[0]]}"?' if close else None


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)
