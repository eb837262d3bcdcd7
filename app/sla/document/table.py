"""Typed access to one table of a desk's file, key by key, with the faults in it.

A reader gets the keys it knows and closes the table; a key that was not read is refused with the nearest known one.
Every getter returns its default after a fault, so that reading goes on and all faults of a file are found at once.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar, cast

from app.sla.document.faults import Fault, instead_of

Word = TypeVar("Word", bound=StrEnum)

_DATE_RIGHT = 'Write a date as "2026-12-24".'


class Table:
    """A table at a place in the file. Faults of it and of the tables within it are collected in one list."""

    def __init__(self, content: Mapping[str, object], place: str, faults: list[Fault]) -> None:
        self.content = content
        self.place = place
        self.faults = faults
        self._read: set[str] = set()

    def at(self, key: str) -> str:
        """The path of a key of this table."""
        return f"{self.place}.{key}" if self.place else key

    def fault(self, key: str, wrong: str, right: str) -> None:
        """Record that the value of a key is wrong."""
        self.faults.append(Fault(self.at(key), wrong, right))

    def value(self, key: str) -> object:
        """The value as it is; None when the key is absent."""
        self._read.add(key)
        return self.content.get(key)

    def text(self, key: str, *, example: str, required: bool = False) -> str | None:
        """A text that is not empty."""
        value = self.value(key)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None:
            self.fault(key, f"{value!r} is not a text", f"Write {key} = {example}.")
        elif required:
            self.fault(key, "it is missing", f"Write {key} = {example}.")
        return None

    def word(self, key: str, default: Word) -> Word:
        """One word of the default's enumeration."""
        value = self.value(key)
        words = type(default)
        if value is None:
            return default
        if isinstance(value, str) and value in {word.value for word in words}:
            return words(value)
        self.fault(key, f"{value!r} is not known", instead_of(value, (word.value for word in words)))
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.value(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.fault(key, f"{value!r} is neither true nor false", f"Write {key} = true or {key} = false.")
        return default

    def whole(self, key: str, default: int | None, *, least: int) -> int | None:
        """A whole number, `least` or more."""
        value = self.value(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
            return default if value is None else value
        wrong = f"{value!r} is not a whole number of {least} or more"
        self.fault(key, wrong, f"Write {key} = {max(least, 1)}.")
        return default

    def date_of(self, key: str, value: object) -> date | None:
        """A date, typed or as text: the value of a key, or the key itself."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(cast(str, value))
        except (TypeError, ValueError):
            self.fault(key, f"{value!s} is not a date", _DATE_RIGHT)
            return None

    def texts(self, key: str, *, example: str) -> list[tuple[str, str]]:
        """A list of texts, each with its key: `stops_on[1]`. Absent is empty."""
        found: list[tuple[str, str]] = []
        for n, value in enumerate(self.values(key, example=example)):
            if isinstance(value, str):
                found.append((f"{key}[{n}]", value))
            else:
                self.fault(f"{key}[{n}]", f"{value!r} is not a text", f"Write {key} = {example}.")
        return found

    def values(self, key: str, *, example: str) -> list[object]:
        """A list of anything; absent is empty."""
        value = self.value(key)
        if isinstance(value, list | tuple):
            return list(cast(Iterable[object], value))
        if value is not None:
            self.fault(key, f"{value!r} is not a list", f"Write {key} = {example}.")
        return []

    def table(self, key: str, *, example: str) -> "Table":
        """A table within this one; absent is empty."""
        return self.inner(key, self.value(key), example=example) or Table({}, self.at(key), self.faults)

    def tables(self, key: str, *, example: str) -> list["Table"]:
        """A list of tables; absent is empty."""
        listed = self.values(key, example=example)
        inner = (self.inner(f"{key}[{n}]", value, example=example) for n, value in enumerate(listed))
        return [table for table in inner if table is not None]

    def inner(self, key: str, value: object, *, example: str) -> "Table | None":
        """This value of this key as a table; None when it is absent or not a table."""
        if isinstance(value, Mapping):
            return self.inner_of(key, cast(Mapping[str, object], value))
        if value is not None:
            self.fault(key, f"{value!r} is not a table", f"Write {example}.")
        return None

    def inner_of(self, key: str, content: Mapping[str, object]) -> "Table":
        """This table of this key."""
        return Table(content, self.at(key), self.faults)

    def close(self) -> None:
        """Refuse every key that was not read."""
        for key in self.content:
            if key not in self._read:
                self.fault(key, "no such key here", instead_of(key, self._read))
