"""JSON responses, serialized once and not validated by a model.

What `flow` renders has the fields of the contract already. The models beside the routes describe it, and the tests
compare every response with its model.
"""

from typing import Any, Final

import orjson
from starlette.responses import Response

NO_STORE: Final = {"Cache-Control": "no-store"}
"""A clock's state changes with time, so no cache may store it."""


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code, NO_STORE | (headers or {}))

    def render(self, content: Any) -> bytes:
        """The content as JSON bytes."""
        return orjson.dumps(content)
