"""The routes of all pages and of their static files.

Every sub-package with a module `page` is a room, found here, so that a new page needs no line in a list.
"""

import gzip
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.web.http.problems import not_found
from app.web.http.routing import Router
from app.web.pages.frame.assets import FILES, MEDIA_TYPES, PAGES, STATIC
from app.web.pages.frame.room import Room

_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
_GZIP: Final = {"Content-Encoding": "gzip"}


def _rooms() -> tuple[Room, ...]:
    names = [found.name for found in iter_modules([str(PAGES)]) if (PAGES / found.name / "page.py").is_file()]
    return tuple(import_module(f"app.web.pages.{name}.page").room for name in sorted(names))


ROOMS: Final = _rooms()
"""All rooms, by name."""

router = Router(include_in_schema=False)


@router.get("/static/{digest}/{name}")
async def static(request: Request, digest: str, name: str) -> Response:
    """A script, a style sheet or an image of this release; 404 for another release's.

    Only these are compressed: the length of a compressed page could give secrets in it away.
    """
    if f"/static/{digest}" != STATIC or name not in FILES:
        raise not_found("file", name)
    media_type = MEDIA_TYPES[Path(name).suffix]
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_compressed(name), media_type=media_type, headers=_IMMUTABLE | _GZIP)
    return Response(FILES[name], media_type=media_type, headers=_IMMUTABLE)


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(FILES[name], mtime=0)


_LIVE: Final = "now"

LIVE: Final[APIRouter] = next(room.router for room in ROOMS if room.name == _LIVE)
"""The page that renews itself most often. Routes are matched in order: it stands before those that are rare."""

OTHERS: Final[tuple[APIRouter, ...]] = (router, *(room.router for room in ROOMS if room.name != _LIVE))
"""The static files and the other pages."""
