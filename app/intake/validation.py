"""The places and reasons of a JSON value that is not valid, from pydantic's errors, as problems and refusals list them.

A place is a JSON pointer (RFC 6901); a reason says what is wrong and what was sent, cut short.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import orjson
from pydantic import ValidationError

_SHOWN_INPUT: Final = 60
"""Characters of a faulty value that a reason repeats: enough to find it, too few to flood a log."""


NAME_PATTERN: Final = r"^[^\x00-\x1f\x7f]*$"
PERIOD_PATTERN: Final = r"^\d{4}-(0[1-9]|1[0-2])(-\d{2})?$"
_PATTERNS: Final = {
    NAME_PATTERN: "must hold no control character",
    PERIOD_PATTERN: "must be a month as 2026-11, or the date on which one begins",
}
"""What a text that does not match a pattern should be."""

MAX_FAULTS: Final = 20
"""Faults of one value that are listed: enough to correct it by hand, and an answer cannot be larger than its request."""


def pointer(parts: Iterable[object]) -> str:
    """A JSON pointer to the value that these keys and indexes lead to."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def shown(value: object) -> str:
    """A faulty value as a reason repeats it, cut short."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # half of a surrogate pair, for one
        text = repr(value)
    return text if len(text) <= _SHOWN_INPUT else text[:_SHOWN_INPUT] + "…"


def reason_of(error: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors: what is wrong, and what was sent."""
    message = str(error["msg"]).removeprefix("Value error, ")
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not known here"
        case "value_error":
            return message
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be an object, got {shown(error['input'])}"
        case "string_pattern_mismatch":
            return (
                f"{_PATTERNS.get(error['ctx']['pattern'], 'has another form')}, got {shown(error['input'])}"
            )
        case _:
            return f"{message[:1].lower()}{message[1:]}, got {shown(error['input'])}"


def faults_of(error: ValidationError, above: Iterable[object] = ()) -> Iterator[tuple[str, str]]:
    """The (place, reason) of the first faults of a value that lies at this path of a document."""
    for fault in error.errors(include_url=False)[:MAX_FAULTS]:
        yield pointer((*above, *fault["loc"])), reason_of(cast(Mapping[str, Any], fault))
