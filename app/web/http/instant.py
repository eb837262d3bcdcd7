"""Instants in addresses and answers. Those in bodies are read by `app.intake.instant`.

Inside, instants are microseconds since 1970 in UTC.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from app.intake.instant import JSON_SCHEMA, NotAnInstant, read_instant
from app.sla.span import Micros, micros

_LATEST: Final = micros(datetime(9999, 12, 30, tzinfo=UTC))
_PLUS_LOST: Final = re.compile(r"(?<=\d) (?=\d\d:\d\d$)", re.ASCII)


def read_query_instant(text: object) -> Micros:
    """The instant of a text out of an address, where a bare `+` arrives as a space and is taken back.

    Raises NotAnInstant, also for one that would be in the year 10000 in some time zone.
    """
    at = read_instant(_PLUS_LOST.sub("+", text) if isinstance(text, str) else text)
    if at > _LATEST:
        raise NotAnInstant("is at the end of the year 9999. Check the year")
    return at


InstantInQuery = Annotated[Micros, BeforeValidator(read_query_instant), WithJsonSchema(JSON_SCHEMA)]
"""An instant in an address."""

InstantOut = Annotated[str, WithJsonSchema(JSON_SCHEMA)]
"""An instant in an answer, in UTC."""
