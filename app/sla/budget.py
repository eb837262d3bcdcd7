"""A time budget for one computation, checked by the loops that can be long.

Spans of decades, or a calendar of many short windows, are cheap to request and long to compute. The caller gives such a
computation a budget (`spending`); a loop calls `charge` at every step, which raises `TooExpensive` when the budget is
spent. A long computation also pauses, so that other threads have the interpreter meanwhile. Without a budget `charge`
does nothing: what must be evaluated, as by the sweep, is always finished.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

_STEPS: Final = 32
"""Steps between two looks at the clock. A step takes some microseconds, a look half of one."""


class TooExpensive(RuntimeError):
    """Computing the answer takes longer than its budget allows. Ask for less at a time."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """A long computation pauses for others: after `after` seconds it computes for the fraction `duty` of the time.

    `pause` waits for so many seconds, which the budget's clock must not count.
    """

    after: float
    duty: float
    pause: Callable[[float], None]


class Budget:
    """A budget in seconds of a clock, from its first step on; `name` is the setting that an error names."""

    __slots__ = ("_clock", "_looked_at", "_name", "_pauses", "_seconds", "_steps", "_until")

    def __init__(
        self, seconds: float, clock: Callable[[], float], *, name: str, pauses: Pauses | None = None
    ) -> None:
        self._seconds, self._clock, self._name, self._pauses = seconds, clock, name, pauses
        self._until: float | None = None
        self._looked_at = 0.0
        self._steps = 0

    def charge(self) -> None:
        """Count a step. Raises TooExpensive."""
        if self._until is None:
            self._looked_at = self._clock()
            self._until = self._looked_at + self._seconds
        self._steps += 1
        if self._steps % _STEPS == 0:
            self._look(self._clock(), self._until)

    def _look(self, now: float, until: float) -> None:
        if now > until:
            raise TooExpensive(
                f"computing this answer takes more than {self._seconds:g} s, the limit {self._name}. Ask for a shorter "
                "period, for fewer questions at a time, or of a calendar with fewer hours a day"
            )
        pauses = self._pauses
        if pauses is not None and now - (until - self._seconds) > pauses.after:
            pauses.pause((now - self._looked_at) * (1 / pauses.duty - 1))
        self._looked_at = now


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def spending(budget: Budget) -> Generator[None]:
    """Everything inside spends this budget."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)


def charge() -> None:
    """A step of a loop that can be long. Raises TooExpensive when the budget of the computation is spent."""
    budget = _current.get()
    if budget is not None:
        budget.charge()
