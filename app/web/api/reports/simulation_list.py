"""The list of simulations, the latest first."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.simulations import StoredSimulation
from app.web.api.reports.simulation_view import SimulationOutline, outline
from app.web.http.access import Viewer, desks_for
from app.web.http.problems import problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/simulations", tags=["simulations"])


class SimulationPage(BaseModel):
    """A page of simulations, the latest first."""

    simulations: list[SimulationOutline]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class SimulationsQuery(BaseModel):
    """Which simulations."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = Field(None, description="only this desk")
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="simulations on the page")


@router.get(
    "", summary="List simulations", response_model=SimulationPage, responses=problems(401, 403, 404, 422)
)
async def list_simulations(
    request: Request, caller: Viewer, wanted: Annotated[SimulationsQuery, Query()]
) -> Response:
    """Those that run and those that have ended, the latest first, without their results.

    A desk keeps the last SLATIMER_SIMULATIONS_KEPT_MAX, for SLATIMER_KEEP_SIMULATIONS.
    """
    parts = running(request)
    desks = desks_for(caller, wanted.desk)
    limit = parts.settings.entries_on_page(wanted.limit)
    before = None if wanted.cursor is None else key_of(wanted.cursor, int, str)

    def read(conn: Connection) -> list[StoredSimulation]:
        return simulations.listed(conn, desks, before, limit + 1)

    found = await parts.database.read(read)
    shown = [outline(parts.simulations.seen(each)) for each in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else cursor_of(last.created_at, last.id)
    return Json({"simulations": shown, "next": following})
