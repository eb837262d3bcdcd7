"""The difference between two documents by keys: `commitments.gti.target: "4h" -> "8h"`.

Layout does not matter: the order of keys, of weekdays in one key or several. Tables of a list that have an `id` are
compared by it, and their order is compared apart. Applying the difference to the old document gives the new one.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BARE: Final = re.compile(r"[\w-]+", re.ASCII)

Tree = dict[str, Any]


class Listed(dict[str, Any]):
    """A list of tables with ids, by id and in its order."""


class ChangeKind(StrEnum):
    """What happened to a key."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key that differs. `old` is None for one that was added, `new` for one that was removed; of a list that is
    ordered otherwise both are the ids."""

    path: tuple[str, ...]
    kind: ChangeKind
    old: Any = None
    new: Any = None

    @property
    def key(self) -> str:
        """The path as TOML writes it: `commitments.gti.target`."""
        return ".".join(map(_key, self.path))

    @property
    def sentence(self) -> str:
        """The change in one line."""
        match self.kind:
            case ChangeKind.ADDED:
                return f"{self.key} added: {written(self.new)}"
            case ChangeKind.REMOVED:
                return f"{self.key} removed: {written(self.old)}"
            case ChangeKind.CHANGED:
                return f"{self.key}: {written(self.old)} -> {written(self.new)}"
            case ChangeKind.REORDERED:
                return f"{self.key} reordered: {', '.join(self.old)} -> {', '.join(self.new)}"


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[KeyChange, ...]:
    """What differs between two documents, in the order of the old one."""
    return tuple(_walk((), normal(old), normal(new)))


def apply_difference(document: Mapping[str, Any], changes: Sequence[KeyChange]) -> Tree:
    """A document in its normal form with these changes made to it."""
    found = normal(document)
    for change in changes:
        *above, last = change.path
        table = found
        for step in above:
            table = cast(Tree, table[step])
        match change.kind:
            case ChangeKind.REMOVED:
                del table[last]
            case ChangeKind.REORDERED:
                listed = table[last]
                table[last] = Listed((each, listed[each]) for each in change.new)
            case _:
                table[last] = change.new
    return found


def normal(document: Mapping[str, Any]) -> Tree:
    """A document in which layout is gone: hours by single weekdays, lists of tables with ids by id."""
    return cast(Tree, _normal(document))


def _normal(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        if key == "hours" and (days := _by_weekday(table)) is not None:
            return days
        return {name: _normal(inner, name) for name, inner in table.items()}
    if isinstance(value, list | tuple):
        items = cast(Sequence[Any], value)
        tables = [cast(Mapping[str, Any], each) for each in items if isinstance(each, Mapping)]
        names = [each.get("id") for each in tables]
        if items and len(tables) == len(items) and all(isinstance(name, str) for name in names):
            listed = Listed((cast(str, each["id"]), _normal(each)) for each in tables)
            if len(listed) == len(items):
                return listed
        return [_normal(each) for each in items]
    return value


def _by_weekday(hours: Mapping[str, Any]) -> Tree | None:
    """Hours by single weekdays in their order; None where a key is none, or names one twice."""
    found: dict[int, Any] = {}
    for key, value in hours.items():
        for part in key.lower().replace(" ", "").split(","):
            first, dash, last = part.partition("-")
            if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
                return None
            start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            for day in range(start, end + (1 if end >= start else 8)):
                if day % 7 in found:
                    return None
                found[day % 7] = _normal(value)
    return {WEEKDAYS[day]: found[day] for day in sorted(found)}


def _walk(path: tuple[str, ...], old: Tree, new: Tree) -> Iterator[KeyChange]:
    for key in [*old, *(key for key in new if key not in old)]:
        here = (*path, key)
        if key not in new:
            yield KeyChange(here, ChangeKind.REMOVED, old=old[key])
        elif key not in old:
            yield KeyChange(here, ChangeKind.ADDED, new=new[key])
        else:
            yield from _values(here, old[key], new[key])


def _values(path: tuple[str, ...], old: Any, new: Any) -> Iterator[KeyChange]:
    if isinstance(old, dict) and isinstance(new, dict) and isinstance(old, Listed) is isinstance(new, Listed):
        before, after = cast(Tree, old), cast(Tree, new)
        yield from _walk(path, before, after)
        if isinstance(after, Listed):
            order = [*(key for key in before if key in after), *(key for key in after if key not in before)]
            if order != list(after):
                yield KeyChange(path, ChangeKind.REORDERED, old=order, new=list(after))
    elif not is_same(old, new):
        yield KeyChange(path, ChangeKind.CHANGED, old=old, new=new)


def is_same(old: Any, new: Any) -> bool:
    """Whether two values in normal form are equal and of the same types: 1 is not 1.0, nor True."""
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        before, after = cast(Tree, old), cast(Tree, new)
        same_order = not isinstance(before, Listed) or list(before) == list(after)
        return (
            same_order and before.keys() == after.keys() and all(is_same(before[k], after[k]) for k in before)
        )
    if isinstance(old, list):
        pairs = cast(Sequence[Any], old), cast(Sequence[Any], new)
        return len(pairs[0]) == len(pairs[1]) and all(map(is_same, *pairs))
    return old == new


def plain(value: Any) -> Any:
    """A value in normal form as lists and tables again, as JSON writes it."""
    if isinstance(value, Listed):
        return [plain(each) for each in value.values()]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in cast(Tree, value).items()}
    if isinstance(value, list):
        return [plain(each) for each in cast(Sequence[Any], value)]
    return value


def written(value: Any) -> str:
    """A value on one line, as TOML writes it."""
    if isinstance(value, Listed):
        return written(list(value.values()))
    if isinstance(value, dict):
        table = cast(Tree, value)
        inner = ", ".join(f"{_key(name)} = {written(each)}" for name, each in table.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, cast(Sequence[Any], value)))}]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _key(name: str) -> str:
    """A key as TOML writes it."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
