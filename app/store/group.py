"""How do those who wait at the same time share one transaction?

A commit that reaches the disk costs more than all else in a small transaction, so whoever comes while one is under way
waits for the next and shares it. Members are processed together by one function. The rule it guards: nobody is
answered before the commit, and a member that makes the batch fail fails alone, since the others are then done singly.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from app.sla.span import Micros
from app.store.database import Connection, Database

M = TypeVar("M")
O = TypeVar("O")  # noqa: E741 - an outcome

Process = Callable[[Connection, Micros, Sequence[M]], Sequence[O]]
"""All members in, all outcomes out, in the same order, in one transaction."""


class Group(Generic[M, O]):
    """Members that wait for the writer. Use it from one event loop."""

    def __init__(self, database: Database, process: Process[M, O], largest: int) -> None:
        self._database = database
        self._process = process
        self._largest = largest
        self._waiting: deque[tuple[M, asyncio.Future[O]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, member: M) -> O:
        """Have the member processed. Returns its outcome once it is durable; raises what it alone failed with."""
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((member, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    def submit_now(self, member: M) -> O:
        """`submit` for those without an event loop: a transaction of its own."""
        return self._database.write_now(lambda conn, now: self._process(conn, now, [member]))[0]

    async def _drain(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), self._largest)
            batch = [self._waiting.popleft() for _ in range(count)]
            await self._together(batch)

    async def _together(self, batch: list[tuple[M, asyncio.Future[O]]]) -> None:
        members = [member for member, _ in batch]
        try:
            outcomes = await self._database.write(lambda conn, now: self._process(conn, now, members))
        except Exception as error:  # noqa: BLE001 - handed on to those who wait for it
            if len(batch) > 1:
                for single in batch:
                    await self._together([single])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():  # whoever waited may have gone away
                future.set_result(outcome)
