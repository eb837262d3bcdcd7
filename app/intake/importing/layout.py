"""Layout of a log file: its format, encoding and delimiter, recognised from its first bytes where they are certain.

What a mapping states wins. What cannot be recognised for certain is refused with the key of the mapping that states it.
"""

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.intake.importing.unreadable import UnusableLog

HEAD_SIZE: Final = 65_536
"""Bytes at the start of a file by which it is recognised: hundreds of rows of any log."""

GZIP_MAGIC: Final = b"\x1f\x8b"

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SAMPLE_ROWS: Final = 20
_UNDEFINED_IN_WINDOWS: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_NEWLINE: Final = re.compile(r"\r\n|\n|\r")


class Format(StrEnum):
    """The format of a log."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    XES = "xes"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a mapping states of the file; None where it is to be recognised."""

    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is read. `guessed`: a sentence on what was not certain, for the user."""

    format: Format
    encoding: str
    delimiter: str = ","
    guessed: str | None = None

    @property
    def description(self) -> str:
        """The layout in words."""
        if self.format is Format.XES:
            return "XES event log"
        if self.format is Format.JSON_LINES:
            return f"JSON lines, {self.encoding}"
        return f"CSV, delimiter {_DELIMITERS.get(self.delimiter, repr(self.delimiter))}, {self.encoding}"


def recognised(head: bytes, name: str, stated: Stated, columns: Collection[str]) -> Layout:
    """The layout of a file from its first bytes, its name and what the mapping states.

    `columns` are those that the mapping needs: the delimiter under which the header has all of them is the right one.
    Raises UnusableLog.
    """
    format_ = stated.format or _format_of_name(name)
    if format_ is Format.XES or (format_ is None and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")):
        return Layout(Format.XES, stated.encoding or "its own")
    encoding, guessed = (stated.encoding, None) if stated.encoding else _encoding(head)
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if format_ is None:
        format_ = Format.JSON_LINES if text.startswith("{") else Format.CSV
    if format_ is Format.JSON_LINES:
        if text.startswith("["):
            raise UnusableLog("it is one JSON array. Write one object a line: jq -c '.[]' FILE > FILE.jsonl")
        return Layout(format_, encoding, guessed=guessed)
    return Layout(format_, encoding, stated.delimiter or _delimiter(text, columns), guessed)


def _format_of_name(name: str) -> Format | None:
    bare = name.lower().removesuffix(".gz")
    if bare.endswith((".jsonl", ".ndjson", ".json")):
        return Format.JSON_LINES
    return Format.XES if bare.endswith(".xes") else None


def _encoding(head: bytes) -> tuple[str, str | None]:
    """The encoding, and a remark when it is the likeliest and not a certain one."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, None
    pairs = head[: len(head) // 2 * 2]
    if pairs and pairs[1::2].count(0) > len(pairs) // 3:
        return "utf-16-le", None
    if pairs and pairs[0::2].count(0) > len(pairs) // 3:
        return "utf-16-be", None
    # The head may end within a character, which has at most four bytes.
    if any(_is_utf8(head[: len(head) - cut]) for cut in range(min(4, len(head) + 1))):
        return "utf-8", None
    if _UNDEFINED_IN_WINDOWS.search(head):
        raise UnusableLog(
            'its encoding is neither UTF-8, UTF-16 nor Windows-1252. State it as encoding = "…" in [file]'
        )
    return (
        "windows-1252",
        'It is not UTF-8 and is read as Windows-1252. State another as encoding = "…" in [file]',
    )


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(text: str, columns: Collection[str]) -> str:
    lines = _NEWLINE.split(text)
    if len(text) >= HEAD_SIZE // 4:
        lines.pop()  # the last line may be cut
    lines = [line for line in lines if line.strip()]
    header = lines[0] if lines else ""
    present = [each for each in _DELIMITERS if each in header]
    if len(present) <= 1:
        return present[0] if present else ","
    for candidates in (
        [each for each in present if set(columns) <= set(cells_of_header(header, each))],
        [each for each in present if _even(lines[:_SAMPLE_ROWS], each)],
    ):
        if len(candidates) == 1:
            return candidates[0]
    names = ", ".join(_DELIMITERS[each] for each in present)
    raise UnusableLog(
        f'its delimiter is not certain: the header has {names}. State it as delimiter = ";" in [file]'
    )


def _even(lines: Iterable[str], delimiter: str) -> bool:
    """Whether every row of the sample has the same number of cells, more than one."""
    counts = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
    return len(counts) == 1 and counts.pop() > 1


def cells_of_header(line: str, delimiter: str) -> list[str]:
    """The names of the columns of a header line."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), list[str]())]
    except csv.Error:
        return []
