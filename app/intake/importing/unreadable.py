"""What can be wrong with a log: the file as a whole, or one row of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final


class UnusableLog(ValueError):
    """The log cannot be read as a whole. The message names the reason and the remedy."""


class UnreadableRow(ValueError):
    """One row cannot be read. The message has no line; the reader adds it."""


_MOST_NAMES: Final = 20
_LONGEST_NAME: Final = 60
"""Columns that a reason lists, and characters of each: enough to find the right one."""


def columns_listed(names: Collection[str]) -> str:
    """Names of columns as a list in a sentence."""
    shown = [repr(name[:_LONGEST_NAME]) for name in list(names)[:_MOST_NAMES]]
    more = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join(shown + more) or "none"


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was refused: its line in the file (0 for none), its number among the rows, and the reason."""

    line: int
    row: int
    reason: str
    id: str | None = None

    def __str__(self) -> str:
        named = "" if self.id is None else f"id {self.id!r}, "
        return f"{named}line {self.line}, row {self.row}: {self.reason}"
