"""Scales of charts: round steps for counts, and a near floor for shares."""

from typing import Final

_FLOORS: Final = (99.9, 99.5, 99.0, 98.0, 95.0, 90.0, 80.0, 50.0, 0.0)
_WHOLE: Final = 100.0
_STEPS: Final = (1, 2, 5)
_TICKS: Final = 4


def floor_of(shares: list[float]) -> float:
    """Where the axis of shares in per cent begins: near them, because 97 and 99 look the same from nothing."""
    least = min(shares, default=_WHOLE)
    return next(floor for floor in _FLOORS if floor < least or floor == 0)


def ticks_of(greatest: float, unit: float = 1) -> list[float]:
    """Round values from nothing to beyond the greatest, about four: in steps of 1, 2 or 5 times ten of some unit."""
    size = unit
    while True:
        for step in (size * each for each in _STEPS):
            if step * _TICKS >= greatest:
                count = max(1, -int(-greatest // step))
                return [step * number for number in range(count + 1)]
        size *= 10


def share_ticks(floor: float) -> list[float]:
    """The values of an axis of shares from a floor to the whole."""
    return [floor + (_WHOLE - floor) * quarter / 4 for quarter in range(5)]
