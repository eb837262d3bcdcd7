"""Files of an export: written from where they were, with their size and checksum."""

import os
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from app.flow.transfer.manifest import FILE_MODE, FileState

_CHUNK: Final = 1 << 20


class ExportFile:
    """A file that is being written, from the beginning or after what a state describes."""

    def __init__(self, path: Path, state: FileState | None = None) -> None:
        self._sum = sha256()
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE), "r+b")
        self.size = 0 if state is None else state.size
        if state is not None:
            _add(self._sum, self._file, state.size)
        self._file.seek(self.size)
        self._file.truncate()

    def write(self, content: bytes) -> None:
        """Append."""
        self._file.write(content)
        self._sum.update(content)
        self.size += len(content)

    def state(self) -> FileState:
        """What is written, once it is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return FileState(size=self.size, sha256=self._sum.hexdigest())

    def close(self) -> None:
        """Close it."""
        self._file.close()


def is_as_described(path: Path, state: FileState) -> bool:
    """Whether a file begins with what a state describes."""
    if not path.exists() or path.stat().st_size < state.size:
        return False
    found = sha256()
    with path.open("rb") as file:
        _add(found, file, state.size)
    return found.hexdigest() == state.sha256


class _Checksum(Protocol):
    def update(self, content: bytes, /) -> None: ...


def _add(checksum: _Checksum, file: BinaryIO, size: int) -> None:
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        checksum.update(chunk)
        size -= len(chunk)
