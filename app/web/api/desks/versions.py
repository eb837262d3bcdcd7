"""Versions of a desk's agreement and of its calendars: list, one as written, difference, withdrawal.

A version of a desk holds both documents: each address shows its own, and the same numbers.
"""

from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from app.flow.agreement.apply import NoSuchVersion, NotPlanned, withdraw_planned
from app.flow.query.versions import (
    Part,
    UnknownVersion,
    difference_json,
    difference_of,
    document_of,
    listed_versions,
    text_of,
    version_json,
    version_of,
)
from app.store.contracts.catalogue import UnknownDesk
from app.store.contracts.stored_version import StoredVersion
from app.web.api.desks.desk_document import JSON, TOML
from app.web.api.desks.version_views import DiffQuestion, VersionDetail, VersionDiff, VersionList
from app.web.http.access import Caller, Configurer, Viewer, must_see
from app.web.http.problems import Kind, Problem, not_found, problems
from app.web.http.responses import NO_STORE, Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1")

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]
Number = Annotated[int, Path(description="the version", ge=1, examples=[2])]
Diff = Annotated[DiffQuestion, Query()]

Endpoint = Callable[..., Coroutine[Any, Any, Response]]


async def _read(request: Request, caller: Caller, desk: str) -> tuple[StoredVersion, ...]:
    """Every version of a desk. Raises Problem."""
    parts = running(request)
    must_see(caller, desk)
    try:
        return await parts.database.read(lambda conn: parts.catalogue.recorded(conn, desk))
    except UnknownDesk as error:
        raise not_found("desk", desk) from error


def _chosen(versions: tuple[StoredVersion, ...], number: int) -> StoredVersion:
    try:
        return version_of(versions, number)
    except UnknownVersion as error:
        raise not_found("version", str(number)) from error


async def list_versions(request: Request, caller: Viewer, desk: Desk) -> Response:
    """Every version of the desk: who applied it, when, why, from when on it is in force, and how it stands now."""
    found = listed_versions(await _read(request, caller, desk), running(request).database.now())
    return Json({"desk": desk, "versions": [version_json(each) for each in found]})


def _comparing(part: Part) -> Endpoint:
    async def compare_versions(request: Request, caller: Viewer, desk: Desk, asked: Diff) -> Response:
        """What one version changes of another, by keys and not by lines: `commitments.gti.target: "4h" -> "8h"`."""
        versions = await _read(request, caller, desk)
        found = difference_of(_chosen(versions, asked.since), _chosen(versions, asked.to), part, desk)
        return Json(difference_json(desk, found))

    return compare_versions


def _showing(part: Part) -> Endpoint:
    async def show_version(request: Request, caller: Viewer, desk: Desk, number: Number) -> Response:
        """A version with its document. `Accept: application/toml` answers with the file as it was written."""
        versions = await _read(request, caller, desk)
        stored = _chosen(versions, number)
        text = text_of(stored, part, desk)
        if _prefers_toml(request):
            if text is None:
                detail = f"Version {number} has no text of it in TOML: ask for {JSON}."
                raise Problem(Kind.NOT_FOUND, detail)
            return Response(text, media_type=TOML, headers=NO_STORE | {"Vary": "Accept"})
        listed = listed_versions(versions, running(request).database.now())[number - 1]
        document = document_of(stored, part, desk)
        answer = version_json(listed) | {"document": document, "text": text}
        return Json(answer, headers={"Vary": "Accept"})

    return show_version


def _prefers_toml(request: Request) -> bool:
    """Whether the caller accepts TOML and does not accept JSON before it."""
    accepted = [
        each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")
    ]
    return next((each == TOML for each in accepted if each in (TOML, JSON)), False)


async def withdraw_version(request: Request, caller: Configurer, desk: Desk, number: Number) -> Response:
    """Takes a planned version back, before it is in force. Afterwards it is a 409: apply the former text instead."""
    parts = running(request)
    must_see(caller, desk)
    try:
        await parts.database.write(
            lambda conn, now: withdraw_planned(conn, now, parts.assessor, desk, number)
        )
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except NoSuchVersion as error:
        raise not_found("version", str(number)) from error
    except NotPlanned as error:
        raise Problem(Kind.CONFLICT, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    return Response(status_code=204)


def _declare(part: Part, prefix: str) -> None:
    """The four routes of a document."""
    tags: list[str | Enum] = [prefix.strip("/")]

    def declare(method: str, at: str, endpoint: Endpoint, summary: str, operation: str, **given: Any) -> None:
        router.add_api_route(
            f"{prefix}/{{desk}}/versions{at}",
            endpoint,
            methods=[method],
            summary=f"{summary}: {part.value}",
            operation_id=f"{operation}_{part.value}_version",
            tags=tags,
            **given,
        )

    shown = {"responses": problems(401, 403, 404, 422)}
    declare("GET", "", list_versions, "List versions", "list", response_model=VersionList, **shown)
    declare(
        "GET",
        "/diff",
        _comparing(part),
        "Compare two versions",
        "compare",
        response_model=VersionDiff,
        **shown,
    )
    declare("GET", "/{number}", _showing(part), "One version", "show", response_model=VersionDetail, **shown)
    withdrawn = {
        "status_code": 204,
        "response_class": Response,
        "responses": problems(401, 403, 404, 409, 422),
    }
    declare("DELETE", "/{number}", withdraw_version, "Withdraw a planned version", "withdraw", **withdrawn)


_declare(Part.AGREEMENT, "/agreements")
_declare(Part.CALENDARS, "/calendars")
