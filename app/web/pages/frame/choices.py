"""What a reader has chosen about all pages, the language and the theme, kept in cookies.

The language is the reader's choice (`?lang=` now, or the cookie that it has left), else the first of the browser's
`Accept-Language` that pages are written in, else `SLATIMER_PAGE_LANGUAGE`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from fastapi import Request
from starlette.responses import Response

from app.delivery.wording.language import Language

LANGUAGE_COOKIE: Final = "slatimer_language"
THEME_COOKIE: Final = "slatimer_theme"
LANGUAGE_PARAMETER: Final = "lang"
ZONE_COOKIE: Final = "slatimer_zone"
"""The time zone of the browser, which its script sets."""
THEME_PARAMETER: Final = "theme"
PARAMETERS: Final = frozenset({LANGUAGE_PARAMETER, THEME_PARAMETER})

LANGUAGE_SECONDS: Final = 365 * 24 * 3600
"""For how long a browser keeps a choice: a year."""
_ACCEPTED_MAX: Final = 20
"""Languages of a header that are considered. Browsers send fewer than ten."""


class Theme(StrEnum):
    """Colours: the system's choice, one of the two, or the system's with more contrast."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
    CONTRAST = "contrast"


@dataclass(frozen=True, slots=True)
class Choices:
    """The language and the theme of one response, and the cookies that keep what was chosen just now."""

    language: Language
    theme: Theme
    zone: str | None = None
    """The reader's own time zone: that of their settings, else that which the browser has stated."""
    chosen: tuple[tuple[str, str], ...] = ()

    def in_zone(self, chosen: str | None) -> "Choices":
        """The same for a person who has chosen a zone; unchanged without one."""
        return self if chosen is None else replace(self, zone=chosen)

    def keep(self, request: Request, answer: Response) -> None:
        """Set the cookies of what was chosen with this request."""
        secure = request.url.scheme == "https"
        for name, value in self.chosen:
            answer.set_cookie(
                name, value, max_age=LANGUAGE_SECONDS, path="/", httponly=True, samesite="lax", secure=secure
            )


def choices_of(request: Request, default: str) -> Choices:
    """The choices of the reader of a request; `default` is the language without any."""
    asked = _language(request.query_params.get(LANGUAGE_PARAMETER))
    kept = _language(request.cookies.get(LANGUAGE_COOKIE))
    accepted = accepted_language(request.headers.get("accept-language", ""))
    asked_theme = _theme(request.query_params.get(THEME_PARAMETER))
    # The wall stands on a screen of its own, or in one window of several: its colours are not those of all pages.
    kept_theme = None if request.query_params.get("view") == "wall" else asked_theme
    chosen = ((LANGUAGE_COOKIE, asked), (THEME_COOKIE, kept_theme))
    return Choices(
        asked or kept or accepted or Language(default),
        asked_theme or _theme(request.cookies.get(THEME_COOKIE)) or Theme.SYSTEM,
        _zone(request.cookies.get(ZONE_COOKIE)),
        tuple((name, value.value) for name, value in chosen if value is not None),
    )


def accepted_language(header: str) -> Language | None:
    """The language of an `Accept-Language` header that is wanted most, of those that pages are written in."""
    wanted: list[tuple[float, Language]] = []
    for part in header.split(",")[:_ACCEPTED_MAX]:
        tag, _, quality = part.partition(";q=")
        language = _language(tag.strip().partition("-")[0].lower())
        if language is not None:
            wanted.append((_quality(quality), language))
    best = max(wanted, key=lambda each: each[0], default=None)
    return None if best is None or best[0] <= 0 else best[1]


def _quality(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0


def _language(text: str | None) -> Language | None:
    return Language(text) if text in set(Language) else None


def _zone(text: str | None) -> str | None:
    return text if text in _zones() else None


@cache
def _zones() -> frozenset[str]:
    """The names of all zones: others are no names, and are not looked up in the file system."""
    return frozenset(available_timezones())


def _theme(text: str | None) -> Theme | None:
    return Theme(text) if text in set(Theme) else None
