"""Retention: archive old tickets, delete expired events and simulations, maintain monthly partitions, complete reports.

A ticket that ended `archive_after` ago is archived: its final view is stored as one document. When the agreement's
`keep_events` has passed, its events are deleted. Partitions of the event log are created ahead and dropped when empty.
Clocks that a release without reports has evaluated get the figures that reports count (`report_figures`).
Each step is a small idempotent transaction, so several processes may run it and any may be killed. Instants are
microseconds UTC.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Final

import orjson
import structlog

from app.background import BackgroundLoop
from app.flow.judge.assess import Assessor
from app.flow.judge.locking import lock
from app.flow.process.report_figures import complete_figures
from app.flow.query import serialize
from app.flow.query.tickets import answers
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.sla.calendar import Calendar
from app.sla.span import Micros, length_of
from app.store import audit
from app.store.engine import partitions
from app.store.engine.database import Connection, Database, EveryDesk, confined
from app.store.tickets import archive, clocks, simulations
from app.store.tickets.archive import ArchivedTicket, Candidate

_log = structlog.stdlib.get_logger()

_BATCH: Final = 200
"""Tickets in one transaction, which takes some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """Counts of what a run of the retention did."""

    archived: int = 0
    purged: int = 0
    audit_dropped: int = 0
    simulations_dropped: int = 0
    partitions_created: int = 0
    partitions_dropped: int = 0
    reported: int = 0

    def __add__(self, other: "RetentionResult") -> "RetentionResult":
        return RetentionResult(
            *(ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True))
        )


_NOTHING: Final = RetentionResult()


class Retention:
    """The retention job of one database. `start` and `stop` it, or call `apply_now` without an event loop."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._database, self._assessor, self._settings = database, assessor, settings
        self._catalogue = assessor.catalogue
        self._background = BackgroundLoop(self._run)
        self._archived_until: Micros = 0
        """Every eligible ticket that ended before is archived: the search starts here."""

    def start(self) -> None:
        """Start in the running event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Stop. A transaction in progress completes first."""
        await self._background.stop()

    def apply_now(self) -> RetentionResult:
        """`apply` without an event loop."""
        return asyncio.run(self.apply())

    async def apply(self) -> RetentionResult:
        """Process batches until nothing is left.

        Candidates are selected in a read transaction, so that writers are not blocked.
        """
        total = RetentionResult(reported=await complete_figures(self._database, self._catalogue))
        while True:
            before = self._database.now() - length_of(self._settings.archive_after)
            since = self._archived_until
            eligible = await self._database.read(
                lambda conn, since=since, before=before: archive.candidates(conn, since, before, _BATCH)
            )
            result = await self._database.write(
                lambda conn, now, eligible=eligible: self._batch(conn, now, eligible), EveryDesk.RETENTION
            )
            self._archived_until = eligible[-1][-1] if len(eligible) == _BATCH else max(before, since)
            total += result
            if result == _NOTHING:
                return total

    async def _run(self) -> None:
        while True:
            try:
                total = await self.apply()
                if total != _NOTHING:
                    _log.info("retention applied", **asdict(total))
            except self._database.failures:
                _log.exception("retention failed")  # idempotent: the next run does the rest
            await asyncio.sleep(self._settings.retention_interval.total_seconds())

    def _batch(self, conn: Connection, now: Micros, eligible: Sequence[Candidate]) -> RetentionResult:
        created = partitions.create_ahead(conn, now, self._settings.partitions_ahead)
        return RetentionResult(
            partitions_created=len(created),
            archived=self._archive(conn, now, eligible),
            purged=self._purge(conn, now),
            audit_dropped=audit.drop(conn, now - length_of(self._settings.keep_audit), _BATCH),
            simulations_dropped=simulations.remove_old(
                conn, now - length_of(self._settings.keep_simulations), _BATCH
            ),
            partitions_dropped=len(partitions.drop_empty(conn, now)),
        )

    def _archive(self, conn: Connection, now: Micros, eligible: Sequence[Candidate]) -> int:
        """Store the final views, confined to their desks."""
        with confined(conn, frozenset(desk for desk, _, _ in eligible)):
            return self._archive_confined(conn, now, eligible)

    def _archive_confined(self, conn: Connection, now: Micros, eligible: Sequence[Candidate]) -> int:
        """The tickets are locked first, in the order of `lock`."""
        lock(conn, self._catalogue, [(desk, ticket) for desk, ticket, _ in eligible])
        by_desk: dict[str, dict[str, Micros]] = {}
        for desk, ticket, ended_at in eligible:
            by_desk.setdefault(desk, {})[ticket] = ended_at
        rows: list[ArchivedTicket] = []
        for desk, ended in by_desk.items():
            # Compare with the selected state: an event may have come since the read transaction.
            stored = clocks.tickets(conn, desk, ended)
            archived = archive.archived(conn, desk, ended)
            unchanged = [
                ticket
                for ticket, row in stored.items()
                if row.next_at is None and row.evaluated_at == ended[ticket] and ticket not in archived
            ]
            rows += [
                ArchivedTicket(
                    desk, ticket, ended[ticket], None, orjson.dumps(serialize.ticket(answer)).decode()
                )
                for ticket, answer in answers(conn, self._catalogue, desk, unchanged, now=now).items()
            ]
        archive.archive(conn, rows, now)
        return len(rows)

    def _purge(self, conn: Connection, now: Micros) -> int:
        """Delete the events of archived tickets whose `keep_events` has passed."""
        purged = 0
        for desk, latest in self._catalogue.desks(conn).items():
            with confined(conn, frozenset({desk})):
                agreement = self._catalogue.in_force(conn, desk, latest, at=now).agreement
                purged += _purge(conn, now, desk, agreement)
        return purged


def _purge(conn: Connection, now: Micros, desk: str, agreement: Agreement) -> int:
    """The same for one desk. Nothing where its agreement keeps events for ever."""
    keep, calendar = agreement.keep_events, Calendar.always(agreement.time_zone)
    if keep is None:
        return 0
    expired = [
        row.ticket
        for row in archive.oldest_with_events(conn, desk, _BATCH)
        if keep.deadline(row.closed_at, calendar) < now
    ]
    archive.drop_events(conn, desk, expired, now)
    return len(expired)
