"""Reads whole numbers in foreign text. Bounded, since Python refuses to read more than 4,300 digits, with an error."""

from typing import Final

_MAX_DIGITS: Final = 19
"""Digits that are read: those of the greatest number that a database column can have."""


def whole_number(text: str) -> int | None:
    """The number that ASCII digits write; None for anything else, and for more than 19 digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
