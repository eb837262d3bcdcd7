"""Places in a desk's document as JSON pointers: of its faults and of the remarks about it."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from app.flow.agreement.desk_files import DeskFile, FileFault, FileKind
from app.flow.agreement.remarks import FileRemark
from app.web.http.problems import Place, pointer

_STEP: Final = re.compile(r"[^.\[\]]+")


def place_of(file: DeskFile, fault: FileFault) -> Place:
    """A fault by its JSON pointer; by the whole body when it lies in another document, which the reason names."""
    found = fault.fault
    line = "" if fault.line is None else f"line {fault.line}: "
    reason = f"{line}{found.wrong}. {found.right}"
    steps = _STEP.findall(found.place)
    # A key may be empty, or nothing but dots and brackets: then the whole body is the place.
    if not steps or (file.kind is FileKind.CALENDARS and steps[0] not in {"calendars", *file.document}):
        return Place("body", "", f"{found.place}: {reason}")
    return Place("body", pointer(_keys(file.document, steps)), reason)


def remark_json(file: DeskFile, found: FileRemark) -> dict[str, Any]:
    """A remark by its JSON pointer, as it is shown."""
    steps = _STEP.findall(found.remark.place)
    return {
        "pointer": pointer(_keys(file.document, steps)),
        "line": found.line,
        "text": found.remark.text,
        "advice": found.remark.advice,
    }


def _keys(value: object, steps: list[str]) -> list[str]:
    """The steps of a fault's place, with numbers for the tables of a list that it names by their id."""
    keys: list[str] = []
    for step in steps:
        key: str | int = step
        if isinstance(value, list):
            listed = cast("list[object]", value)
            by_id = (n for n, each in enumerate(listed) if _named(each) == step)
            key = int(step) if step.isdecimal() else next(by_id, step)
            value = listed[key] if isinstance(key, int) and key < len(listed) else None
        elif isinstance(value, Mapping):
            value = cast("Mapping[str, object]", value).get(step)
        keys.append(str(key))
    return keys


def _named(value: object) -> object:
    return cast("Mapping[str, object]", value).get("id") if isinstance(value, Mapping) else None
