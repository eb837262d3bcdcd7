"""What does every process that works on the facts consist of, web process, worker or command?

Everything below the web, put together once: whoever needs a part takes it from here. `start` begins what goes on by
itself: listening to what other processes announce, reading what ticket systems delivered, and sweeping. With Redis
sweeping is left to the workers, and a web process rings for them instead.
"""

from collections.abc import Callable

from app.flow.agreement.holidays import log_newer_holidays, store_missing_holidays
from app.flow.inbound.accept import Acceptor
from app.flow.inbound.interpret import Interpreter
from app.flow.inbound.reader import Reader
from app.flow.inbound.sources import Sources
from app.flow.judge.assess import Assessed, Assessor
from app.flow.judge.receive import Receiver
from app.flow.outbound.deliver import Deliverer
from app.flow.process.heartbeat import Watch
from app.flow.process.retention import Retention
from app.flow.process.sweep import Sweeper
from app.jobs import Bell, Job, Queue
from app.settings import Settings
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database
from app.store.engine.notify import Announcement, NotificationListener


class Runtime:
    """The parts of one process over one open database. `worker`: it is what others ring for."""

    def __init__(self, settings: Settings, database: Database, *, worker: bool = False) -> None:
        self.settings, self.database = settings, database
        self.sweeps = worker or settings.redis_url is None
        """Whether this process tells what is due."""
        self.catalogue = Catalogue(settings.holiday_years_ahead)
        store_missing_holidays(database, self.catalogue)
        self.assessor = Assessor(settings, self.catalogue)
        self.receiver = Receiver(database, self.assessor, settings)
        self.sweeper = Sweeper(database, self.assessor, settings)
        self.deliverer = Deliverer(database, self.assessor, settings)
        self.sources = Sources()
        self.reader = Reader(database, Interpreter(self.receiver, self.sources, settings), settings)
        self.acceptor = Acceptor(database, self.sources, settings, self.reader.wake)
        self.reader.throttle_while(self.acceptor.is_busy)
        self.retention = Retention(database, self.assessor, settings)
        self.watch = Watch(database, self.catalogue, self.sweeper, settings, sweeps=self.sweeps)
        self.bell = None if settings.redis_url is None else Bell(settings, Job.WAKE, Queue.CLOCKS)
        self._post_bell = (
            None if settings.redis_url is None else Bell(settings, Job.DELIVER, Queue.DELIVERIES)
        )
        self._listener = NotificationListener(settings, self._announced)
        self._hearers: list[Callable[[Announcement], None]] = [
            self.sweeper.announced,
            self.deliverer.announced,
        ]
        if not self.sweeps:
            self.assessor.on_commit(self._ring)

    def on_announcement(self, hearer: Callable[[Announcement], None]) -> None:
        """Have somebody hear what other processes announce, in the event loop. It must be quick."""
        self._hearers.append(hearer)

    def start(self) -> None:
        """Begin to listen, and to sweep or to ring, in this event loop."""
        log_newer_holidays(self.database, self.catalogue)
        self._listener.start()
        self.reader.start()
        for bell in filter(None, (self.bell, self._post_bell)):
            bell.start()
        if self.sweeps:
            self.sweeper.start()
            self.watch.start()
            self.retention.start()
            self.deliverer.start()

    async def stop(self) -> None:
        """End it all. What is under way is finished first."""
        await self._listener.stop()
        await self.reader.stop()
        await self.retention.stop()
        await self.watch.stop()
        await self.sweeper.stop()
        await self.deliverer.stop()
        for bell in filter(None, (self.bell, self._post_bell)):
            await bell.stop()

    def _announced(self, announcement: Announcement) -> None:
        for hearer in self._hearers:
            hearer(announcement)

    def _ring(self, found: Assessed) -> None:
        """In the thread that writes: a worker is to wake for what was planned, and for what was told."""
        now = self.database.now()
        if self.bell is not None and found.next_at is not None:
            self.bell.ring(found.next_at, now)
        if self._post_bell is not None and found.outgoing:
            self._post_bell.ring(now, now)
