"""Parsing of JSON bodies with one object or an array.

The body must have a content type of the route and be valid JSON in UTF-8: no NaN, no number beyond a double, no nesting
past the parser's limit. An error names line and column, and then nothing of the body is used.
"""

from collections.abc import Sequence
from typing import Final, cast

import orjson
from starlette.requests import Request

from app.intake import json_values
from app.intake.http_binding import MANY, ONE
from app.intake.json_values import Faulty, NotJson, parse_values
from app.web.http.problems import Kind, Place, Problem, pointer

ONE_OR_MANY: Final = "application/json"
MEDIA_TYPES: Final = (ONE_OR_MANY, ONE, MANY)


async def read_values(
    request: Request, *, limit: int, media_types: Sequence[str] = MEDIA_TYPES, one_by_one: bool = False
) -> tuple[list[object], bool]:
    """The values of a body that holds one object or an array of at most `limit`, and whether it was an array.

    `one_by_one`: a value that cannot be stored is a Faulty and spoils no other. Raises Problem: wrong content type,
    unreadable body, neither object nor array, more than `limit`.
    """
    media_type = media_type_of(request, media_types)
    raw = await request.body()
    body = parse_apart(raw, limit) if one_by_one else parse(raw)
    if media_type == MANY and not isinstance(body, list):
        raise Problem(Kind.INVALID, f"{MANY} is an array of events.", errors=[_whole("is not an array")])
    if media_type == ONE and not isinstance(body, dict | Faulty):
        raise Problem(
            Kind.INVALID, f"{ONE} is one event. Send several as {MANY}.", errors=[_whole("is not an object")]
        )
    if isinstance(body, dict | Faulty):
        return [cast(object, body)], False
    if not isinstance(body, list):
        raise Problem(
            Kind.INVALID,
            "The body is neither an object nor an array.",
            errors=[_whole("is neither an object nor an array")],
        )
    values = cast(list[object], body)
    if len(values) > limit:
        place = Place("body", pointer([limit]), f"is number {limit + 1}")
        detail = f"An array of {len(values)} is longer than {limit}. Split it."
        raise Problem(Kind.TOO_LARGE, detail, errors=[place])
    return values, True


def _whole(reason: str) -> Place:
    return Place("body", "", reason)


def media_type_of(request: Request, known: Sequence[str]) -> str:
    """The body's content type without its parameters. Raises Problem if it is none of these, or not UTF-8."""
    given = request.headers.get("content-type", "")
    media_type, _, parameters = given.partition(";")
    media_type = media_type.strip().lower()
    if media_type not in known:
        raise Problem(
            Kind.WRONG_MEDIA_TYPE,
            f"The content type {given or '(none)'} is not supported here. Send {', '.join(known)}.",
            headers={"Accept-Post" if request.method == "POST" else "Accept": ", ".join(known)},
        )
    charset = parameters.partition("charset=")[2].strip(' "').lower()
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise Problem(Kind.WRONG_MEDIA_TYPE, f"The charset {charset} is not supported. Send UTF-8.")
    return media_type


class StrictRequest(Request):
    """A request whose JSON is read as everywhere else: without half of a surrogate pair, NaN and endless nesting."""

    async def json(self) -> object:
        """The body as JSON. Raises JSONDecodeError."""
        return orjson.loads(await self.body())


def parse(body: bytes) -> object:
    """A body as JSON. Raises Problem with the line and column of the error."""
    try:
        return json_values.parse(body)
    except NotJson as error:
        raise _not_json(body, error) from error


def parse_apart(body: bytes, limit: int) -> object:
    """A body as JSON, in which a value that cannot be stored is a Faulty. Raises Problem where it is no JSON, or has
    such a value among more than `limit`."""
    try:
        return parse_values(body, most=limit)
    except NotJson as error:
        raise _not_json(body, error) from error


def _not_json(body: bytes, error: NotJson) -> Problem:
    text_of(body)
    return Problem(Kind.UNREADABLE, f"The body is not valid JSON: {error}.", errors=[_whole(error.place)])


def text_of(body: bytes) -> str:
    """A body as text. Raises Problem with the byte at which it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        place = f"byte {error.start}"
        raise Problem(
            Kind.UNREADABLE, f"The body is not UTF-8 at {place}.", errors=[_whole(place)]
        ) from error
