"""Single changes of a desk's documents by key: `commitments.gti.target = "8h"`, `calendars.desk.hours.sat = []`.

A key is a path with dots; a step with a dot or a space in it stands in quotes. Tables of a list are named by their `id`
or number. `null` removes a key. `calendars.` and `holidays.` lead into the calendar file, everything else into the
agreement; `holidays.` changes every calendar of the file. Hours of one weekday take it out of the range that named it.
Pure: the documents given are not changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, cast

from app.sla.calendar.hours_file import DAYS, read_weekdays
from app.sla.document.faults import Fault, FaultyFile, instead_of
from app.sla.whole_number import whole_number

_STEP: Final = r"""(?:"[^"]+"|'[^']+'|[^."']+)"""
_KEY: Final = re.compile(rf"{_STEP}(?:\.{_STEP})*+")
_STEPS: Final = re.compile(_STEP)
_KEY_RIGHT: Final = "Write a path with dots, as commitments.gti.target; a step with a dot stands in quotes."

CALENDARS: Final = "calendars"
HOLIDAYS: Final = "holidays"
HOURS: Final = "hours"

Document = dict[str, Any]
Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """The documents after the changes; None for one that no change is about. `faults` of those that cannot be made."""

    agreement: Document | None
    calendars: Document | None
    faults: tuple[Fault, ...] = ()


def changed(
    agreement: Mapping[str, Any] | None, calendars: Mapping[str, Any] | None, changes: Changes
) -> Changed:
    """Both documents with these changes, made in order."""
    editing = _Editing(_copy(agreement), _copy(calendars))
    faults: list[Fault] = []
    for key, value in changes.items():
        try:
            editing.change(key, value)
        except FaultyFile as error:
            faults += error.faults
    return Changed(
        editing.agreement if editing.of_agreement else None,
        editing.calendars if editing.of_calendars else None,
        tuple(faults),
    )


def _copy(document: Mapping[str, Any] | None) -> Document | None:
    return None if document is None else dict(deepcopy(document))


@dataclass(slots=True)
class _Editing:
    """The documents while they are changed, and which of them were."""

    agreement: Document | None
    calendars: Document | None
    of_agreement: bool = False
    of_calendars: bool = False

    def change(self, key: str, value: Any) -> None:
        """Make one change. Raises FaultyFile."""
        steps = steps_of(key)
        if steps[0] not in (CALENDARS, HOLIDAYS):
            if self.agreement is None:
                raise _fault(key, "the desk has no agreement", "Give one whole, as `agreement`.")
            _put(self.agreement, steps, value, key)
            self.of_agreement = True
            return
        if self.calendars is None:
            raise _fault(key, "the desk has no calendar file", "Give one whole, as `calendars`.")
        if steps[0] == HOLIDAYS:
            _put_holidays(self.calendars, steps[1:], value, key)
        elif steps[2:4] == [HOLIDAYS, "remove"] and len(steps) == 5:
            _remove_holiday([_table(self.calendars, steps[:2], key)], steps[4], key)
        elif len(steps) > 3 and steps[-2] == HOURS:
            _put_hours(_table(self.calendars, steps[:-1], key), steps[-1], value)
        else:
            _put(self.calendars, steps, value, key)
        self.of_calendars = True


def steps_of(key: str) -> list[str]:
    """The steps of a key. Raises FaultyFile where it is no path."""
    if not _KEY.fullmatch(key):
        raise _fault(key, "it is not a path of keys", _KEY_RIGHT)
    return [step[1:-1] if step[0] in "\"'" else step.strip() for step in _STEPS.findall(key)]


def with_value(document: Mapping[str, Any], steps: Sequence[str], value: Any, key: str) -> Document:
    """A document with the value at a path set or, for None, removed. Raises FaultyFile; `key` names the change in it."""
    made = dict(deepcopy(document))
    _put(made, steps, value, key)
    return made


