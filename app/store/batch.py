"""How long may a list in a statement be?

Databases limit the parameters of a statement, the oldest supported SQLite to 32,766. Lists are cut well below, so that
a statement stays small to parse.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

LONGEST: Final = 1000


def parts(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists that a statement can hold."""
    rest = iter(items)
    while part := list(islice(rest, LONGEST)):
        yield part
