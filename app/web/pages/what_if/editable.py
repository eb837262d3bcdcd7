"""What a desk's agreement and calendars have that can be tried otherwise: their texts by the keys of changes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, cast

import orjson

FIELDS_MAX: Final = 200
"""Fields of the form. For more, a draft of the file sent to the API is easier than a form."""
_LEVEL: Final = "level:"
_PLAIN: Final = re.compile(r"[\w-]+")
_SEPARATOR: Final = ", "
_CLOSED: Final = "-"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Editable:
    """A text of the agreement or the calendars. `is_list`: opening hours of a day, with commas."""

    key: str
    label: str
    value: str
    is_list: bool = False
    tried: str = ""
    """What an earlier simulation tried in its place, as the form writes it."""


def targets_of(agreement: Document | None, labels: Mapping[str, str]) -> list[Editable]:
    """The targets of an agreement, those of its commitments and of its levels."""
    return list(islice(_targets(agreement or {}, labels), FIELDS_MAX))


def hours_of(calendars: Document | None) -> list[Editable]:
    """The opening hours of a calendar file, by calendar and days."""
    return list(islice(_hours(calendars or {}), FIELDS_MAX))


def with_tried(entries: Iterable[Editable], changes: Document) -> list[Editable]:
    """The entries with what a simulation has tried in their place."""
    return [
        replace(each, tried=_written(changes[each.key])) if each.key in changes else each for each in entries
    ]


def as_typed(entries: Iterable[Editable], typed: Mapping[str, str]) -> list[Editable]:
    """The entries with what was typed into their fields."""
    return [replace(each, tried=typed.get(each.key, "")) for each in entries]


def others_tried(entries: Iterable[Editable], changes: Document) -> str:
    """The changes that are of none of these entries: one a line, its key and its value as JSON."""
    known = {each.key for each in entries}
    lines = [f"{key} = {orjson.dumps(value).decode()}" for key, value in changes.items() if key not in known]
    return "\n".join(lines)


def _written(value: object) -> str:
    """A value as the form takes it: hours with commas, a dash for a closed day."""
    if isinstance(value, list):
        return _SEPARATOR.join(map(str, cast("list[object]", value))) or _CLOSED
    return str(value)


def _targets(agreement: Document, labels: Mapping[str, str]) -> Iterator[Editable]:
    for commitment in cast("list[Document]", agreement.get("commitments") or []):
        name, target = str(commitment.get("id")), commitment.get("target")
        key, label = _key("commitments", name, "target"), labels.get(name, name)
        if isinstance(target, str) and not target.startswith(_LEVEL):
            yield Editable(key, label, target)
        if isinstance(target, Mapping):
            for case, value in cast("Document", target).items():
                if case != "by" and isinstance(value, str):
                    yield Editable(f"{key}.{_step(case)}", f"{label}: {case}", value)
    for level, figures in cast("Document", agreement.get("levels") or {}).items():
        for figure, value in cast("Document", figures).items():
            if isinstance(value, str) and value[:1].isdigit():
                yield Editable(_key("levels", level, figure), f"{level}: {figure}", value)


def _hours(calendars: Document) -> Iterator[Editable]:
    for name, calendar in cast("Document", calendars.get("calendars") or {}).items():
        for days, spans in cast("Document", calendar.get("hours") or {}).items():
            if isinstance(spans, list):
                written = _SEPARATOR.join(map(str, cast("list[object]", spans)))
                yield Editable(
                    _key("calendars", name, "hours", days), f"{name}: {days}", written, is_list=True
                )


def _key(*steps: str) -> str:
    return ".".join(map(_step, steps))


def _step(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f'"{name}"'
