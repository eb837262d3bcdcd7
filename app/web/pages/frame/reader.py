"""`Reader`: who reads a page, what they may see, and their language and theme.

It is the dependency of every page: the route admits its caller first, as those of the API (`app.web.http.access`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request

from app.flow.query.desks import known_desks
from app.principal import Permission, covers
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.people import persons
from app.store.tickets import signals
from app.web.http.access import Acknowledger, Caller, Recorder, Subscriber, Viewer
from app.web.http.budget import budgeted
from app.web.http.encoded_slash import path_as_sent
from app.web.http.running import WebRuntime, running
from app.web.pages.frame.choices import PARAMETERS, Choices, choices_of

T = TypeVar("T")

KEEP: Final = "keep"
"""The parameter of a fragment's address that names the rows which the browser keeps."""
SEEN: Final = "seen"
"""The parameter of a fragment's address that says up to where the page has followed the stream of signals."""
_OF_FRAGMENTS: Final = frozenset({KEEP, SEEN})

HOME: Final = "/"
LIST: Final = "view=list"
"""The query of Now without filters: without any query it opens with the reader's default view."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a page. `stream_at` is the place in the stream of signals that everything read from now on has."""

    request: Request
    caller: Caller
    choices: Choices
    now: Micros
    desks: tuple[str, ...]
    """The desks that the reader may see, by name."""
    stream_at: int

    @property
    def runtime(self) -> WebRuntime:
        """The components of the process."""
        return running(self.request)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read from the database on one snapshot, within the time budget of an answer."""
        return await self.runtime.database.read_replicated(budgeted(self.runtime.settings, work))

    def may(self, permission: Permission) -> bool:
        """Whether the reader has a permission on any desk."""
        return bool(self.caller.principal.desks_with(permission))

    def address(self, **changed: str | None) -> str:
        """The address of this page with some parameters changed; None removes one."""
        return self.address_of(path_as_sent(self.request.scope), **changed)

    def address_of(self, path: str, **changed: str | None) -> str:
        """The address of another page with this one's parameters, some changed, without those of fragments."""
        given = [
            (name, value)
            for name, value in self.request.query_params.multi_items()
            if name not in changed and name not in PARAMETERS | _OF_FRAGMENTS
        ]
        added = [(name, value) for name, value in changed.items() if value]
        query = urlencode([*given, *added])
        if path == HOME:
            query = query or LIST
        return path + (f"?{query}" if query else "")


async def reader_of(request: Request, caller: Caller) -> Reader:
    """The reader of an admitted request."""
    runtime = running(request)

    def read(conn: Connection) -> tuple[list[str], int, str | None]:
        zone = persons.time_zone(conn, caller.principal.id)
        return known_desks(conn, runtime.catalogue), signals.last(conn), zone

    desks, last, zone = await runtime.database.look_up(read)
    return Reader(
        request,
        caller,
        choices_of(request, runtime.settings.page_language).in_zone(zone),
        runtime.database.now(),
        tuple(desk for desk in desks if covers(caller.desks, desk)),
        last,
    )


async def _viewing(request: Request, caller: Viewer) -> Reader:
    return await reader_of(request, caller)


async def _acknowledging(request: Request, caller: Acknowledger) -> Reader:
    return await reader_of(request, caller)


async def _recording(request: Request, caller: Recorder) -> Reader:
    return await reader_of(request, caller)


async def _subscribing(request: Request, caller: Subscriber) -> Reader:
    return await reader_of(request, caller)


ViewReader = Annotated[Reader, Depends(_viewing)]
"""A reader who may view tickets. For another permission write the same two lines with another type of caller."""
AcknowledgeReader = Annotated[Reader, Depends(_acknowledging)]
"""A reader who may take breaches on."""
RecordReader = Annotated[Reader, Depends(_recording)]
"""A reader who may record facts."""
SubscribeReader = Annotated[Reader, Depends(_subscribing)]
"""A reader who may change subscriptions."""
