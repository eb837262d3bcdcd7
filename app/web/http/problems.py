"""Problem documents (RFC 9457): every error response of the service is made here.

`TABLE` maps the named errors of the layers below, the handlers map the framework's own. `errors` lists each faulty
place: a JSON pointer into the body, or a parameter. No problem reveals whether another desk's object exists.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import Any, Final, cast

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.flow.inbound.accept import UnknownConnection
from app.flow.outbound.subscribe import TooManySubscriptions
from app.flow.people.manage import BeyondAuthority, IsDisabled, TooManyKeys, UnknownPerson
from app.flow.people.manage import UnknownDesk as UnknownDeskForCaller
from app.flow.people.own import NoPerson, SecondFactorIsOn
from app.flow.people.passwords import BusyHashing, UnfitPassword
from app.flow.people.views import FaultyView, TooManyViews, UnknownView, ViewNameTaken
from app.flow.query.contracts import UnknownContract
from app.flow.query.tickets import CannotBeJudged, EventsDropped, NothingKnownYet
from app.intake.validation import MAX_FAULTS, faults_of, pointer, reason_of
from app.sla.budget import TooExpensive
from app.sla.calendar.compiled import UncoveredYear
from app.sla.clock.explanation import NoSuchClock
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Unreachable, WriteContention
from app.store.engine.vault import UnreadableSecret
from app.store.people.persons import FaultyName, NameTaken, TooManyPeople
from app.store.tickets.board import FaultyCursor
from app.web.http.encoded_slash import APART
from app.web.http.methods import allowed_methods, without_slash

MEDIA_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:slatimer:problem:"


class Kind(Enum):
    """A kind of problem: the end of its `type`, its title and its status."""

    UNREADABLE = ("unreadable-body", "The body cannot be read", 400)
    NOT_HTTP = ("not-http", "The request is not valid HTTP", 400)
    NOT_SIGNED_IN = ("not-signed-in", "A valid key is needed", 401)
    SIGN_IN_REFUSED = ("sign-in-refused", "The sign-in is refused", 401)
    BAD_SIGNATURE = ("bad-signature", "The signature is not valid", 401)
    NOT_ALLOWED = ("not-allowed", "The key does not allow this", 403)
    NOT_FOUND = ("not-found", "Not found", 404)
    NOTHING_KNOWN = ("nothing-known", "Nothing was known at that time", 404)
    WRONG_METHOD = ("wrong-method", "Method not allowed", 405)
    TOO_SLOW = ("body-too-slow", "The body did not arrive in time", 408)
    CONFLICT = ("conflict", "Conflict with what is stored", 409)
    LIMIT_REACHED = ("limit-reached", "A limit of the desk is reached", 409)
    SWITCHED_OFF = ("switched-off", "The subscription is disabled", 409)
    GONE = ("no-longer-kept", "No longer stored", 410)
    BEYOND_THE_END = ("beyond-the-end", "Beyond the end of the stream", 410)
    TOO_LARGE = ("too-large", "The body is too large", 413)
    WRONG_MEDIA_TYPE = ("wrong-media-type", "Unsupported content type", 415)
    WRONG_HOST = ("wrong-host", "Not served under this name", 421)
    ELSEWHERE = ("other-server", "The desk lives on another server", 421)
    INVALID = ("invalid-request", "The request is not valid", 422)
    TOO_EXPENSIVE = ("too-expensive", "The answer takes too long to compute", 422)
    EVENTS_REFUSED = ("events-refused", "Every event was refused", 422)
    TOO_MANY = ("too-many-requests", "Too many requests of this key", 429)
    HEADERS_TOO_LARGE = ("headers-too-large", "The headers are too large", 431)
    PARKED = ("ticket-parked", "The ticket cannot be evaluated at present", 500)
    INTERNAL = ("internal-error", "Internal error", 500)
    UNAVAILABLE = ("unavailable", "The service is unavailable", 503)

    def __init__(self, slug: str, title: str, status: int) -> None:
        self.type = _TYPE_PREFIX + slug
        self.title = title
        self.status = status


@dataclass(frozen=True, slots=True)
class Place:
    """One faulty place. `place` is a JSON pointer when it lies in the body, else the parameter's name."""

    location: str
    place: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """An entry of a problem's `errors`."""
        return {"in": self.location, "place": self.place, "reason": self.reason}


