"""The notes of an agreement's file: its comments, by the table that they are about.

A shipped file quotes the text that it was read from in its comments, and says how it was read.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

TablePlace = tuple[str, int]
"""A table by its header, and its number among those with the same header. The top of the file has the empty header."""

_HEADER: Final = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")
_TRAILING: Final = re.compile(r"""(?:[^"'#]|"(?:\\.|[^"\\])*+"|'[^']*+')*+#\s?(.*)""")
_CODE: Final = "   "
"""A comment that is indented further is an example of keys, no note."""


class _Reader:
    """Reads a file line by line; comments in a row are one note."""

    def __init__(self) -> None:
        self.found: dict[TablePlace, list[str]] = defaultdict(list)
        self._counts: dict[str, int] = {}
        self._table: TablePlace = ("", 0)
        self._open: list[str] = []

    def read(self, line: str) -> None:
        """Read the next line."""
        stripped = line.strip()
        if stripped.startswith("#"):
            self._comment(stripped[1:])
        elif header := _HEADER.fullmatch(line):
            self._begin(header[1].strip())
        else:
            self.close()
            if (trailing := _TRAILING.fullmatch(line)) is not None:
                self.found[self._table].append(trailing[1].strip())

    def close(self) -> None:
        """End the note that is open: it is about the table before it."""
        if self._open:
            self.found[self._table].append(" ".join(self._open))
            self._open = []

    def _comment(self, text: str) -> None:
        if text.startswith(_CODE) or not text.strip():
            self.close()
        else:
            self._open.append(text.strip())

    def _begin(self, name: str) -> None:
        """A note that touches a header from above is about that header's table."""
        self._counts[name] = self._counts.get(name, -1) + 1
        self._table = (name, self._counts[name])
        self.close()


def notes_of(text: str) -> Mapping[TablePlace, list[str]]:
    """The notes of a file, in order."""
    reader = _Reader()
    for line in text.splitlines():
        reader.read(line)
    reader.close()
    return reader.found
