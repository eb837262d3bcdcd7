"""The text of a calendar file with the changed fields of its form. All else stays as it is written."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import KeyType, SingleKey

from app.flow.agreement.desk_files import document_of
from app.sla.calendar.hours_file import DAYS
from app.web.pages.calendars.form import CalendarForm, CalendarForms, ExceptionRow, forms_of
from app.web.pages.frame.files.editor import NotEditable


def text_with(given: CalendarForms) -> str:
    """The text with the fields of the forms that were changed. Raises NotEditable."""
    if not given.calendars:
        return given.text
    base = given.text if given.base is None else given.base
    before = {each.name: each for each in forms_of(_document(base))}
    changed = [each for each in given.calendars if each.name in before and each != before[each.name]]
    return _written(given.text, changed, before) if changed else given.text


def _written(text: str, changed: Sequence[CalendarForm], before: Mapping[str, CalendarForm]) -> str:
    try:
        document = cast("Any", tomlkit.parse(text))
        for form in changed:
            tables = document.get("calendars", {})
            if form.name not in tables:
                raise NotEditable(f"calendars.{form.name}")
            _write(tables[form.name], form, before[form.name])
        written = tomlkit.dumps(document)
    except (TOMLKitError, RecursionError) as error:
        raise NotEditable(str(error)) from error
    _document(written)
    return written


def _document(text: str) -> dict[str, Any]:
    try:
        return document_of(text)
    except ValueError as error:
        raise NotEditable(str(error)) from error


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
