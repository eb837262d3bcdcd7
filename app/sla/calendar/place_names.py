"""Names of countries and of their parts, as the `holidays` package has them, for people who do not know its codes."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from app.sla.calendar.holiday import HolidaySet

_FURTHER: Final[Mapping[str, Mapping[str, str]]] = {
    # Alsace-Moselle is three departments with the same holidays: 57, which the package has, and 67 and 68, the Alsace.
    "FR": {"Alsace-Moselle": "57", "67": "6AE", "68": "6AE", "Bas-Rhin": "6AE", "Haut-Rhin": "6AE"},
}
"""Names and codes of parts of a country that people use and the package does not know."""


@cache
def country_names() -> Mapping[str, str]:
    """The name of each country by its codes of two and of three letters."""
    from holidays.registry import COUNTRIES

    names: dict[str, str] = {}
    for module, (_, *codes) in COUNTRIES.items():
        name = " ".join(part.capitalize() for part in module.split("_"))
        names |= {code: name for code in codes if len(code) <= 3}
    return names


@cache
def subdivision_names(country: str) -> Mapping[str, str]:
    """The name of each part of a country that the package knows, by its code; empty where it has none."""
    import holidays

    entity = holidays.country_holidays(country)
    names: dict[str, str] = dict.fromkeys(entity.subdivisions, "")
    for alias, code in entity.subdivisions_aliases.items():
        # Of several aliases the longest is the name, the others are codes of other lists.
        names[code] = max(names.get(code, ""), alias, key=len)
    return names


def with_codes(written: HolidaySet) -> HolidaySet:
    """The set with the codes of a country and a part of it that are written as names. Case and accents do not matter."""
    country = _country_code(written.country)
    if written.subdivision is None or country is None:
        return replace(written, country=country or written.country)
    return replace(written, country=country, subdivision=_subdivision_code(country, written.subdivision))


def _country_code(written: str) -> str | None:
    """The code of a country; None when it is not known."""
    names = country_names()
    if written in names:
        return written
    normalized = _normalized(written)
    return next(
        (code for code, name in names.items() if normalized in (_normalized(code), _normalized(name))), None
    )


def _subdivision_code(country: str, written: str) -> str:
    """The code of a part of a country; the word itself when it is not known."""
    import holidays

    entity = holidays.country_holidays(country)
    two_letters = type(entity).country
    known = {code: code for code in entity.subdivisions} | entity.subdivisions_aliases
    by_name = {_normalized(name): code for name, code in (known | _FURTHER.get(two_letters, {})).items()}
    return by_name.get(_normalized(written), written)


def _normalized(name: str) -> str:
    """A name without case, accents and marks between its words."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())
