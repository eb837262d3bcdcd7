"""Which instant does a caller's text mean, and how is one written back?

RFC 3339 with an offset, always: a local time without one is refused with the remedy. Inside, instants are microseconds
since 1970 in UTC; digits beyond the sixth are dropped, instants before 1970 are refused since no desk has any.
"""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from app.sla.span import Micros, micros

_SHAPE: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_PLUS_LOST: Final = re.compile(r"(?<=\d) (?=\d\d:\d\d$)", re.ASCII)
_EXAMPLE: Final = "2026-03-06T15:30:00+01:00"


class NotAnInstant(ValueError):
    """The text is no instant as RFC 3339 writes it, with an offset."""


def read_instant(text: object) -> Micros:
    """The instant that a text names, in micros. Raises NotAnInstant with what would be right."""
    if not isinstance(text, str) or not (match := _SHAPE.fullmatch(text)):
        raise NotAnInstant(f"is no instant. Write it as {_EXAMPLE}")
    if not match["offset"]:
        raise NotAnInstant(f"the instant has no offset. Write one, as in {text}+01:00, or Z for UTC")
    try:
        at = micros(datetime.fromisoformat(text.upper()))
    except ValueError as error:
        raise NotAnInstant(
            f"names a date, a time or an offset that there is not. Write it as {_EXAMPLE}"
        ) from error
    if at < 0:
        raise NotAnInstant("is before 1970. Check the unit and the year")
    return at


def read_query_instant(text: object) -> Micros:
    """The same for a text out of an address, where a bare `+` arrives as a space and is taken back."""
    return read_instant(_PLUS_LOST.sub("+", text) if isinstance(text, str) else text)


_SCHEMA: Final = {"type": "string", "format": "date-time", "examples": [_EXAMPLE]}

InstantIn = Annotated[Micros, PlainValidator(read_instant), WithJsonSchema(_SCHEMA)]
"""An instant in a JSON body."""

InstantInQuery = Annotated[Micros, BeforeValidator(read_query_instant), WithJsonSchema(_SCHEMA)]
"""An instant in an address."""

InstantOut = Annotated[str, WithJsonSchema(_SCHEMA)]
"""An instant in an answer, in UTC."""
