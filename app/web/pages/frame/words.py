"""The words, dates, numbers and durations of a page, in the reader's language. Instants are microseconds UTC."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from app.delivery.wording.phrases import N_, NN_
from app.delivery.wording.wording import Wording
from app.sla.span import SECOND, Micros, instant

HOURS: Final = N_("{h} h")
HOURS_MINUTES: Final = N_("{h} h {min} min")
MINUTES: Final = N_("{min} min")
SECONDS: Final = N_("{s} s")
OVER: Final = N_("{time} over")
AT_LEAST: Final = N_("at least {share}")
MORE_THAN: Final = N_("more than {share}")
_DAYS: Final = N_("{d} d")
_DAYS_HOURS: Final = N_("{d} d {h} h")
_TARGETS: Final = {
    "working day": NN_("{n} working day", "{n} working days"),
    "day": NN_("{n} day", "{n} days"),
    "month": NN_("{n} month", "{n} months"),
}
_COUNTED: Final = re.compile(rf"(\d+) ({'|'.join(_TARGETS)})s?", re.ASCII)
"""A target that is counted by days or months, as agreements write it."""
_MANY_HOURS_ELAPSED: Final = 48
"""Elapsed hours from which days are counted."""
_MANY_HOURS: Final = 10
"""Hours from which minutes are left out: no one acts on them."""
_MINUTE: Final = 60 * SECOND
_WEEK: Final = timedelta(days=6)
"""Within so many days a weekday says which date is meant."""


@dataclass(frozen=True, slots=True)
class Note:
    """A short text, and the reader's own time of the instant in it, if their clock differs."""

    text: str
    own: str | None = None

    def __str__(self) -> str:
        """Both."""
        return self.text if self.own is None else f"{self.text} ({self.own})"


