"""Makes text from outside safe to show: one line, bounded, without control characters or changes of direction.

Anyone who writes a ticket writes its title. Line breaks in it would forge headers and lines of a message,
bidirectional overrides reverse what follows, and lone surrogates cannot be encoded. Linear in the length of the text.
"""

from typing import Final
from unicodedata import category

_DROPPED: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
"""Control characters, halves of surrogate pairs, private and unassigned code points."""
_SPACE: Final = frozenset({"Zl", "Zp", "Zs"})
_DIRECTION: Final = frozenset(
    map(chr, (0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF))
) | frozenset(map(chr, (*range(0x2066, 0x206A), *range(0xE0000, 0xE0080))))
"""Marks and overrides of direction, and characters without width that hide text."""
_READ_AHEAD: Final = 4
"""Characters read per character shown: what is dropped may not make a long text cost more."""


def clean(text: object, limit: int) -> str:
    """The text on one line, at most `limit` characters, the last of them "…" if it was cut."""
    given = str(text)
    shown = "".join(map(_shown, given[: limit * _READ_AHEAD]))
    line = " ".join(shown.split())
    if len(line) <= limit and len(given) <= limit * _READ_AHEAD:
        return line
    return line[: limit - 1].rstrip() + "…"


def _shown(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    if character in _DIRECTION:
        return ""
    kind = category(character)
    return " " if kind in _SPACE else "" if kind in _DROPPED else character
