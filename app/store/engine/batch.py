"""How long may a list in a statement be, and how many lengths may there be?

Databases limit the parameters of a statement, the oldest supported SQLite to 32,766. Lists are cut well below, so that
a statement stays small to parse. They are also filled up to the next power of two by repeating their last item, which
changes nothing for an IN: so a statement has eleven texts instead of a thousand, and a database that keeps the plans of
the texts that it has seen (both do) finds them again.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

LONGEST: Final = 1024


def pieces(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of a bearable length."""
    rest = iter(items)
    while piece := list(islice(rest, LONGEST)):
        yield piece


def parts(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists for an IN: the last item of a list may be repeated."""
    for piece in pieces(items):
        yield piece + [piece[-1]] * (_rounded(len(piece)) - len(piece))


def _rounded(length: int) -> int:
    return 1 << (length - 1).bit_length()
