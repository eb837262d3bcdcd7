"""The hours of a picture of days, from left to right: where an instant of a day is drawn.

The hours before anything happens on any day are left out: on a narrow screen, which shows a part of the picture, it
begins with the first opening hours instead of midnight. Figures are units of the drawing, times microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.sla.span import SECOND

HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
LABEL: Final = 128
"""Width of the names of days."""
WIDE: Final = 864
"""Width of a day: 36 for each hour of a whole one."""
_EVERY: Final = 3
"""Hours from one line of the scale to the next."""
_FEW: Final = 2
"""So many hours or fewer are not left out."""


@dataclass(frozen=True, slots=True)
class Scale:
    """`begin`: the time of day at which the picture begins."""

    begin: int = 0

    @classmethod
    def of(cls, times: Iterable[int]) -> "Scale":
        """The scale that shows these times of day, with an hour before them."""
        hours = min(times, default=0) // HOUR - 1
        return cls(hours * HOUR if hours > _FEW else 0)

    def across(self, time: int) -> float:
        """Where a time of day is; one before the picture begins is at its left end."""
        return round(LABEL + self.width(max(0, time - self.begin)), 2)

    def width(self, length: int) -> float:
        """The width of a duration."""
        return length / (DAY - self.begin) * WIDE

    @property
    def hours(self) -> tuple[tuple[float, str], ...]:
        """The lines of the scale, with their names."""
        first = -(-self.begin // HOUR // _EVERY) * _EVERY
        return tuple((self.across(hour * HOUR), f"{hour:02}") for hour in range(first, 25, _EVERY))
