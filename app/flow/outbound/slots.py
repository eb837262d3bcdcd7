"""Runs delivery attempts with a limited concurrency per endpoint and per desk, so that slow ones delay no other.

Belongs to one event loop. Results are collected here until a transaction records them.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import structlog

from app.delivery.outcome import Attempt, DeliveryOutcome
from app.flow.outbound.claim import Batch, Capacity
from app.flow.outbound.results import CompletedAttempt
from app.flow.outbound.sender import Sender
from app.sla.span import Micros

_log = structlog.stdlib.get_logger()


class Slots:
    """The attempts in flight. `on_completed` is called after each; the limits are per endpoint and per desk."""

    def __init__(
        self,
        sender: Sender,
        now: Callable[[], Micros],
        limit: int,
        desk_limit: int,
        on_completed: Callable[[], None],
    ) -> None:
        self.attempts = 0
        self._sender, self._now, self._on_completed = sender, now, on_completed
        self._limit, self._desk_limit = limit, desk_limit
        self._in_flight: Counter[str] = Counter()
        self._of_desk: Counter[str] = Counter()
        self._semaphores: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limit))
        self._failures: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._completed: list[CompletedAttempt] = []

    @property
    def is_busy(self) -> bool:
        """Whether an attempt is in flight, or its result not taken yet."""
        return bool(self._tasks or self._completed)

    def capacity(self) -> Capacity:
        """A snapshot of what is in flight."""
        return Capacity(self._limit, Counter(self._in_flight), self._desk_limit, Counter(self._of_desk))

    def start(self, batch: Batch) -> None:
        """Start an attempt, or queue it until its endpoint has a free slot."""
        which = batch.subscription.id
        self._in_flight[which] += 1
        self._of_desk[batch.subscription.desk] += 1
        task = asyncio.create_task(self._attempt(batch, self._failures[which]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def take_completed(self) -> list[CompletedAttempt]:
        """The results since the last call. The caller records them, or puts them back."""
        completed, self._completed = self._completed, []
        return completed

    def put_back(self, completed: Sequence[CompletedAttempt]) -> None:
        """Keep results that could not be recorded, for the next transaction."""
        self._completed = [*completed, *self._completed]

    async def wait(self) -> None:
        """Wait until an attempt has completed; not at all if one has and its result was not taken yet."""
        if self._tasks and not self._completed:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self, grace: float) -> None:
        """Let attempts finish for up to `grace` seconds, then cancel them: their deliveries are released."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _attempt(self, batch: Batch, failures: int) -> None:
        """Attempt when there is a free slot. Skipped if the endpoint failed meanwhile: the delivery is released."""
        which = batch.subscription.id
        attempt: Attempt | None = None
        try:
            async with self._semaphores[which]:
                if failures == self._failures[which]:
                    self.attempts += 1
                    attempt = await self._sender.attempt(batch, self._now())
        except Exception as error:  # noqa: BLE001 - logged and recorded as a failure: one bug must not stop the others
            _log.exception("delivery attempt raised", subscription=which)
            attempt = Attempt(DeliveryOutcome.BROKEN, f"{type(error).__name__}: {error}")
        finally:
            self._failures[which] += attempt is not None and not attempt.delivered
            self._in_flight[which] -= 1
            self._of_desk[batch.subscription.desk] -= 1
            self._completed.append(CompletedAttempt(batch, attempt))
            self._on_completed()
