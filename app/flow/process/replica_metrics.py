"""The lag of the read replica, and which server answered the reads that may use it, as metrics of one process."""

from app.flow import metrics
from app.sla.span import SECOND
from app.store.engine.database import Database


class ReplicaMetrics:
    """Refreshed when metrics are read. Without a replica there is nothing to show."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shown = {"replica": 0, "primary": 0}

    async def refresh(self) -> None:
        """Measure. Raises the database's failures."""
        state = await self._database.replica_state()
        if state is None:
            return
        metrics.REPLICA_LAG.set(float("nan") if state.lag is None else state.lag / SECOND)
        answered = {"replica": state.on_replica, "primary": state.on_primary}
        for server, number in answered.items():
            metrics.REPLICA_READS.labels(server).inc(number - self._shown[server])
        self._shown = answered
