"""Gives the computation of an answer its time budget.

The budget is processor time of the thread that computes: an answer is not refused because others are busy.
"""

from collections.abc import Callable
from time import thread_time
from typing import Final, TypeVar

from app.settings import Settings
from app.sla.budget import Budget, spending
from app.store.engine.database import Connection

T = TypeVar("T")

_NAME: Final = "SLATIMER_READ_TIME_BUDGET"


def budgeted(settings: Settings, work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """The same read with the time budget of an answer. It then raises TooExpensive, which is answered as a problem."""

    def run(conn: Connection) -> T:
        with spending(Budget(settings.read_time_budget.total_seconds(), thread_time, name=_NAME)):
            return work(conn)

    return run
