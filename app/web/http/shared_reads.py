"""Reads that several people share: who asks for the same list at about the same time gets the same reading of it.

A thousand readers of one list cost as many answers, but only a few reads a second. No reader gets
a reading that is older than what they know already: one serves a request if it began after it, or if it has the place in
the stream of signals up to which the reader has followed, and is still fresh.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final, Generic, Protocol, TypeVar

_PURGED_AT: Final = 100
"""So many different lists are remembered before those that are no longer fresh are dropped."""

_LONG: Final = 2.0
"""A list is read for half of the time at most, however long a reading takes."""


class Placed(Protocol):
    """Something read from the database, with its place in the stream of signals."""

    @property
    def stream_at(self) -> int:
        """All signals up to here are in it."""
        ...


T = TypeVar("T", bound=Placed)


@dataclass(slots=True)
class _List(Generic[T]):
    """The latest reading of a list, and the one that is under way or waits for its time."""

    began: float = float("-inf")
    due: float = float("-inf")
    """When the next may begin. Until then the latest is fresh."""
    latest: T | None = None
    next: "asyncio.Task[None] | None" = None


class SharedReads:
    """The readings of one process. `interval` is the time between two of the same list, and how long one is fresh; of a
    list that takes long to read it is twice that time."""

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval.total_seconds()
        self._lists: dict[Hashable, _List[Any]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T]], *, seen: int | None = None) -> T:
        """A reading of the list of this key. `read` makes one; all who have the same key must be allowed the same.

        `seen` is the place in the stream up to which the reader has followed; without it the reading begins after this
        call. Raises what `read` raises.
        """
        asked = monotonic()
        listed: _List[T] = self._list(key)
        while (latest := listed.latest) is None or not _serves(listed, latest, asked, seen):
            if listed.next is None:
                listed.next = asyncio.create_task(self._renew(listed, read))
                listed.next.add_done_callback(_retrieve)
            await asyncio.shield(listed.next)
        return latest

    async def _renew(self, listed: _List[T], read: Callable[[], Awaitable[T]]) -> None:
        try:
            await asyncio.sleep(listed.due - monotonic())
            began = monotonic()
            listed.latest = await read()
            listed.began = began
            listed.due = began + max(self._interval, _LONG * (monotonic() - began))
        finally:
            listed.next = None

    def _list(self, key: Hashable) -> _List[Any]:
        if key not in self._lists and len(self._lists) >= _PURGED_AT:
            now = monotonic()
            self._lists = {
                name: each for name, each in self._lists.items() if each.next is not None or each.due > now
            }
        return self._lists.setdefault(key, _List())


def _serves(listed: _List[Any], latest: Placed, asked: float, seen: int | None) -> bool:
    """Whether the latest reading serves a request: it began later, or is fresh and has what the reader has seen."""
    return listed.began >= asked or (seen is not None and asked < listed.due and latest.stream_at >= seen)


def _retrieve(task: "asyncio.Task[None]") -> None:
    """Look at the outcome, which each of those who wait raises: perhaps all of them have gone."""
    if not task.cancelled():
        task.exception()
