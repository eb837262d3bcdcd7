"""Rows of a log as read from its bytes: CSV, JSON lines or XES, each with its line.

A row that cannot be read is yielded as refused, and reading goes on behind it. Blank lines are passed over.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import BinaryIO, Final, cast

from app.intake.importing.layout import Format, Layout
from app.intake.importing.unreadable import Refused, UnusableLog, columns_listed
from app.intake.json_values import Faulty, NotJson, parse_values

_WIDE: Final = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
"""Encodings whose faulty bytes cannot be carried along as half surrogates."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file, its number from 1, and its cells by column."""

    line: int
    number: int
    cells: Mapping[str, object]


def rows(stream: BinaryIO, layout: Layout, *, longest: int) -> Iterator[Row | Refused]:
    """The rows of a log in the order of the file.

    `longest`: characters in a row, bytes in an XES event. Raises UnusableLog where nothing behind can be read.
    """
    if layout.format is Format.XES:
        from app.intake.importing.xes import xes_rows  # its parser of XML, which no other format needs

        for number, (line, cells) in enumerate(xes_rows(stream, longest=longest), start=1):
            yield Row(line, number, cells)
        return
    errors = "replace" if layout.encoding.lower() in _WIDE else "surrogateescape"
    text = TextIOWrapper(stream, encoding=layout.encoding, errors=errors, newline="")
    reading = _json_rows if layout.format is Format.JSON_LINES else _csv_rows
    yield from reading(_Lines(text, longest), layout)


class _Lines:
    """The lines of a text, each at most so long; the rest of a longer one is passed over, and it is marked."""

    def __init__(self, text: TextIOWrapper, longest: int) -> None:
        self._text, self._longest = text, longest
        self.number = 0
        self.too_long = False
        self._since, self._first = 0, 1

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._longest):
            self.number += 1
            self._since += len(line)
            if self._since > self._longest and self._first < self.number:
                raise UnusableLog(
                    f"the row at line {self._first} has more than {self._longest} characters. Is a quote unclosed?"
                )
            if len(line) >= self._longest and not line.endswith(("\n", "\r")):
                self.too_long = True
                while (rest := self._text.readline(self._longest)) and not rest.endswith(("\n", "\r")):
                    pass
                yield "\n"
            else:
                yield line.lstrip("\ufeff") if self.number == 1 else line

    def begin(self) -> int:
        """The next line begins a row. Returns its number."""
        self._since, self._first = 0, self.number + 1
        return self._first

    def fault(self, layout: Layout, text: str) -> str | None:
        """Why the text that was read cannot be used, if so."""
        if self.too_long:
            self.too_long = False
            return f"it has more than {self._longest} characters"
        if not text.isascii() and any("\ud800" <= each <= "\udfff" or each == "\ufffd" for each in text):
            return (
                f'it is not {layout.encoding}. State its encoding as encoding = "…" in [file] of the mapping'
            )
        return None


def _json_rows(lines: _Lines, layout: Layout) -> Iterator[Row | Refused]:
    number = 0
    for line in lines:
        lines.begin()
        if not line.strip() and not lines.too_long:
            continue
        number += 1
        reason, named = lines.fault(layout, line), None
        try:
            value = parse_values(line, most=1) if reason is None else None
        except NotJson as error:
            reason = f"it is no JSON: {error}"
        else:
            if isinstance(value, Faulty):
                named, reason = value.id, value.reason
            elif reason is None and not isinstance(value, dict):
                reason = "it is no JSON object"
            elif reason is None:
                yield Row(lines.number, number, cast("dict[str, object]", value))
        if reason is not None:
            yield Refused(lines.number, number, reason, named)


def _csv_rows(lines: _Lines, layout: Layout) -> Iterator[Row | Refused]:
    reader = csv.reader(lines, delimiter=layout.delimiter)
    header = _header(reader, lines, layout)
    number = 0
    while True:
        first = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield Refused(first, number, f"it is no CSV up to line {lines.number}: {error}")
            continue
        if not any(cells) and not lines.too_long:
            continue
        number += 1
        reason = lines.fault(layout, "".join(cells))
        if reason is None and len(cells) > len(header) and any(cells[len(header) :]):
            reason = (
                f"it has {len(cells)} cells, the header {len(header)}. Quote cells that hold the delimiter"
            )
        if reason is not None:
            yield Refused(first, number, reason)
        else:
            yield Row(first, number, {name: cell for name, cell in zip(header, cells, strict=False) if name})


def _header(reader: Iterator[list[str]], lines: _Lines, layout: Layout) -> list[str]:
    """The names of the columns, from the first line that is not blank."""
    try:
        header = next(
            (cells for cells in reader if any(map(str.strip, cells)) or lines.too_long), list[str]()
        )
    except csv.Error as error:
        raise UnusableLog(f"its header is no CSV: {error}") from error
    if reason := lines.fault(layout, "".join(header)):
        raise UnusableLog(f"its header cannot be read: {reason}")
    names = [cell.strip() for cell in header]
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise UnusableLog(f"its header has {columns_listed(twice)} more than once. Rename one of them")
    return names


def columns_of(head: bytes, layout: Layout) -> list[str]:
    """The columns of a CSV file, from its first bytes. Raises UnusableLog."""
    text = TextIOWrapper(BytesIO(head), encoding=layout.encoding, errors="replace", newline="")
    lines = _Lines(text, len(head) + 1)
    return _header(csv.reader(lines, delimiter=layout.delimiter), lines, layout)
