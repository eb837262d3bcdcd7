"""The order of a queue, with positions.

`QueueOrder` holds the keys of the tickets that wait in one queue of one desk. A key is (rank, joined_at, created_at,
ticket), so tuple order is queue order. Position 1 is served next. Instants are microseconds UTC.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeAlias

from app.sla.span import Micros

Key: TypeAlias = tuple[int, Micros, Micros, str]
"""The place of a waiting ticket: (rank, joined_at, created_at, ticket)."""

_FULL: Final = 1024
"""Keys in a block before it is split. Inserting into a block costs as much as counting the blocks before it when
both are some hundreds; measured from ten thousand to a million keys."""


class QueueOrder:
    """A sorted set of keys with positions, as a list of short blocks: an insertion moves one block only."""

    __slots__ = ("_blocks", "_lasts", "_length")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """The order of these keys, given in any order; repeated keys count once."""
        ordered = sorted(set(keys))
        step = _FULL // 2
        self._blocks: list[list[Key]] = [ordered[i : i + step] for i in range(0, len(ordered), step)]
        self._lasts: list[Key] = [block[-1] for block in self._blocks]
        self._length = len(ordered)

    def add(self, key: Key) -> None:
        """Add a key. A known one changes nothing."""
        if not self._blocks:
            self._blocks, self._lasts, self._length = [[key]], [key], 1
            return
        index = min(bisect_left(self._lasts, key), len(self._blocks) - 1)
        block = self._blocks[index]
        place = bisect_left(block, key)
        if place < len(block) and block[place] == key:
            return
        block.insert(place, key)
        self._lasts[index] = block[-1]
        self._length += 1
        if len(block) > _FULL:
            self._split(index)

    def discard(self, key: Key) -> None:
        """Remove a key. An unknown one changes nothing."""
        index, place = self._find(key)
        if index == len(self._blocks) or self._blocks[index][place] != key:
            return
        block = self._blocks[index]
        del block[place]
        self._length -= 1
        if block:
            self._lasts[index] = block[-1]
        else:
            del self._blocks[index], self._lasts[index]

    def position(self, key: Key) -> int:
        """The position of a key, from 1; of an unknown key, the one that it would take."""
        index, place = self._find(key)
        return 1 + sum(map(len, islice(self._blocks, index))) + place

    def at(self, position: int) -> Key:
        """The key at a position, from 1. Raises IndexError beyond the end."""
        if not 1 <= position <= self._length:
            raise IndexError(f"no ticket waits at position {position} of {self._length}")
        return self.slice(position, 1)[0]

    def slice(self, start: int, n: int) -> list[Key]:
        """Up to n keys from position `start` on, from 1; fewer at the end."""
        skip = max(start, 1) - 1
        taken: list[Key] = []
        for block in self._blocks:
            if len(taken) >= n:
                break
            taken += block[skip : skip + n - len(taken)]
            skip = max(skip - len(block), 0)
        return taken

    @property
    def length(self) -> int:
        """The number of keys."""
        return self._length

    def __len__(self) -> int:
        return self._length

    def __contains__(self, key: Key) -> bool:
        index, place = self._find(key)
        return index < len(self._blocks) and self._blocks[index][place] == key

    def __iter__(self) -> Iterator[Key]:
        for block in self._blocks:
            yield from block

    def _find(self, key: Key) -> tuple[int, int]:
        """(block, index in it) where the key is or would be; past the end: one after the last block."""
        index = bisect_left(self._lasts, key)
        return (index, bisect_left(self._blocks[index], key)) if index < len(self._blocks) else (index, 0)

    def _split(self, index: int) -> None:
        block = self._blocks[index]
        half = len(block) // 2
        self._blocks[index : index + 1] = [block[:half], block[half:]]
        self._lasts[index : index + 1] = [block[half - 1], block[-1]]
