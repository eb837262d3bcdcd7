"""The phrases that scripts write: delivered with each page, in its language, so that they exist once."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from app.delivery.wording.language import Language
from app.delivery.wording.phrases import N_
from app.web.pages.frame.problem_texts import TITLES
from app.web.pages.frame.rendering import FRAME, words_of
from app.web.pages.frame.words import HOURS, HOURS_MINUTES, MINUTES, OVER, SECONDS

_PHRASES: Final[Mapping[str, str]] = {
    "live": N_("live"),
    "reconnecting": N_("reconnecting…"),
    "unreachable": N_("The service cannot be reached."),
    "refused": N_("The event was refused."),
    "status": N_("The service responded with status {status}."),
    "hours": HOURS,
    "hours_minutes": HOURS_MINUTES,
    "minutes": MINUTES,
    "seconds": SECONDS,
    "over": OVER,
    **{kind.type: title for kind, title in TITLES.items()},
}
"""By the names that scripts use; titles of problems by their `type`."""


@cache
def script_words(language: Language) -> Mapping[str, str]:
    """The phrases of scripts in a language, with their places for values as they are."""
    words = words_of(FRAME, language)
    return {name: words.phrase(phrase) for name, phrase in _PHRASES.items()}
