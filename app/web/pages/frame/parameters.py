"""Values of the addresses of pages: the fields of their filters, which forms send empty where nothing is chosen."""

from typing import Annotated, Final

from pydantic import BeforeValidator, StringConstraints

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