def _first(places: Iterable[Place]) -> tuple[tuple[Place, ...], bool]:
    """The places that a problem lists, and whether there are more. The rest are not even rendered."""
    found = tuple(islice(places, MAX_FAULTS + 1))
    return found[:MAX_FAULTS], len(found) > MAX_FAULTS


class Problem(Exception):
    """The request cannot be served, and why. `extra` are further members of the document."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Iterable[Place] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors, self.more_errors = _first(errors)
        self.headers = headers
        self.extra = extra or {}


def not_found(what: str, name: str) -> Problem:
    """The same answer for what does not exist and for what belongs to another desk."""
    return Problem(Kind.NOT_FOUND, f"There is no {what} {name} that this key may see.")


class FaultyPlace(BaseModel):
    """One faulty place of a request."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    location: str = Field(alias="in", description="`body`, `query`, `path` or `header`")
    place: str = Field(
        description="JSON pointer into the body, or the parameter's name", examples=["/0/start"]
    )
    reason: str = Field(description="what is wrong, and what would be right")


class ProblemDocument(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[Kind.INVALID.type])
    title: str = Field(examples=[Kind.INVALID.title])
    status: int = Field(examples=[Kind.INVALID.status])
    detail: str = Field(
        examples=["at: the instant has no offset. Write one, as in 2026-03-06T15:30:00+01:00."]
    )
    instance: str = Field(description="the path of the request", examples=["/v1/tickets/haisoft/4711"])
    errors: list[FaultyPlace] = Field(description="the faulty places; empty where there is none")


_RETRY_SOON: Final = {"Retry-After": "1"}
"""Seconds. What makes the service unavailable mostly passes at once; a sender backs off further if it does not."""
_DESCRIPTIONS: Final = {
    400: "The body is not valid JSON, or not the JSON that the route expects; or a parameter has a NUL character.",
    401: "No key, or a key that is unknown, expired or revoked.",
    403: "The key lacks the permission, or a page's request lacks the header that proves its origin.",
    404: "It does not exist, or belongs to another desk.",
    408: "The body did not arrive in time.",
    409: "It conflicts with what is stored; `detail` states how.",
    410: "It existed and is no longer stored; or the place lies beyond the end of the stream.",
    413: "The body is larger than the limit.",
    415: "The content type is none of those listed.",
    421: "The events are of desks that live on different servers; `servers` has the address of each.",
    422: "Readable, but not valid; `errors` lists each place.",
    429: "Too many requests or streams of this key; `Retry-After` says when to retry.",
    500: "A defect. The log has it under the request's id.",
    503: "Busy or not ready; retry.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, for its OpenAPI operation. All routes share them, so do not change one."""
    return {status: _documented(status) for status in statuses}


@cache
def _documented(status: int) -> dict[str, Any]:
    kind = next(kind for kind in Kind if kind.status == status)
    return {
        "description": _DESCRIPTIONS[status],
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/ProblemDocument"},
                "example": {
                    "type": kind.type,
                    "title": kind.title,
                    "status": status,
                    "detail": _DESCRIPTIONS[status],
                    "instance": "/v1/…",
                    "errors": [],
                },
            }
        },
    }


def body_places(error: ValidationError, above: Iterable[object] = ()) -> list[Place]:
    """The faulty places of a value that lies at this path of the body."""
    return [Place("body", place, reason) for place, reason in faults_of(error, above)]


def invalid(places: Iterable[Place]) -> Problem:
    """The problem of a request that is readable and not valid at these places."""
    problem = Problem(Kind.INVALID, "", errors=places)
    shown = (f"{place.place or 'the ' + place.location}: {place.reason}" for place in problem.errors[:3])
    more = f"; only the first {MAX_FAULTS} faults are listed" if problem.more_errors else ""
    problem.detail = "; ".join(shown) + more
    return problem


def _path(request: Request) -> str:
    return request.url.path.replace(APART, "%2F")


def document(problem: Problem, instance: str) -> bytes:
    """The document of a problem. `instance`: the path of the request; empty where it is not known."""
    kind = problem.kind
    members: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": instance,
        "errors": [place.as_json() for place in problem.errors],
        **problem.extra,
    }
    return orjson.dumps(members)


def respond(request: Request, problem: Problem) -> Response:
    """The response for a problem."""
    kind = problem.kind
    return Response(
        document(problem, _path(request)),
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers={**(_RETRY_SOON if kind is Kind.UNAVAILABLE else {}), **(problem.headers or {})},
    )


