"""Instants in our own formats: RFC 3339 with an offset, read into microseconds UTC.

A local time without an offset is refused with the remedy. Digits beyond the sixth are dropped; instants before 1970 are
refused, since no desk has any. The lenient reader for other systems' spellings is `app.intake.mapping.value`.
"""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from app.sla.span import Micros, micros

_SHAPE: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_EXAMPLE: Final = "2026-03-06T15:30:00+01:00"

JSON_SCHEMA: Final = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^(19[7-9]\d|[2-9]\d{3})-",
    "examples": [_EXAMPLE],
}


class NotAnInstant(ValueError):
    """The text is not an RFC 3339 instant with an offset."""


def read_instant(text: object) -> Micros:
    """The instant that a text names, in micros. Raises NotAnInstant with what would be right."""
    if not isinstance(text, str) or not (match := _SHAPE.fullmatch(text)):
        raise NotAnInstant(f"is not an instant. Write it as {_EXAMPLE}")
    if not match["offset"]:
        raise NotAnInstant(f"the instant has no offset. Write one, as in {text}+01:00, or Z for UTC")
    try:
        at = micros(datetime.fromisoformat(text.upper()))
    except ValueError as error:
        raise NotAnInstant(
            f"has a date, a time or an offset that does not exist. Write it as {_EXAMPLE}"
        ) from error
    if at < 0:
        raise NotAnInstant("is before 1970. Check the unit and the year")
    return at


InstantIn = Annotated[Micros, PlainValidator(read_instant), WithJsonSchema(JSON_SCHEMA)]
"""An instant in a JSON body."""
