"""Pace of the sweep: how many tickets its next transaction takes, so that events pushed meanwhile hardly wait.

Pure: it is given when each transaction ended and how long it took, in seconds of a monotonic clock.
"""

from dataclasses import dataclass
from typing import Final

LEAST: Final = 10
"""Tickets. A transaction has costs of its own: with fewer in it, most of its time would go to those."""
CALM: Final = 5.0
"""Seconds without other writes after which batches are large again: the next event may come at any time until then."""


@dataclass(slots=True)
class Pace:
    """The size of the next batch: `largest` while nothing else is written, else what takes `aim` seconds."""

    largest: int
    aim: float
    size: int = 0
    _calm_at: float = float("-inf")

    def __post_init__(self) -> None:
        """Begin with the largest batch."""
        self.size = self.largest

    def batch_ended(self, at: float, count: int, seconds: float, *, others: int) -> None:
        """Choose the next size after a batch of `count` tickets. `others`: transactions since the batch before it."""
        if others > 0:
            self._calm_at = at + CALM
        if at >= self._calm_at:
            self.size = self.largest
        elif count and seconds > 0:
            self.size = min(self.largest, max(LEAST, int(count * self.aim / seconds)))
