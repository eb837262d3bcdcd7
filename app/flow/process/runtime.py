"""Components of one process (web, worker or command) over one open database, composed once.

`start` starts the background loops: NOTIFY listener, inbound reader, sweep, delivery, retention, subscribed reports and
heartbeat. With Redis the last five run in workers only, and web processes enqueue wake-ups for them instead.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.flow.agreement.holidays import log_newer_holidays, store_missing_holidays
from app.flow.agreement.limits import limits_of
from app.flow.inbound.accept import Acceptor
from app.flow.inbound.interpret import Interpreter
from app.flow.inbound.reader import Reader
from app.flow.inbound.sources import Sources
from app.flow.judge.assess import Assessed, Assessor
from app.flow.judge.receive import Receiver
from app.flow.outbound.deliver import Deliverer
from app.flow.process.health import HealthMonitor
from app.flow.process.retention import Retention
from app.flow.process.subscribed_reports import ReportPublisher
from app.flow.process.sweep import Sweeper
from app.settings import Settings
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database
from app.store.engine.notify import Announcement, NotificationListener

if TYPE_CHECKING:
    from app.jobs import WakeUp


class Runtime:
    """The components of one process. `worker`: this process runs the jobs that others enqueue."""

    def __init__(self, settings: Settings, database: Database, *, worker: bool = False) -> None:
        self.settings, self.database = settings, database
        self.sweeps = worker or settings.redis_url is None
        """Whether this process sweeps and delivers."""
        self.catalogue = Catalogue(
            settings.holiday_years_ahead,
            limits=limits_of(settings),
            kept_events=settings.subject_log_cache_events,
        )
        store_missing_holidays(database, self.catalogue)
        self.assessor = Assessor(settings, self.catalogue)
        self.assessor.long_replays.postpone_while(database.is_shared)
        self.receiver = Receiver(database, self.assessor, settings)
        self.sweeper = Sweeper(database, self.assessor, settings)
        self.deliverer = Deliverer(database, self.assessor, settings)
        self.sources = Sources()
        self.reader = Reader(database, Interpreter(self.receiver, self.sources, settings), settings)
        self.acceptor = Acceptor(database, self.sources, settings, self.reader.wake)
        self.reader.throttle_while(self.acceptor.is_busy)
        self.retention = Retention(database, self.assessor, settings)
        self.reports = ReportPublisher(database, self.assessor, settings)
        self.health = HealthMonitor(database, self.catalogue, self.sweeper, settings, sweeps=self.sweeps)
        self.wake_up, self._delivery_wake_up = _wake_ups(settings)
        self._listener = NotificationListener(settings, self._announced)
        self._announcement_callbacks: list[Callable[[Announcement], None]] = [
            self.sweeper.on_announcement,
            self.deliverer.announced,
        ]
        if not self.sweeps:
            self.assessor.on_commit(self._enqueue_wake_ups)

    def on_announcement(self, callback: Callable[[Announcement], None]) -> None:
        """Register a callback for announcements of other processes. It runs in the event loop and must not block."""
        self._announcement_callbacks.append(callback)

    def start(self) -> None:
        """Start the background loops in the running event loop."""
        log_newer_holidays(self.database, self.catalogue)
        self._listener.start()
        self.reader.start()
        for wake_up in filter(None, (self.wake_up, self._delivery_wake_up)):
            wake_up.start()
        if self.sweeps:
            self.sweeper.start()
            self.health.start()
            self.retention.start()
            self.reports.start()
            self.deliverer.start()

    async def stop(self) -> None:
        """Stop all loops. Transactions in progress complete first."""
        await self._listener.stop()
        await self.reader.stop()
        await self.retention.stop()
        await self.reports.stop()
        await self.health.stop()
        await self.sweeper.stop()
        await self.deliverer.stop()
        for wake_up in filter(None, (self.wake_up, self._delivery_wake_up)):
            await wake_up.stop()

    def _announced(self, announcement: Announcement) -> None:
        for callback in self._announcement_callbacks:
            callback(announcement)

    def _enqueue_wake_ups(self, found: Assessed) -> None:
        """After a commit, in the writer thread: wake a worker for the next due ticket and for new deliveries."""
        now = self.database.now()
        if self.wake_up is not None and found.next_at is not None:
            self.wake_up.schedule(found.next_at, now)
        if self._delivery_wake_up is not None and found.outgoing:
            self._delivery_wake_up.schedule(now, now)


def _wake_ups(settings: Settings) -> "tuple[WakeUp, WakeUp] | tuple[None, None]":
    """Those of clocks and of deliveries; none without Redis, whose client is then not imported."""
    if settings.redis_url is None:
        return None, None
    from app.jobs import Job, Queue, WakeUp

    return WakeUp(settings, Job.WAKE, Queue.CLOCKS), WakeUp(settings, Job.DELIVER, Queue.DELIVERIES)
