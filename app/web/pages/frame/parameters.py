"""Values of the addresses of pages: the fields of their filters, which forms send empty where nothing is chosen."""

from datetime import date
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, StringConstraints

_MAX: Final = 200
"""Characters of a value: names of customers are shorter."""


def _none_if_empty(value: object) -> object:
    return value or None


NONE_IF_EMPTY: Final = BeforeValidator(_none_if_empty)
"""A field of a form that is left empty filters nothing."""

Value = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=_MAX)] | None, NONE_IF_EMPTY
]
"""A text to filter by; none for an empty one."""

FIRST: Final = date(1970, 1, 2)
"""No ticket system is older, as for the API."""
LAST: Final = date(9998, 12, 31)
"""The day after it can still be computed in every zone."""
Date = Annotated[Annotated[date, Field(ge=FIRST, le=LAST)] | None, NONE_IF_EMPTY]
"""A day to filter by; none for an empty one."""
