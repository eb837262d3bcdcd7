"""The form of a calendar file: its fields from the file's document, and from what a browser sends.

The text is the file; the form is a view of it. What the form does not show stays as it was written, with its comments
and its order. Values are not checked here: a wrong one gets into the text, and the check of the draft finds it.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.sla.calendar.hours_file import DAYS
from app.web.pages.frame.files.draft import DraftText
from app.web.pages.frame.files.editor import NotEditable
from app.web.pages.frame.files.sent import Sent

_MOST_ROWS: Final = 5_000
"""Rows of a list in a form: exceptions of every date of more than ten years."""
_MOST_CALENDARS: Final = 100
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ELSEWHERE: Final = ("seasons", "alternate", "years")
"""Keys of a calendar that the form does not show."""

Text = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]


class DayRow(BaseModel):
    """A row of a list of days: a date, as "2026-12-24", or a day of every year, as "*-12-24" and in words."""

    model_config = ConfigDict(extra="forbid")

    day: Text

    @property
    def is_date(self) -> bool:
        """Whether it is a date, for which browsers have a field of their own."""
        try:
            return bool(_DATE.fullmatch(self.day)) and date.fromisoformat(self.day).year > 0
        except ValueError:
            return False


class ExceptionRow(DayRow):
    """The hours of a date or a recurring day; none: closed."""

    hours: Text = ""
    reason: Text = ""


class AddedRow(DayRow):
    """A closed day that the desk adds to the holidays."""

    name: Text = ""


class CalendarForm(BaseModel):
    """The fields of one calendar. `hours` are those of the weekdays from Monday, as "09:00-12:30, 13:00-17:30"."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    time_zone: Text
    hours: Annotated[list[Text], Field(min_length=7, max_length=7)]
    exceptions: Annotated[list[ExceptionRow], Field(max_length=_MOST_ROWS)] = []
    country: Text = ""
    subdivision: Text = ""
    categories: Text = ""
    half_day_hours: Text = ""
    make_up_days: bool = False
    added: Annotated[list[AddedRow], Field(max_length=_MOST_ROWS)] = []
    removed: Annotated[list[Text], Field(max_length=_MOST_ROWS)] = []


class CalendarForms(DraftText):
    """A text, and the fields to write into it: those that differ from the fields of `base`, which is the text that they
    were shown from; without it, of the text."""

    base: str | None = None
    calendars: Annotated[list[CalendarForm], Field(max_length=_MOST_CALENDARS)]


def forms_of(document: Mapping[str, Any]) -> list[CalendarForm]:
    """The forms of a document's calendars. Raises NotEditable."""
    tables = _table(document, "calendars", "calendars")
    found: list[CalendarForm] = []
    for name in tables:
        place = f"calendars.{name}"
        try:
            found.append(_form(str(name), _table(tables, name, place)))
        except ValidationError as error:  # longer than a field of a form
            raise NotEditable(".".join([place, *map(str, error.errors()[0]["loc"])])) from error
    return found


def elsewhere(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """By calendar, the keys that are in the text only."""
    tables = document.get("calendars", {})
    return {name: [key for key in _ELSEWHERE if key in table] for name, table in tables.items()}


def sent_calendars(sent: Sent) -> list[CalendarForm]:
    """The forms that a browser has sent. Raises NotEditable."""
    names = sent.all("calendar")
    try:
        return [_sent_calendar(sent, name, str(at)) for at, name in enumerate(names[:_MOST_CALENDARS])]
    except ValidationError as error:
        raise NotEditable(".".join(map(str, error.errors()[0]["loc"]))) from error


def _sent_calendar(sent: Sent, name: str, at: str) -> CalendarForm:
    exceptions = sent.rows(f"{at}.exceptions", "day", "hours", "reason")
    texts = ("time_zone", "country", "subdivision", "categories", "half_day_hours")
    return CalendarForm(
        name=name,
        **{key: sent.one(f"{at}.{key}") for key in texts},
        hours=sent.all(f"{at}.hours"),
        exceptions=[ExceptionRow(day=day, hours=hours, reason=why) for day, hours, why in exceptions if day],
        make_up_days=bool(sent.one(f"{at}.make_up_days")),
        added=[AddedRow(day=day, name=why) for day, why in sent.rows(f"{at}.added", "day", "name") if day],
        removed=[day for (day,) in sent.rows(f"{at}.removed", "day") if day],
    )


# -- from the document ------------------------------------------------------------------------------------------------


def _form(name: str, table: Mapping[str, Any]) -> CalendarForm:
    place = f"calendars.{name}"
    holidays = _table(table, "holidays", f"{place}.holidays")
    overrides = _table(table, "overrides", f"{place}.overrides")
    added = _table(holidays, "add", f"{place}.holidays.add")
    return CalendarForm(
        name=name,
        time_zone=str(table.get("time_zone", "")),
        hours=_week(_table(table, "hours", f"{place}.hours"), f"{place}.hours"),
        exceptions=[
            _exception(str(day), value, f"{place}.overrides.{day}") for day, value in overrides.items()
        ],
        country=str(holidays.get("country", "")),
        subdivision=str(holidays.get("subdivision", "")),
        categories=_joined(holidays.get("categories", []), f"{place}.holidays.categories"),
        half_day_hours=_joined(holidays.get("half_day_hours", []), f"{place}.holidays.half_day_hours"),
        make_up_days=holidays.get("make_up_days") is True,
        added=[AddedRow(day=str(day), name=str(value)) for day, value in added.items()],
        removed=_texts(holidays.get("remove", []), f"{place}.holidays.remove"),
    )


def _exception(day: str, value: object, place: str) -> ExceptionRow:
    if isinstance(value, Mapping):
        table = cast("Mapping[str, Any]", value)
        hours = _joined(table.get("hours", []), place)
        return ExceptionRow(day=day, hours=hours, reason=str(table.get("reason", "")))
    return ExceptionRow(day=day, hours=_joined(value, place))


def _week(table: Mapping[str, Any], place: str) -> list[str]:
    hours = [""] * 7
    for key, value in table.items():
        for day in _weekdays(str(key), place):
            hours[day] = _joined(value, f"{place}.{key}")
    return hours


def _weekdays(key: str, place: str) -> list[int]:
    """The weekdays of "mon-fri" or "sat,sun"; a range may pass Sunday."""
    found: list[int] = []
    for part in key.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise NotEditable(f"{place}.{key}")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(start, end + (1 if end >= start else 8))]
    return found


def _table(above: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = above.get(key, {})
    if not isinstance(value, Mapping):
        raise NotEditable(place)
    return cast("Mapping[str, Any]", value)


def _texts(value: object, place: str) -> list[str]:
    if not isinstance(value, list):
        raise NotEditable(place)
    return [str(each) for each in cast("list[object]", value)]


def _joined(value: object, place: str) -> str:
    return ", ".join(_texts(value, place))
