"""The manifest of an export: what its files have, up to which row they are written, and their checksums.

It is written after the files, and replaced at once, so it never describes more than is on the disk. Only an export that
ended has `as_of`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

NAME: Final = "manifest.json"
FORMAT: Final = 1
"""Of the files. A change that an earlier release could not read takes the next number."""

FILE_MODE: Final = 0o600
"""Of all files: they have what customers wrote, and are for the user who exports."""

_MAX_SIZE: Final = 1_000_000
"""In bytes; a manifest has some ten thousand."""


class UnusableExport(ValueError):
    """The folder holds no export that can be used here. The message says what is wrong and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FileState(_Part):
    """A file as far as it is written."""

    size: int = Field(ge=0)
    sha256: str


class ColumnState(_Part):
    """A column, for those who load the files elsewhere."""

    name: str
    type: str


class KindState(_Part):
    """A kind as far as it is written. `position`: of its last row, where rows are only appended."""

    rows: int = Field(ge=0)
    position: int
    columns: list[ColumnState]
    files: dict[str, FileState]


class Manifest(_Part):
    """An export. `as_of`: the one instant that all of it shows; none while it is not complete."""

    format: int
    release: str
    desk: str
    since: str | None
    until: str | None
    csv: bool
    as_of: str | None = None
    kinds: dict[str, KindState] = Field(default_factory=dict[str, KindState])

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked for: an export goes on only with the same."""
        return {name: getattr(self, name) for name in ("format", "desk", "since", "until", "csv")}


def load(folder: Path) -> Manifest | None:
    """The manifest of a folder, if it has one. Raises UnusableExport, and OSError."""
    path = folder / NAME
    if not path.exists():
        return None
    if path.stat().st_size > _MAX_SIZE:
        raise UnusableExport(f"{path}: is too large for a manifest")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UnusableExport(f"{path}: is no manifest of an export: {place}: {first['msg']}") from error


def save(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of a folder. Raises OSError."""
    coming = folder / f"{NAME}.new"
    with os.fdopen(os.open(coming, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, FILE_MODE), "wb") as file:
        file.write(manifest.model_dump_json(indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    coming.replace(folder / NAME)
