"""Publishes the reports of weeks and months as they end, where a subscription wants them, as `report.ready`.

The signal's natural key is the desk, the kind of period and its name, so each is published once, whatever processes run
and whenever they are killed. After a stop only the latest period that has ended is published. The figures are counted in
a read transaction, so that no writer waits. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import structlog

from app.background import BackgroundLoop
from app.flow import metrics
from app.flow.judge.assess import Assessor
from app.flow.judge.emit import encoded
from app.flow.query import serialize
from app.flow.query.period_figures import EndedPeriod, report_document
from app.settings import Settings
from app.sla.calendar.zone import zone
from app.sla.report.cut import By
from app.sla.report.subscribed import REPORT_READY, ended_by, next_end
from app.sla.span import SECOND, Micros
from app.sla.subject import THE_DESK
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine import dialect
from app.store.engine.database import EVERY_DESK, Connection, Database
from app.store.outbound import subscriptions
from app.store.tickets import signals
from app.store.tickets.signals import NewSignal

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class _Due:
    """The periods to publish, and when the next one ends that is wanted."""

    periods: list[EndedPeriod]
    next_at: Micros | None


class ReportPublisher:
    """The publisher of one process. `start` and `stop` it, or call `publish`."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._database, self._assessor, self._settings = database, assessor, settings
        self._catalogue = assessor.catalogue
        self._background = BackgroundLoop(self._run)

    def start(self) -> None:
        """Start in the running event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Stop. A transaction in progress completes first."""
        await self._background.stop()

    async def publish(self) -> Micros | None:
        """Publish what has ended. Returns when the next period ends that is wanted."""
        now = self._database.now()
        due = await self._database.read(lambda conn: self._due(conn, now))
        for period in due.periods:
            try:
                await self._publish(period, now)
            except self._database.failures:
                raise
            except Exception:  # noqa: BLE001 - one desk's own content must not keep the others from their reports
                _log.exception("report could not be made", desk=period.desk, period=period.name)
                metrics.FAILURES.labels(period.desk).inc()
        return due.next_at

    async def _publish(self, period: EndedPeriod, now: Micros) -> None:
        document = await self._database.read_replicated(
            lambda conn: report_document(conn, self._catalogue, self._settings, period, now)
        )
        await self._database.write(
            lambda conn, at: self._record(conn, at, period, document), frozenset({period.desk})
        )

    async def _run(self) -> None:
        while True:
            try:
                next_at = await self.publish()
            except self._database.failures as error:
                await self._background.back_off("reports could not be published", error)
                continue
            self._background.reset_backoff()
            wait = self._settings.report_poll_interval.total_seconds()
            if next_at is not None:
                wait = min(wait, max(0, next_at - self._database.now()) / SECOND)
            await self._background.sleep(wait)

    def _due(self, conn: Connection, now: Micros) -> _Due:
        wanted = list(self._wanted(conn, now))
        ids = {_id(period): period for period, since in wanted if since < period.span.end}
        known = signals.known_ids(conn, ids)
        periods = [period for signal_id, period in ids.items() if signal_id not in known]
        ends = (next_end(period.zone, period.by, now) for period, _ in wanted)
        return _Due(periods, min(ends, default=None))

    def _wanted(self, conn: Connection, now: Micros) -> Iterator[tuple[EndedPeriod, Micros]]:
        """The latest ended periods of each desk that are wanted, and since when they are."""
        wants = subscriptions.wanting(conn, REPORT_READY)
        if not wants:
            return
        for desk, latest in sorted(self._catalogue.desks(conn).items()):
            own = [each for each in wants if each.desk in (desk, EVERY_DESK)]
            if own:
                try:
                    agreement = self._catalogue.in_force(conn, desk, latest, at=now).agreement
                except UnknownDesk:
                    continue  # its first version is planned and not in force yet
                local = zone(agreement.time_zone)
                for by in _cadences(own):
                    since = min(each.since for each in own if by.value in each.filter.reports)
                    yield EndedPeriod(desk, local, by, ended_by(local, by, now)), since

    def _record(self, conn: Connection, now: Micros, period: EndedPeriod, document: serialize.Json) -> None:
        """Record the signal, unless another process has."""
        # Of two processes the second waits here, and then finds the signal of the first.
        dialect.advisory_lock(conn, [f"report {period.by} of {period.desk}"])
        if signals.known_ids(conn, [_id(period)]):
            return
        signal = _signal(period, now)
        body = serialize.signal(signal) | {"commitment": None, "clock": None, **document}
        self._assessor.publish(conn, now, [encoded(signal, body)])
        _log.info("report published", desk=period.desk, period=period.name, id=signal.id)


def _cadences(wants: Collection[subscriptions.Wanting]) -> list[By]:
    return sorted({By(name) for each in wants for name in each.filter.reports})


def _signal(period: EndedPeriod, now: Micros) -> NewSignal:
    """`commitment` has the kind of period: by it subscriptions choose."""
    return NewSignal(
        desk=period.desk,
        subject=THE_DESK,
        kind=REPORT_READY,
        occurrence=period.name,
        at=period.span.end,
        detected_at=now,
        commitment=period.by.value,
    )


def _id(period: EndedPeriod) -> str:
    return _signal(period, period.span.end).id
