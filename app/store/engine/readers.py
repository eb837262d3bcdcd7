"""Reader threads: each has a read-only connection of its own, opened when it first reads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import local
from typing import TypeVar
from weakref import WeakValueDictionary

from app.store.engine.dialect import TransactionRunner

T = TypeVar("T")

Reading = Callable[[TransactionRunner], T]
"""Reads by the connection of a thread."""


class ReaderPool:
    """Some threads. One desk's reads use all but one of them at a time: its long queries never block another desk's."""

    def __init__(self, name: str, size: int, opened: Callable[[], TransactionRunner]) -> None:
        self._threads = ThreadPoolExecutor(size, name)
        self._opened = opened
        self._own = local()
        self._runners: list[TransactionRunner] = []
        self._per_desk = max(1, size - 1)
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """The threads that each desk may still use; of desks that are reading."""
        self._long = asyncio.Semaphore(1)

    async def read_in_turn(self, desks: str, reading: Reading[T]) -> T:
        """Read in the context of the caller, when one of the desk's threads is free."""
        turn = self._turns.get(desks)
        if turn is None:
            turn = self._turns[desks] = asyncio.Semaphore(self._per_desk)
        async with turn:
            return await self.read(reading)

    async def read_long(self, desks: str, reading: Reading[T]) -> T:
        """`read_in_turn` for a part of long work, of which one at a time runs, whichever desk's it is."""
        async with self._long:
            return await self.read_in_turn(desks, reading)

    async def read(self, reading: Reading[T]) -> T:
        """Read in the context of the caller."""
        loop, context = asyncio.get_running_loop(), copy_context()
        return await loop.run_in_executor(self._threads, lambda: context.run(self._read, reading))

    def read_now(self, reading: Reading[T]) -> T:
        """`read` without an event loop."""
        return self._threads.submit(copy_context().run, self._read, reading).result()

    def close(self) -> None:
        """Finish the running reads and close the connections. Not in a thread whose event loop is running."""
        self._threads.shutdown()
        for runner in self._runners:
            runner.close()

    def _read(self, reading: Reading[T]) -> T:
        runner: TransactionRunner | None = getattr(self._own, "runner", None)
        if runner is None:
            runner = self._own.runner = self._opened()
            self._runners.append(runner)
        return reading(runner)
