"""Batching of parameters for IN lists.

Databases limit the parameters of a statement (SQLite to 32,766), so long lists are split. The length of an IN list is
rounded up to a power of two by repeating the last item, which does not change the result: eleven statement texts
instead of a thousand, so that the caches of prepared statements are effective.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

LONGEST: Final = 1024


def pieces(items: Iterable[T]) -> Iterator[list[T]]:
    """Split the items into lists of at most `LONGEST`."""
    rest = iter(items)
    while piece := list(islice(rest, LONGEST)):
        yield piece


def parts(items: Iterable[T]) -> Iterator[list[T]]:
    """Split the items into lists for IN; the last item of a list may be repeated."""
    for piece in pieces(items):
        yield piece + [piece[-1]] * (_rounded(len(piece)) - len(piece))


def _rounded(length: int) -> int:
    return 1 << (length - 1).bit_length()
