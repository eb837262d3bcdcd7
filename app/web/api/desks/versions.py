"""Versions of a desk's agreement and of its calendars: list, one as written, difference, withdrawal.

A version of a desk holds both documents: each address shows its own, and the same numbers.
"""

from collections.abc import Callable
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


async def _list(request: Request, caller: Caller, desk: str) -> Response:
    found = listed_versions(await _read(request, caller, desk), running(request).database.now())
    return Json({"desk": desk, "versions": [version_json(each) for each in found]})


async def _show(request: Request, caller: Caller, desk: str, number: int, part: Part) -> Response:
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


def _prefers_toml(request: Request) -> bool:
    """Whether the caller accepts TOML and does not accept JSON before it."""
    accepted = [
        each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")
    ]
    return next((each == TOML for each in accepted if each in (TOML, JSON)), False)


async def _difference(
    request: Request, caller: Caller, desk: str, asked: DiffQuestion, part: Part
) -> Response:
    versions = await _read(request, caller, desk)
    found = difference_of(_chosen(versions, asked.since), _chosen(versions, asked.to), part, desk)
    return Json(difference_json(desk, found))


async def _withdraw(request: Request, caller: Caller, desk: str, number: int) -> Response:
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
    path = f"{prefix}/{{desk}}/versions"
    name = part.value

    def declare(
        method: str, at: str, endpoint: Callable[..., Any], summary: str, operation: str, **given: Any
    ) -> None:
        router.add_api_route(
            at,
            endpoint,
            methods=[method],
            summary=summary,
            operation_id=f"{operation}_{name}_version",
            tags=tags,
            **given,
        )

    async def list_versions(request: Request, caller: Viewer, desk: Desk) -> Response:
        """Every version of the desk: who applied it, when, why, from when on it is in force, and how it stands now."""
        return await _list(request, caller, desk)

    async def compare_versions(request: Request, caller: Viewer, desk: Desk, asked: Diff) -> Response:
        """What one version changes of another, by keys and not by lines: `commitments.gti.target: "4h" -> "8h"`."""
        return await _difference(request, caller, desk, asked, part)

    async def show_version(request: Request, caller: Viewer, desk: Desk, number: Number) -> Response:
        """A version with its document. `Accept: application/toml` answers with the file as it was written."""
        return await _show(request, caller, desk, number, part)

    async def withdraw_version(request: Request, caller: Configurer, desk: Desk, number: Number) -> Response:
        """Takes a planned version back, before it is in force. Afterwards it is a 409: apply the former text instead."""
        return await _withdraw(request, caller, desk, number)

    faults = problems(401, 403, 404, 422)
    declare(
        "GET",
        path,
        list_versions,
        f"List versions: {name}",
        "list",
        response_model=VersionList,
        responses=faults,
    )
    declare(
        "GET",
        f"{path}/diff",
        compare_versions,
        f"Compare two versions: {name}",
        "compare",
        response_model=VersionDiff,
        responses=faults,
    )
    declare(
        "GET",
        f"{path}/{{number}}",
        show_version,
        f"One version: {name}",
        "show",
        response_model=VersionDetail,
        responses=faults,
    )
    declare(
        "DELETE",
        f"{path}/{{number}}",
        withdraw_version,
        f"Withdraw a planned version: {name}",
        "withdraw",
        status_code=204,
        response_class=Response,
        responses=problems(401, 403, 404, 409, 422),
    )


_declare(Part.AGREEMENT, "/agreements")
_declare(Part.CALENDARS, "/calendars")
