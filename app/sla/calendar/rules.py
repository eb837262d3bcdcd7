"""Rules of a calendar in their normal form: week plans, seasons, holidays, overrides.

Everything here is local: dates, and hours as microseconds since local midnight, where an end beyond 24 h belongs to the
date on which it began.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from app.sla.calendar.holiday import HolidaySet
from app.sla.calendar.recurring import DayRule
from app.sla.span import DAY, MINUTE, Span

Week = tuple[tuple[Span, ...], ...]
"""The hours of the seven weekdays from Monday; those of a day are in order, do not touch, and none is empty."""


@dataclass(frozen=True, slots=True)
class AlternateWeeks:
    """Hours of some weekdays in every n-th week, counted from the week (Monday to Sunday) of a first date on."""

    every: int
    first: date
    hours: Mapping[int, tuple[Span, ...]]

    @property
    def name(self) -> str:
        """As a source of hours: "every 2 weeks from 2026-01-03"."""
        return f"every {self.every} weeks from {self.first.isoformat()}"

    @property
    def first_week(self) -> int:
        """The number of the first week that has these hours."""
        return week_number(self.first)

    def include(self, on: date) -> bool:
        """Whether these hours apply on a date."""
        weeks = week_number(on) - self.first_week
        return weeks >= 0 and weeks % self.every == 0 and on.weekday() in self.hours


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """The hours of the weekdays, and those of alternate weeks instead."""

    weekly: Week
    alternate: tuple[AlternateWeeks, ...] = ()

    def on(self, on: date) -> tuple[tuple[Span, ...], str | None]:
        """The hours of a date, with the name of the alternate weeks that they come from."""
        for weeks in self.alternate:
            if weeks.include(on):
                return weeks.hours[on.weekday()], weeks.name
        return self.weekly[on.weekday()], None

    @property
    def may_open(self) -> bool:
        """Whether it has any hours."""
        return any(self.weekly) or any(any(weeks.hours.values()) for weeks in self.alternate)

    @property
    def fills_every_day(self) -> bool:
        """Whether every date is open from midnight to midnight, by its own hours."""
        days = [*self.weekly, *(hours for weeks in self.alternate for hours in weeks.hours.values())]
        return all(any(span.start == 0 and span.end >= DAY for span in hours) for hours in days)


@dataclass(frozen=True, slots=True)
class Season:
    """A week plan from a first to a last day, both included: of every year, or of dates with a year.

    `first` and `last` are (month, day) or (year, month, day). A yearly season whose last day lies before its first
    passes the new year.
    """

    first: tuple[int, ...]
    last: tuple[int, ...]
    plan: WeekPlan
    name: str | None = None

    @property
    def is_yearly(self) -> bool:
        """Whether it comes every year."""
        return len(self.first) == 2

    @property
    def title(self) -> str:
        """Its name, else its days: "summer", "06-01 to 08-31"."""
        return self.name or f"{day_text(self.first)} to {day_text(self.last)}"

    def includes(self, on: date) -> bool:
        """Whether a date lies in it."""
        day = (on.month, on.day) if self.is_yearly else (on.year, on.month, on.day)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last

    def may_come_after(self, year: int) -> bool:
        """Whether any of its days lies after that year."""
        return self.is_yearly or self.last[0] > year


@dataclass(frozen=True, slots=True)
class Override:
    """The hours of a date instead of what the rules give; none means closed."""

    hours: tuple[Span, ...]
    reason: str | None = None

    @property
    def cause(self) -> str:
        """Its reason, or what it does."""
        return self.reason or ("special hours" if self.hours else "closed on this date")


@dataclass(frozen=True, slots=True)
class OpeningRules:
    """The rules of a calendar file in their normal form.

    `seasons` are in order of precedence. Of the recurring rules each list is in order of precedence too; all of them
    give way to a date. `half_day_hours` is None where the file does not name them.
    """

    time_zone: str
    weekly: Week
    alternate: tuple[AlternateWeeks, ...] = ()
    seasons: tuple[Season, ...] = ()
    holidays: HolidaySet | None = None
    added: Mapping[date, str] = field(default_factory=dict[date, str])
    added_yearly: tuple[tuple[DayRule, str], ...] = ()
    removed: frozenset[date] = frozenset()
    removed_yearly: tuple[DayRule, ...] = ()
    half_day_hours: tuple[Span, ...] | None = None
    make_up_days: bool = False
    overrides: Mapping[date, Override] = field(default_factory=dict[date, Override])
    overrides_yearly: tuple[tuple[DayRule, Override], ...] = ()
    years: tuple[int, int] | None = None

    @property
    def plan(self) -> WeekPlan:
        """The week plan outside the seasons."""
        return WeekPlan(self.weekly, self.alternate)

    @property
    def day_rules(self) -> tuple[DayRule, ...]:
        """Every recurring rule of the holidays and the overrides."""
        return (
            *(rule for rule, _ in self.added_yearly),
            *self.removed_yearly,
            *(rule for rule, _ in self.overrides_yearly),
        )

    @property
    def needs_years_beside(self) -> bool:
        """Whether a day can depend on the holidays of the year before or after it."""
        return any(rule.needs_holidays for rule in self.day_rules)


def week_number(on: date) -> int:
    """Weeks, from Monday to Sunday, since the first Monday that dates have."""
    return (on.toordinal() - 1) // 7


def day_text(day: tuple[int, ...]) -> str:
    """A day of a season as a file writes it: "06-01", "2027-06-01"."""
    return "-".join(f"{part:04}" if part > 99 else f"{part:02}" for part in day)


def hours_as_text(hours: Span) -> str:
    """Hours as a calendar file writes them: "22:00-06:00", "09:00-24:00"."""
    end = hours.end if hours.end <= DAY else hours.end - DAY
    return f"{_clock(hours.start)}-{_clock(end)}"


def _clock(local: int) -> str:
    minutes = local // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"
