"""Group commit: requests that wait at the same time share one transaction.

A durable commit costs more than the rest of a small transaction. Members that arrive while a transaction runs are
processed together in the next one, by one function. Four rules: a member is answered after the commit only; when a
batch fails, its members are retried one by one, so that a faulty one fails alone; members of several desks take turns,
so that one desk's thousand waiting requests delay another's single one by one transaction, in which each desk has a
small share; and a transaction sees and writes the rows of its members' desks only.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from app.principal import Desks
from app.sla.span import Micros
from app.store.engine.database import Connection, Database, FailureKind, failure_kind
from app.store.engine.unreachable import DeskMoves

M = TypeVar("M")
O = TypeVar("O")  # noqa: E741 - an outcome

Process = Callable[[Connection, Micros, Sequence[M]], Sequence[O]]
"""Processes all members in one transaction. Returns their outcomes in the same order."""


def _one(_: object) -> int:
    return 1


class GroupCommit(Generic[M, O]):
    """Queue of members for one processing function. Use it from one event loop.

    A batch is filled up to the total weight `largest`, and while several desks wait with members of the weight `share`
    of each at most; a heavier member has a transaction of its own. Each desk has a queue of its own, and a member waits
    in that of the first of its `desks_of`; a batch takes one of each in turn, and begins with a desk that the one before
    left out. Members of the weight `bulk` or more are parts of large requests (`Database.write`).
    """

    def __init__(
        self,
        database: Database,
        process: Process[M, O],
        largest: int,
        weight: Callable[[M], int] = _one,
        *,
        desks_of: Callable[[M], Desks],
        share: int | None = None,
        bulk: int | None = None,
    ) -> None:
        self._database = database
        self._process = process
        self._largest, self._share = largest, largest if share is None else share
        self._weight, self._desks_of = weight, desks_of
        self._waiting: dict[str, deque[tuple[M, asyncio.Future[O]]]] = {}
        """The waiting members of each desk that has any; the desk whose turn it is comes first."""
        self._bulk = bulk
        self._served: set[str] = set()
        """The desks of the latest batch."""
        self._task: asyncio.Task[None] | None = None

    async def submit(self, member: M) -> O:
        """Process a member. Returns its outcome after the commit; raises the exception that it failed with."""
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(self._first_desk(member), deque()).append((member, future))
        if self._task is None or self._task.done():
            # An empty context: the task serves all members, not only the first.
            self._task = asyncio.create_task(self._drain(), context=Context())
        return await future

    def submit_now(self, member: M) -> O:
        """`submit` without an event loop, in a transaction of its own."""
        return self._database.write_now(
            lambda conn, now: self._process(conn, now, [member]), self._desks([member])
        )[0]

    def _desks(self, members: Sequence[M]) -> Desks:
        return frozenset[str]().union(*map(self._desks_of, members))

    def _first_desk(self, member: M) -> str:
        return min(self._desks_of(member), default="")

    async def _drain(self) -> None:
        while self._waiting:
            await self._process_batch(self._next_batch())

    def _next_batch(self) -> list[tuple[M, asyncio.Future[O]]]:
        for desk in [desk for desk in self._waiting if desk in self._served]:
            self._waiting[desk] = self._waiting.pop(desk)  # others came while its transaction ran
        most = self._share if len(self._waiting) > 1 else self._largest
        batch: list[tuple[M, asyncio.Future[O]]] = []
        weights = Counter[str]()
        turns = deque(self._waiting)
        while turns and (not batch or max(weights.values()) <= most):
            desk = turns.popleft()
            own = self._weight(self._waiting[desk][0][0])
            if batch and (weights.total() + own > self._largest or weights[desk] + own > most):
                continue
            weights[desk] += own
            batch.append(self._take_first(desk))
            if desk in self._waiting:
                turns.append(desk)
        self._served = set(weights)
        return batch

    def _take_first(self, desk: str) -> tuple[M, asyncio.Future[O]]:
        """Take the first member of a desk, which comes last in turn with its others."""
        queue = self._waiting.pop(desk)
        first = queue.popleft()
        if queue:
            self._waiting[desk] = queue
        return first

    async def _process_batch(self, batch: list[tuple[M, asyncio.Future[O]]]) -> None:
        members = [member for member, _ in batch]
        try:
            outcomes = await self._database.write(
                lambda conn, now: self._process(conn, now, members),
                self._desks(members),
                bulk=self._bulk is not None and min(map(self._weight, members)) >= self._bulk,
            )
        except Exception as error:  # noqa: BLE001 - raised again in `submit`
            together = failure_kind(error) is FailureKind.UNAVAILABLE and not isinstance(error, DeskMoves)
            if len(batch) == 1 or together:
                _fail(batch, error)
            else:
                for single in batch:
                    await self._process_batch([single])
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():  # its caller may have been cancelled
                future.set_result(outcome)


def _fail(batch: list[tuple[M, asyncio.Future[O]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
