"""The process of a simulation, as the one that started it sees it: an order, then messages, then its end.

A thread reads its output. The pipes are closed and the process is waited for in that thread, so that nothing is left
open when the event loop ends.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any, Final

import orjson

READER: Final = "simulation reader"
"""The name of the thread that reads the output."""

_MODULE: Final = "app.flow.simulation.process"

Json = dict[str, Any]


class EndedEarly(RuntimeError):
    """The process ended without a result. The log of the service has what it wrote on standard error."""


async def messages(order: Json) -> AsyncGenerator[Json]:
    """Start the process with an order, and give each of its messages. It is killed when the generator is closed.

    Raises EndedEarly.
    """
    reported = asyncio.Queue[bytes | int]()
    process = _started()
    reading = Thread(
        target=_read,
        name=READER,
        args=(process, orjson.dumps(order), reported, asyncio.get_running_loop()),
        daemon=True,
    )
    reading.start()
    code: int | None = None
    try:
        while isinstance(line := await reported.get(), bytes):
            yield orjson.loads(line)
        code = line
        if code != 0:
            ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
            raise EndedEarly(f"its process {ended}; the log of the service says why")
    finally:
        process.kill()
        while code is None:
            line = await reported.get()
            code = line if isinstance(line, int) else None
        reading.join()


def _started() -> Popen[bytes]:
    return Popen([sys.executable, "-m", _MODULE], stdin=PIPE, stdout=PIPE)  # noqa: S603 - no foreign argument


def _read(
    process: Popen[bytes],
    order: bytes,
    reported: "asyncio.Queue[bytes | int]",
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Send the order, and pass on every line, at last the exit code."""
    with process:
        if process.stdin is not None and process.stdout is not None:
            with (
                suppress(BrokenPipeError),
                process.stdin as channel,
            ):  # it ended at once: its exit code says so
                channel.write(order)
            for line in process.stdout:
                _pass_on(line, reported, loop)
    _pass_on(process.returncode, reported, loop)


def _pass_on(
    found: bytes | int, reported: "asyncio.Queue[bytes | int]", loop: asyncio.AbstractEventLoop
) -> None:
    # Who waited was cancelled while the process was ending, and the service has stopped: the loop is closed.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(reported.put_nowait, found)
