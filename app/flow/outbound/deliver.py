"""The delivery loop of a process: record results, claim what is due, attempt it, sleep until the next is due.

The outbox is the timer. The loop sleeps until the least `next_at`. It wakes early when a commit has inserted deliveries
or an attempt has completed, and polls at an interval for what another process inserted. Results that arrive while a
transaction runs are recorded by the next one, which also claims: under load, deliveries share commits. Instants are
microseconds UTC.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import random
from typing import Final

import structlog

from app.background import BackgroundLoop
from app.flow import metrics
from app.flow.judge.assess import Assessed, Assessor
from app.flow.outbound.claim import Batch, Capacity, claim_due
from app.flow.outbound.results import CompletedAttempt, ResultRecorder
from app.flow.outbound.sender import Sender
from app.flow.outbound.slots import Slots
from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.store.engine.database import Connection, Database, EveryDesk
from app.store.engine.notify import Announcement
from app.store.engine.vault import UnreadableSecret
from app.store.outbound import deliveries
from app.store.outbound.deliveries import DeliveryUpdate
from app.store.outbound.outbox import DeliveryState

_log = structlog.stdlib.get_logger()

_LEASE_MARGIN: Final = 15 * SECOND
"""How much longer than the timeout of an attempt its claim lasts: a loaded machine needs time to record the result."""


@dataclass(frozen=True, slots=True)
class DelivererState:
    """Whether deliveries are made, and how many wait."""

    running: bool
    pending: int
    parked: int
    failure: str | None


class Deliverer:
    """Delivers signals in one process: `start` and `stop` the loop, or call `deliver_due` once."""

    def __init__(
        self, database: Database, assessor: Assessor, settings: Settings, *, sender: Sender | None = None
    ) -> None:
        self.sender = sender or Sender(settings)
        self._database = database
        self._background = BackgroundLoop(self._run)
        self._catalogue = assessor.catalogue
        limits = settings.delivery_concurrency, settings.delivery_desk_concurrency
        self._slots = Slots(self.sender, database.now, *limits, self._background.wake)
        self._recorder = ResultRecorder(settings, random)
        self._poll_seconds = settings.delivery_poll_interval.total_seconds()
        self._lease = length_of(settings.delivery_timeout) + _LEASE_MARGIN
        self._grace = settings.graceful_timeout.total_seconds()
        self._stopping = self._inserted = False
        self._due_at: Micros | None = None
        self._failure: str | None = None
        assessor.on_commit(self._on_commit)

    def start(self) -> None:
        """Start the loop, in the running event loop."""
        self._stopping = False
        self._background.start()

    async def stop(self) -> None:
        """Stop claiming. Attempts in flight may finish within the graceful timeout; the rest is released."""
        self._stopping = True
        self._background.wake()
        await self._background.wait_stopped()
        await self._slots.stop(self._grace)
        if completed := self._slots.take_completed():
            with suppress(*self._database.failures):  # the claims then expire, and the attempts are repeated
                await self._database.write(
                    lambda conn, now: self._recorder.record(conn, completed, now), EveryDesk.DELIVERIES
                )
        await self.sender.close()

    def wake(self) -> None:
        """End the sleep of the loop. From any thread."""
        self._background.wake()

    def announced(self, announcement: Announcement) -> None:
        """Wake up when another process has inserted deliveries."""
        if announcement.last is not None and announcement.has_deliveries:
            self.wake()

    async def deliver_due(self) -> int:
        """Deliver until nothing is due. Returns the number of attempts."""
        before = self._slots.attempts
        while await self._pass() or self._slots.is_busy:
            if self._slots.is_busy:
                await self._slots.wait()
        return self._slots.attempts - before

    async def state(self) -> DelivererState:
        """The state for health checks; also sets the gauges of the metrics."""
        pending, parked = await self._database.read(deliveries.counts)
        metrics.PENDING_DELIVERIES.set(pending)
        metrics.PARKED_DELIVERIES.set(parked)
        return DelivererState(self._background.is_running, pending, parked, self._failure)

    async def _run(self) -> None:
        while not self._stopping:
            self._background.clear_wake()
            try:
                while await self._pass() and not self._stopping:
                    pass
                self._failure = None
            except (*self._database.failures, UnreadableSecret) as error:
                # Nothing is lost: what is due stays due, and the results are put back. The next pass finds both.
                self._failure = f"{type(error).__name__}: {error}"
                await self._background.back_off("delivery loop failed", error)
                continue
            self._background.reset_backoff()
            until = None if self._due_at is None else max(0, self._due_at - self._database.now()) / SECOND
            await self._background.sleep(
                self._poll_seconds if until is None else min(self._poll_seconds, until)
            )

    async def _pass(self) -> bool:
        """Record results, claim what is due and start the attempts. Returns whether there was anything to do."""
        completed = self._slots.take_completed()
        inserted, self._inserted = self._inserted, False
        if not completed and not inserted and not await self._is_due():
            return False
        capacity = self._slots.capacity()
        try:
            updates, batches = await self._database.write(
                lambda conn, now: self._record_and_claim(conn, completed, capacity, now), EveryDesk.DELIVERIES
            )
        except BaseException:
            self._slots.put_back(completed)
            raise
        _report(updates, self._database.now())
        for batch in batches:
            self._slots.start(batch)
        return bool(completed or batches)

    async def _is_due(self) -> bool:
        """Whether a delivery is due at an endpoint with free capacity. A read: an idle loop takes no write lock."""
        schedules = await self._database.read(deliveries.schedules)
        self._due_at = self._slots.capacity().due_at(schedules)
        return self._due_at is not None and self._due_at <= self._database.now()

    def _record_and_claim(
        self, conn: Connection, completed: Sequence[CompletedAttempt], capacity: Capacity, now: Micros
    ) -> tuple[list[DeliveryUpdate], list[Batch]]:
        """One transaction. The results come first: they schedule what the claim then finds due."""
        updates = self._recorder.record(conn, completed, now) if completed else []
        return updates, claim_due(conn, self._catalogue, capacity, self._lease, now)

    def _on_commit(self, assessed: Assessed) -> None:
        """Wake up when a commit has inserted deliveries. Called in the thread of the writer."""
        if assessed.outgoing:
            self._inserted = True
            self.wake()


def _report(updates: Sequence[DeliveryUpdate], now: Micros) -> None:
    """Count the results in the metrics, and log failures."""
    for each in updates:
        metrics.DELIVERIES.labels(each.outcome).inc()
        if each.state is DeliveryState.DELIVERED:
            metrics.DELIVERY_DELAY.observe((now - each.claimed.detected_at) / SECOND)
        else:
            _log_failure(each)


def _log_failure(update: DeliveryUpdate) -> None:
    about = {
        "id": update.claimed.signal_id,
        "subscription": update.claimed.subscription,
        "outcome": update.outcome,
        "reason": update.reason,
    }
    if update.state is DeliveryState.PARKED:
        _log.warning("delivery parked", **about)
    else:
        _log.info("delivery attempt failed", **about)
