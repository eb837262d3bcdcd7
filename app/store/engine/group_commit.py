"""How do those who wait at the same time share one transaction?

A commit that reaches the disk costs more than all else in a small transaction, so whoever comes while one is under way
waits for the next and shares it. Members are processed together by one function. Two rules it guards: nobody is answered
before the commit, and a member that makes the batch fail fails alone, since the others are then done singly.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from app.sla.span import Micros
from app.store.engine.database import Connection, Database, Fault, fault_of

M = TypeVar("M")
O = TypeVar("O")  # noqa: E741 - an outcome

Process = Callable[[Connection, Micros, Sequence[M]], Sequence[O]]
"""All members in, all outcomes out, in the same order, in one transaction."""


def _one(_: object) -> int:
    return 1


class Group(Generic[M, O]):
    """Members that wait for the writer. Use it from one event loop.

    A transaction takes members until they weigh `largest`; one that weighs more by itself has one of its own.
    """

    def __init__(
        self,
        database: Database,
        process: Process[M, O],
        largest: int,
        weight: Callable[[M], int] = _one,
    ) -> None:
        self._database = database
        self._process = process
        self._largest = largest
        self._weight = weight
        self._waiting: deque[tuple[M, asyncio.Future[O]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, member: M) -> O:
        """Have the member processed. Returns its outcome once it is durable; raises what it alone failed with."""
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((member, future))
        if self._task is None or self._task.done():
            # In a context of its own: what it does is no matter of the one who happened to come first.
            self._task = asyncio.create_task(self._drain(), context=Context())
        return await future

    def submit_now(self, member: M) -> O:
        """`submit` for those without an event loop: a transaction of its own."""
        return self._database.write_now(lambda conn, now: self._process(conn, now, [member]))[0]

    async def _drain(self) -> None:
        while self._waiting:
            await self._together(self._next())

    def _next(self) -> list[tuple[M, asyncio.Future[O]]]:
        batch = [self._waiting.popleft()]
        weight = self._weight(batch[0][0])
        while self._waiting and (weight := weight + self._weight(self._waiting[0][0])) <= self._largest:
            batch.append(self._waiting.popleft())
        return batch

    async def _together(self, batch: list[tuple[M, asyncio.Future[O]]]) -> None:
        members = [member for member, _ in batch]
        try:
            outcomes = await self._database.write(lambda conn, now: self._process(conn, now, members))
        except Exception as error:  # noqa: BLE001 - handed on to those who wait for it
            if len(batch) == 1 or fault_of(error) is Fault.AWAY:
                _refuse(batch, error)
            else:
                for single in batch:
                    await self._together([single])
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():  # whoever waited may have gone away
                future.set_result(outcome)


def _refuse(batch: list[tuple[M, asyncio.Future[O]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
