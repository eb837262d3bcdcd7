"""Requests for a desk that lives on another server, or is just moving there.

While a desk moves: 503 with Retry-After, and nothing is stored. Afterwards most requests are redirected (307). Inbound
webhooks and pushed events are forwarded instead, with their bytes and headers, since many senders follow no redirect,
or send no key after one. The sender gets the other server's answer. An empty routing table costs one look at it.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.principal import EVERY_DESK, Desks
from app.store.engine.routes import Route, Routes
from app.web.http.access import FORWARDED
from app.web.http.encoded_slash import path_as_sent
from app.web.http.problems import Kind, Problem
from app.web.http.responses import NO_STORE
from app.web.http.running import running

if TYPE_CHECKING:
    import httpx2

_MOST_FORWARDS: Final = 3
"""A desk may have moved as often since its sender was configured; more are a circle."""
_OWN_HEADERS: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("host", "content-length", "accept-encoding", FORWARDED),
    }
)
"""Headers that belong to one connection and not to the request."""
_ANSWER_HEADERS: Final = ("content-type", "retry-after", "www-authenticate")


def forwards(endpoint: Any) -> Any:
    """Decorator of an endpoint whose requests for a desk that lives elsewhere are forwarded, not redirected."""
    endpoint.forwards = True
    return endpoint


def is_forwarded(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint is decorated so."""
    return getattr(endpoint, "forwards", False)


def named_route(request: Request, routes: Routes) -> Route | None:
    """The route of the desk that the path or the query names; None for one that lives here.

    Raises Problem (503) while the desk moves.
    """
    desk = request.path_params.get("desk") or request.query_params.get("desk")
    route = None if desk is None else routes.get(desk)
    return None if desk is None or route is None else _open(desk, route)


def _open(desk: str, route: Route) -> Route:
    if route.is_closed:
        detail = f"Desk {desk} is moving to another server. Nothing was stored; send it again."
        raise Problem(Kind.UNAVAILABLE, detail)
    return route


def route_of_all(desks: Desks, routes: Routes) -> Route | None:
    """The route of a caller all of whose desks live on one other server: a list without a desk is there."""
    found = {routes.get(desk) for desk in desks} if EVERY_DESK not in desks else {None}
    only = found.pop() if len(found) == 1 else None
    return only if only is not None and only.is_away else None


def redirected(request: Request, route: Route) -> Response:
    """The redirect to the same address on the other server."""
    return RedirectResponse(f"{route.base_url}{_target(request)}", 307, NO_STORE)


def _target(request: Request) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    path = path_as_sent(request.scope)
    return f"{path}?{query}" if query else path


async def pushed(request: Request, desks: Collection[str], routes: Routes) -> Response | None:
    """The other server's answer to a push of events, all of whose desks live there; None if all live here.

    Raises Problem: 503 while one of them moves, 421 where they live on different servers. Then nothing is stored.
    """
    found = {desk: _open(desk, routes[desk]) for desk in desks if desk in routes}
    if not found:
        return None
    if len(found) < len(desks) or len({route.base_url for route in found.values()}) > 1:
        places = {desk: route.base_url for desk, route in sorted(found.items())}
        raise Problem(
            Kind.ELSEWHERE,
            "The events are of desks that live on different servers. Nothing was stored; send each desk's to its own.",
            extra={"servers": places},
        )
    return await forward(request, next(iter(found.values())))


async def forward(request: Request, route: Route) -> Response:
    """Send a request on as it came. Raises Problem (503) if the other server does not answer in time."""
    import httpx2  # few servers have desks elsewhere

    parts = running(request)
    given = request.headers.get(FORWARDED, "")
    count = int(given) if len(given) == 1 and given in "123456789" else 0
    if count >= _MOST_FORWARDS:
        raise Problem(Kind.UNAVAILABLE, "The servers' routing tables send this request in a circle.")
    headers = [(n, v) for n, v in request.headers.items() if n not in _OWN_HEADERS]
    headers.append((FORWARDED, str(count + 1)))
    body = await request.body()
    try:
        async with parts.forwarder.stream(
            request.method, f"{route.base_url}{_target(request)}", headers=headers, content=body
        ) as answer:
            content = await _read(answer, parts.settings.max_body_size)
    except httpx2.HTTPError as error:
        detail = f"The desk lives on another server, which does not answer ({type(error).__name__}). Send it again."
        raise Problem(Kind.UNAVAILABLE, detail) from error
    kept = {name: answer.headers[name] for name in _ANSWER_HEADERS if name in answer.headers}
    return Response(content, answer.status_code, kept)


async def _read(answer: "httpx2.Response", limit: int) -> bytes:
    import httpx2

    content = b""
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > limit:
            raise httpx2.ReadError(f"the answer is larger than {limit} bytes")
    return content
