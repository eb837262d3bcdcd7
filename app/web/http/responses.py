"""How is an answer written? As JSON bytes, once, without passing through a model.

What `flow` renders is already what the contract names; the models beside the routes describe it, and the tests hold
every answer against its model.
"""

from typing import Any, Final

import orjson
from starlette.responses import Response

NOT_KEPT: Final = {"Cache-Control": "no-store"}
"""A clock's state is old the moment it is sent."""


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code, NOT_KEPT | (headers or {}))

    def render(self, content: Any) -> bytes:
        """The content as JSON bytes."""
        return orjson.dumps(content)
