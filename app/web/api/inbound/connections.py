"""Connections: the ticket systems and monitors that send to a desk. What `slatimer connect` does, over the API."""

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.inbound.accept import Accepted
from app.flow.inbound.connect import ConnectionDetails, UnknownSystem, connect
from app.flow.inbound.connected import Connected, connected, details
from app.flow.query.serialize import instant_text
from app.intake.request import InboundRequest
from app.sla.span import length_of
from app.store.engine.database import Connection
from app.store.inbound.hooks import HookState
from app.web.http.access import Configurer, InboxReader, desks_for, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/connections", tags=["connections"])

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
System = Annotated[str, Path(description="the system, as `slatimer connect` names it", examples=["zammad"])]
GivenSecret = Annotated[str, StringConstraints(min_length=8, max_length=500, pattern=r"^\S+$")]


class ConnectionView(BaseModel):
    """A connection, without its secret."""

    desk: str
    system: str
    label: str = Field(examples=["Zammad"])
    created_at: InstantOut
    changed_at: InstantOut = Field(description="when its secret was changed last")
    former_secret_until: InstantOut | None = Field(description="when the former secret expires")
    received_at: InstantOut | None = Field(description="when the last webhook came that is still stored")
    state: HookState | None = Field(description="the state of that webhook")
    unread: int = Field(description="webhooks that could not be read")
    unmapped: int = Field(description="webhooks with words that are not mapped")


class ConnectionList(BaseModel):
    """Connections, by desk and system."""

    connections: list[ConnectionView]


class ConnectionRequest(BaseModel):
    """How to connect."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rotate": True}]})

    rotate: bool = Field(False, description="make another secret of a connection that exists")
    secret: GivenSecret | None = Field(None, description="a secret that the system has made itself")


class ConnectionToEnter(BaseModel):
    """What to enter in the system. The secret is shown when it is new, and `SECRET` stands for it otherwise."""

    desk: str
    system: str
    created: bool = Field(description="whether the secret is new")
    url: str
    secret: str | None
    signed: list[str] = Field(description="how it may sign", examples=[["hmac-sha1"]])
    headers: dict[str, str] = Field(description="headers to enter by hand")
    events: list[str] = Field(description="what to tick there")
    template: str | None


class TestResult(BaseModel):
    """The result of a test: it was accepted as this webhook."""

    id: str
    repeated: bool


@router.get(
    "",
    summary="List connections",
    operation_id="list_connections",
    response_model=ConnectionList,
    responses=problems(401, 403, 404),
)
async def list_connections(
    request: Request,
    caller: InboxReader,
    desk: Annotated[str | None, Query(description="only this desk")] = None,
) -> Response:
    """The ticket systems and monitors that may send, and when each has sent last."""
    parts, desks = running(request), desks_for(caller, desk)
    found = await parts.database.read(lambda conn: connected(conn, parts.sources, desks))
    return Json({"connections": [_view(each) for each in found]})


@router.put(
    "/{desk}/{system}",
    summary="Connect a system",
    operation_id="connect_system",
    response_model=ConnectionToEnter,
    responses=problems(400, 401, 403, 404, 413, 422),
)
async def connect_system(
    request: Request, caller: Configurer, desk: Desk, system: System, given: ConnectionRequest
) -> Response:
    """Creates the connection, or shows it. With `rotate` or `secret` it gets another secret; the one before stays valid
    for SLATIMER_SECRET_GRACE_PERIOD. A secret is shown in the answer that makes it, and never again."""
    parts = running(request)
    must_see(caller, desk)
    if desk not in await parts.database.read(parts.catalogue.desks):
        raise not_found("desk", desk)
    overlap = length_of(parts.settings.secret_grace_period)

    def make(conn: Connection, now: int) -> tuple[ConnectionDetails, bool]:
        name = system.casefold()
        return connect(
            conn, now, parts.sources, desk, name, overlap=overlap, rotate=given.rotate, given=given.secret
        )

    try:
        made, is_new = await parts.database.write(make)
    except UnknownSystem as error:
        raise invalid([Place("path", "system", str(error))]) from error
    return Json(_to_enter(request, made, is_new=is_new))


@router.post(
    "/{desk}/{system}/test",
    summary="Test a connection",
    operation_id="test_connection",
    response_model=TestResult,
    responses=problems(401, 403, 404, 503),
)
async def test_connection(request: Request, caller: Configurer, desk: Desk, system: System) -> Response:
    """Verifies and stores a signed sample as if the system had sent it. It reports nothing and moves no clock.

    It shows that secret, signature and reading are right; whether the system reaches this address, only its own first
    webhook shows.
    """
    parts = running(request)
    must_see(caller, desk)
    found = await parts.database.read(lambda conn: details(conn, parts.sources, desk, system))
    if found is None:
        raise not_found("connection", system)
    accepted = await _accepted(parts, found)
    return Json({"id": accepted.id, "repeated": accepted.repeated})


async def _accepted(parts: WebRuntime, found: ConnectionDetails) -> Accepted:
    now = parts.database.now()
    headers, body = found.test(now)
    query = found.url("").partition("?")[2]
    sent = InboundRequest.of({name.lower(): text for name, text in headers.items()}, body, now, query)
    accepted = await parts.acceptor.accept(found.connection.desk, found.connection.system, sent)
    if not isinstance(accepted, Accepted):
        raise not_found("connection", found.connection.system)
    return accepted


def _view(found: Connected) -> dict[str, Any]:
    last = found.latest[0] if found.latest else None
    return {
        "desk": found.stored.desk,
        "system": found.stored.system,
        "label": found.label,
        "created_at": instant_text(found.stored.created_at),
        "changed_at": instant_text(found.stored.changed_at),
        "former_secret_until": instant_text(found.former_secret_until),
        "received_at": instant_text(last and last.received_at),
        "state": last and last.state.value,
        "unread": found.unread,
        "unmapped": found.unmapped,
    }


def _to_enter(request: Request, made: ConnectionDetails, *, is_new: bool) -> dict[str, Any]:
    base = (running(request).settings.public_url or str(request.base_url)).rstrip("/")
    shown = made if is_new else made.masked
    return {
        "desk": made.connection.desk,
        "system": made.connection.system,
        "created": is_new,
        "signed": [scheme.name for scheme in made.configured.schemes],
        **shown.as_json(base),
        "secret": made.secret if is_new else None,
    }
