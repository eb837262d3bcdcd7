"""Faults of a desk's file: the key, what is wrong, what to write instead, and the line where it is.

A file is read to its end and refused with all of its faults at once, so that its author need not find them one by one.
`place` is the path of the key, with dots: `calendars.tickets.hours.mon-fri`, `commitments.gti.target`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

_HEADER: Final = re.compile(r"\s*+(\[\[?+)([^\[\]]++)\]\]?+\s*+(?:#.*+)?")
_KEY: Final = re.compile(r"""\s*+("[^"]*+"|'[^']*+'|[\w-]++)\s*+(?:=|\.\S)""")
_ID: Final = re.compile(r"""\s*+id\s*+=\s*+["']([^"']++)["']""")
_STEP: Final = re.compile(r"""[^.\[\]"']+""")

_LONGEST_WORD: Final = 100
"""Characters of an unknown word that are compared with the known ones, in quadratic time. No known word is longer."""

_LONGEST_LIST: Final = 20
"""More known words than this are not written out beside the nearest one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file. `right` is a sentence that says what to write instead."""

    place: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}. {self.right}"


@dataclass(frozen=True, slots=True)
class Remark:
    """What is allowed in a file and seldom meant. `advice` is a sentence that says what is probably meant."""

    place: str
    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}. {self.advice}"


class FaultyFile(ValueError):
    """A desk's file was refused. `faults` holds everything that is wrong in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def listed(words: Iterable[object]) -> str:
    """The words as a list in a sentence: `"a", "b" or "c"`; a set is sorted."""
    quoted = [
        f'"{word}"' for word in (sorted(words, key=str) if isinstance(words, set | frozenset) else words)
    ]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def instead_of(word: object, known: Iterable[str]) -> str:
    """What to write instead of an unknown word: the nearest known one, and all of them if they are few."""
    known = sorted(set(known))
    if not known:
        return "Nothing is known here: leave it out."
    near = get_close_matches(str(word)[:_LONGEST_WORD], known, n=1)
    meant = f'Did you mean "{near[0]}"?' if near else ""
    if near and len(known) > _LONGEST_LIST:
        return meant
    return f"{meant} Write {listed(known)}.".lstrip()


def line_of(text: str, place: str) -> int | None:
    """The line of a TOML text, from 1, at which a fault's place is written.

    A place inside a value gives the line of its key, a missing key the header of its table; None when that is missing
    too. A table of an array is found by its number or by its `id`.
    """
    wanted = _STEP.findall(place)
    best: tuple[int, int] | None = None
    for line, steps in list(_written_places(text)):
        if all(w in names for w, names in zip(wanted, steps, strict=False)) and len(steps) <= len(wanted):
            best = max(best or (0, 0), (len(steps), -line))
    return -best[1] if best else None


def lines_of_tables(text: str, outer: str) -> dict[str, int]:
    """The lines of the tables in a table of a TOML text, by their names, and by number and `id` in an array.

    One pass over the text, where `line_of` for each of them would take one pass each.
    """
    found: dict[str, int] = {}
    for line, steps in list(_written_places(text)):
        if len(steps) == 2 and outer in steps[0]:
            for name in steps[1]:
                found.setdefault(name, line)
    return found


def _written_places(text: str) -> Iterator[tuple[int, list[set[str]]]]:
    """Every header and key with its line and its path; each step of a path as the set of its names."""
    counts: dict[str, int] = {}
    table: list[set[str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            name = header[2].strip()
            table = [{step} for step in _STEP.findall(name)]
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                # The list as a whole is written where its first table begins.
                yield number, list(table)
                table.append({str(counts[name])})
            yield number, table
        elif key := _KEY.match(line):
            if (found := _ID.match(line)) and table:
                table[-1].add(found[1])
            yield number, [*table, {key[1].strip("\"'")}]
