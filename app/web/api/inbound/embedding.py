"""Embedding: which pages may show a desk's tickets, and tokens that open the clocks of one ticket."""

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.inbound import embedding
from app.flow.inbound.embedding import FaultyOrigins, NotEmbedded
from app.flow.query.serialize import instant_text
from app.sla.span import Micros, length_of
from app.store.engine.database import Connection
from app.store.inbound import embedding as stored
from app.store.inbound.embedding import Embedding
from app.web.http.access import Configurer, Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Place, Problem, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

EMBEDDED: Final = "/embed/tickets"
BADGES: Final = "/embed/badges"

router = Router(prefix="/v1", tags=["embedding"])

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
Origin = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class EmbeddingChanges(BaseModel):
    """Which pages may embed the desk's tickets."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"frame_ancestors": ["https://example.zendesk.com"]}]},
    )

    frame_ancestors: list[Origin] = Field(
        description="scheme and host of each; `https://*.example.com` for all hosts of a domain, not of a "
        "top-level one; none: the badge only",
        examples=[["https://example.zendesk.com"]],
    )


class EmbeddingView(BaseModel):
    """How tickets of a desk are embedded, without the secret."""

    desk: str
    frame_ancestors: list[str]
    created_at: InstantOut
    changed_at: InstantOut
    former_secret_until: InstantOut | None = Field(description="when the former secret expires")


class EmbeddingWithSecret(EmbeddingView):
    """The same with the secret, if it is new: it is shown this once."""

    secret: str | None = Field(description="null unless it is new", examples=["sle_…"])


class TokenRequest(BaseModel):
    """The ticket to open."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"desk": "haisoft", "ticket": "4711"}]}
    )

    desk: str
    ticket: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    seconds: int | None = Field(
        None, ge=1, description="how long it is valid, up to SLATIMER_EMBED_TOKEN_MAX_LIFETIME"
    )


class EmbedTokenView(BaseModel):
    """A token, and the addresses that it opens."""

    token: str
    expires_at: InstantOut
    url: str = Field(description="the page, for an iframe")
    badge_url: str = Field(description="an SVG image")


@router.get(
    "/embedding/{desk}",
    summary="Show how a desk's tickets are embedded",
    operation_id="show_embedding",
    response_model=EmbeddingView,
    responses=problems(401, 403, 404),
)
async def show_embedding(request: Request, caller: Configurer, desk: Desk) -> Response:
    """Which pages may embed the desk's tickets. 404: none was allowed yet."""
    must_see(caller, desk)
    found = await running(request).database.read(lambda conn: stored.find(conn, desk))
    if found is None:
        raise not_found("embedding of the desk", desk)
    return Json(view(found))


@router.put(
    "/embedding/{desk}",
    summary="Allow pages to embed a desk's tickets",
    operation_id="allow_embedding",
    response_model=EmbeddingWithSecret,
    responses=problems(400, 401, 403, 404, 413, 422),
)
async def allow_embedding(
    request: Request, caller: Configurer, desk: Desk, given: EmbeddingChanges
) -> Response:
    """Replaces the origins that may frame the desk's tickets. The first time makes the secret, shown this once."""
    parts = running(request)
    must_see(caller, desk)
    if desk not in await parts.database.read(parts.catalogue.desks):
        raise not_found("desk", desk)
    try:
        origins = embedding.origins(given.frame_ancestors, parts.settings.embed_frame_ancestors_max)
    except FaultyOrigins as error:
        raise invalid([Place("body", "/frame_ancestors", str(error))]) from error
    found, is_new = await parts.database.write(lambda conn, now: embedding.allow(conn, now, desk, origins))
    return Json(view(found) | {"secret": found.secrets[0].text if is_new else None})


@router.post(
    "/embedding/{desk}/secret",
    summary="Replace the secret of embedding",
    operation_id="replace_embedding_secret",
    response_model=EmbeddingWithSecret,
    responses=problems(401, 403, 404, 409),
)
async def replace_embedding_secret(request: Request, caller: Configurer, desk: Desk) -> Response:
    """Makes another secret, shown this once. Tokens by the one before are valid for SLATIMER_SECRET_GRACE_PERIOD."""
    parts = running(request)
    must_see(caller, desk)
    overlap = length_of(parts.settings.secret_grace_period)
    try:
        found = await parts.database.write(lambda conn, now: embedding.rotate(conn, now, desk, overlap))
    except NotEmbedded as error:
        raise Problem(Kind.CONFLICT, str(error)) from error
    return Json(view(found) | {"secret": found.secrets[0].text})


@router.post(
    "/embed-tokens",
    summary="Make a token of a ticket",
    operation_id="create_embed_token",
    status_code=201,
    response_model=EmbedTokenView,
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
async def create_embed_token(request: Request, caller: Viewer, given: TokenRequest) -> Response:
    """A token that shows the clocks of one ticket, read only, until it expires. It opens no other ticket and no route of
    the API. 409: embedding is not allowed for the desk yet."""
    parts = running(request)
    desk = must_see(caller, given.desk)
    most = parts.settings.embed_token_max_lifetime
    lifetime = (
        parts.settings.embed_token_lifetime if given.seconds is None else _lifetime(given.seconds, most)
    )

    def make(conn: Connection) -> embedding.MadeToken:
        return embedding.make_token(conn, parts.database.now(), desk, given.ticket, lifetime)

    try:
        made = await parts.database.read(make)
    except NotEmbedded as error:
        raise Problem(Kind.CONFLICT, str(error)) from error
    base = (parts.settings.public_url or str(request.base_url)).rstrip("/")
    where = f"{quote(desk, safe='')}/{quote(given.ticket, safe='')}?token={made.text}"
    addresses = {"url": f"{base}{EMBEDDED}/{where}", "badge_url": f"{base}{BADGES}/{where}"}
    return Json({"token": made.text, "expires_at": instant_text(made.expires_at), **addresses}, 201)


def _lifetime(seconds: int, most: timedelta) -> timedelta:
    if seconds > most.total_seconds():
        reason = f"is more than SLATIMER_EMBED_TOKEN_MAX_LIFETIME, {most.total_seconds():.0f}"
        raise invalid([Place("body", "/seconds", reason)])
    return timedelta(seconds=seconds)


def view(found: Embedding) -> dict[str, Any]:
    """The JSON of an embedding, without its secrets."""
    until: Micros | None = found.former_secret_until
    return {
        "desk": found.desk,
        "frame_ancestors": list(found.frame_ancestors),
        "created_at": instant_text(found.created_at),
        "changed_at": instant_text(found.changed_at),
        "former_secret_until": instant_text(until),
    }
