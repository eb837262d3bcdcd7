"""Many tickets whose clocks come due: their rows, and the limit of recording their breaches."""

from typing import Final

from app.sla.span import HOUR, MINUTE, Micros
from app.store.engine.database import Database
from benchmarks._copyist import written
from benchmarks._shape import BREACHED, TARGET, WARNED, Copies, analyse, fill, rows_of, steps_of

_DOWN: Final = 8 * HOUR
_SPREAD: Final = 2 * HOUR


class Backlog:
    """Copies of one ticket that was warned and not answered."""

    def __init__(self) -> None:
        self._warned = rows_of(WARNED)
        self._breach = [write for write in steps_of(BREACHED)[-1] if write.row.get("kind") != "clock.warned"]

    def fill(self, database: Database, count: int, first_due: Micros, every: Micros) -> None:
        """Store so many tickets, of which one comes due after the other."""
        fill(database, self._warned, Copies(0, count, first_due - TARGET, every))
        analyse(database)

    def fill_overdue(self, database: Database, count: int) -> None:
        """Store so many tickets that have been overdue for six to eight hours."""
        self.fill(database, count, database.now() - _DOWN + MINUTE, _SPREAD // count)

    def limit(self, url: str, count: int) -> tuple[float, float]:
        """Breaches a second, and milliseconds of processor time for each, when their rows are only written."""
        return written(url, self._warned, self._breach, count)
