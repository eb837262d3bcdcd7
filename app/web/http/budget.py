"""Gives the computation of an answer its time budget.

The budget is processor time of the thread that computes: an answer is not refused because others are busy.
"""

from collections.abc import Callable
from time import sleep, thread_time
from typing import Final, TypeVar

from app.settings import Settings
from app.sla.budget import Budget, Pauses, spending
from app.store.engine.database import Connection

T = TypeVar("T")

_NAME: Final = "SLATIMER_READ_TIME_BUDGET"
_SHORT: Final = 0.05
"""Seconds that an answer computes without a pause: ten times what a usual one takes."""


def budgeted(settings: Settings, work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """The same read with the time budget of an answer. It then raises TooExpensive, which is answered as a problem."""

    pauses = Pauses(_SHORT, settings.read_duty_cycle, sleep)

    def run(conn: Connection) -> T:
        seconds = settings.read_time_budget.total_seconds()
        with spending(Budget(seconds, thread_time, name=_NAME, pauses=pauses)):
            return work(conn)

    return run
