"""Forms of our own pages: their fields, as text. Their size is limited as that of any body (`arrival`)."""

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from app.web.http.access import FORM, is_form
from app.web.http.problems import Kind, Problem

_FIELDS_MAX: Final = 100
"""Fields of a form; most have a dozen. The editors of a desk's files state how many theirs may have."""

_SHORT: Final = 16_000
"""Bytes of a form that is parsed at once: it takes a millisecond or two."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, of a repeated one the last. Raises what `read_fields` raises."""
    return dict(await read_fields(request))


async def read_fields(request: Request, most: int = _FIELDS_MAX) -> list[tuple[str, str]]:
    """The fields of a form in order, up to `most`. Raises Problem: 415 for no form, 400 for an unreadable one."""
    if not is_form(request):
        raise Problem(Kind.WRONG_MEDIA_TYPE, f"Send a form: {FORM}.")
    body = await request.body()
    if len(body) < _SHORT:
        return _parsed(body, most)
    # A form with the text of a file: parsing it would block the event loop.
    return await asyncio.to_thread(_parsed, body, most)


def _parsed(body: bytes, most: int) -> list[tuple[str, str]]:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise Problem(Kind.UNREADABLE, "The form is not UTF-8, or has too many fields.") from error
    if any("\0" in text for field in fields for text in field):
        raise Problem(Kind.UNREADABLE, "The form contains a NUL character. Remove it.")
    return fields
