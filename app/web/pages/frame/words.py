"""The words, dates, numbers and durations of a page, in the reader's language. Instants are microseconds UTC."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from app.delivery.wording.phrases import N_
from app.delivery.wording.wording import Wording
from app.sla.span import Micros, instant

HOURS: Final = N_("{h} h")
HOURS_MINUTES: Final = N_("{h} h {min} min")
MINUTES: Final = N_("{min} min")
SECONDS: Final = N_("{s} s")
OVER: Final = N_("{time} over")
_MANY_HOURS: Final = 10
"""Hours from which minutes are left out: no one acts on them."""
_WEEK: Final = timedelta(days=6)
"""Within so many days a weekday says which date is meant."""


@dataclass(frozen=True, slots=True)
class Words(Wording):
    """The words of one language, for pages."""

    def length(self, seconds: int) -> str:
        """A duration of working time: "1 h 20 min", "17 h". Hours are never days: a working day has not 24 of them."""
        minutes = abs(seconds) // 60
        hours, rest = divmod(minutes, 60)
        if hours >= _MANY_HOURS or (hours and not rest):
            return self.say(HOURS, h=self.number(hours))
        if hours:
            return self.say(HOURS_MINUTES, h=hours, min=rest)
        return self.say(MINUTES, min=minutes) if minutes else self.say(SECONDS, s=abs(seconds))

    def left(self, seconds: int) -> str:
        """Working time left, or how far it is over."""
        return self.length(seconds) if seconds >= 0 else self.say(OVER, time=self.length(seconds))

    def written(self, at: Micros, zone: str, now: Micros) -> str:
        """An instant in a zone: the time today, the weekday within a week, else the date as well."""
        then, today = local(at, zone), local(now, zone).date()
        time = self.time(then)
        away = then.date() - today
        if not away:
            return self.say(N_("today {time}"), time=time)
        if away == timedelta(days=1):
            return self.say(N_("tomorrow {time}"), time=time)
        return f"{self.day(then.date(), today)} {time}"

    def until(self, at: Micros, zone: str, now: Micros) -> str:
        """An instant as it follows "until": the time alone if it is today."""
        then = local(at, zone)
        return self.time(then) if then.date() == local(now, zone).date() else self.written(at, zone, now)

    def day(self, day: date, today: date) -> str:
        """A date: the weekday alone within a week, the year where it is another one."""
        near = timedelta(0) <= day - today <= _WEEK
        skeleton = "E" if near else "MMMEd" if day.year == today.year else "yMMMEd"
        return format_skeleton(skeleton, day, locale=self.locale)

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

    def percent(self, share: float) -> str:
        """A share of one as a percentage, to one decimal."""
        return format_percent(share, "#,##0.#%", locale=self.locale)


def local(at: Micros, zone: str) -> datetime:
    """An instant on the clock of a zone."""
    return instant(at).astimezone(ZoneInfo(zone))
