"""Dates and recurring days in a calendar file: the keys of `holidays.add` and `overrides`, the values of `remove`.

A rule that names a holiday is checked against the holidays of the calendar, so that a misspelt one does not keep the
desk open in silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from typing import Final, Generic, TypeVar

from app.sla.calendar.holiday import HolidaySet, HolidaySource
from app.sla.calendar.recurring import DayRule, FromHoliday, NoSuchDay, names_in, parse_rule
from app.sla.document.table import Table

T = TypeVar("T")

MOST_RULES: Final = 100
"""Recurring days of one calendar, of each kind. Each is resolved for every year that is compiled: some 10 microseconds,
and those that are counted from a holiday 100."""

MOST_SETS: Final = 20
"""Sets of holidays in one calendar file. Each takes up to 25 kB in every version, and 0.1 s when it is first read."""

DATE_RIGHT: Final = (
    'Write a date as "2026-12-24"; for every year "*-12-24", "first monday of march", '
    '"2 days after Ascension Day" or "friday after Ascension Day".'
)


@dataclass(slots=True)
class HolidayNames:
    """The normalized names of the holidays of each set, over all years that are known. One for each file: of more sets
    than a file may name none is read."""

    source: HolidaySource
    _known: dict[HolidaySet, frozenset[str]] = field(default_factory=dict[HolidaySet, frozenset[str]])

    def of(self, holiday_set: HolidaySet) -> frozenset[str] | None:
        """The names; None when the file names too many sets to check them."""
        if holiday_set not in self._known:
            if len(self._known) >= MOST_SETS:
                return None
            first, last = self.source.covered(holiday_set)
            years = (self.source.year(holiday_set, year) for year in range(first, last + 1))
            names = {each for year in years for name in year.names.values() for each in names_in(name)}
            self._known[holiday_set] = frozenset(names)
        return self._known[holiday_set]


@dataclass(frozen=True, slots=True)
class DayReader:
    """Reads dates and rules of one calendar. Without `names` holidays are not checked: an earlier release did it, and
    the package may have renamed them since."""

    holiday_set: HolidaySet | None
    names: HolidayNames | None

    def read(self, table: Table, key: str, value: object) -> date | DayRule | None:
        """A date or a rule; None after a fault."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if not isinstance(value, str) or not value.strip():
            table.fault(key, f"{value!r} is not a date", DATE_RIGHT)
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            return self._rule(table, key, value)

    def _rule(self, table: Table, key: str, text: str) -> DayRule | None:
        try:
            rule = parse_rule(text)
        except NoSuchDay as error:
            table.fault(key, f"{text!r} is not a day: {error}", DATE_RIGHT)
            return None
        if isinstance(rule, FromHoliday) and (wrong := self._wrong_holiday(rule, text)):
            table.fault(key, *wrong)
            return None
        return rule

    def _wrong_holiday(self, rule: FromHoliday, text: str) -> tuple[str, str] | None:
        """What is wrong with the holiday of a rule, and what is right."""
        is_name = not rule.days
        if self.holiday_set is None:
            if is_name:
                return f"{text} is not a date or a rule", DATE_RIGHT
            return (
                f"{text!r} is counted from a holiday, and no country is named",
                'Write country = "NL" beside it.',
            )
        known = None if self.names is None else self.names.of(self.holiday_set)
        if known is None or rule.holiday in known:
            return None
        near = get_close_matches(rule.holiday, known, n=1)
        right = f'Did you mean "{near[0]}"? {DATE_RIGHT}' if near else DATE_RIGHT
        if is_name:
            return f"{text} is not a date, a rule or a holiday of {self.holiday_set.name}", right
        return f"{rule.holiday!r} is not a holiday of {self.holiday_set.name}", right


@dataclass(slots=True)
class Days(Generic[T]):
    """What a table gives to dates and to recurring days."""

    dates: dict[date, T] = field(default_factory=dict[date, T])
    rules: dict[DayRule, T] = field(default_factory=dict[DayRule, T])

    def put(self, table: Table, key: str, on: date | DayRule, value: T) -> None:
        """Add one. A rule that is written twice is a fault."""
        if isinstance(on, date):
            self.dates[on] = value
        elif on in self.rules:
            table.fault(key, f"{on} is named already", "Name each day once.")
        elif len(self.rules) == MOST_RULES:
            table.fault(
                key, f"there are more than {MOST_RULES} recurring days", "Leave some out, or name dates."
            )
        else:
            self.rules[on] = value

    @property
    def in_order(self) -> tuple[tuple[DayRule, T], ...]:
        """The rules in order of precedence."""
        return tuple((rule, self.rules[rule]) for rule in by_precedence(self.rules))


def by_precedence(rules: Iterable[DayRule]) -> list[DayRule]:
    """A day of a month first, then a weekday of a month, then a day counted from a holiday; else by their text."""
    return sorted(rules, key=lambda rule: (rule.rank, str(rule)))
