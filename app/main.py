"""Composition and shutdown of the web process.

`create_app` composes database, receiver, sweep, hub and routes; `serve` runs them. Clients of the stream never
disconnect on their own, so the hub ends their responses on the first SIGTERM.
"""

import gc
import math
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from socket import socket
from types import FrameType
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from app.flow.process.runtime import Runtime
from app.flow.process.tail import Tail
from app.log import log_as_json
from app.settings import Settings, environment_warnings
from app.sla.span import Micros
from app.store.engine.database import Database
from app.web.api import health
from app.web.api.desks import agreements, calendars, deadlines, desks
from app.web.api.inbound import hooks, inbox
from app.web.api.outbound import deliveries, endpoint, subscriptions, webhooks
from app.web.api.tickets import breaches, events, queues, signals, ticket_events, tickets
from app.web.http import problems, session
from app.web.http.access import KeyRing
from app.web.http.hub import Hub
from app.web.http.middleware import Frame
from app.web.http.running import Running
from app.web.openapi import Documented
from app.web.pages import routes as pages

_log = structlog.stdlib.get_logger()

ROUTERS = (
    events.router,
    hooks.router,
    inbox.router,
    # A ticket's id may contain slashes, so the longer paths are matched first.
    ticket_events.router,
    tickets.router,
    desks.router,
    deadlines.router,
    calendars.router,
    agreements.router,
    queues.router,
    signals.router,
    subscriptions.router,
    endpoint.router,
    deliveries.router,
    breaches.router,
    session.router,
    health.router,
    pages.router,
)

API_VERSION = "1"
"""Version of the API under /v1, independent of the package's version."""

COLLECT_AFTER: Final = 20_000
"""Allocations between two garbage collections. With Python's default of 700 one push pays for several collections of the
whole heap, while reference counting frees most objects of an evaluation."""

DESCRIPTION = """A ticket system pushes events; slatimer computes the state of every service-level clock and detects
breaches on time. Instants carry an offset, everywhere. Errors are problem documents (RFC 9457)."""


def create_app(settings: Settings | None = None, *, clock: Callable[[], Micros] | None = None) -> FastAPI:
    """The web application, started and stopped by its lifespan. `clock` replaces the system clock, in micros."""
    settings = settings or Settings()
    hub = Hub(settings.stream_buffer_size)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        with Database(settings, clock) as database:
            runtime = Runtime(settings, database)
            app.state.running = parts = _running(runtime, hub)
            hub.open()
            parts.tail.start()
            runtime.start()
            try:
                yield
            finally:
                hub.close()
                await runtime.stop()
                await parts.tail.stop()

    app = Documented(
        title="slatimer",
        version=API_VERSION,
        summary="A service-level timer for help desks",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.hub = hub
    problems.install(app)
    webhooks.describe(app)
    app.add_middleware(Frame, max_body=settings.max_body_size)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _running(runtime: Runtime, hub: Hub) -> Running:
    tail = Tail(runtime.database, hub.publish, runtime.settings.stream_poll_interval)
    runtime.assessor.on_commit(tail.on_commit)
    runtime.on_announcement(tail.on_announcement)
    return Running(
        settings=runtime.settings,
        database=runtime.database,
        catalogue=runtime.catalogue,
        assessor=runtime.assessor,
        receiver=runtime.receiver,
        acceptor=runtime.acceptor,
        reader=runtime.reader,
        sweeper=runtime.sweeper,
        deliverer=runtime.deliverer,
        health=runtime.health,
        tail=tail,
        hub=hub,
        keys=KeyRing(runtime.database),
    )


class Server(uvicorn.Server):
    """uvicorn server that ends open streams on shutdown: it would wait for their clients for ever."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, then exclude the long-lived objects from garbage collection (`gc.freeze`)."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Close the hub, then stop."""
        self._hub.close()
        super().handle_exit(sig, frame)


def serve(settings: Settings, app: FastAPI | None = None) -> None:
    """Run the web process until SIGINT or SIGTERM. Raises SystemExit when it cannot listen."""
    log_as_json(settings.log_level)
    for warning in environment_warnings(os.environ, Settings.model_fields):
        _log.warning(warning)
    app = app or create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,  # the middleware logs each request, with its id
        log_config=None,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.graceful_timeout.total_seconds()),
    )
    Server(config, app.state.hub).run()
