"""The caller: who it is, what it may do; and what people change about themselves."""

from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.people import totp
from app.principal import PrincipalKind, Role
from app.store.engine.database import Connection
from app.store.people import persons, second_factor
from app.store.people.persons import Person
from app.web.http.access import Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running
from app.web.http.session import Permissions, session_view
from app.web.http.sign_in import sender_of, signing_in

router = Router(prefix="/v1/me", tags=["people"])

_Password = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
_Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class PersonOfMe(BaseModel):
    """What only a person has."""

    display_name: str | None
    language: str | None = Field(description="of the pages; null: the browser's, or the desk's")
    time_zone: str | None = Field(description="of the pages; null: each desk's")
    password: bool = Field(description="whether one is set")
    second_factor: bool = Field(description="whether one is asked for")
    recovery_codes: int = Field(description="how many are left")


class Me(BaseModel):
    """The caller, and what it may do."""

    who: str = Field(
        description="`user NAME`, `key ID` or `guest ID`: as the record names it", examples=["user ann"]
    )
    kind: PrincipalKind
    name: str | None = Field(description="what a person signs in with", examples=["ann"])
    roles: dict[str, list[Role]] = Field(description="the roles by desk", examples=[{"haisoft": ["lead"]}])
    permissions: Permissions
    session: str | None = Field(description="the session that the request was sent through")
    expires_at: InstantOut | None = Field(description="when that session ends; null: a key without an end")
    person: PersonOfMe | None = Field(description="null for keys and guests")


def _zone(name: str | None) -> str | None:
    if name is not None and name not in available_timezones():
        raise ValueError("there is no such time zone; write one as Europe/Paris")
    return name


class Looks(BaseModel):
    """The language and the time zone of the pages; null: as the browser and the desk say."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"language": "fr", "time_zone": "Europe/Paris"}]}
    )

    language: Annotated[str, StringConstraints(pattern="^(en|fr|nl|it|vi)$")] | None = None
    time_zone: Annotated[str, StringConstraints(max_length=100), AfterValidator(_zone)] | None = None


class NewPassword(BaseModel):
    """A new password, and the present one."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"present": "…", "new": "correct horse battery staple"}]},
    )

    present: _Password | None = Field(None, description="may be left out just after signing in by a link")
    new: _Password


class Proof(BaseModel):
    """The present password."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [{"present": "…"}]})

    present: _Password | None = Field(None, description="may be left out just after signing in by a link")


class Code(BaseModel):
    """A code of the authenticator app."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]}
    )

    code: _Code


class NewSecondFactor(BaseModel):
    """What an authenticator app takes over. It is shown this once."""

    secret: str = Field(description="base 32, to type in", examples=["JBSWY3DPEHPK3PXP"])
    address: str = Field(examples=["otpauth://totp/slatimer:ann?secret=…"])
    picture: str = Field(description="the address as a QR code, an SVG element")


class RecoveryCodes(BaseModel):
    """Codes that replace one of the app, each once. They are shown this once."""

    recovery_codes: list[str] = Field(examples=[["k7m2p-9xwqe-4hdrt"]])


@router.get(
    "", summary="Show the caller", operation_id="show_me", response_model=Me, responses=problems(401, 403)
)
async def show_me(request: Request, caller: Viewer) -> Response:
    """Who the caller is, its roles and permissions by desk, and of a person how they sign in."""
    who = caller.principal
    found = await running(request).database.look_up(lambda conn: _person_json(conn, who.id))
    view = session_view(who)
    return Json(
        {
            "who": who.label,
            "kind": who.kind,
            "name": who.name,
            "roles": view["roles"],
            "permissions": view["permissions"],
            "session": who.session_id,
            "expires_at": view["expires_at"],
            "person": found,
        }
    )


@router.put(
    "/looks",
    summary="Choose language and time zone",
    operation_id="set_looks",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422),
)
async def set_looks(request: Request, caller: Viewer, body: Looks) -> Response:
    """The language and the zone in which the pages are shown to the caller, who must be a person."""
    parts = running(request)
    person = await parts.own.person(caller.principal)
    await parts.database.write(
        lambda conn, _: persons.set_looks(conn, person.id, body.language, body.time_zone)
    )
    return Response(status_code=204)


@router.put(
    "/password",
    summary="Change one's password",
    operation_id="change_password",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422, 429, 503),
)
async def change_password(request: Request, caller: Viewer, body: NewPassword) -> Response:
    """Sets the caller's password. All other sessions of the caller end.

    The present one is needed, but just after signing in by a link, or where there is none. 401: it is wrong.
    """
    own, who, sender = running(request).own, caller.principal, sender_of(request)
    await signing_in(request, lambda: own.set_password(who, body.present, body.new, sender))
    running(request).principals.clear()
    return Response(status_code=204)


@router.post(
    "/second-factor",
    summary="Set up a second factor",
    operation_id="prepare_second_factor",
    status_code=201,
    response_model=NewSecondFactor,
    responses=problems(401, 403, 404, 409, 422, 429, 503),
)
async def prepare_second_factor(request: Request, caller: Viewer, body: Proof) -> Response:
    """A secret for an authenticator app. It is asked for once a code of the app has confirmed it.

    401: the present password is wrong. 409: a second factor is on already.
    """
    own, who, sender = running(request).own, caller.principal, sender_of(request)
    secret = await signing_in(request, lambda: own.prepare_second_factor(who, body.present, sender))
    name = who.name or who.id
    address, picture = totp.address_of(secret, name), totp.picture_of(secret, name)
    return Json({"secret": secret, "address": address, "picture": picture}, status_code=201)


@router.post(
    "/second-factor/confirm",
    summary="Turn the second factor on",
    operation_id="confirm_second_factor",
    response_model=RecoveryCodes,
    responses=problems(401, 403, 404, 409, 422),
)
async def confirm_second_factor(request: Request, caller: Viewer, body: Code) -> Response:
    """The app's first code turns the second factor on, and other sessions of the caller end. 401: it is wrong."""
    own, who = running(request).own, caller.principal
    codes = await signing_in(request, lambda: own.confirm_second_factor(who, body.code))
    running(request).principals.clear()
    return Json({"recovery_codes": codes})


@router.post(
    "/second-factor/remove",
    summary="Turn the second factor off",
    operation_id="remove_second_factor",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 422, 429),
)
async def remove_second_factor(request: Request, caller: Viewer, body: Code) -> Response:
    """Needs a code of the app or a recovery code. 401: it is wrong."""
    own, who, sender = running(request).own, caller.principal, sender_of(request)
    await signing_in(request, lambda: own.remove_second_factor(who, body.code, sender))
    return Response(status_code=204)


def _person_json(conn: Connection, principal_id: str) -> dict[str, Any] | None:
    person = persons.with_id(conn, principal_id)
    return None if person is None else _of(conn, person)


def _of(conn: Connection, person: Person) -> dict[str, Any]:
    return {
        "display_name": person.display_name,
        "language": person.language,
        "time_zone": person.time_zone,
        "password": person.has_password,
        "second_factor": person.has_second_factor,
        "recovery_codes": second_factor.codes_left(conn, person.id),
    }
