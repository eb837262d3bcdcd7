"""What is done to the facts as they grow old, so that what is asked every day costs the same for ever?

Tickets that ended long ago are folded to their final view; facts that the desk's agreement lets go of are let go of;
parts of the log are made before they are needed and dropped when they are empty. Each step is small, in a transaction
of its own and repeatable, so several processes may do it and any of them may die at it. Instants are microseconds UTC.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

import orjson
import structlog

from app.background import Background
from app.flow.judge.assess import Assessor
from app.flow.judge.locking import lock
from app.flow.query import serialize
from app.flow.query.tickets import answers
from app.settings import Settings
from app.sla.calendar import Calendar
from app.sla.span import Micros, length_of
from app.store.engine import partitions
from app.store.engine.database import Connection, Database
from app.store.tickets import archive, clocks
from app.store.tickets.archive import ArchivedTicket, Candidate

_log = structlog.stdlib.get_logger()

_PIECE: Final = 200
"""Tickets in one transaction: some tens of milliseconds of the writer's time."""


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """What keeping has done: tickets folded and emptied, parts of the log made and dropped."""

    folded: int = 0
    emptied: int = 0
    made: int = 0
    dropped: int = 0

    def __add__(self, other: "RetentionResult") -> "RetentionResult":
        return RetentionResult(
            *(ours + theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True))
        )


_NOTHING: Final = RetentionResult()


class Retention:
    """Keeps the facts of one database. `start` and `stop` it, or `keep_now` without an event loop."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._database, self._assessor, self._settings = database, assessor, settings
        self._catalogue = assessor.catalogue
        self._background = Background(self._run)
        self._folded_up_to: Micros = 0
        """Everything that ended before is folded, as far as it can be: no need to look there again."""

    def start(self) -> None:
        """Begin to keep, in this event loop."""
        self._background.start()

    async def stop(self) -> None:
        """Keep no more. A piece under way is finished first."""
        await self._background.stop()

    def keep_now(self) -> RetentionResult:
        """`keep` without an event loop."""
        return asyncio.run(self.keep())

    async def keep(self) -> RetentionResult:
        """One round. What is ripe is looked for by a reader, so that whoever writes never waits for a long look."""
        kept = _NOTHING
        while True:
            before = self._database.now() - length_of(self._settings.archive_after)
            since = self._folded_up_to
            eligible = await self._database.read(
                lambda conn, since=since, before=before: archive.candidates(conn, since, before, _PIECE)
            )
            piece = await self._database.write(
                lambda conn, now, eligible=eligible: self._piece(conn, now, eligible)
            )
            self._folded_up_to = eligible[-1][-1] if len(eligible) == _PIECE else max(before, since)
            kept += piece
            if piece == _NOTHING:
                return kept

    async def _run(self) -> None:
        while True:
            try:
                kept = await self.keep()
                if kept != _NOTHING:
                    _log.info(
                        "kept", folded=kept.folded, emptied=kept.emptied, made=kept.made, dropped=kept.dropped
                    )
            except self._database.failures:
                _log.exception("keeping failed")  # nothing is lost by keeping later
            await asyncio.sleep(self._settings.retention_interval.total_seconds())

    def _piece(self, conn: Connection, now: Micros, eligible: Sequence[Candidate]) -> RetentionResult:
        """A bearable part of everything that is to be done; nothing when there is nothing."""
        return (
            RetentionResult(made=len(partitions.make_ahead(conn, now, self._settings.partitions_ahead)))
            + RetentionResult(folded=self._fold(conn, now, eligible))
            + RetentionResult(emptied=self._empty(conn, now))
            + RetentionResult(dropped=len(partitions.drop_empty(conn, now)))
        )

    def _fold(self, conn: Connection, now: Micros, eligible: Sequence[Candidate]) -> int:
        lock(conn, self._catalogue, [(desk, ticket) for desk, ticket, _ in eligible])
        by_desk: dict[str, dict[str, Micros]] = {}
        for desk, ticket, ended_at in eligible:
            by_desk.setdefault(desk, {})[ticket] = ended_at
        rows: list[ArchivedTicket] = []
        for desk, ended in by_desk.items():
            # Something may have happened to one of them since it was looked at.
            stored = clocks.tickets(conn, desk, ended)
            folded = archive.archived(conn, desk, ended)
            still = [
                ticket
                for ticket, row in stored.items()
                if row.next_at is None and row.evaluated_at == ended[ticket] and ticket not in folded
            ]
            rows += [
                ArchivedTicket(
                    desk, ticket, ended[ticket], None, orjson.dumps(serialize.ticket(answer)).decode()
                )
                for ticket, answer in answers(conn, self._catalogue, desk, still, now=now).items()
            ]
        archive.archive(conn, rows, now)
        return len(rows)

    def _empty(self, conn: Connection, now: Micros) -> int:
        done = 0
        for desk, latest in self._catalogue.desks(conn).items():
            agreement = self._catalogue.history(conn, desk, latest)[-1].agreement
            if agreement.keep_events is None:
                continue
            calendar = Calendar.always(agreement.time_zone)
            over = [
                row.ticket
                for row in archive.oldest_with_events(conn, desk, _PIECE)
                if agreement.keep_events.deadline(row.closed_at, calendar) < now
            ]
            archive.drop_events(conn, desk, over, now)
            done += len(over)
        return done