@dataclass(frozen=True, slots=True)
class Words(Wording):
    """The words of one language, for pages, and the zone in which their reader lives."""

    zone: str | None = None
    """The reader's own time zone, if it is known."""

    def length(self, seconds: int) -> str:
        """A duration of working time: "1 h 20 min", "17 h". Hours are never days: a working day has not 24 of them."""
        minutes = abs(seconds) // 60
        hours, rest = divmod(minutes, 60)
        if hours >= _MANY_HOURS or (hours and not rest):
            return self.say(HOURS, h=self.number(hours))
        if hours:
            return self.say(HOURS_MINUTES, h=hours, min=rest)
        return self.say(MINUTES, min=minutes) if minutes else self.say(SECONDS, s=abs(seconds))

    def elapsed(self, seconds: int) -> str:
        """A duration on the clock of the wall, nights and weekends included: "31 h", "7 d 4 h"."""
        hours = abs(seconds) // 3600
        days, rest = divmod(hours, 24)
        if hours < _MANY_HOURS_ELAPSED:
            return self.length(seconds)
        return (
            self.say(_DAYS_HOURS, d=self.number(days), h=rest)
            if rest
            else self.say(_DAYS, d=self.number(days))
        )

    def left(self, seconds: int) -> str:
        """Working time left, or how far it is over."""
        return self.length(seconds) if seconds >= 0 else self.say(OVER, time=self.length(seconds))

    def written(self, at: Micros, zone: str, now: Micros) -> str:
        """An instant in a desk's zone: the time today, the weekday within a week, else the date as well.

        The zone's short name follows, and the reader's own time where their clocks differ.
        """
        return self.with_zone(self._near(at, zone, now), at, zone)

    def until(self, at: Micros, zone: str, now: Micros) -> str:
        """An instant as it follows "until": the time alone if it is today. Otherwise as `written`."""
        then = local(at, zone)
        is_today = then.date() == local(now, zone).date()
        return self.with_zone(self.time(then) if is_today else self._near(at, zone, now), at, zone)

    def stamp(self, at: Micros, zone: str, now: Micros) -> str:
        """An instant with its day, as it stands in a history: "Fri 6 Mar 15:10 CET". Seconds only if there are any."""
        return self.with_zone(self.plain_stamp(at, zone, now), at, zone)

    def plain_stamp(self, at: Micros, zone: str, now: Micros) -> str:
        """The same without the zone, for tables that name it themselves."""
        then = local(at, zone)
        form = "HH:mm:ss" if at % _MINUTE >= SECOND else "HH:mm"
        time = format_time(then.timetz(), form, locale=self.locale)
        return f"{self.full_day(then.date(), local(now, zone).date())} {time}"

    def with_zone(self, written: str, at: Micros, zone: str) -> str:
        """A written instant with its zone, and the reader's own time beside it where their clocks differ."""
        return str(Note(f"{written}\N{NO-BREAK SPACE}{zone_name(local(at, zone))}", self.own_time(at, zone)))

    def own_time(self, at: Micros, zone: str) -> str | None:
        """The reader's own time at an instant, if their clock differs from that of a desk's zone."""
        then = local(at, zone)
        own = then if self.zone is None else local(at, self.zone)
        if own.utcoffset() == then.utcoffset():
            return None
        time = self.time(own)
        if own.date() != then.date():
            time = f"{format_skeleton('E', own, locale=self.locale)} {time}"
        return self.say(N_("your time: {time}"), time=time)

    def note(self, phrase: str, at: Micros, zone: str, now: Micros, *, is_until: bool = False) -> Note:
        """A phrase about an instant, {when}, with the reader's own time apart, for places where it would be long."""
        desk = replace(self, zone=None)
        when = desk.until(at, zone, now) if is_until else desk.written(at, zone, now)
        return Note(self.say(phrase, when=when), self.own_time(at, zone))

    def _near(self, at: Micros, zone: str, now: Micros) -> str:
        then, today = local(at, zone), local(now, zone).date()
        time = self.time(then)
        away = then.date() - today
        if not away:
            return self.say(N_("today {time}"), time=time)
        if away == timedelta(days=1):
            return self.say(N_("tomorrow {time}"), time=time)
        return f"{self.day(then.date(), today)} {time}"

    def day(self, day: date, today: date) -> str:
        """A date: the weekday alone within a week, the year where it is another one."""
        near = timedelta(0) <= day - today <= _WEEK
        skeleton = "E" if near else "MMMEd" if day.year == today.year else "yMMMEd"
        return format_skeleton(skeleton, day, locale=self.locale)

    def full_day(self, day: date, today: date) -> str:
        """A date with its weekday and month; the year where it is another one."""
        return format_skeleton("MMMEd" if day.year == today.year else "yMMMEd", day, locale=self.locale)

    def time(self, then: datetime) -> str:
        """The time of day, to the minute."""
        return format_time(then.timetz(), "HH:mm", locale=self.locale)

    def either(self, *texts: str) -> str:
        """Several texts of which one is meant: "a or b"."""
        return format_list(texts, style="or", locale=self.locale)

    def both(self, *texts: str) -> str:
        """Several texts that are all meant: "a and b"."""
        return format_list(texts, style="standard", locale=self.locale)

    def number(self, number: float | Decimal) -> str:
        """A number, with the separators of the language; a decimal number with all of its decimals."""
        if isinstance(number, Decimal):
            return Wording.number(self, number)  # a class with slots has no super() without arguments
        return format_decimal(number, locale=self.locale)

    def counted_target(self, written: str) -> str:
        """A target that an agreement writes as a number of days or months, "3 working days"; another one as it is."""
        found = _COUNTED.fullmatch(written)
        return written if found is None else self.count(_TARGETS[found[2]], int(found[1]))

    def uptime(self, target: str) -> str:
        """The target of an uptime, which agreements write as ">= 99.9%", in words; another one as it is written."""
        if not (target.startswith(">") and target.endswith("%")):
            return target
        share = Decimal(target.strip(">=% ").replace(",", ".")) / 100
        shown = format_percent(share, locale=self.locale, decimal_quantization=False)
        phrase = MORE_THAN if target[1] != "=" else AT_LEAST
        return self.say(phrase, share=shown)

    def percent(self, share: float) -> str:
        """A share of one as a percentage, to one decimal."""
        return format_percent(share, self.percent_pattern("#"), locale=self.locale)

    def percent_pattern(self, decimals: str) -> str:
        """How the language writes a percentage, with decimals as in a pattern of numbers: "#,##0.# %" in French."""
        pattern = str(Locale.parse(self.locale).percent_formats[None].pattern)
        return pattern.replace("#,##0", f"#,##0.{decimals}") if decimals else pattern


def local(at: Micros, zone: str) -> datetime:
    """An instant on the clock of a zone."""
    return instant(at).astimezone(ZoneInfo(zone))


def zone_name(then: datetime) -> str:
    """The short name of a local instant's zone: "CET"; "UTC+7" where the zone database has no name."""
    name = then.tzname() or ""
    return name if name.isalpha() else _offset_name(then.utcoffset() or timedelta(0))


def _offset_name(offset: timedelta) -> str:
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = "\N{MINUS SIGN}" if offset < timedelta(0) else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
