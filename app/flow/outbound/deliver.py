"""What must be delivered now, and when next?

The outbox is the timer: the courier sleeps until the least `next_at`, is woken by a commit that wrote deliveries and by
every attempt that ends, and looks besides now and then for what another process wrote. What ended while a transaction
ran is settled by the next one, which also claims what goes next, so a busy courier shares its commits. Each endpoint has
its own number of attempts at a time: a dead one delays no other. Instants are microseconds UTC.
"""

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import random
from typing import Final

import structlog

from app.background import BackgroundLoop
from app.delivery.outcome import Attempt, Outcome
from app.flow import metrics
from app.flow.judge.assess import Assessed, Assessor
from app.flow.outbound.attempt import Post
from app.flow.outbound.settle import Finished, Settling
from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.store.engine.database import Connection, Database
from app.store.engine.notify import Announcement
from app.store.outbound import deliveries, subscriptions
from app.store.outbound.deliveries import Claimed, Outlook, Settlement
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Channel, Subscription

_log = structlog.stdlib.get_logger()

_MARGIN: Final = 15 * SECOND
"""Time beyond that of an attempt until it counts as lost: for a loaded machine to write down what became of it."""
_AHEAD: Final = 4
"""Deliveries claimed for each attempt that an endpoint may have at a time, so that attempts go on while a transaction
runs. An endpoint that fails gives back at once what it has in store."""
_MESSAGE: Final = 1_000
"""Signals in one message to people. Ten are shown and the rest is counted."""

_Batch = tuple[Subscription, list[Claimed]]


@dataclass(frozen=True, slots=True)
class DelivererState:
    """How the courier is doing."""

    running: bool
    pending: int
    parked: int
    failure: str | None


