"""API keys: list, create and revoke them."""

from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.people import manage
from app.principal import Principal, Role
from app.store.engine.database import EveryDesk
from app.web.api.people.views import KeyRoles, granted, roles_json
from app.web.http.access import PeopleAdmin
from app.web.http.problems import not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running, seeing_every_desk

router = Router(prefix="/v1/keys", tags=["people"])


class NewKey(BaseModel):
    """The roles of a key to create."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"roles": {"haisoft": ["push"]}}]}
    )

    roles: KeyRoles


class KeyView(BaseModel):
    """An API key, without its secret."""

    id: str
    roles: dict[str, list[Role]] = Field(examples=[{"haisoft": ["push"]}])


class NewKeyView(KeyView):
    """An API key with its secret."""

    key: str = Field(description="the secret, shown this once", examples=["slt_…"])


class KeyList(BaseModel):
    """API keys, the oldest first."""

    keys: list[KeyView]


@router.get("", summary="List API keys", response_model=KeyList, responses=problems(401, 403))
async def list_keys(request: Request, caller: PeopleAdmin) -> Response:
    """The keys that are not revoked, and all of whose desks the caller manages."""
    who = caller.principal
    with seeing_every_desk():
        found = await running(request).database.read(lambda conn: manage.visible_keys(conn, who))
    return Json({"keys": [_view(each) for each in found]})


@router.post(
    "",
    summary="Create an API key",
    operation_id="create_key",
    status_code=201,
    response_model=NewKeyView,
    responses=problems(401, 403, 404, 409, 422),
)
async def create_key(request: Request, caller: PeopleAdmin, body: NewKey) -> Response:
    """A key with these roles. Its secret is in this answer only. 403: a desk whose people the caller does not manage.

    409: the limit `SLATIMER_DESK_KEYS_MAX` is reached.
    """
    who, roles, parts = caller.principal, granted(body.roles), running(request)
    most = parts.settings.desk_keys_max
    secret, made = await parts.database.write(
        lambda conn, now: manage.create_key(conn, who, roles, now, most=most), EveryDesk.PEOPLE
    )
    return Json(_view(made) | {"key": secret}, status_code=201)


@router.delete(
    "/{key}",
    summary="Revoke an API key",
    operation_id="revoke_key",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404),
)
async def revoke_key(
    request: Request, caller: PeopleAdmin, key: Annotated[str, Path(description="the key's id")]
) -> Response:
    """The key is refused from now on, and every session that it signed in ends; other processes within two seconds."""
    parts, who = running(request), caller.principal
    if not await parts.database.write(
        lambda conn, now: manage.revoke_key(conn, who, key, now), EveryDesk.PEOPLE
    ):
        raise not_found("key", key)
    parts.principals.clear()
    return Response(status_code=204)


def _view(key: Principal) -> dict[str, Any]:
    return {"id": key.id, "roles": roles_json(key.roles)}
