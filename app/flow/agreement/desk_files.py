"""A desk's files: read from disk or a request, and checked, with each fault's file and line.

A file of calendars or of sources belongs to the desk that it is named after (`calendars/haisoft.toml`,
`sources/haisoft.toml`), an agreement to the desk that it names itself. The core parses calendars and agreements, the
adapters parse sources. Each is imported for its kind of file only: `slatimer deadline` needs neither.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from app.sla.calendar import Calendar, parse_calendars
from app.sla.document.faults import Fault, FaultyFile, line_of
from app.sla.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from app.intake.adapter import Adapter

_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")
"""The place in the message of a syntax error of TOML. Before Python 3.14 it is in the message only."""


MOST_KEY_PARTS: Final = 32
"""Parts of a key with dots. No file has more than six, and the parser's time and memory grow with their square."""
_PART: Final = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_KEY: Final = re.compile(rf"{_PART}(?:[ \t]*+\.[ \t]*+{_PART})*+", re.ASCII)
_KEY_PART: Final = re.compile(_PART, re.ASCII)


class FileKind(StrEnum):
    """What a file describes."""

    CALENDARS = "calendars"
    AGREEMENT = "agreement"
    SOURCES = "sources"


@dataclass(frozen=True, slots=True)
class DeskFile:
    """A file as read, not yet checked."""

    path: str
    desk: str
    kind: FileKind
    document: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class FileFault:
    """One fault with its file and, where it can be found, its line."""

    path: str
    line: int | None
    fault: Fault

    def __str__(self) -> str:
        return f"{self.path}{'' if self.line is None else f':{self.line}'}: {self.fault}"


class FaultyFiles(ValueError):
    """Files were refused. `faults` are the faults of all of them."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def read_files(paths: Iterable[Path]) -> list[DeskFile]:
    """The files under these paths; of a folder every TOML file in it. Raises FaultyFiles."""
    found: list[DeskFile] = []
    faults: list[FileFault] = []
    for path in paths:
        for file in sorted(path.rglob("*.toml")) if path.is_dir() else [path]:
            try:
                found.append(_read(file))
            except (OSError, ValueError) as error:
                faults.append(unreadable(file, error))
    if faults:
        raise FaultyFiles(faults)
    return found


def _read(path: Path) -> DeskFile:
    text = path.read_text(encoding="utf-8")
    return desk_file(str(path), path.stem, text)


def desk_file(path: str, stem: str, text: str) -> DeskFile:
    """A file from its text. `stem` is the desk of a file that names none. Raises ValueError when it is not TOML."""
    document = document_of(text)
    if "sources" in document:
        return DeskFile(path, stem, FileKind.SOURCES, document, text)
    if "calendars" in document:
        return DeskFile(path, stem, FileKind.CALENDARS, document, text)
    return DeskFile(path, str(document.get("desk") or stem), FileKind.AGREEMENT, document, text)


def document_of(text: str) -> dict[str, Any]:
    """A TOML text as a document. Raises ValueError when it is not TOML or cannot be stored."""
    if (long := next(filter(_is_long, _KEY.finditer(text)), None)) is not None:
        line = text.count("\n", 0, long.start()) + 1
        raise ValueError(f"a key has more than {MOST_KEY_PARTS} parts (at line {line}). Write tables instead")
    try:
        document = tomllib.loads(text)
        orjson.dumps(document)  # a number beyond 64 bits cannot be stored
    except RecursionError as error:
        raise ValueError("its tables are nested too deeply") from error
    except orjson.JSONEncodeError as error:
        raise ValueError(f"it cannot be stored: {error}") from error
    return document


def unreadable(path: Path, error: Exception) -> FileFault:
    """The fault of a file that cannot be read, or whose text is not TOML: with the line where that breaks off."""
    wrong = getattr(error, "strerror", None) or str(error)
    line = _LINE.search(wrong) if isinstance(error, tomllib.TOMLDecodeError) else None
    return FileFault(
        str(path), None if line is None else int(line[1]), Fault("file", wrong, "Give a readable TOML file.")
    )


def check_files(
    files: Sequence[DeskFile],
    known: Mapping[str, Calendar] | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """Check every file. `known` are calendars that are not among the files. Raises FaultyFiles with all faults."""
    check_limits(files, limits)
    calendars, faults = dict(known or {}), list[FileFault]()
    for file in files:
        if file.kind is FileKind.CALENDARS:
            try:
                calendars |= parse_calendars(file.document, desk=file.desk)
            except FaultyFile as error:
                faults += faults_of(file, error)
    faults += _faults_of_agreements(files, calendars)
    faults += faults_of_sources(files)
    if faults:
        raise FaultyFiles(faults)


def _faults_of_agreements(files: Iterable[DeskFile], calendars: Mapping[str, Calendar]) -> list[FileFault]:
    agreements = [file for file in files if file.kind is FileKind.AGREEMENT]
    if not agreements:
        return []
    from app.sla.agreement.file import parse_agreement

    faults: list[FileFault] = []
    for file in agreements:
        try:
            parse_agreement(file.document, calendars=calendars)
        except FaultyFile as error:
            faults += faults_of(file, error)
    return faults


def check_limits(files: Iterable[DeskFile], limits: Limits) -> None:
    """Measure files before they are parsed. Raises FaultyFiles with what is too many in them."""
    measures = {FileKind.AGREEMENT: limits.faults_of_agreement, FileKind.CALENDARS: limits.faults_of_calendar}
    faults = [
        fault
        for file in files
        if (measure := measures.get(file.kind)) is not None
        for fault in faults_of(file, FaultyFile(measure(file.document)))
    ]
    if faults:
        raise FaultyFiles(faults)


def faults_of_sources(
    files: Iterable[DeskFile], adapters: "Mapping[str, Adapter] | None" = None
) -> list[FileFault]:
    """The faults of the files of sources among these. `adapters`: other ones than those of the service."""
    sources = [file for file in files if file.kind is FileKind.SOURCES]
    if not sources:
        return []
    from app.intake.adapters import ADAPTERS
    from app.intake.source_file import parse_sources

    faults: list[FileFault] = []
    for file in sources:
        try:
            parse_sources(file.document, file.desk, ADAPTERS if adapters is None else adapters)
        except FaultyFile as error:
            faults += faults_of(file, error)
    return faults


def calendars_beside(files: Sequence[DeskFile]) -> dict[str, Calendar]:
    """The calendars in the folder `calendars` beside the folder of these files, as a checkout has them.

    Raises FaultyFiles for a calendar that is faulty.
    """
    folders = {Path(file.path).resolve().parent.parent / "calendars" for file in files}
    found: dict[str, Calendar] = {}
    for folder in sorted(folders):
        for file in read_files([folder]) if folder.is_dir() else []:
            try:
                found |= parse_calendars(file.document, desk=file.desk)
            except FaultyFile as error:
                raise FaultyFiles(faults_of(file, error)) from error
    return found


_MOST_LINES: Final = 50
"""Faults of a file that are found in its text: more than an answer lists."""


def faults_of(file: DeskFile, error: FaultyFile) -> list[FileFault]:
    """A file's faults, the first of them with their lines: each line is a pass over the text."""
    return [
        FileFault(file.path, line_of(file.text, fault.place) if number < _MOST_LINES else None, fault)
        for number, fault in enumerate(error.faults)
    ]


def _is_long(key: re.Match[str]) -> bool:
    # The dots first: there are as many matches as words in the text, and a part in quotes may have dots of its own.
    return key[0].count(".") >= MOST_KEY_PARTS and len(_KEY_PART.findall(key[0])) > MOST_KEY_PARTS
