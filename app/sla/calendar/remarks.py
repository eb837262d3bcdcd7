"""Remarks on a calendar file: what is allowed and seldom meant, or lapses in silence as years pass.

A remark refuses nothing. The file must have been read without a fault. Dates are local dates of the calendars.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final, cast

from app.sla.document.faults import Remark

_DAY_END: Final = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*23:59\s*")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORKED: Final = "workday"
_RECUR: Final = 'Add those to come, or a day of every year, as "*-12-24" or "friday after Ascension Day".'


def remarks_on(document: Mapping[str, object], today: date) -> list[Remark]:
    """The remarks on every calendar of a file, in the order of the file."""
    return [
        remark
        for name, content in _table(document.get("calendars")).items()
        for remark in _of_calendar(f"calendars.{name}", _table(content), today)
    ]


def _of_calendar(place: str, content: Mapping[str, object], today: date) -> Iterator[Remark]:
    yield from _day_ends(place, content)
    holidays = _table(content.get("holidays"))
    lists = {
        "holidays.add": _table(holidays.get("add")),
        "holidays.remove": _list(holidays.get("remove")),
        "overrides": _table(content.get("overrides")),
        "seasons": [_table(season).get("last") for season in _list(content.get("seasons"))],
    }
    for key, days in lists.items():
        yield from _lapsed(f"{place}.{key}", days, today)
    yield from _last_year(place, content.get("years"), today)
    if _WORKED in _list(holidays.get("categories")):
        wrong = "days of the category workday are worked in the country, and this calendar closes on them"
        yield Remark(f"{place}.holidays.categories", wrong, f'Leave "{_WORKED}" out if the desk works.')


def _day_ends(place: str, value: object) -> Iterator[Remark]:
    """Hours up to 23:59, wherever a calendar has hours."""
    if isinstance(value, str) and (hours := _DAY_END.fullmatch(value)):
        yield Remark(
            place, f'"{value.strip()}" leaves the last minute of the day closed', f'Write "{hours[1]}-24:00".'
        )
    for key, inner in _table(value).items():
        yield from _day_ends(f"{place}.{key}", inner)
    for n, inner in enumerate(_list(value)):
        yield from _day_ends(f"{place}[{n}]", inner)


def _lapsed(place: str, days: Iterable[object], today: date) -> Iterator[Remark]:
    """The dates of a list, all of them in years that have passed. Days that recur do not speak for them."""
    listed = [day.isoformat() if isinstance(day, date) else str(day) for day in days]
    dates = list(filter(_DATE.fullmatch, listed))
    if dates and (last := max(dates)) < f"{today.year:04}":
        yield Remark(place, f"the last date is {last}: none is of {today.year} or later", _RECUR)


def _last_year(place: str, years: object, today: date) -> Iterator[Remark]:
    match years:
        case [int(), int(last)] if last <= today.year:
            text = f"it covers nothing after {last}, and refuses deadlines that reach beyond"
            yield Remark(f"{place}.years", text, "Widen `years`, or leave it out.")
        case _:
            return


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): inner for key, inner in cast(Mapping[object, object], value).items()}


def _list(value: object) -> list[object]:
    return list(cast(Iterable[object], value)) if isinstance(value, list | tuple) else []
