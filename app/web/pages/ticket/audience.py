"""For whom and when a ticket's page is written: the words, the instant, the desk's zone and the reader's own."""

from dataclasses import dataclass
from datetime import date

from babel.dates import format_skeleton, format_time

from app.sla.span import SECOND, Micros
from app.web.pages.frame.words import Words, local

_MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Audience:
    """`zone` is that of the desk; `own_zone` the reader's, if the browser has stated it."""

    words: Words
    now: Micros
    zone: str
    own_zone: str | None = None

    def day(self, on: date) -> str:
        """A date with its weekday; with the year where that is another one."""
        skeleton = "MMMEd" if on.year == local(self.now, self.zone).year else "yMMMEd"
        return format_skeleton(skeleton, on, locale=self.words.locale)

    def stamp(self, at: Micros, zone: str | None = None) -> str:
        """An instant with its day: "Fri 6 Mar 15:10". Seconds only where they are not zero."""
        then = local(at, zone or self.zone)
        form = "HH:mm:ss" if at % _MINUTE >= SECOND else "HH:mm"
        return f"{self.day(then.date())} {format_time(then.timetz(), form, locale=self.words.locale)}"

    def about(self, at: Micros) -> str:
        """A forecast instant, to the minute: "Fri 6 Mar 15:10"."""
        return self.stamp(at - at % _MINUTE)

    def own(self, at: Micros, zone: str) -> str | None:
        """The reader's own time of an instant, where their clocks differ from those of a zone."""
        if self.own_zone is None or local(at, zone).utcoffset() == local(at, self.own_zone).utcoffset():
            return None
        return self.stamp(at, self.own_zone)

    def exact(self, seconds: int) -> str:
        """A duration to the second, for a table that sums up: "1 h 2 min 5 s"."""
        hours, rest = divmod(abs(seconds), 3600)
        minutes, rest = divmod(rest, 60)
        given = ((hours, "{h} h", "h"), (minutes, "{min} min", "min"), (rest, "{s} s", "s"))
        parts = [self.words.say(phrase, **{name: n}) for n, phrase, name in given if n]
        return " ".join(parts) or self.words.say("{s} s", s=0)
