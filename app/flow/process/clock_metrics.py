"""The numbers of open, at-risk and overdue clocks as metrics, by desk and commitment.

They are counted when metrics are read and cached, so that frequent scrapes do not load the database. The number of
series is bounded. Instants are microseconds UTC.
"""

from collections.abc import Sequence
from typing import Final

from app.flow import metrics
from app.flow.outbound.subscribe import KINDS
from app.settings import Settings
from app.sla.span import Micros, length_of
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database
from app.store.tickets.board import CommitmentCounts, counts_by_commitment

OTHER: Final = "other"
"""The label of all commitments beyond the bound."""

_GAUGES: Final = (metrics.CLOCKS_OPEN, metrics.CLOCKS_AT_RISK, metrics.CLOCKS_OVERDUE)


class ClockMetrics:
    """The gauges of one process. To be used in the event loop."""

    def __init__(self, database: Database, catalogue: Catalogue, settings: Settings) -> None:
        self._database, self._catalogue, self._settings = database, catalogue, settings
        self._counted_at: Micros | None = None

    async def refresh(self) -> None:
        """Count again if the last count is older than `metrics_cache_ttl`. Raises the database's failures."""
        now, counted_at = self._database.now(), self._counted_at
        if counted_at is not None and 0 <= now - counted_at < length_of(self._settings.metrics_cache_ttl):
            return
        risk_until = now + length_of(self._settings.metrics_at_risk_window)

        def read(conn: Connection) -> tuple[list[str], list[CommitmentCounts]]:
            desks = sorted(self._catalogue.desks(conn))
            return desks, counts_by_commitment(conn, desks, now, risk_until)

        desks, counted = await self._database.read(read)
        metrics.declare(desks, KINDS)
        self._show(counted)
        self._counted_at = now

    def _show(self, counted: Sequence[CommitmentCounts]) -> None:
        for gauge in _GAUGES:
            gauge.clear()
        for index, each in enumerate(counted):
            own = index < self._settings.metrics_max_commitments
            labels = (each.desk, each.commitment) if own else (OTHER, OTHER)
            for gauge, number in zip(_GAUGES, (each.open, each.at_risk, each.overdue), strict=True):
                gauge.labels(*labels).inc(number)
