"""Who is before whom in a queue right now, and how many?

A line holds the keys of the tickets that wait in one queue of one desk, in order. A key is (rank, joined_at,
created_at, ticket), so the order needs no other rule than that of tuples. Positions count from 1, the ticket
that is served next. Instants are microseconds UTC.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeAlias

from app.sla.span import Micros

Key: TypeAlias = tuple[int, Micros, Micros, str]
"""The place of a waiting ticket: (rank, joined_at, created_at, ticket)."""

_FULL: Final = 1024
"""Keys in a block before it is halved. Moving a block costs as much as counting the blocks before it when
both are some hundreds; that holds from ten thousand to a million keys."""


class QueueOrder:
    """A sorted set of keys that knows positions. Kept as short blocks, so that no change moves the whole
    line."""

    __slots__ = ("_blocks", "_lasts", "_length")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """A line of these keys, given in any order; a repeated key waits once."""
        ordered = sorted(set(keys))
        step = _FULL // 2
        self._blocks: list[list[Key]] = [ordered[i : i + step] for i in range(0, len(ordered), step)]
        self._lasts: list[Key] = [block[-1] for block in self._blocks]
        self._length = len(ordered)

    def add(self, key: Key) -> None:
        """Let the key wait. One that waits already stays where it is."""
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
            self._halve(index)

    def discard(self, key: Key) -> None:
        """Let the key wait no longer. One that does not wait changes nothing."""
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
        """The position of the key, from 1; of a key that does not wait, the one that it would take."""
        index, place = self._find(key)
        return 1 + sum(map(len, islice(self._blocks, index))) + place

    def at(self, position: int) -> Key:
        """The key at this position, from 1. Raises IndexError when nobody waits there."""
        if not 1 <= position <= self._length:
            raise IndexError(f"nobody waits at position {position} of {self._length}")
        return self.slice(position, 1)[0]

    def slice(self, start: int, n: int) -> list[Key]:
        """Up to n keys from the position `start` on, from 1; fewer when the line ends before."""
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
        """How many wait."""
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
        """The block that would hold the key, and its place in there; past the end: one after the last
        block."""
        index = bisect_left(self._lasts, key)
        return (index, bisect_left(self._blocks[index], key)) if index < len(self._blocks) else (index, 0)

    def _halve(self, index: int) -> None:
        block = self._blocks[index]
        half = len(block) // 2
        self._blocks[index : index + 1] = [block[:half], block[half:]]
        self._lasts[index : index + 1] = [block[half - 1], block[-1]]
