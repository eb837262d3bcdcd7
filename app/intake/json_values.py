"""JSON in which one value of an array may be faulty: the others are read, and the fault is named with its place.

A body is parsed by a strict and fast parser. Only what that one refuses is parsed again, value by value: half of a
surrogate pair, a byte that is not UTF-8, NaN, a number beyond 64 bits or nesting without end spoils the value that holds
it, and no other. What has no structure of JSON at all is refused whole.
"""

import gc
import json
import math
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

import orjson

from app.intake.validation import pointer

MAX_DEPTH: Final = 16
"""Levels of nesting in `data`: far more than any ticket system's fields need, far fewer than a parser can stand."""

HALF_A_PAIR: Final = "holds half of a surrogate pair. Leave it out"
BEYOND_64_BITS: Final = "is a number beyond 64 bits. Send it as a text"

SMALLEST_INTEGER: Final = -(2**63)
LARGEST_INTEGER: Final = 2**64 - 1
"""What JSON can be read and written with here."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BYTE: Final = re.compile("[\udc80-\udcff]")
"""What a byte that is not UTF-8 becomes when it is decoded for the second parser."""
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_MARK: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A text, also one without an end, or a bracket. Possessive, so that the search is linear."""
_NO_NUMBER_DIGITS: Final = 20
_SEARCHED: Final = 100_000
"""Values of one entry among which a fault is looked for: an entry that holds more is refused without the place."""


_LARGE: Final = 100_000
"""Bytes from which on collections would cost as much as the parsing."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """A value that is no event. `place` is the JSON pointer to its first fault, `reason` names all of them."""

    id: str | None
    place: str
    reason: str


class NotJson(ValueError):
    """The bytes are no JSON. `place` is the line and column at which they stop being that."""

    def __init__(self, error: orjson.JSONDecodeError) -> None:
        self.place = f"line {error.lineno}, column {error.colno} (character {error.pos})"
        super().__init__(f"{error.msg} at {self.place}")


def parse(body: bytes | str) -> object:
    """The JSON value of a body or a line, in UTF-8. Raises NotJson, also for NaN and for endless nesting."""
    try:
        with _uncollected(body):
            return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotJson(error) from error


def parse_values(body: bytes | str, *, most: int) -> object:
    """The same, but a value that holds a fault is a Faulty: the body itself, or an entry of its array.

    An array with a fault and more than `most` entries is refused whole, since reading it entry by entry takes its time.
    """
    with _uncollected(body):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            found = _salvaged(body, most)
            if found is None:
                raise NotJson(error) from error
            return found


@contextmanager
def _uncollected(body: bytes | str) -> Generator[None]:
    """Parse a large body without garbage collection: nothing of it is garbage yet, and each would walk all of it again.

    3.9 million lists in 9 MB take 2.3 s with collections and 0.25 s without, and no other thread runs meanwhile.
    """
    if len(body) < _LARGE or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def surrogates_in(value: object) -> Iterator[str]:
    """The places, as JSON pointers, of texts and names that hold half of a surrogate pair; none in endless nesting."""
    return (place for place, reason in _faults(value, is_utf8=True) if reason.endswith(HALF_A_PAIR))


def _salvaged(body: bytes | str, most: int) -> object | None:
    """The value with its faulty entries set apart; None when it is no JSON, or has more entries."""
    text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
    is_utf8 = _is_utf8(body)
    begin = _after_space(text, 0)
    try:
        if not text.startswith("[", begin):
            value, end = _entry(text, begin, is_utf8)
            return value if _after_space(text, end) == len(text) else None
        entries = list(islice(_entries(text, begin + 1, is_utf8), most + 1))
    except json.JSONDecodeError:
        return None
    return entries if len(entries) <= most else None


def _is_utf8(body: bytes | str) -> bool:
    if isinstance(body, str):
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _entries(text: str, begin: int, is_utf8: bool) -> Iterator[object]:
    """The entries of an array that begins before `begin`. Raises JSONDecodeError unless it ends the text."""
    place = _after_space(text, begin)
    while not text.startswith("]", place):
        value, end = _entry(text, place, is_utf8)
        yield value
        end = _after_space(text, end)
        place = _after_space(text, end + 1)
        if text.startswith("]", end):
            place = end
        elif not text.startswith(",", end) or text.startswith("]", place):
            raise json.JSONDecodeError("no comma", text, end)
    if _after_space(text, place + 1) != len(text):
        raise json.JSONDecodeError("something follows", text, place)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()


def _entry(text: str, begin: int, is_utf8: bool) -> tuple[object, int]:
    """The value that begins here, or its fault, and where it ends."""
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except RecursionError:
        return _too_deep(None, ""), _end_of_nesting(text, begin)
    try:
        return orjson.loads(text[begin:end]), end
    except orjson.JSONDecodeError as error:
        place, reason = next(_faults(value, is_utf8), ("", f"the event: cannot be read: {error.msg}"))
        return Faulty(_id_of(value), place, reason), end


def _too_deep(event_id: str | None, place: str) -> Faulty:
    return Faulty(event_id, place, f"{place or 'the event'}: is nested deeper than {MAX_DEPTH} levels")


def _end_of_nesting(text: str, begin: int) -> int:
    """Where the brackets that open here are closed. Raises JSONDecodeError if nowhere."""
    level = 0
    for mark in _MARK.finditer(text, begin):
        if mark[0] in "[{":
            level += 1
        elif mark[0] in "]}":
            level -= 1
            if level == 0:
                return mark.end()
    raise json.JSONDecodeError("no end", text, begin)


def _faults(value: object, is_utf8: bool) -> Iterator[tuple[str, str]]:
    """The place and the reason of each fault, from the outside in."""
    waiting: list[tuple[tuple[object, ...], object]] = [((), value)]
    for _ in range(_SEARCHED):
        if not waiting:
            return
        path, one = waiting.pop()
        reason = _fault_of(one, is_utf8)
        if reason is None and isinstance(one, dict | list) and len(path) > MAX_DEPTH:
            reason = f"is nested deeper than {MAX_DEPTH} levels"
        if reason is None and isinstance(one, dict | list):
            entries = list(_entries_of(cast("dict[str, object] | list[object]", one)))
            names = (name for name, _ in entries if isinstance(name, str))
            reason = next(filter(None, (_fault_of(name, is_utf8) for name in names)), None)
            reason = None if reason is None else f"has a name that {reason}"
            waiting += [((*path, name), inner) for name, inner in reversed(entries)]
        if reason is not None:
            place = pointer(path)
            yield place, f"{place or 'the event'}: {reason}"


def _entries_of(value: dict[str, object] | list[object]) -> Iterable[tuple[str | int, object]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _fault_of(value: object, is_utf8: bool) -> str | None:
    match value:
        case str() if not value.isascii() and _SURROGATE.search(value):
            return HALF_A_PAIR if is_utf8 or not _BYTE.search(value) else "is not UTF-8. Send it as UTF-8"
        case float() if math.isnan(value):
            return "is NaN, which is no number. Send null or leave it out"
        case float() if math.isinf(value):
            return BEYOND_64_BITS
        case int() if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            return BEYOND_64_BITS
        case _:
            return None


def _id_of(value: object) -> str | None:
    found = cast("dict[str, Any]", value).get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) and not _SURROGATE.search(found) else None


def _integer(digits: str) -> int | float:
    # Python would refuse thousands of digits, in quadratic time.
    return int(digits) if len(digits) <= _NO_NUMBER_DIGITS else math.inf


_DECODER: Final = json.JSONDecoder(parse_int=_integer)
