"""Composition and shutdown of the web process.

`create_app` composes database, receiver, sweep, hub and routes; `serve` runs them. Clients of the stream never
disconnect on their own, so the hub ends their responses on the first SIGTERM.
"""

import math
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from socket import socket
from types import FrameType
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from app.flow.process.collector import spare_collections
from app.log import log_as_json
from app.settings import Settings, environment_warnings
from app.sla.span import Micros
from app.store.engine.database import Database
from app.store.engine.sqlite import readable_by_others
from app.store.people.principals import has_no_principal
from app.web.api import audit, health
from app.web.api.contracts import (
    availability,
    averages,
    contract_changes,
    contract_import,
    contract_versions,
    contracts,
    credit_decisions,
    credits,
    statements,
)
from app.web.api.desks import (
    agreements,
    calendar_list,
    calendar_spans,
    calendars,
    deadlines,
    desks,
    feeds,
    icalendar,
    versions,
)
from app.web.api.inbound import connections, embedding, hooks, inbox
from app.web.api.outbound import deliveries, endpoint, subscriptions, webhooks
from app.web.api.people import keys, me, people, saved_views, sessions, sign_in
from app.web.api.reports import behind, objects, objects_behind, reports, simulation_list, simulations
from app.web.api.reports import queues as queue_reports
from app.web.api.tickets import (
    breaches,
    events,
    explanation,
    queues,
    signals,
    stream,
    ticket_events,
    ticket_list,
    tickets,
)
from app.web.http import problems, session
from app.web.http.connection import backlog, protocol_of
from app.web.http.encoded_slash import EncodedSlashMiddleware
from app.web.http.hub import Hub
from app.web.http.methods import HeadMiddleware
from app.web.http.middleware import RequestMiddleware
from app.web.http.running import WebRuntime
from app.web.openapi import Documented
from app.web.pages import routes as pages
from app.web.pages.credits.statement import statement_page
from app.web.pages.frame.route import problem_page

_log = structlog.stdlib.get_logger()

ROUTERS = (
    events.router,
    hooks.router,
    # Requested by every viewer after signals.
    pages.LIVE,
    inbox.router,
    connections.router,
    embedding.router,
    # A ticket's id may contain slashes, so the longer paths are matched first.
    ticket_events.router,
    ticket_list.router,
    explanation.router,
    tickets.router,
    desks.router,
    deadlines.router,
    feeds.router,
    # Before the names of calendars.
    versions.router,
    calendar_list.router,
    icalendar.router,
    calendar_spans.router,
    calendars.router,
    agreements.router,
    contract_import.router,
    contracts.router,
    contract_changes.router,
    contract_versions.router,
    availability.router,
    credits.router,
    credit_decisions.router,
    statements.router,
    queues.router,
    signals.router,
    stream.router,
    subscriptions.router,
    endpoint.router,
    deliveries.router,
    breaches.router,
    averages.router,
    queue_reports.router,
    objects.router,
    objects_behind.router,
    behind.router,
    reports.router,
    simulations.router,
    simulation_list.router,
    audit.router,
    me.router,
    people.router,
    saved_views.router,
    sessions.router,
    keys.router,
    session.router,
    sign_in.router,
    health.router,
    *pages.OTHERS,
)

FIRST_SIGN_IN: Final = (
    "there is no person and no API key yet; on this machine, with the same settings: "
    "slatimer user add NAME --role admin --desk '*', and open the link that it prints"
)

API_VERSION = "1"
"""The version of the API under /v1, independent of the package's version."""

DESCRIPTION = """A ticket system pushes events; slatimer computes the clock of every commitment and detects breaches on
time. Every instant has an offset. Errors are problem documents (RFC 9457)."""


def create_app(settings: Settings | None = None, *, clock: Callable[[], Micros] | None = None) -> FastAPI:
    """The app of the web process, started and stopped by its lifespan. `clock` replaces the database server's or the
    machine's time, in microseconds."""
    settings = settings or Settings()
    hub = Hub(
        settings.stream_buffer_size, memory=settings.stream_buffer_memory, chunk=settings.stream_chunk_size
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        with Database(settings, clock) as database:
            app.state.running = runtime = WebRuntime(settings, database, hub)
            runtime.start()
            if await database.read(has_no_principal):
                _log.warning(FIRST_SIGN_IN)
            try:
                yield
            finally:
                await runtime.stop()

    app = Documented(
        title="slatimer",
        version=API_VERSION,
        summary="A service-level timer for help desks",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # They name the host of the request; those of `problems` are relative.
        redirect_slashes=False,
        # Not included one by one: FastAPI would build each route again, and compare a path with every router's twice.
        routes=[route for router in ROUTERS for route in router.routes],
    )
    app.state.hub = hub
    app.state.statement_page = statement_page
    app.state.problem_page = problem_page
    problems.install(app)
    webhooks.describe(app)
    app.add_middleware(EncodedSlashMiddleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(RequestMiddleware, allowed_hosts=settings.allowed_hosts)
    return app


class Server(uvicorn.Server):
    """uvicorn server that ends open streams on shutdown: it would wait for their clients for ever."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, then exclude the long-lived objects from garbage collection (`gc.freeze`)."""
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                host, port = listener.getsockname()[:2]
                _log.info("serving", url=f"http://{host}:{port}")
        spare_collections()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Close the hub, then stop."""
        self._hub.close()
        super().handle_exit(sig, frame)


def serve(settings: Settings, app: FastAPI | None = None) -> None:
    """Run the web process until SIGINT or SIGTERM. Raises SystemExit when it cannot listen."""
    log_as_json(settings.log_level)
    for warning in environment_warnings(os.environ, Settings.model_fields):
        _log.warning(warning)
    for path in readable_by_others(settings.database_url):
        _log.warning("other users of this machine may read the database: chmod 600", path=path)
    sys.setswitchinterval(settings.thread_switch_interval.total_seconds())
    app = app or create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,  # the middleware logs each request, with its id
        log_config=None,
        lifespan="on",
        server_header=False,
        http=protocol_of(settings),
        ws="none",
        backlog=backlog(settings),
        timeout_keep_alive=math.ceil(settings.keep_alive_timeout.total_seconds()),
        timeout_graceful_shutdown=math.ceil(settings.graceful_timeout.total_seconds()),
    )
    Server(config, app.state.hub).run()
