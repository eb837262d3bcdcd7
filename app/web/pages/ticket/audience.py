"""For whom and when a ticket's page is written: the words, the instant and the desk's zone."""

from dataclasses import dataclass
from datetime import date

from app.sla.span import SECOND, Micros
from app.web.pages.frame.words import Words, local

_MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Audience:
    """`zone` is that of the desk."""

    words: Words
    now: Micros
    zone: str

    def day(self, on: date) -> str:
        """A date with its weekday; with the year where that is another one."""
        return self.words.full_day(on, local(self.now, self.zone).date())

    def stamp(self, at: Micros, zone: str | None = None) -> str:
        """An instant with its day and zone: "Fri 6 Mar 15:10 CET". Seconds only where they are not zero."""
        return self.words.stamp(at, zone or self.zone, self.now)

    def plain_stamp(self, at: Micros, zone: str) -> str:
        """The same without the zone, for tables that name it themselves."""
        return self.words.plain_stamp(at, zone, self.now)

    def about(self, at: Micros) -> str:
        """A forecast instant, to the minute: "Fri 6 Mar 15:10 CET"."""
        return self.stamp(at - at % _MINUTE)

    def exact(self, seconds: int) -> str:
        """A duration to the second, for a table that sums up: "1 h 2 min 5 s"."""
        hours, rest = divmod(abs(seconds), 3600)
        minutes, rest = divmod(rest, 60)
        given = ((hours, "{h} h", "h"), (minutes, "{min} min", "min"), (rest, "{s} s", "s"))
        parts = [self.words.say(phrase, **{name: n}) for n, phrase, name in given if n]
        return " ".join(parts) or self.words.say("{s} s", s=0)
