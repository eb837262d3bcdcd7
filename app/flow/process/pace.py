"""Pace: how many subjects a batch of the sweep takes, so that its transaction ends within a budget of processor time.

Pushes wait for the transaction that runs. What a ticket costs depends on its log and its agreement, so the size of the
next batch follows from what the last one took. Lengths are seconds.
"""

from collections.abc import Callable
from typing import Final

_GROWTH: Final = 2
"""How many times as large the next batch may be: one cheap batch does not say that the next is cheap."""
_SMALLEST: Final = 8
"""The smallest batch is this part of the largest: where most of a batch's time does not depend on its size, as with a
long queue that is ranked anew, ever smaller batches would only cost more."""


class Pace:
    """The size of the next batch: `size`, at most `largest`. Used by the thread that writes.

    `timer` is the processor time of the calling thread: a busy machine does not make batches smaller.
    """

    def __init__(self, largest: int, budget: float, timer: Callable[[], float]) -> None:
        self._largest, self._budget, self._timer = largest, budget, timer
        self._smallest = max(1, largest // _SMALLEST)
        self._began = 0.0
        self.size = self._smallest

    def begin(self) -> None:
        """A batch begins."""
        self._began = self._timer()

    def end(self, count: int) -> None:
        """A batch of so many subjects ends. One that was not full does not make the next larger."""
        took = self._timer() - self._began
        fitting = self._largest if took <= 0 else int(count * self._budget / took)
        if fitting < self.size or count >= self.size:
            self.size = max(self._smallest, min(fitting, self.size * _GROWTH, self._largest))