TABLE: Final[Mapping[type[Exception], Kind]] = {
    NothingKnownYet: Kind.NOTHING_KNOWN,
    EventsDropped: Kind.GONE,
    NoSuchClock: Kind.NOT_FOUND,
    FaultyCursor: Kind.INVALID,
    UnknownConnection: Kind.NOT_FOUND,
    UncoveredYear: Kind.INVALID,
    TooManySubscriptions: Kind.LIMIT_REACHED,
    UnknownContract: Kind.NOT_FOUND,
    UnknownDesk: Kind.NOT_FOUND,
    TooExpensive: Kind.TOO_EXPENSIVE,
    CannotBeJudged: Kind.PARKED,
    WriteContention: Kind.UNAVAILABLE,
    Unreachable: Kind.UNAVAILABLE,
    UnreadableSecret: Kind.UNAVAILABLE,
    BusyHashing: Kind.UNAVAILABLE,
    UnknownPerson: Kind.NOT_FOUND,
    BeyondAuthority: Kind.NOT_ALLOWED,
    NoPerson: Kind.NOT_FOUND,
    UnknownDeskForCaller: Kind.NOT_FOUND,
    NameTaken: Kind.CONFLICT,
    IsDisabled: Kind.CONFLICT,
    SecondFactorIsOn: Kind.CONFLICT,
    TooManyKeys: Kind.LIMIT_REACHED,
    TooManyPeople: Kind.LIMIT_REACHED,
    FaultyName: Kind.INVALID,
    FaultyView: Kind.INVALID,
    ViewNameTaken: Kind.CONFLICT,
    TooManyViews: Kind.LIMIT_REACHED,
    UnknownView: Kind.NOT_FOUND,
    UnfitPassword: Kind.INVALID,
}
"""The kind of problem for each named error of the layers below; the error's text is the detail."""


def problem_of(error: Exception) -> Problem | None:
    """The problem that an error of a route is; None for a defect."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    kind = next((TABLE[cls] for cls in type(error).__mro__ if cls in TABLE), None)
    detail = str(error)
    return kind and Problem(kind, f"{detail[:1].upper()}{detail[1:].rstrip('.')}.")


async def _of_error(request: Request, error: Exception) -> Response:
    return respond(request, cast(Problem, problem_of(error)))


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    unreadable = [e for e in found if e["type"] == "json_invalid"]
    if unreadable:
        why = unreadable[0].get("ctx", {}).get("error", "it is not valid JSON")
        return Problem(Kind.UNREADABLE, f"The body is not valid JSON: {why}.")
    return invalid(map(_place, found))


def _place(error: Mapping[str, Any]) -> Place:
    location, *path = error["loc"]
    if location == "body":
        return Place("body", pointer(path), reason_of(error))
    return Place(location, ".".join(map(str, path)), reason_of(error))


_OF_STATUS: Final = {kind.status: kind for kind in reversed(Kind)}


async def _of_http(request: Request, error: Exception) -> Response:
    found = cast(HTTPException, error)
    if found.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _of_method(request)
    if found.status_code == HTTPStatus.NOT_FOUND and (address := without_slash(request)) is not None:
        return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": address})
    kind = _OF_STATUS.get(found.status_code, Kind.INVALID)
    if found.status_code == HTTPStatus.NOT_FOUND and _is_for_a_person(request):
        problem = Problem(kind, f"There is no page at {_path(request)}.")
        return request.app.state.problem_page(request, problem)
    detail = str(found.detail)
    if detail in {HTTPStatus(found.status_code).phrase, ""}:
        detail = f"{kind.title}: {request.method} {_path(request)}"
    return respond(request, Problem(kind, detail, headers=found.headers))


def _is_for_a_person(request: Request) -> bool:
    """Whether a browser asks for a page, not a program for the API."""
    asks = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")
    return asks and not request.url.path.startswith("/v1/")


def _of_method(request: Request) -> Response:
    """The answer to a method that no route of the path declares; `Allow` names all that it has."""
    allow = {"Allow": ", ".join(allowed_methods(request))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    detail = f"{request.method} is not possible here. {_path(request)} takes {allow['Allow']}."
    return respond(request, Problem(Kind.WRONG_METHOD, detail, headers=allow))


def install(app: FastAPI) -> None:
    """Register the handlers that answer every error of the app with a problem.

    They are coroutines: a plain function would be run in a thread, which costs more than the whole refusal.
    """
    app.add_exception_handler(HTTPException, _of_http)
    for error in (Problem, RequestValidationError, *TABLE):
        app.add_exception_handler(error, _of_error)
