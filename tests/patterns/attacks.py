"""Texts that make a pattern work hard, made from the pattern's own parse tree.

A text is a start that reaches some repetition, a word that the repetition takes, many times, and an end that refuses it.
"""

from collections.abc import Iterator
from typing import Any, Final

from re import _constants as op  # type: ignore[attr-defined]  # isort: skip

from tests.patterns.backtracking import Matcher, charset

_CANDIDATES: Final = " a1.,:-_/\"'=<>[]{}()\t\nzZ@%\\\0é"
_ENDS: Final = ("", "\0!")
_MOST_WORDS: Final = 12
_MOST_STARTS: Final = 6
SIZE: Final = 100
"""Repetitions of the word in the shorter text; the longer one has twice as many."""


def pairs(matcher: Matcher) -> Iterator[tuple[str, str]]:
    """Pairs of texts, the second twice as long."""
    starts = dict.fromkeys(["", *_starts(matcher.tree, matcher.flags)])
    words = dict.fromkeys([*filter(None, list(starts)[:2]), *_words(matcher.tree, matcher.flags)])
    for start in list(starts)[:_MOST_STARTS]:
        for word in list(words)[:_MOST_WORDS]:
            for end in _ENDS:
                yield start + word * SIZE + end, start + word * SIZE * 2 + end


def _starts(nodes: Any, flags: int, before: str = "") -> Iterator[str]:
    """The shortest texts before each repetition."""
    for kind, argument in nodes:
        for inner in _inside(kind, argument):
            yield from _starts(inner, flags, before)
        if _is_repeat(kind):
            yield before
        before += _shortest([(kind, argument)], flags)
    yield before


def _words(nodes: Any, flags: int) -> Iterator[str]:
    """What each repetition takes in one round: whole rounds, and single characters of them; then what is around."""
    for kind, argument in nodes:
        if _is_repeat(kind) and (argument[1] is op.MAXREPEAT or argument[1] > 1):
            body = argument[2]
            yield from _samples(body, flags)
        for inner in _inside(kind, argument):
            yield from _words(inner, flags)
    yield _shortest(nodes, flags) or "a"
    yield from " a1"


def _samples(body: Any, flags: int) -> Iterator[str]:
    """Some texts that a body takes once."""
    if len(body) == 1 and str(body[0][0]) in ("IN", "ANY", "LITERAL", "NOT_LITERAL"):
        yield from _chars(body[0][0], body[0][1], flags)[:3]
        return
    yield _shortest(body, flags)
    for kind, argument in body:
        for inner in _inside(kind, argument):
            yield from (_shortest(inner, flags),)


def _inside(kind: Any, argument: Any) -> list[Any]:
    match str(kind):
        case "SUBPATTERN":
            return [argument[3]]
        case "BRANCH":
            return list(argument[1])
        case "ATOMIC_GROUP":
            return [argument]
        case "ASSERT" | "ASSERT_NOT":
            return [argument[1]]
        case _:
            return [argument[2]] if _is_repeat(kind) else []


def _is_repeat(kind: Any) -> bool:
    return str(kind).endswith("_REPEAT")


def _shortest(nodes: Any, flags: int) -> str:
    """A short text that the nodes take; one round of a repetition that may have none."""
    found = ""
    for kind, argument in nodes:
        match str(kind):
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                found += (_chars(kind, argument, flags) or [""])[0]
            case "BRANCH":
                found += _shortest(argument[1][0], flags)
            case "ASSERT" | "ASSERT_NOT" | "AT" | "GROUPREF":
                pass
            case _:
                rounds = max(argument[0], min(1, argument[1])) if _is_repeat(kind) else 1
                found += "".join(_shortest(inner, flags) for inner in _inside(kind, argument)) * rounds
    return found


def _chars(kind: Any, argument: Any, flags: int) -> list[str]:
    """Some characters that the node takes."""
    if kind is op.LITERAL:
        return [chr(argument)]
    takes = charset(kind, argument, flags)
    given = [chr(value) for name, value in argument if name is op.LITERAL] if kind is op.IN else []
    return [char for char in dict.fromkeys([*_CANDIDATES, *given]) if takes(char)]
