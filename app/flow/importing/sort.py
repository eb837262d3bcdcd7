"""Sorting the entries of a log by a key, within bounded memory: in memory, and beyond a limit in temporary files.

Stable: entries of one key keep the order in which they were added.
"""

import heapq
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, Final

import orjson

from app.intake.importing.entry import Entry, packed, unpacked

_OVERHEAD: Final = 200
"""Bytes that Python needs for an entry beside its content."""

_Item = tuple[str, bytes]
_KEY: Final = itemgetter(0)


class EntrySort:
    """Entries sorted by key. Close it to delete its temporary files."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._items: list[_Item] = []
        self._size = 0
        self._runs: list[IO[bytes]] = []

    def add(self, key: str, entry: Entry) -> None:
        """Add an entry."""
        content = orjson.dumps(packed(entry))
        self._items.append((key, content))
        self._size += len(content) + len(key) + _OVERHEAD
        if self._size > self._memory:
            self._spill()

    def groups(self) -> Iterator[tuple[str, list[Entry]]]:
        """The entries of each key, in the order of the keys."""
        self._items.sort(key=_KEY)
        runs = [_read(run) for run in self._runs]
        for key, items in groupby(heapq.merge(*runs, self._items, key=_KEY), key=_KEY):
            yield key, [unpacked(orjson.loads(content)) for _, content in items]

    def close(self) -> None:
        """Delete the temporary files."""
        for run in self._runs:
            run.close()

    def _spill(self) -> None:
        self._items.sort(key=_KEY)
        run = TemporaryFile(prefix="slatimer-replay-")  # noqa: SIM115 - open until `close`
        run.writelines(orjson.dumps(key) + b"\t" + content + b"\n" for key, content in self._items)
        self._runs.append(run)
        self._items, self._size = [], 0


def _read(run: IO[bytes]) -> Iterator[_Item]:
    run.seek(0)
    for line in run:
        key, _, content = line.partition(b"\t")
        yield orjson.loads(key), content
