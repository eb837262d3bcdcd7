"""Is an answer of now the answer of then, but for what it says besides?

Objects may have new keys; nothing else may differ. Sentences for people may have been put otherwise where `REWORDED` or
`REWORDED_PATTERNS` says so, and only there.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

REWORDED: Final[dict[str, str]] = {}
"""Words of then -> words of now, whole texts."""
REWORDED_PATTERNS: Final[dict[str, str]] = {}
"""The same for texts that hold a name or a number: a regular expression for a whole text of then -> what it is now, with
\\1, \\2, ... for its groups."""

WORDS: Final = frozenset({"cause", "reason", "words", "expected_reply_reason"})
"""Keys whose values are sentences for people."""
SHOWN: Final = 20
"""Differences that are shown of all."""

Difference = tuple[str, object, object]
"""Where, then, now."""
MISSING: Final = "(nothing)"


def differences(then: object, now: object, path: str) -> Iterator[Difference]:
    """Where the answer of now is another, words for people left out. Keys that are new are none."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key, value in then.items():
            if key not in now:
                yield f"{path}.{key}", value, MISSING
            elif not (key in WORDS and isinstance(value, str) and isinstance(now[key], str)):
                yield from differences(value, now[key], f"{path}.{key}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for place, (before, after) in enumerate(zip(then, now, strict=True)):
            yield from differences(before, after, f"{path}[{place}]")
    elif type(then) is not type(now) or then != now:  # True is no 1
        yield path, then, now


def rewordings(then: object, now: object, path: str) -> Iterator[Difference]:
    """Where words for people are others than they were, and not those that they were put into."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key, value in then.items():
            if key in WORDS and isinstance(value, str) and isinstance(now.get(key), str):
                if now[key] != reworded(value):
                    yield f"{path}.{key}", reworded(value), now[key]
            elif key in now:
                yield from rewordings(value, now[key], f"{path}.{key}")
    elif isinstance(then, list) and isinstance(now, list):
        for place, (before, after) in enumerate(zip(then, now, strict=False)):
            yield from rewordings(before, after, f"{path}[{place}]")


@cache
def reworded(text: str) -> str:
    """What a text of then is now."""
    if text in REWORDED:
        return REWORDED[text]
    for pattern, words in REWORDED_PATTERNS.items():
        if found := re.fullmatch(pattern, text):
            return found.expand(words)
    return text


def unlike(then: object, now: object, path: str = "$") -> list[Difference]:
    """Every difference, of both kinds. Both are plain JSON."""
    return [*differences(then, now, path), *rewordings(then, now, path)]


def shown(found: Sequence[Difference]) -> str:
    """Differences for a person to read."""
    lines = [f"{path}\n  was {was!r}\n  is  {now!r}" for path, was, now in found[:SHOWN]]
    return "\n".join([f"{len(found)} differences", *lines])
