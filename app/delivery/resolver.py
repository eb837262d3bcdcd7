"""Resolves the host names of deliveries, shared out by desk."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from socket import SOCK_STREAM, gaierror, getaddrinfo
from typing import Final

from app.delivery.address import NoSuchHost, literal, no_such_host

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Resolves a host and port to addresses. Raises OSError when there are none."""

ACTING_DESK: Final[ContextVar[str]] = ContextVar("acting_desk", default="")
"""The desk for which the current task delivers: look-ups are shared out by it."""


class Resolver:
    """Resolves names with the operating system's resolver, which blocks: for many seconds if a name server is down.

    It runs in `threads` threads, of which one desk gets at most `share`: names that hang hold up the look-ups of their
    own desk alone. Concurrent look-ups of one name share a thread, and an address needs none.
    """

    def __init__(self, threads: int, share: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "resolver")
        self._shares: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(share))
        self._pending: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        if (address := literal(host)) is not None:
            return [address]
        key = (host, port)
        if key not in self._pending:
            share = self._shares[ACTING_DESK.get()]
            await share.acquire()
            if key in self._pending:
                share.release()
            else:
                self._start(key, share)
        return await asyncio.shield(self._pending[key])

    def _start(self, key: tuple[str, int], share: asyncio.Semaphore) -> None:
        loop = asyncio.get_running_loop()
        lookup = self._pending[key] = loop.run_in_executor(self._threads, _look_up, *key)
        lookup.add_done_callback(lambda done: self._completed(key, share, done))

    def _completed(
        self, key: tuple[str, int], share: asyncio.Semaphore, done: "asyncio.Future[list[str]]"
    ) -> None:
        """The thread is free again, which may be long after its callers gave up."""
        del self._pending[key]
        share.release()
        if not done.cancelled():
            done.exception()  # marks it as retrieved: all callers may have timed out by now

    def close(self) -> None:
        """Cancel queued look-ups and stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    found = getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def resolved(resolve: Resolve, host: str, port: int, seconds: float | None) -> list[str]:
    """The addresses of a host. Raises NoSuchHost."""
    try:
        async with asyncio.timeout(seconds):
            found = await resolve(host, port)
    except TimeoutError as error:
        raise NoSuchHost(f"no name server answered for {host} within {seconds:g} s") from error
    except (gaierror, UnicodeError) as error:
        raise no_such_host(host, error) from error
    if not found:
        raise no_such_host(host, "no address")
    return found
