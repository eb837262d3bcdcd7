"""Order of a file: whether it runs backwards, by the times of adjacent rows. Instants are microseconds UTC."""

from app.intake.importing.entry import Entry
from app.intake.importing.mapping import Order


class FileOrder:
    """Counts in which direction the times of a file run.

    Adjacent rows of one ticket decide where there are any: in a file sorted by ticket the others prove nothing. A file
    without a clear direction, such as a shuffled one, counts as one that runs forwards.
    """

    def __init__(self, stated: Order) -> None:
        self._stated = stated
        self._last: Entry | None = None
        self._up, self._down = [0, 0], [0, 0]

    def add(self, entry: Entry) -> None:
        """Add the next row of the file."""
        last, self._last = self._last, entry
        if last is not None and last.at != entry.at:
            (self._up if entry.at > last.at else self._down)[last.subject == entry.subject] += 1

    @property
    def backwards(self) -> bool:
        """Whether the newest rows come first."""
        if self._stated is not Order.AUTO:
            return self._stated is Order.NEWEST_FIRST
        same = self._up[True] + self._down[True] > 0
        return self._down[same] > 3 * self._up[same]
