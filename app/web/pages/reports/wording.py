"""How the page writes figures: shares that are never rounded up, changes, periods and dates."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from babel.dates import format_interval, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent

from app.delivery.wording.phrases import N_
from app.sla.agreement.rule import Kind
from app.sla.calendar.zone import Zone
from app.sla.report.cut import By
from app.sla.report.figures import LateCause
from app.sla.span import Span
from app.web.pages.frame.words import Words

KINDS: Final[Mapping[Kind, str]] = {
    Kind.GUARANTEE: N_("Guarantees"),
    Kind.OBJECTIVE: N_("Objectives"),
    Kind.CUSTOMER: N_("Customer deadlines"),
}
CAUSES: Final[Mapping[str, str]] = {
    LateCause.DEADLINE: N_("Target used up"),
    LateCause.TARGET_CHANGED: N_("Target or hours changed"),
    LateCause.APPLIED_LATER: N_("Commitment applied later"),
    LateCause.MERGED: N_("Wait of a merged ticket"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "met": N_("kept"),
    "missed": N_("missed"),
    "excluded": N_("excluded"),
}
FIELDS: Final[Mapping[str, str]] = {
    "commitment": N_("Commitment"),
    "queue": N_("Queue"),
    "group": N_("Group"),
    "assignee": N_("Assignee"),
    "customer": N_("Customer"),
}
"""Fields by which figures are filtered."""
STEPS: Final[Mapping[str, str]] = {
    "joined": N_("joined"),
    "moved": N_("moved"),
    "left": N_("left"),
}
LEFT: Final[Mapping[str, str]] = {
    "answered": N_("answered"),
    "pending": N_("waits for the customer"),
    "on_hold": N_("on hold"),
    "solved": N_("solved"),
    "closed": N_("closed"),
    "merged": N_("merged"),
    "queue": N_("moved to another queue"),
}
"""Why a ticket left a queue."""
_DECIMAL: Final = Decimal("0.1")


def share(words: Words, text: str | None, decimals: int = 1) -> str:
    """A share in per cent, rounded down: what is not wholly kept never reads as 100."""
    if text is None:
        return "\u2013"
    exact = Decimal(text).quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)
    return format_percent(exact / 100, words.percent_pattern("#" * decimals), locale=words.locale)


def change(words: Words, now: str | None, before: str | None) -> str | None:
    """The difference of two shares in percentage points, with its sign; None if either is not known."""
    if now is None or before is None:
        return None
    points = (Decimal(now) - Decimal(before)).quantize(_DECIMAL)
    written = format_decimal(points, "+#,##0.0;\u2212#,##0.0" if points else "0.0", locale=words.locale)
    return words.say(N_("{points} points"), points=written)


def decimal(words: Words, text: str | None) -> str:
    """A rate to two decimals."""
    return "\u2013" if text is None else words.number(Decimal(text).quantize(Decimal("0.01"), ROUND_DOWN))


def money(words: Words, text: object, currency: object) -> str:
    """An amount in its currency."""
    if text is None or currency is None:
        return "\u2013"
    return format_currency(Decimal(str(text)), str(currency), locale=words.locale)


def dates(words: Words, first: date, last: date) -> str:
    """Two dates, both included."""
    return format_interval(first, last, "yMMMd", locale=words.locale)


def period(words: Words, zone: Zone, span: Span) -> str:
    """A period by its dates."""
    return dates(words, zone.local_date(span.start), zone.local_date(span.end - 1))


def short(words: Words, zone: Zone, span: Span, by: By | None) -> str:
    """The label of a period on an axis: its first date, or its month."""
    skeleton = "yMMM" if by is By.MONTH else "MMMd"
    return format_skeleton(skeleton, zone.local_date(span.start), locale=words.locale)


_MONDAY: Final = date(2024, 1, 1)


def weekday(words: Words, number: int) -> str:
    """A weekday, shortened; 1 is Monday."""
    return format_skeleton("E", _MONDAY + timedelta(days=number - 1), locale=words.locale)
