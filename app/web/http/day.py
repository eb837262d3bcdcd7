"""Dates in addresses, where an instant may be written as well. Instants are microseconds UTC."""

import re
from datetime import date
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from app.intake.instant import JSON_SCHEMA
from app.sla.span import Micros
from app.web.http.instant import read_query_instant

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _read_day_or_instant(text: object) -> Micros | date:
    """A date, or an instant with an offset. Raises ValueError with what is right."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return read_query_instant(text)
    try:
        on = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is a date that does not exist. Write it as 2026-03-06") from error
    if on.year < 1970:
        raise ValueError("is before 1970. Check the year")
    return on


DayOrInstant = Annotated[
    Micros | date,
    PlainValidator(_read_day_or_instant),
    WithJsonSchema({"anyOf": [JSON_SCHEMA, {"type": "string", "format": "date"}]}),
]
"""An instant in an address, or a date of the zone of what is asked."""