class Deliverer:
    """The deliveries of one process. `start` and `stop` it, or `deliver_due` once."""

    def __init__(
        self, database: Database, assessor: Assessor, settings: Settings, *, post: Post | None = None
    ) -> None:
        self.post = post or Post(settings)
        self._database = database
        self._settling = Settling(settings, random)
        self._parallel, self._look = (
            settings.delivery_concurrency,
            settings.delivery_poll_interval.total_seconds(),
        )
        self._lease = length_of(settings.delivery_timeout) + _MARGIN
        self._grace = settings.graceful_timeout.total_seconds()
        self._background = BackgroundLoop(self._run)
        self._stopping = self._told = False
        self._planned: Micros | None = None
        self._busy: Counter[str] = Counter()
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(self._semaphore)
        self._failed: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[None]] = set()
        self._finished: list[Finished] = []
        self._attempts = 0
        self._failure: str | None = None
        assessor.on_commit(self._heard)

    def start(self) -> None:
        """Begin to deliver, in this event loop."""
        self._stopping = False
        self._background.start()

    async def stop(self) -> None:
        """Deliver no more. What is under way may finish for a while; the rest is given back."""
        self._stopping = True
        self._background.wake()
        await self._background.wait_stopped()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._grace)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._finished:
            with suppress(*self._database.failures):  # then it counts as lost in a while
                await self._database.write(lambda conn, now: self._settling.settle(conn, self._finished, now))
            self._finished = []
        await self.post.close()

    def wake(self) -> None:
        """Look now. From any thread."""
        self._background.wake()

    def announced(self, announcement: Announcement) -> None:
        """Another process has told something: there may be deliveries of it."""
        if announcement.last is not None:
            self.wake()

    async def deliver_due(self) -> int:
        """Deliver until nothing is due. Returns how many attempts that took."""
        before = self._attempts
        while await self._pass() or self._under_way:
            if self._under_way:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        return self._attempts - before

    async def state(self) -> DelivererState:
        """How the courier is doing; the gauges of the metrics follow it."""
        pending, parked = await self._database.read(deliveries.counts)
        metrics.PENDING_DELIVERIES.set(pending)
        metrics.PARKED_DELIVERIES.set(parked)
        running = self._background.is_running
        return DelivererState(running, pending, parked, self._failure)

    async def _run(self) -> None:
        while not self._stopping:
            self._background.clear_wake()
            try:
                while await self._pass() and not self._stopping:
                    pass
                self._failure = None
            except self._database.failures as error:
                # What is due stays due, and what ended is still held here: the next pass finds both.
                self._failure = f"{type(error).__name__}: {error}"
                await self._background.back_off("courier failed", error)
                continue
            self._background.reset_backoff()
            await self._sleep()

    async def _sleep(self) -> None:
        """Until the planned instant or the next look, unless woken before."""
        wait = self._look
        if self._planned is not None:
            wait = min(wait, max(0, self._planned - self._database.now()) / SECOND)
        await self._background.sleep(wait)

    async def _pass(self) -> bool:
        """Settle what ended, claim what is due and begin with it. Whether there was anything to do."""
        finished, self._finished = self._finished, []
        recorded, self._told = self._told, False  # there is something, without asking
        if (
            not finished
            and not recorded
            and not self._may_claim(await self._database.read(deliveries.outlook))
        ):
            return False
        busy = Counter(self._busy)
        try:
            settlements, batches = await self._database.write(
                lambda conn, now: self._turn(conn, finished, busy, now)
            )
        except BaseException:
            self._finished = [*finished, *self._finished]
            raise
        _count(settlements, self._database.now())
        for subscription, claimed in batches:
            self._begin(subscription, claimed)
        return bool(finished or batches)

    def _turn(
        self, conn: Connection, finished: Sequence[Finished], busy: Counter[str], now: Micros
    ) -> tuple[list[Settlement], list[_Batch]]:
        settlements = self._settling.settle(conn, finished, now) if finished else []
        mark = secrets.token_hex(8)
        claimed: dict[str, list[Claimed]] = {}
        for each in deliveries.outlook(conn):
            together = each.channel is Channel.NOTICE
            free = self._free(each, busy)
            if each.due_at <= now and free > 0:
                most = _MESSAGE if together else free
                claimed[each.subscription] = deliveries.claim(
                    conn, each.subscription, most, now, now + self._lease, mark, together=together
                )
        held = subscriptions.some(conn, claimed) if claimed else {}
        return settlements, [(held[which], taken) for which, taken in claimed.items() if taken]

    def _free(self, each: Outlook, busy: Counter[str]) -> int:
        """How many more deliveries may be claimed for an endpoint now."""
        most = self._parallel if each.fails else self._parallel * _AHEAD
        return (1 if each.channel is Channel.NOTICE else most) - busy[each.subscription]

    def _may_claim(self, outlook: Sequence[Outlook]) -> bool:
        """Whether something is due at an endpoint that is not busy; plans for what is due later."""
        ready = [each.due_at for each in outlook if self._free(each, self._busy) > 0]
        self._planned = min(ready, default=None)
        return self._planned is not None and self._planned <= self._database.now()

    def _begin(self, subscription: Subscription, claimed: list[Claimed]) -> None:
        together = subscription.channel is Channel.NOTICE
        for part in [claimed] if together else [[each] for each in claimed]:
            self._busy[subscription.id] += 1
            task = asyncio.create_task(self._carry(subscription, part, self._failed[subscription.id]))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _semaphore(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self._parallel)

    async def _carry(self, subscription: Subscription, claimed: list[Claimed], failed: int) -> None:
        """Attempt when the endpoint has a slot; not at all if it has failed since `failed` was counted."""
        attempt: Attempt | None = None
        try:
            async with self._slots[subscription.id]:
                if failed == self._failed[subscription.id]:
                    self._attempts += 1
                    attempt = await self.post.carry(subscription, claimed, self._database.now())
        except Exception as error:  # noqa: BLE001 - logged, and told as a failure: it must not stall the others
            _log.exception("delivery failed unforeseen", subscription=subscription.id)
            attempt = Attempt(Outcome.BROKEN, f"{type(error).__name__}: {error}")
        finally:
            self._failed[subscription.id] += attempt is not None and not attempt.delivered
            self._busy[subscription.id] -= 1
            self._finished.append(Finished(subscription.id, claimed, attempt))
            self._background.wake()

    def _heard(self, found: Assessed) -> None:
        """In the thread that writes: deliveries were written."""
        if found.outgoing:
            self._told = True
            self.wake()


def _count(settlements: Sequence[Settlement], now: Micros) -> None:
    for each in settlements:
        metrics.DELIVERIES.labels(each.outcome).inc()
        if each.state is DeliveryState.DELIVERED:
            metrics.DELIVERY_DELAY.observe((now - each.claimed.detected_at) / SECOND)
        else:
            about = {"id": each.claimed.signal_id, "subscription": each.claimed.subscription}
            _log.info(
                "not delivered", outcome=each.outcome, reason=each.reason, state=each.state.value, **about
            )
