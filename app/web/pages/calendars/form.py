"""The form of a calendar file: its fields from the file's text, and the text with changed fields.

The text is the file; the form is a view of it. What the form does not show stays as it was written, with its comments
and its order. Values are not checked here: a wrong one gets into the text, and the check of the draft finds it.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any, Final, cast

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import KeyType, SingleKey

from app.flow.agreement.desk_files import document_of
from app.sla.calendar.hours_file import DAYS
from app.web.pages.frame.files.draft import DraftText

_MOST_ROWS: Final = 5_000
"""Rows of a list in a form: exceptions of every date of more than ten years."""
_MOST_CALENDARS: Final = 100
_ELSEWHERE: Final = ("seasons", "alternate", "years")
"""Keys of a calendar that the form does not show."""

Text = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]


class NotEditable(ValueError):
    """The form cannot show this text, and says at which key. The text itself can be edited."""


class ExceptionRow(BaseModel):
    """The hours of a date or a recurring day; none: closed."""

    model_config = ConfigDict(extra="forbid")

    day: Text
    hours: Text = ""
    reason: Text = ""


class AddedRow(BaseModel):
    """A closed day that the desk adds to the holidays."""

    model_config = ConfigDict(extra="forbid")

    day: Text
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
    """A text, and the fields to write into it."""

    calendars: Annotated[list[CalendarForm], Field(max_length=_MOST_CALENDARS)]


def forms_of(document: Mapping[str, Any]) -> list[CalendarForm]:
    """The forms of a document's calendars. Raises NotEditable."""
    tables = _table(document, "calendars", "calendars")
    return [_form(str(name), _table(tables, name, f"calendars.{name}")) for name in tables]


def elsewhere(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """By calendar, the keys that are in the text only."""
    tables = document.get("calendars", {})
    return {name: [key for key in _ELSEWHERE if key in table] for name, table in tables.items()}


def text_with(given: CalendarForms) -> str:
    """The text with the fields of the forms. Raises NotEditable."""
    before = {each.name: each for each in forms_of(_document(given.text))}
    try:
        written = tomlkit.parse(given.text)
        for form in given.calendars:
            if form.name in before and form != before[form.name]:
                _write(cast("Any", written)["calendars"][form.name], form, before[form.name])
        text = tomlkit.dumps(written)
    except TOMLKitError as error:
        raise NotEditable(str(error)) from error
    _document(text)
    return text


def _document(text: str) -> dict[str, Any]:
    try:
        return document_of(text)
    except ValueError as error:
        raise NotEditable(str(error)) from error


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


# -- into the text ----------------------------------------------------------------------------------------------------


def _write(table: Any, form: CalendarForm, before: CalendarForm) -> None:
    """Write the fields that differ."""
    if form.time_zone != before.time_zone:
        table["time_zone"] = form.time_zone
    if form.hours != before.hours:
        table["hours"] = _weekly(form.hours)
    _write_holidays(table, form, before)
    old, new = _by_day(before.exceptions), _by_day(form.exceptions)
    _write_days(
        table, "overrides", {day: _override(row) for day, row in new.items() if old.get(day) != row}, old, new
    )


def _write_holidays(table: Any, form: CalendarForm, before: CalendarForm) -> None:
    def holidays() -> Any:
        if "holidays" not in table:
            table["holidays"] = tomlkit.table()
        return table["holidays"]

    for key in ("country", "subdivision"):
        if getattr(form, key) != getattr(before, key):
            _set(holidays(), key, getattr(form, key))
    for key in ("categories", "half_day_hours"):
        if getattr(form, key) != getattr(before, key):
            _set(holidays(), key, _listed(getattr(form, key)))
    if form.removed != before.removed:
        _set(holidays(), "remove", [each for each in form.removed if each])
    if form.make_up_days != before.make_up_days:
        _set(holidays(), "make_up_days", form.make_up_days)
    if form.added != before.added:
        old, new = _by_day(before.added), _by_day(form.added)
        changed = {day: row.name for day, row in new.items() if old.get(day) != row}
        _write_days(holidays(), "add", changed, old, new)


def _set(table: Any, key: str, value: object) -> None:
    if value in ("", []):
        table.pop(key, None)
    else:
        table[key] = value


def _write_days(
    table: Any, key: str, changed: Mapping[str, object], old: Mapping[str, object], new: Mapping[str, object]
) -> None:
    """Write a table of days: what changed, and without what is gone."""
    gone = [day for day in old if day not in new]
    if not changed and not gone:
        return
    if key not in table:
        table[key] = tomlkit.table()
    days = table[key]
    for day in gone:
        days.pop(day, None)
    for day, value in changed.items():
        if day in days:
            days[day] = value
        else:
            days.append(SingleKey(day, t=KeyType.Basic), tomlkit.item(value))
    if not new:
        table.pop(key, None)


def _override(row: ExceptionRow) -> object:
    hours = _listed(row.hours)
    if not row.reason:
        return hours
    return _inline({"hours": hours, "reason": row.reason})


def _weekly(hours: Sequence[str]) -> object:
    """Hours of the weekdays, those in a row with the same hours as a range."""
    value: dict[str, object] = {}
    for text, days in groupby(range(7), key=lambda day: hours[day]):
        if not text:
            continue
        first, *_, last = (DAYS[day] for day in (*days,) * 2)
        value[first if first == last else f"{first}-{last}"] = _listed(text)
    return _inline(value)


def _inline(values: Mapping[str, object]) -> object:
    """An inline table with spaces inside its braces, as people write it."""
    pairs = ", ".join(f"{key} = {tomlkit.item(value).as_string()}" for key, value in values.items())
    return tomlkit.value(f"{{ {pairs} }}" if pairs else "{}")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _by_day(rows: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row.day in found:
            raise NotEditable(f"{row.day}: it is there twice")
        if row.day:
            found[row.day] = row
    return found
