"""Saved views: the filters of a page under a name, of a person or shared by a desk; and a person's default."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.flow.people import views
from app.flow.people.views import FILTERS, FaultyView, Page, Wanted
from app.flow.query.desks import known_desks
from app.flow.query.serialize import instant_text
from app.principal import Principal
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.people import views as stored
from app.store.people.views import View
from app.web.http.access import Viewer, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

T = TypeVar("T")

router = Router(prefix="/v1", tags=["people"])

_Name = Annotated[str, StringConstraints(max_length=1_000)]
_Filters = Annotated[
    dict[str, str],
    Field(
        max_length=max(map(len, FILTERS.values())),
        description="the parameters of the page's address; the page's own documentation is its form",
        examples=[{"group": "Night", "show": "overdue"}],
    ),
]
_Desk = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=255)] | None,
    Field(description="the desk that shares it; null: the caller's own", examples=["haisoft"]),
]
ViewId = Annotated[str, Path(description="the view's id")]


class SavedView(BaseModel):
    """A saved view."""

    id: str
    page: Page
    name: str = Field(examples=["Night shift"])
    filters: _Filters
    desk: _Desk
    created_by: str | None = Field(description="who shared it; null for one's own")
    default: bool = Field(description="whether Now opens with it for the caller")
    changeable: bool = Field(description="whether the caller may rename and remove it")
    created_at: InstantOut
    changed_at: InstantOut


class SavedViews(BaseModel):
    """The views that the caller may see."""

    views: list[SavedView]


class NewView(BaseModel):
    """A view to save."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"page": "now", "name": "Night shift", "filters": {"group": "Night"}}]
        },
    )

    page: Page
    name: _Name
    filters: _Filters = {}
    desk: _Desk = None


class ChangedView(BaseModel):
    """What to change of a view; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Night shift"}]})

    name: _Name | None = None
    filters: _Filters | None = None


class DefaultView(BaseModel):
    """The view that Now opens with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"view": None}]})

    view: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        description="its id; null: Now opens without filters"
    )


class ViewListQuery(BaseModel):
    """Which views."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = Field(None, description="only those that this desk shares")
    page: Page | None = None


@router.get(
    "/views",
    summary="List saved views",
    operation_id="list_views",
    response_model=SavedViews,
    responses=problems(401, 403, 404, 422),
)
async def list_views(request: Request, caller: Viewer, wanted: Annotated[ViewListQuery, Query()]) -> Response:
    """The caller's own views, then those that its desks share, each by name."""
    who = caller.principal
    if wanted.desk is not None:
        must_see(caller, wanted.desk)

    def read(conn: Connection) -> list[dict[str, Any]]:
        found = views.seen(conn, who, wanted.page)
        chosen = stored.default_of(conn, who.id)
        return [_view(view, who, chosen) for view in found if wanted.desk in (None, view.desk)]

    return Json({"views": await running(request).database.read(read)})


@router.post(
    "/views",
    summary="Save a view",
    operation_id="save_view",
    status_code=201,
    response_model=SavedView,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
async def save_view(request: Request, caller: Viewer, body: NewView) -> Response:
    """Saves filters of a page under a name: for the caller, who must be a person, or for everybody of a desk.

    To share needs the role `lead` or `admin` on the desk; a shared view filters by its desk. 409: the name is taken, or
    there are `SLATIMER_SAVED_VIEWS_MAX` views.
    """
    parts, who = running(request), caller.principal
    wanted = Wanted(body.page, body.name, body.filters, body.desk)
    most = parts.settings.saved_views_max

    def save(conn: Connection, now: Micros) -> View:
        return views.save(conn, who, wanted, known_desks(conn, parts.catalogue), now, most=most)

    view = await parts.database.write(_with_places(save))
    return Json(_view(view, who, None), status_code=201)


@router.patch(
    "/views/{view}",
    summary="Change a saved view",
    operation_id="change_view",
    response_model=SavedView,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
async def change_view(request: Request, caller: Viewer, view: ViewId, body: ChangedView) -> Response:
    """Renames a view, or replaces its filters. Of a shared one with the role `lead` or `admin` on its desk."""
    who = caller.principal

    def change(conn: Connection, now: Micros) -> dict[str, Any]:
        changed = views.change(conn, who, view, body.name, body.filters, now)
        return _view(changed, who, stored.default_of(conn, who.id))

    return Json(await running(request).database.write(_with_places(change)))


@router.delete(
    "/views/{view}",
    summary="Delete a saved view",
    operation_id="delete_view",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404),
)
async def delete_view(request: Request, caller: Viewer, view: ViewId) -> Response:
    """Of a shared one with the role `lead` or `admin` on its desk. Whose default it was opens Now without filters."""
    await running(request).database.write(lambda conn, _: views.remove(conn, caller.principal, view))
    return Response(status_code=204)


@router.put(
    "/me/default-view",
    summary="Choose the default view",
    operation_id="set_default_view",
    status_code=204,
    response_class=Response,
    responses=problems(400, 401, 403, 404, 413, 415, 422),
)
async def set_default_view(request: Request, caller: Viewer, body: DefaultView) -> Response:
    """The view of the page `now` that `/` opens with for the caller, who must be a person."""

    def choose(conn: Connection, _: Micros) -> None:
        views.choose(conn, caller.principal, body.view)

    await running(request).database.write(_with_places(choose))
    return Response(status_code=204)


def _with_places(work: Callable[[Connection, Micros], T]) -> Callable[[Connection, Micros], T]:
    """The same work, whose faulty views are problems that name the place in the body."""

    def run(conn: Connection, now: Micros) -> T:
        try:
            return work(conn, now)
        except FaultyView as error:
            raise invalid([Place("body", f"/{error.place}", str(error))]) from error

    return run


def _view(view: View, who: Principal, chosen: str | None) -> dict[str, Any]:
    return {
        "id": view.id,
        "page": view.page,
        "name": view.name,
        "filters": view.filters,
        "desk": view.desk,
        "created_by": view.created_by,
        "default": view.id == chosen,
        "changeable": views.may_change(who, view),
        "created_at": instant_text(view.created_at),
        "changed_at": instant_text(view.changed_at),
    }
