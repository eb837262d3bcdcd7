"""Mapping files: read and checked, with the line of every fault."""

from collections.abc import Iterable
from pathlib import Path

from app.flow.agreement.desk_files import FileFault, document_of, unreadable
from app.intake.importing.mapping import TABLES, FaultyMapping, Mapped, parse_mapping
from app.sla.document.faults import line_of


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
        raise FaultyMappingFile([unreadable(path, error)]) from error
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


def faults_of_mappings(paths: Iterable[Path]) -> list[FileFault]:
    """Every fault of these mapping files."""
    faults: list[FileFault] = []
    for path in paths:
        try:
            read_mapping(path)
        except FaultyMappingFile as error:
            faults += error.faults
    return faults
