"""Mapping files: read and checked, with the line of every fault."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from app.flow.agreement.desk_files import FileFault, document_of
from app.intake.importing.mapping import TABLES, FaultyMapping, Mapped, parse_mapping
from app.sla.document.faults import Fault, line_of

_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")


class FaultyMappingFile(ValueError):
    """A mapping file was refused. `faults` has each of its faults with its line."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def read_mapping(path: Path) -> Mapped:
    """The mapping in a file. Raises FaultyMappingFile."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = document_of(text)
    except (OSError, ValueError) as error:
        wrong = getattr(error, "strerror", None) or str(error)
        line = _LINE.search(wrong) if isinstance(error, tomllib.TOMLDecodeError) else None
        fault = Fault("file", wrong, "Give a readable TOML file in UTF-8.")
        raise FaultyMappingFile(
            [FileFault(str(path), None if line is None else int(line[1]), fault)]
        ) from error
    try:
        return parse_mapping(document)
    except FaultyMapping as error:
        faults = (FileFault(str(path), line_of(text, fault.place), fault) for fault in error.faults)
        raise FaultyMappingFile(faults) from error


def mapping_files(paths: Iterable[Path]) -> list[Path]:
    """Those of these files, and of the files in these folders, that are mappings of a log by their tables."""
    return [
        file
        for path in paths
        for file in (sorted(path.rglob("*.toml")) if path.is_dir() else [path])
        if _is_mapping(file)
    ]


def _is_mapping(path: Path) -> bool:
    try:
        document = document_of(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False  # reported where files are read
    return bool(document) and document.keys() <= TABLES
