"""Instants in addresses and answers. Those in bodies are read by `app.intake.instant`.

Inside, instants are microseconds since 1970 in UTC.
"""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from app.intake.instant import JSON_SCHEMA, read_instant
from app.sla.span import Micros

_PLUS_LOST: Final = re.compile(r"(?<=\d) (?=\d\d:\d\d$)", re.ASCII)


def read_query_instant(text: object) -> Micros:
    """The instant of a text out of an address, where a bare `+` arrives as a space and is taken back."""
    return read_instant(_PLUS_LOST.sub("+", text) if isinstance(text, str) else text)


InstantInQuery = Annotated[Micros, BeforeValidator(read_query_instant), WithJsonSchema(JSON_SCHEMA)]
"""An instant in an address."""

InstantOut = Annotated[str, WithJsonSchema(JSON_SCHEMA)]
"""An instant in an answer, in UTC."""
