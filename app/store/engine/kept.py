"""Values made of rows that only grow in number, kept in memory for as long as they are of the same rows.

Bounded by the weight of all values together; the value that was used longest ago goes first. Thread-safe.
"""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The values that were asked for last, each with the mark of the rows that it was made of."""

    def __init__(self, most: int) -> None:
        """`most`: what all values may weigh together."""
        self._most, self._weight, self._lock = most, 0, Lock()
        self._entries: OrderedDict[K, tuple[Hashable, int, V]] = OrderedDict()

    def get(self, key: K, mark: Hashable) -> V | None:
        """The value of this key, if it was made of the rows with this mark."""
        with self._lock:
            found = self._entries.get(key)
            if found is None or found[0] != mark:
                return None
            self._entries.move_to_end(key)
            return found[2]

    def put(self, key: K, mark: Hashable, weight: int, value: V) -> None:
        """Keep a value. One that weighs more than all may is not kept."""
        with self._lock:
            self._drop(key)
            self._entries[key] = (mark, weight, value)
            self._weight += weight
            while self._weight > self._most:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: K) -> None:
        gone = self._entries.pop(key, None)
        self._weight -= 0 if gone is None else gone[1]
