"""`Listed`: the type of a setting with several values, written with commas."""

from typing import Annotated, TypeVar

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

T = TypeVar("T")


def _split(value: object) -> object:
    """Split a text at its commas; an empty text gives no values. Anything else passes unchanged."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Listed = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split)]
"""Several values, written with commas."""
