"""The languages of messages, and the locale by which each writes dates and durations."""

from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """The languages that messages are written in."""

    EN = "en"
    FR = "fr"
    NL = "nl"
    IT = "it"
    VI = "vi"


LOCALES: Final = {language: language.value for language in Language} | {Language.EN: "en_GB"}
"""The locale of each language. English dates are British, day before month: the desks are in Europe and Asia."""


def nearest(wanted: str, written: dict[str, str]) -> str | None:
    """The text for a language: its own, the one of its main language (`fr` for `fr-CA`), English, or the first."""
    main = wanted.partition("-")[0]
    found = next((written[each] for each in (wanted, main, Language.EN.value) if each in written), None)
    return found or next(iter(written.values()), None)
