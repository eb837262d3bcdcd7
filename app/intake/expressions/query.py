"""JMESPath expressions over a body.

The one module that knows the library. An expression is compiled when its file is read, so that a fault in it is the
file's; where it does not fit a body, the webhook is unreadable and is kept. Three functions are added to the language
for what ticket systems do to JSON: `from_json`, `lower` and `split`.
"""

# The library has no types; everything that comes out of it is cast here.
# pyright: reportMissingTypeStubs=false, reportUntypedFunctionDecorator=false, reportUnknownMemberType=false

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import jmespath
from jmespath import exceptions
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from app.intake.mapping.events import Unreadable
from app.intake.mapping.value import items, table

_LONGEST: Final = 4000
"""Characters of an expression: the parser recurses, and no sensible one comes near."""

_LARGEST: Final = 200_000
"""Entries of a list, or characters of a text divided by ten, that a step may find. A step can double what it is given,
and an expression has hundreds: without a limit it fills the memory. The largest body has fewer."""

_MOST_STEPS: Final = 1_000_000
"""Steps of one expression on one body: a second of processor time, and several for each entry of the
largest body."""

_UNFIT: Final = (
    exceptions.JMESPathError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the library lets out when an expression and a body do not fit together."""


class NoExpression(ValueError):
    """The text is no JMESPath expression, or calls an unknown function."""


class _Compiled(Protocol):
    parsed: object


class _TooMuch(exceptions.JMESPathError):
    """An expression takes too many steps, or finds too much."""


class _Bounded(TreeInterpreter):
    """One evaluation, which ends after a number of steps and finds no more than a size."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._steps = 0

    def visit(self, node: Any, *args: object, **kwargs: object) -> object:
        """Evaluate a node. Raises _TooMuch."""
        self._steps += 1
        found = cast("object", super().visit(node, *args, **kwargs))
        size = len(items(found)) + (len(found) // 10 if isinstance(found, str) else 0)
        if size > _LARGEST or self._steps > _MOST_STEPS:
            raise _TooMuch("it takes too many steps on this body, or finds too much")
        return found


class _Functions(Functions):
    """The functions of the language, and those that are added to it. Null comes through each of them."""

    @signature({"types": ["string", "null"]})
    def _func_from_json(self, text: str | None) -> object:
        try:
            return None if text is None else json.loads(text)
        except (ValueError, RecursionError):
            return None

    @signature({"types": ["string", "null"]})
    def _func_lower(self, text: str | None) -> str | None:
        return None if text is None else text.casefold()

    @signature({"types": ["string"]}, {"types": ["string", "null"]})
    def _func_split(self, separator: str, text: str | None) -> list[str]:
        return [] if text is None else [part for part in text.split(separator or None) if part]


_OPTIONS: Final = Options(custom_functions=_Functions())
_KNOWN: Final = frozenset(cast("Mapping[str, object]", _Functions.FUNCTION_TABLE))


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A compiled expression, with its text and the path of its key in the file."""

    place: str
    text: str
    compiled: _Compiled

    @classmethod
    def of(cls, place: str, text: str) -> "Query":
        """Compile an expression. Raises NoExpression with the reason."""
        if len(text) > _LONGEST:
            raise NoExpression(f"it is longer than {_LONGEST} characters")
        try:
            compiled = cast("_Compiled", jmespath.compile(text))
        except _UNFIT as error:
            raise NoExpression(str(error).partition("\n")[0]) from error
        if unknown := sorted(set(_called(compiled.parsed)) - _KNOWN):
            raise NoExpression(f"there is no function {unknown[0]}()")
        return cls(place, text, compiled)

    def find(self, body: object) -> object:
        """What it finds: null where there is nothing. Raises Unreadable where it does not fit the body."""
        try:
            return _Bounded(_OPTIONS).visit(self.compiled.parsed, body)
        except exceptions.JMESPathError as error:
            reason = str(error).partition("\n")[0]
            raise Unreadable(f"the expression {self.text!r} does not fit: {reason}", self.place) from error
        except _UNFIT as error:
            raise Unreadable(
                f"the expression {self.text!r} does not fit what it finds", self.place
            ) from error


def truthy(value: object) -> bool:
    """Whether a value counts as yes in JMESPath: everything but null, false and what is empty. Zero does."""
    return value is not None and value is not False and value not in ("", [], {})


def _called(node: object) -> Iterator[str]:
    """The names of the functions in a syntax tree."""
    content = table(node)
    if content.get("type") == "function_expression":
        yield str(content.get("value"))
    for child in items(content.get("children")):
        yield from _called(child)
