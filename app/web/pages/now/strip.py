"""The strip of desks: open or closed, until when and why, and tomorrow's holiday, in one line each."""

from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.query.desks import DeskAnswer, Hours
from app.flow.query.open_tickets import KeptSince
from app.sla.calendar.spans import AFTER_CLOSING, BEFORE_OPENING
from app.sla.span import Micros
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
    share = None if month is None else month.share
    return DeskLine(
        desk.desk,
        desk.name,
        hours.open_now,
        _text(hours, words, now),
        _tomorrow(hours, words),
        hours.until,
        None if share is None else words.say(N_("{share} kept this month"), share=words.percent(share)),
    )


def _text(hours: Hours, words: Words, now: Micros) -> str:
    if hours.until is None:
        return named(words, CLOSED, "never closes") if hours.open_now else words.say(N_("closed"))
    when = words.until(hours.until, hours.time_zone, now)
    phrase = N_("open until {when}") if hours.open_now else N_("closed until {when}")
    text = words.say(phrase, when=when)
    return f"{text} ({named(words, CLOSED, hours.why)})" if hours.why and hours.why not in _USUAL else text


def _tomorrow(hours: Hours, words: Words) -> str | None:
    if hours.holiday_tomorrow is None:
        return None
    return words.say(N_("tomorrow: {holiday}"), holiday=hours.holiday_tomorrow.name)