def _put(document: Document, steps: Sequence[str], value: Any, key: str) -> None:
    """Set or, for None, remove the value at a path. Tables on the way that are missing are created."""
    table = _table(document, steps[:-1], key)
    if value is None:
        table.pop(steps[-1], None)
    else:
        table[steps[-1]] = value


def _table(document: Document, steps: Sequence[str], key: str) -> Document:
    """The table at a path. Raises FaultyFile where a value or an unknown id lies on it."""
    found: Any = document
    for number, step in enumerate(steps):
        if isinstance(found, list):
            found = _of_list(cast("list[Any]", found), step, steps[number - 1], key)
        else:
            found = cast(Document, found).setdefault(step, {})
        if not isinstance(found, dict | list):
            path = ".".join(steps[: number + 1])
            raise _fault(key, f"{path} is a value and has no keys", f"Set {path} itself.")
    if isinstance(found, list):
        path = ".".join(steps)
        known = instead_of("", _ids(cast("list[Any]", found)))
        raise _fault(key, f"{path} is a list of tables", f"Name one of them and its key. {known}".strip())
    return cast(Document, found)


def _of_list(tables: list[Any], step: str, name: str, key: str) -> Any:
    """The table of a list with this id, or of this number."""
    found: Any = next((each for each in _tables(tables) if each.get("id") == step), None)
    number = whole_number(step)
    if found is None and number is not None and number < len(tables):
        found = tables[number]
    if found is None:
        raise _fault(key, f"there is no {step!r} in {name}", instead_of(step, _ids(tables)))
    return found


def _ids(tables: list[Any]) -> list[str]:
    return [str(each["id"]) for each in _tables(tables) if "id" in each]


def _tables(listed: list[Any]) -> Iterator[Document]:
    yield from (cast(Document, each) for each in listed if isinstance(each, dict))


def _put_hours(hours: Document, key: str, value: Any) -> None:
    """Set or, for None, remove the hours of weekdays. The keys that named one of them keep their other days."""
    changed_days = set(read_weekdays(key)[0])
    before = dict(hours)
    hours.clear()
    for name, spans in before.items():
        days, unknown = read_weekdays(name)
        if unknown or changed_days.isdisjoint(days):
            hours[name] = spans
        elif left := [DAYS[day] for day in days if day not in changed_days]:
            hours[",".join(left)] = spans
    if value is not None:
        hours[key] = value


def _put_holidays(document: Document, steps: Sequence[str], value: Any, key: str) -> None:
    """Change the holidays of every calendar of the file."""
    if not steps:
        raise _fault(key, "it names no key of the holidays", "Write holidays.add.2026-12-24 = its name.")
    calendars = list(_calendars(document))
    if steps[0] == "remove" and len(steps) == 2:
        _remove_holiday(calendars, steps[1], key)
        return
    for calendar in calendars:
        _put(calendar, [HOLIDAYS, *steps], value, key)


def _calendars(document: Document) -> Iterator[Document]:
    tables = document.get(CALENDARS)
    if isinstance(tables, dict):
        yield from _tables(list(cast(Document, tables).values()))


def _remove_holiday(calendars: Sequence[Document], on: str, key: str) -> None:
    """Work on a date in each of these calendars that closes on holidays: where it was added, or a country's."""
    found = False
    for calendar in calendars:
        holidays = calendar.get(HOLIDAYS)
        if not isinstance(holidays, dict):
            continue
        table = cast(Document, holidays)
        added = table.get("add")
        if isinstance(added, dict) and on in added:
            del cast(Document, added)[on]
            found = True
        elif "country" in table:
            table["remove"] = [*table.get("remove", []), on]
            found = True
    if not found:
        right = "Leave it out, or name a country whose holidays are closed, as holidays.country."
        raise _fault(key, f"no calendar here is closed on holidays, so {on} is none", right)


def _fault(key: str, wrong: str, right: str) -> FaultyFile:
    return FaultyFile([Fault(key, wrong, right)])
