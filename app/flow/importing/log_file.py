"""The bytes of a log: a file or standard input, unpacked if it is compressed, limited in size."""

import gzip
import sys
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from app.intake.importing.layout import GZIP_MAGIC, HEAD_SIZE
from app.intake.importing.unreadable import UnusableLog

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STANDARD_INPUT: Final = Path("-")


class Limited(RawIOBase):
    """A stream whose first bytes can be looked at, that counts what was read and ends at a limit."""

    def __init__(self, source: BinaryIO, limit: int | None = None) -> None:
        super().__init__()
        self._source, self._limit = source, limit
        self._pending = b""
        self.done = 0
        """Bytes read from the source so far."""

    def head(self, size: int) -> bytes:
        """The first bytes, which are read again afterwards."""
        while len(self._pending) < size and (chunk := self._next(size - len(self._pending))):
            self._pending += chunk
        return self._pending[:size]

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read the next bytes. Raises UnusableLog beyond the limit and where compressed data is broken."""
        view = memoryview(buffer).cast("B")
        chunk = self._pending[: len(view)] or self._next(len(view))
        self._pending = self._pending[len(chunk) :]
        view[: len(chunk)] = chunk
        return len(chunk)

    def _next(self, size: int) -> bytes:
        try:
            chunk = self._source.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnusableLog(f"its compressed data is broken or cut off: {error}") from error
        self.done += len(chunk)
        if self._limit is not None and self.done > self._limit:
            raise UnusableLog(
                f"it has more than {self._limit} bytes. Raise SLATIMER_REPLAY_MAX_SIZE, or split it"
            )
        return chunk


class OpenLog:
    """An open log: its first bytes, its unpacked stream, and how much of the file was read."""

    def __init__(self, source: BinaryIO, size: int | None, limit: int) -> None:
        self._packed = Limited(source)
        self.size = size
        """Bytes of the file; None for standard input."""
        self.is_compressed = self._packed.head(2) == GZIP_MAGIC
        inner = cast("BinaryIO", BufferedReader(self._packed))
        self._unpacked = Limited(
            cast("BinaryIO", gzip.GzipFile(fileobj=inner)) if self.is_compressed else inner, limit
        )
        self.head = self._unpacked.head(HEAD_SIZE)
        self.stream: BinaryIO = BufferedReader(self._unpacked, HEAD_SIZE)

    @property
    def done(self) -> int:
        """Bytes of the file that were read so far."""
        return self._packed.done


@contextmanager
def opened_log(path: Path, limit: int) -> Generator[OpenLog]:
    """Open a log; `-` is standard input. `limit`: bytes, unpacked. Raises UnusableLog."""
    if path == STANDARD_INPUT:
        yield OpenLog(sys.stdin.buffer, None, limit)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnusableLog(f"it cannot be read: {error.strerror}") from error
    with file:
        yield OpenLog(file, path.stat().st_size, limit)
