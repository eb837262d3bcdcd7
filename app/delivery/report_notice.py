"""Renders the figures of a `report.ready` signal for people: those that changed against the period before. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from app.delivery.clean import clean
from app.delivery.wording import phrases
from app.delivery.wording.wording import Wording

_MAX: Final = 60
"""Characters of a figure or a currency."""
_PERCENT: Final = frozenset({"share", "uptime"})
_AMOUNTS: Final = frozenset({"amount"})


def changed_figures(signal: Mapping[str, Any], words: Wording) -> list[str]:
    """A phrase for each figure that changed; one that says so when none did. Nothing for another kind of signal."""
    figures: object = signal.get("figures")
    if not isinstance(figures, list):
        return []
    found = [_phrase(each, words) for each in _changed(signal["figures"])]
    return list(filter(None, found)) or [words.say(phrases.NO_FIGURE_CHANGED)]


def _changed(figures: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in figures if each.get("value") != each.get("before")]


def _phrase(figure: Mapping[str, Any], words: Wording) -> str:
    """Empty for a figure that only systems read."""
    name, of = str(figure.get("figure")), str(figure.get("of"))
    if name in _AMOUNTS:
        what, unit = words.say(phrases.CREDITS), clean(of, _MAX)
    else:
        phrase = phrases.FIGURES.get((of, name))
        if phrase is None:
            return ""
        what, unit = words.say(phrase), "%" if name in _PERCENT else ""
    value, before = (_value(figure.get(key), unit, words) for key in ("value", "before"))
    return words.say(phrases.FIGURE_CHANGED, what=what, value=value, before=before)


def _value(value: object, unit: str, words: Wording) -> str:
    if value is None:
        return "-"
    try:
        written = words.number(Decimal(str(value)))
    except InvalidOperation:
        written = clean(str(value), _MAX)
    return f"{written} {unit}" if unit else written
