"""`Router`: the router of every module with routes. Its routes admit a request before anything of its body is read.

FastAPI parses a declared body before it calls a dependency. A `GuardedRoute` therefore checks in this order, each before
the next and all before a byte of the body is parsed: the key and its permission (`access.Requires`), the declared size,
the content type. What is then read of the body is limited in size, rate and memory (`arrival`).
"""

import inspect
from collections.abc import Callable, Coroutine
from functools import cached_property, partial
from typing import Any, Final

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.settings import Settings
from app.store.engine.routes import Route
from app.web.http.access import Requires, admit, caller_of
from app.web.http.arrival import ArrivingBody, too_large
from app.web.http.bodies import ONE_OR_MANY, StrictRequest, media_type_of
from app.web.http.elsewhere import forward, is_forwarded, named_route, redirected, route_of_all
from app.web.http.problems import problems
from app.web.http.running import WebRuntime, running

BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SizeLimit = Callable[[Settings], int]


def limited_to(limit: SizeLimit) -> Callable[[Any], Any]:
    """Decorator of an endpoint that reads its body itself: the setting that limits the body's size in bytes."""

    def decorate(endpoint: Any) -> Any:
        endpoint.size_limit = limit
        return endpoint

    return decorate


def called_directly(endpoint: Any) -> Any:
    """Decorator of an endpoint that takes the request and its caller, nothing else, and makes its response itself.

    FastAPI has no parameter of it to resolve, and its search for them is left out: a tenth of a push's time.
    """
    if inspect.get_annotations(endpoint).keys() != {"request", "caller", "return"}:
        raise TypeError(f"{endpoint.__name__} has other parameters than request and caller")
    endpoint.called_directly = True
    return endpoint


class GuardedRoute(APIRoute):
    """A route that authenticates and checks a request before its body is read."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **given)
        if self.required is not None:
            # Any route of a key may find its bucket empty.
            self.responses = {**self.responses, **problems(429)}

    def get_route_handler(self) -> Handler:
        """The handler, behind the checks."""
        direct = getattr(self.endpoint, "called_directly", False)
        handle = self._call_endpoint if direct else super().get_route_handler()
        required = self.required

        async def guarded(request: Request) -> Response:
            parts = running(request)
            routes = parts.routing.routes
            if routes and (route := named_route(request, routes)) is not None:
                return await self._elsewhere(request, route)
            if required is not None:
                caller = await admit(request, required)
                if routes and (route := route_of_all(caller.principal.desks, routes)) is not None:
                    return await self._elsewhere(request, route)
            if request.method not in BODY_METHODS:
                return await handle(request)
            return await self._with_body(request, handle, parts)

        return guarded

    async def _call_endpoint(self, request: Request) -> Response:
        return await self.endpoint(request=request, caller=caller_of(request))

    async def _elsewhere(self, request: Request, route: Route) -> Response:
        """The answer to a request for a desk that lives on another server."""
        if not is_forwarded(self.endpoint):
            return redirected(request, route)
        return await self._with_body(request, lambda limited: forward(limited, route), running(request))

    @cached_property
    def required(self) -> Requires | None:
        """The permission that the route requires; none for a public route."""
        return _required(self.dependant)

    def size_limit(self, settings: Settings) -> int:
        """The maximum size of a body of this route, in bytes."""
        own: SizeLimit | None = getattr(self.endpoint, "size_limit", None)
        if own is not None:
            return own(settings)
        if self.required is None:
            return settings.public_max_body_size
        return settings.max_body_size if self.body_field is None else settings.object_max_body_size

    async def _with_body(self, request: Request, handle: Handler, parts: WebRuntime) -> Response:
        limit = self.size_limit(parts.settings)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise too_large(limit)
        if self.body_field is not None and (self.body_field.field_info.is_required() or _has_body(request)):
            media_type_of(request, (ONE_OR_MANY,))
        memory = parts.public_bodies if self.required is None else parts.bodies
        body = ArrivingBody(request.receive, limit, parts.arrival_rate, memory)
        try:
            return await handle(StrictRequest(request.scope, body.receive))
        finally:
            body.close()


def _required(dependant: Dependant) -> Requires | None:
    """What a route requires: among its dependencies or theirs."""
    found = (d.call if isinstance(d.call, Requires) else _required(d) for d in dependant.dependencies)
    return next((each for each in found if each is not None), None)


def _has_body(request: Request) -> bool:
    """Whether a request declares a body: an optional one that is left out has no content type either."""
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def named(route: APIRoute) -> str:
    """The id of a route's operation in the OpenAPI document: the name of its function."""
    return route.name


Router: Final = partial(APIRouter, route_class=GuardedRoute, generate_unique_id_function=named)
"""An `APIRouter` whose routes are guarded."""
