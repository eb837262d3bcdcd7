"""One table of a desk's file, read key by key: is each value of the right shape, and is any key left over?

A reader asks for the keys it knows and closes the table; what was not asked for is refused with the nearest known key.
Every getter returns its default after a fault, so that reading goes on and all faults of a file come at once.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar, cast

from app.sla.document.faults import Fault, instead_of

Word = TypeVar("Word", bound=StrEnum)


class Table:
    """A table at a place in the file. Faults of it and of the tables within it gather in one list."""

    def __init__(self, content: Mapping[str, object], place: str, faults: list[Fault]) -> None:
        self.content = content
        self.place = place
        self.faults = faults
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        """The path of a key of this table."""
        return f"{self.place}.{key}" if self.place else key

    def fault(self, key: str, wrong: str, right: str) -> None:
        """Note that the value of a key is wrong."""
        self.faults.append(Fault(self.at(key), wrong, right))

    def value(self, key: str) -> object:
        """The value as it stands; None when the key is absent."""
        self._asked.add(key)
        return self.content.get(key)

    def text(self, key: str, *, example: str, required: bool = False) -> str | None:
        """A text that is not empty."""
        value = self.value(key)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None:
            self.fault(key, f"{value!r} is no text", f"Write {key} = {example}.")
        elif required:
            self.fault(key, "it is missing", f"Write {key} = {example}.")
        return None

    def word(self, key: str, default: Word) -> Word:
        """One word of a fixed few; the default tells which."""
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
        self.fault(key, f"{value!r} is no whole number of {least} or more", f"Write {key} = {max(least, 1)}.")
        return default

    def texts(self, key: str, *, example: str) -> list[tuple[str, str]]:
        """A list of texts, each with its key: `stops_on[1]`. Absent is empty."""
        found: list[tuple[str, str]] = []
        for n, value in enumerate(self.values(key, example=example)):
            if isinstance(value, str):
                found.append((f"{key}[{n}]", value))
            else:
                self.fault(f"{key}[{n}]", f"{value!r} is no text", f"Write {key} = {example}.")
        return found

    def values(self, key: str, *, example: str) -> list[object]:
        """A list of anything; absent is empty."""
        value = self.value(key)
        if isinstance(value, list | tuple):
            return list(cast(Iterable[object], value))
        if value is not None:
            self.fault(key, f"{value!r} is no list", f"Write {key} = {example}.")
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
        """This value of this key as a table; None when it is absent or no table."""
        if isinstance(value, Mapping):
            return Table(cast(Mapping[str, object], value), self.at(key), self.faults)
        if value is not None:
            self.fault(key, f"{value!r} is no table", f"Write {example}.")
        return None

    def close(self) -> None:
        """Refuse every key that nobody asked for."""
        for key in self.content:
            if key not in self._asked:
                self.fault(key, "no such key here", instead_of(key, self._asked))
