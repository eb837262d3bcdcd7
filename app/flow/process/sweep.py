"""What must be told because time alone has passed, and when?

The database is the timer: the sweep sleeps until the least `next_at`, is woken when a push brings an earlier one, and
looks besides now and then for what another process wrote. Tickets whose instant has come go down the one road, in
batches. A ticket that fails is parked by that road, so it stalls nobody. Instants are microseconds UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from app.background import Background
from app.flow import metrics
from app.flow.judge.assess import Assessed, Assessor
from app.flow.judge.locking import lock_desks
from app.settings import Settings
from app.sla.span import SECOND, Micros
from app.sla.subject import SubjectKey, by_desk
from app.store.engine.database import Connection, Database, Fault, after_commit, fault_of
from app.store.engine.notify import Announcement
from app.store.tickets import schedule
from app.store.tickets.signals import LATE

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class SweepState:
    """How the sweep is doing. `lag` is how long the oldest ticket that is due has been waiting, in micros."""

    running: bool
    """In this process; where workers sweep, nowhere else."""
    next_at: Micros | None
    lag: Micros
    parked: int
    last_pass_at: Micros | None
    failure: str | None


class Sweeper:
    """The sweep of one process. `start` and `stop` it, or `sweep_now` without an event loop."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._database, self._assessor = database, assessor
        self._batch = settings.sweep_batch
        self._safety = settings.sweep_safety.total_seconds()
        self._background = Background(self._run)
        self._planned: Micros | None = None
        self._last_pass_at: Micros | None = None
        self._failure: str | None = None
        assessor.on_commit(self._heard)

    def start(self) -> None:
        """Begin to sweep, in this event loop."""
        self._background.start()

    async def stop(self) -> None:
        """End the sweep. A batch under way is finished first."""
        await self._background.stop()

    def sweep_now(self) -> int:
        """Sweep until nothing is due. Returns how many tickets were looked at."""
        total = 0
        while count := self._database.write_now(self._claim):
            total += count
        return total

    async def sweep(self) -> int:
        """`sweep_now` within an event loop."""
        total = 0
        while count := await self._claimed():
            total += count
        return total

    async def _claimed(self) -> int:
        """Sweep a batch; one by one when it cannot be stored. Raises what the database itself fails with."""
        try:
            return await self._database.write(self._claim)
        except self._database.failures as error:
            if fault_of(error) is not Fault.FAULTY:
                raise
            _log.warning("a batch of the sweep failed", error=f"{type(error).__name__}: {error}")
        due = await self._database.write(lambda conn, now: schedule.due(conn, now, self._batch))
        for key in due:
            await self._alone(key)
        return len(due)

    async def _alone(self, key: SubjectKey) -> None:
        """Sweep one subject; it is parked when it cannot be stored, so that no other waits for it."""
        desk, subject = key
        try:
            await self._database.write(lambda conn, now: self._judge(conn, now, [key]))
        except self._database.failures as error:
            if fault_of(error) is not Fault.FAULTY:
                raise
            _log.error("a subject cannot be stored", desk=desk, subject=subject.text, exc_info=error)
            reason = f"{type(error).__name__}: {error}"
            await self._database.write(lambda conn, now: self._assessor.park(conn, key, reason, now))

    async def state(self) -> SweepState:
        """How the sweep is doing, for the probe of readiness; the gauges of the metrics follow it."""
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
            # Without a plan every commit wakes: one between the reading of `next_at` and the sleep is not missed.
            self._background.awake()
            self._planned = None
            try:
                await self.sweep()
                self._planned = await self._database.read(schedule.next_at)
                self._failure = None
            except self._database.failures as error:
                # What is due stays due, so the next try finds it.
                self._failure = f"{type(error).__name__}: {error}"
                await self._background.in_the_way("sweep failed", error)
                continue
            self._background.all_is_well()
            self._last_pass_at = self._database.now()
            await self._sleep()

    async def _sleep(self) -> None:
        """Until the planned instant or the safety period, unless woken before."""
        wait = self._safety
        if self._planned is not None:
            wait = min(wait, max(0, self._planned - self._database.now()) / SECOND)
        await self._background.sleep(wait)

    def _claim(self, conn: Connection, now: Micros) -> int:
        # Desks that are held whole are held before any ticket is.
        lock_desks(conn, self._assessor.catalogue, schedule.due_desks(conn, now, self._batch))
        due = schedule.due(conn, now, self._batch)
        if due:
            self._judge(conn, now, due)
        return len(due)

    def _judge(self, conn: Connection, now: Micros, due: Sequence[SubjectKey]) -> None:
        traces = dict.fromkeys(due, f"sweep-{now}")
        found = self._assessor.assess(conn, now, by_desk(due), traces=traces)
        after_commit(conn, lambda: _observe(found, now))

    def announced(self, announcement: Announcement) -> None:
        """Another process has planned something: wake if it comes earlier than the sweep sleeps for."""
        self._plan(announcement.next_at)

    def _heard(self, found: Assessed) -> None:
        """In the thread that writes: the same for what this process has planned."""
        self._plan(found.next_at)

    def _plan(self, next_at: Micros | None) -> None:
        if next_at is not None and (self._planned is None or next_at < self._planned):
            self._background.wake()


def _observe(found: Assessed, now: Micros) -> None:
    """How late the breaches were told that the sweep has found."""
    for recorded in found.recorded:
        if recorded.kind in LATE and recorded.deliver:
            metrics.DETECTION_LAG.observe((now - recorded.at) / SECOND)
