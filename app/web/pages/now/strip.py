"""The strip of desks: open or closed, until when and why, and tomorrow's holiday, in one line each."""

from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.query.desks import DeskAnswer, Hours
from app.flow.query.open_tickets import KeptSince
from app.sla.calendar import Calendar
from app.sla.calendar.spans import AFTER_CLOSING, BEFORE_OPENING
from app.sla.span import Micros
from app.web.pages.frame.holiday_names import holiday_name
from app.web.pages.frame.vocabulary import CLOSED, named
from app.web.pages.frame.words import Words

_USUAL: Final = frozenset({AFTER_CLOSING, BEFORE_OPENING})
"""Reasons for being closed that go without saying. A lunch break or a holiday does not."""


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A desk in one line."""

    desk: str
    name: str
    is_open: bool
    text: str
    tomorrow: str | None
    changes_at: Micros | None
    month: str | None = None
    """The share of commitments that were met this month."""


def desk_line(desk: DeskAnswer, words: Words, now: Micros, month: KeptSince | None = None) -> DeskLine:
    """The line of a desk, by its first calendar; `month` is what it has kept this month."""
    if not desk.hours:
        return DeskLine(desk.desk, desk.name, False, words.say(N_("no calendar")), None, None)
    hours = desk.hours[0]
    calendar = desk.calendars[hours.name]
    share = None if month is None else month.share
    return DeskLine(
        desk.desk,
        desk.name,
        hours.open_now,
        _text(hours, calendar, words, now),
        _tomorrow(hours, calendar, words),
        hours.until,
        None if share is None else words.say(N_("{share} kept this month"), share=words.percent(share)),
    )


def _text(hours: Hours, calendar: Calendar, words: Words, now: Micros) -> str:
    if hours.until is None:
        return named(words, CLOSED, "never closes") if hours.open_now else words.say(N_("closed"))
    when = words.until(hours.until, hours.time_zone, now)
    phrase = N_("open until {when}") if hours.open_now else N_("closed until {when}")
    text = words.say(phrase, when=when)
    if not hours.why or hours.why in _USUAL:
        return text
    why = holiday_name(calendar, calendar.local_date(now), hours.why, words.language)
    return f"{text} ({named(words, CLOSED, why)})"


def _tomorrow(hours: Hours, calendar: Calendar, words: Words) -> str | None:
    if hours.holiday_tomorrow is None:
        return None
    day = hours.holiday_tomorrow
    name = holiday_name(calendar, day.date, day.name, words.language)
    return words.say(N_("tomorrow: {holiday}"), holiday=name)
