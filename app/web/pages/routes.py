"""Serves the pages and their static files.

A page is an empty frame: its script reads everything from the API, with the visitor's session. The URL of static files
contains a digest of their content, so that browsers cache them for ever and never mix two releases. Nothing is loaded
from another host and nothing is inline: the content security policy of `app.web.http.middleware` forbids both.
"""

import re
from hashlib import blake2b
from pathlib import Path
from typing import Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from app.web.http.problems import not_found
from app.web.http.routing import Router
from app.web.http.session import sign_in_guest

_HERE: Final = Path(__file__).resolve().parent
_IMMUTABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_REVALIDATE: Final = {"Cache-Control": "no-cache"}

_MEDIA_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

FILES: Final = {path.name: path.read_bytes() for path in sorted((_HERE / "static").iterdir())}
"""All static files, a few dozen kilobytes, read once."""


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for name, content in FILES.items():
        digest.update(b"%b\0%d\0" % (name.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()


STATIC: Final = f"/static/{_digest()}"
"""The path of this release's files. Scripts import each other relatively, so they stay within it."""

_IMPORT: Final = re.compile(rb'from "\./([\w.]+)"')


def _imported(script: str) -> tuple[str, ...]:
    """All modules that a script imports, directly or not. The page preloads them, to fetch them in parallel."""
    found = dict.fromkeys([script])
    queue = [script]
    while queue:
        for name in (match.decode() for match in _IMPORT.findall(FILES[queue.pop()])):
            if name not in found:
                found[name] = None
                queue.append(name)
    return tuple(found)[1:]


_FRAME: Final = "frame.html"
_MODULES: Final = {
    path.stem: _imported(f"{path.stem}.js")
    for path in sorted((_HERE / "templates").glob("*.html"))
    if path.name != _FRAME
}
"""The modules of each page. A page has a template and a script of one name."""

_templates: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

router = Router(include_in_schema=False)


@router.get("/")
async def board(request: Request) -> Response:
    """The clocks of all desks by due date."""
    return await _page(request, "board")


@router.get("/tickets/{desk}/{ticket:path}")
async def ticket(request: Request, desk: str, ticket: str) -> Response:
    """One ticket: its clocks with their explanations, its events and its signals."""
    return await _page(request, "ticket", desk=desk, ticket=ticket)


@router.get("/queues/{desk}/{queue}")
async def queue(request: Request, desk: str, queue: str) -> Response:
    """The tickets that wait in a queue, in order."""
    return await _page(request, "queue", desk=desk, queue=queue)


@router.get("/services")
async def services(request: Request) -> Response:
    """The uptime of each service this month, its last ninety days, its outages and its announced maintenance."""
    return await _page(request, "services")


@router.get("/credits")
async def credits_(request: Request) -> Response:
    """What contracts are owed, by when it must be claimed, and their statements."""
    return await _page(request, "credits")


@router.get("/static/{digest}/{name}")
async def static(digest: str, name: str) -> Response:
    """A script, a style sheet or an image of this release; 404 for another release's."""
    if f"/static/{digest}" != STATIC or name not in FILES:
        raise not_found("file", name)
    return Response(FILES[name], media_type=_MEDIA_TYPES[Path(name).suffix], headers=_IMMUTABLE)


async def _page(request: Request, page: str, /, **about: str) -> Response:
    frame = {"page": page, "static": STATIC, "script": f"{page}.js", "modules": _MODULES[page]}
    content = _templates.get_template(f"{page}.html").render(frame, **about)
    answer = HTMLResponse(content, headers=_REVALIDATE)
    await sign_in_guest(request, answer)
    return answer
