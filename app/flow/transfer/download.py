"""Exports that are downloaded, as the web process sees them: a process for each, its first line, then its bytes.

What is read of the process is never in memory as a whole. It is killed, and its files are removed, when the client is
gone.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

import orjson
import structlog

from app.settings import Settings
from app.sla.span import Micros

_log = structlog.stdlib.get_logger()

_MODULE: Final = "app.flow.transfer.archive"
_CHUNK: Final = 1 << 16
_LINE: Final = 10_000
_ENDED: Final = "its process ended early"

BUSY: Final = "busy"
TOO_LONG: Final = "too_long"
"""Reasons of a download that was not begun, beside those of the process."""


class NotExported(RuntimeError):
    """There is no export to download; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Download:
    """The archive of one export of a desk. Its owner must close it."""

    def __init__(self, desk: str, owner: "Downloads") -> None:
        self.desk, self._owner = desk, owner
        self._folder = TemporaryDirectory(prefix="slatimer-export-")
        self._process = Popen([sys.executable, "-m", _MODULE], stdin=PIPE, stdout=PIPE)  # noqa: S603 - our own

    def first_line(self, order: dict[str, Any]) -> bytes:
        """Send the order, and wait until the export is written. Blocks."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            return b""
        with suppress(BrokenPipeError), process.stdin as channel:  # it ended at once: its output is empty
            channel.write(orjson.dumps(order | {"folder": self._folder.name}))
        return process.stdout.readline(_LINE)

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the archive. Raises NotExported where the process fails in the middle: the archive is torn."""
        process = self._process
        while process.stdout is not None and (chunk := process.stdout.read(_CHUNK)):
            yield chunk
        if process.wait() != 0:
            raise NotExported(_ENDED)

    def close(self) -> None:
        """End the process, if it has not ended, and remove its files."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        # Gigabytes take their time to be removed, and the event loop has none.
        Thread(target=self._folder.cleanup, name="download-files").start()
        self._owner.release(self)


class Downloads:
    """The downloads of this process, so many at a time, and one of each desk. All methods belong to the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: list[Download] = []

    @property
    def are_offered(self) -> bool:
        """Whether the settings allow any."""
        return self._settings.transfer_downloads_max > 0

    async def begin(self, desk: str, now: Micros) -> Download:
        """Export everything of a desk. Raises NotExported; waits until the files are written."""
        if len(self._open) >= self._settings.transfer_downloads_max or desk in {
            each.desk for each in self._open
        }:
            raise NotExported(BUSY)
        download = Download(desk, self)
        self._open.append(download)
        order = {"settings": self._settings.model_dump(mode="json"), "desk": desk, "now": now}
        try:
            waiting = asyncio.to_thread(download.first_line, order)
            line = await asyncio.wait_for(waiting, self._settings.transfer_download_timeout.total_seconds())
        except BaseException as error:
            download.close()
            if isinstance(error, TimeoutError):
                raise NotExported(TOO_LONG) from error
            raise
        answer: dict[str, str] = orjson.loads(line) if line else {"failed": _ENDED}
        if (reason := answer.get("failed")) is not None:
            download.close()
            _log.warning("export failed", desk=desk, reason=reason)
            raise NotExported(reason)
        return download

    def release(self, download: Download) -> None:
        """A download has ended."""
        if download in self._open:
            self._open.remove(download)

    def stop(self) -> None:
        """End all."""
        for each in list(self._open):
            each.close()
