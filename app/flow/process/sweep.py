"""Sweep: evaluates tickets when their next transition comes due, and so detects breaches on time.

The database is the timer. The sweep sleeps until the least `next_at`, is woken when a commit brings an earlier one, and
polls for what other processes wrote. Due tickets are evaluated in batches, which are short while events are received:
those wait for them (`pace`). `next_at` is only a hint and the evaluation is idempotent, so a crash or two sweeps at once
do no harm. A ticket that fails is parked, and does not block the others. Instants are microseconds UTC.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import structlog

from app.background import BackgroundLoop
from app.flow import metrics
from app.flow.judge.assess import Assessed, Assessor
from app.flow.judge.locking import lock_desks
from app.settings import Settings
from app.sla.span import SECOND, Micros
from app.sla.subject import SubjectKey, SubjectKind, by_desk
from app.store.engine.database import (
    Connection,
    Database,
    EveryDesk,
    FailureKind,
    after_commit,
    confined,
    failure_kind,
)
from app.store.engine.notify import Announcement
from app.store.tickets import schedule
from app.store.tickets.signals import LATE

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class SweepState:
    """State of the sweep. `lag` is the time since the oldest due ticket came due, in micros."""

    running: bool
    """Whether the sweep runs in this process."""
    next_at: Micros | None
    lag: Micros
    parked: int
    last_pass_at: Micros | None
    failure: str | None


class _Part:
    """The part of a whole batch that is evaluated in a time, by what the last one took. It grows by twice at most."""

    def __init__(self, time: timedelta, first: float) -> None:
        self._seconds, self.value = time.total_seconds(), first

    def took(self, whole: float) -> None:
        """A whole batch would have taken so many seconds."""
        self.value = min(1.0, 2 * self.value, self._seconds / whole if whole else 1.0)


class Batches:
    """How much the sweep evaluates at a time: a whole batch, or a smaller one while events are pushed.

    None is so large that evaluating it would take longer than the configured time, by what the last one took. Smaller
    ones have a shorter time, and a least size, below which a batch mostly costs what each costs. The commit is not
    counted: it takes as long with fewer tickets, so where the disk needs more than that time batches would shrink to one
    ticket. A push waits for the batch that runs when it arrives, so after a transaction beside which something was
    pushed the batches of so many more stay small: the next push is likely to come within them. After each further one
    the next is twice as large. A transaction may have several small batches, up to a size of its own and the time of a
    whole one. Used by the thread that writes.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._most = self._wanted = settings.sweep_batch_size
        self._least = min(settings.sweep_busy_batch_size, self._most)
        self._contracts = settings.sweep_contracts_batch_size
        self._small, self._small_left = settings.sweep_busy_batches, 0
        self._own, self._is_busy = 0, False
        self._time = settings.sweep_batch_time.total_seconds()
        self._room = min(settings.sweep_busy_transaction_size, self._most)
        self._part = _Part(settings.sweep_batch_time, 1.0)
        self._busy_part = _Part(settings.sweep_busy_batch_time, self._least / self._most)
        self._began = self._batch_began = self._batch = self._evaluated = 0.0
        """`_batch` and `_evaluated`, of the transaction so far, are tickets: a contract is as much as some of them."""

    @property
    def tickets(self) -> int:
        """Tickets."""
        return max(1, min(self._wanted, int(self._part.value * self._most)))

    @property
    def contracts(self) -> int:
        """Contracts, in proportion to tickets."""
        return max(1, self._contracts * self.tickets // self._most)

    def begin(self) -> None:
        """A transaction of the sweep begins, and its first batch."""
        self._began = self._batch_began = self._clock()
        self._own, self._evaluated = 0, 0.0
        if self._is_busy:
            self._wanted, self._small_left = self._busy(), self._small
        elif self._small_left:
            self._wanted, self._small_left = self._busy(), self._small_left - 1
        else:
            self._wanted = min(2 * self._wanted, self._most)
        self._is_busy = False

    def _busy(self) -> int:
        return max(self._least, round(self._busy_part.value * self._most))

    def evaluate(self, due: Collection[SubjectKey]) -> None:
        """An assessment that becomes durable is the sweep's, of these subjects."""
        contracts = sum(subject.kind is SubjectKind.CONTRACT for _, subject in due)
        self._batch = len(due) - contracts + contracts * self._most / self._contracts
        self._own += 1

    def evaluated(self) -> None:
        """They are evaluated, and to be committed. The next batch of the transaction begins, if it has another."""
        began, self._batch_began = self._batch_began, self._clock()
        self._evaluated += self._batch
        whole = (self._batch_began - began) * self._most / self._batch
        self._part.took(whole)
        self._busy_part.took(whole)

    @property
    def has_room(self) -> bool:
        """Whether the transaction may have another batch, by the tickets and the time that it has had."""
        return self._evaluated < self._room and self._batch_began - self._began < self._time

    def committed(self) -> None:
        """An assessment of this process became durable: one of the sweep's, or that of a push."""
        if self._own:
            self._own -= 1
        else:
            self._is_busy = True


class Sweeper:
    """The sweep of one process. `start` and `stop` it, or `sweep_now` without an event loop."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._database, self._assessor = database, assessor
        self._batches = Batches(settings)
        self._poll_interval = settings.sweep_poll_interval.total_seconds()
        self._background = BackgroundLoop(self._run)
        self._planned: Micros | None = None
        """Until when the loop sleeps; None: until the poll interval has passed."""
        self._claimed: Sequence[SubjectKey] = ()
        """The latest batch, for when its transaction fails."""
        self._in_pass = False
        self._arrived: Micros | None = None
        """The least `next_at` that came in during the pass, whose reading may have missed it."""
        self._last_pass_at: Micros | None = None
        self._failure: str | None = None
        assessor.on_commit(self._on_commit)

    def start(self) -> None:
        """Start in the running event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Stop. A batch in progress completes first."""
        await self._background.stop()

    def sweep_now(self) -> int:
        """Sweep until no ticket is due. Returns the number of evaluated tickets."""
        total = 0
        while count := self._database.write_now(self._claim, EveryDesk.DUE):
            total += count
        return total

    async def sweep(self) -> int:
        """`sweep_now` within an event loop."""
        total = 0
        while count := await self._sweep_batch():
            total += count
        return total

    async def _sweep_batch(self) -> int:
        """Sweep in one transaction; ticket by ticket the batch that fails. Raises when the database is unavailable.

        Batches before it in its transaction were rolled back with it: they are due still.
        """
        try:
            return await self._database.write(self._claim, EveryDesk.DUE)
        except self._database.failures as error:
            if failure_kind(error) is not FailureKind.PERMANENT or not self._claimed:
                raise
            _log.warning("sweep batch failed, retrying singly", error=f"{type(error).__name__}: {error}")
        failed = self._claimed
        for key in failed:
            await self._sweep_one(key)
        return len(failed)

    async def _sweep_one(self, key: SubjectKey) -> None:
        """Sweep one subject; it is parked when it cannot be stored, so that no other waits for it."""
        desk, subject = key
        own = frozenset({desk})
        try:
            await self._database.write(lambda conn, now: self._evaluate(conn, now, [key]), own)
        except self._database.failures as error:
            if failure_kind(error) is not FailureKind.PERMANENT:
                raise
            _log.error(
                "evaluation could not be stored, subject parked",
                desk=desk,
                subject=subject.text,
                exc_info=error,
            )
            reason = f"{type(error).__name__}: {error}"
            await self._database.write(lambda conn, now: self._assessor.park(conn, key, reason, now), own)

    async def state(self) -> SweepState:
        """The state of the sweep, for `/readyz`. It also updates the gauges."""
        next_at, parked = await self._database.read(
            lambda conn: (schedule.next_at(conn), schedule.count_parked(conn))
        )
        lag = 0 if next_at is None else max(0, self._database.now() - next_at)
        metrics.SWEEP_LAG.set(lag / SECOND)
        metrics.PARKED.set(parked)
        running = self._background.is_running
        return SweepState(running, next_at, lag, parked, self._last_pass_at, self._failure)

    async def _run(self) -> None:
        while True:
            self._background.clear_wake()
            self._in_pass, self._arrived = True, None
            try:
                await self.sweep()
                self._planned = _least(await self._database.read(schedule.next_at), self._arrived)
                self._in_pass, self._failure = False, None
            except self._database.failures as error:
                # Due tickets stay due: the next pass finds them.
                self._failure = f"{type(error).__name__}: {error}"
                await self._background.back_off("sweep loop failed", error)
                continue
            self._background.reset_backoff()
            self._last_pass_at = self._database.now()
            await self._sleep()

    async def _sleep(self) -> None:
        """Sleep until the next due ticket, at most the poll interval. A wake-up says that `_planned` is earlier now."""
        polls_at = monotonic() + self._poll_interval
        while (wait := polls_at - monotonic()) > 0:
            if self._planned is not None:
                wait = min(wait, (self._planned - self._database.now()) / SECOND)
                if wait <= 0:
                    return
            await self._background.sleep(wait)
            self._background.clear_wake()

    def _claim(self, conn: Connection, now: Micros) -> int:
        """Sweep one batch; on SQLite further small ones while all are full and no write waits."""
        self._batches.begin()
        self._claimed = ()
        total = 0
        while True:
            limit = self._batches.tickets
            count = self._claim_batch(conn, now, limit)
            total += count
            if count < limit or not self._goes_on():
                return total

    def _goes_on(self) -> bool:
        """Whether the transaction evaluates another batch: of one with ten tickets a third is what any costs.

        Not where several processes write: it has locked the stream, and all of them wait for its end.
        """
        return not self._database.shared and self._batches.has_room and not self._database.has_waiting_writes

    def _claim_batch(self, conn: Connection, now: Micros, limit: int) -> int:
        # Lock order: desks that are locked as a whole before any ticket.
        lock_desks(conn, self._assessor.catalogue, schedule.due_desks(conn, now, limit))
        due = schedule.due(conn, now, limit, self._batches.contracts)
        if due:
            self._claimed = due
            self._batches.evaluate(due)
            with confined(conn, frozenset(desk for desk, _ in due)):
                self._evaluate(conn, now, due)
            self._batches.evaluated()
        return len(due)

    def _evaluate(self, conn: Connection, now: Micros, due: Sequence[SubjectKey]) -> None:
        traces = dict.fromkeys(due, f"sweep-{now}")
        found = self._assessor.assess(
            conn, now, by_desk(due), traces=traces, contracts=self._batches.contracts
        )
        after_commit(conn, lambda: _observe(found, now))

    def on_announcement(self, announcement: Announcement) -> None:
        """Wake when another process has stored an earlier `next_at`."""
        self._wake_for(announcement.next_at)

    def _on_commit(self, found: Assessed) -> None:
        """The same for a commit of this process. Runs in the writer thread."""
        self._batches.committed()
        if found.next_at is not None and (self._in_pass or _is_before(found.next_at, self._planned)):
            self._background.call_soon(lambda: self._wake_for(found.next_at))

    def _wake_for(self, next_at: Micros | None) -> None:
        """Plan for an earlier instant. In the event loop, as all that reads or sets what is planned.

        A pass is not repeated for what commits beside it, or each would cause the next: pushes commit all the time.
        """
        if next_at is None:
            return
        if self._in_pass:
            self._arrived = _least(self._arrived, next_at)
        elif _is_before(next_at, self._planned):
            self._planned = next_at
            self._background.wake()


def _is_before(at: Micros, planned: Micros | None) -> bool:
    return planned is None or at < planned


def _least(*instants: Micros | None) -> Micros | None:
    return min((each for each in instants if each is not None), default=None)


def _observe(found: Assessed, now: Micros) -> None:
    """Record the detection lag of breaches that the sweep found."""
    for recorded in found.recorded:
        if recorded.kind in LATE and recorded.deliver:
            metrics.DETECTION_LAG.observe((now - recorded.at) / SECOND)
