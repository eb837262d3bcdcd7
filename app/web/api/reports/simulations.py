"""Simulations over HTTP: started in one request, followed and read in others, cancelled in a last one."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.desk_files import FaultyFiles
from app.flow.simulation.draft import Question, sides_of
from app.flow.simulation.supervisor import AnotherRuns
from app.store.audit import acting
from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.simulations import StoredSimulation
from app.web.api.contracts.faults import invalid_contracts
from app.web.api.reports.simulation_request import NewSimulation, draft_of, place_of, span_of
from app.web.api.reports.simulation_view import SimulationView, outline
from app.web.http.access import Caller, Viewer, must_see
from app.web.http.problems import Kind, Problem, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router, limited_to
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/simulations", tags=["simulations"])

FLIPS_MAX: Final = 1_000
"""Flips of one page."""
_FLIPS: Final = 100


class SimulationStarted(BaseModel):
    """A simulation that was started."""

    id: str


class PageOfFlips(BaseModel):
    """Which flips of the result."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, description="`flips_next` of the page before")
    limit: int = Field(_FLIPS, ge=1, le=FLIPS_MAX)


SimulationId = Annotated[str, Path(description="the id of the simulation")]


@router.post(
    "",
    summary="Start a simulation",
    status_code=202,
    response_model=SimulationStarted,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
)
@limited_to(lambda settings: settings.max_body_size)
async def start_simulation(request: Request, caller: Viewer, asked: NewSimulation) -> Response:
    """Judge the tickets created within a span twice, as they were and under a draft: other targets, hours, holidays or
    contracts.

    The draft is checked as a `PUT` of the same would be, and refused with every fault. It then judges every ticket of
    the span, whichever version judged it before. Nothing is written but the result. It runs in a process of its own,
    one at a time per desk: 409 while another runs. `to` may lie ahead: then as if nothing more happened until then.
    """
    parts = running(request)
    must_see(caller, asked.desk)
    draft = await asyncio.to_thread(draft_of, asked, parts.settings)
    now = parts.database.now()
    in_force = await parts.database.read(lambda conn: parts.catalogue.in_force(conn, asked.desk, at=now))
    span = span_of(asked, in_force.agreement.time_zone, parts.settings)
    question = Question(asked.desk, span, now, draft)
    try:
        await parts.database.read(lambda conn: sides_of(conn, parts.catalogue, question))
        started = await parts.simulations.start(question, acting.get().who)
    except FaultyFiles as error:
        raise invalid(place_of(asked.changes, fault) for fault in error.faults) from error
    except FaultyContracts as error:
        raise invalid_contracts(error) from error
    except AnotherRuns as error:
        raise Problem(Kind.CONFLICT, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    return Json({"id": started}, 202, {"Location": f"{router.prefix}/{started}"})


@router.get(
    "/{simulation}",
    summary="Show a simulation",
    response_model=SimulationView,
    responses=problems(401, 403, 404, 422),
)
async def show_simulation(
    request: Request, caller: Viewer, simulation: SimulationId, wanted: Annotated[PageOfFlips, Query()]
) -> Response:
    """How far it is and, once it is done, what it came to. The flips come in pages: `flips_next` is the next `cursor`.

    Results are removed after SLATIMER_KEEP_SIMULATIONS, and the oldest when a desk has too many.
    """
    parts = running(request)
    after = -1 if wanted.cursor is None else int(key_of(wanted.cursor, int)[0])

    def find(conn: Connection) -> dict[str, Any]:
        found = parts.simulations.seen(_found_for(conn, caller, simulation))
        view = outline(found) | {"result": None}
        if found.result is not None:
            flips, last = simulations.flips(conn, simulation, after, wanted.limit)
            following = None if last is None else cursor_of(last)
            view["result"] = found.result | {"flips": flips, "flips_next": following}
        return view

    return Json(await parts.database.read(find))


@router.delete(
    "/{simulation}", summary="Cancel a simulation", status_code=204, responses=problems(401, 403, 404)
)
async def cancel_simulation(request: Request, caller: Viewer, simulation: SimulationId) -> Response:
    """End a simulation that is running. One that has ended stays as it is, with its result."""
    parts: WebRuntime = running(request)
    found = await parts.database.read(lambda conn: _found_for(conn, caller, simulation))
    await parts.simulations.cancel(found.desk, simulation)
    return Response(status_code=204)


def _found_for(conn: Connection, caller: Caller, simulation: str) -> StoredSimulation:
    """The simulation. Raises the same problem for one that the key may not see as for one that does not exist."""
    found = simulations.find(conn, simulation)
    if found is None or not caller.sees(found.desk):
        raise not_found("simulation", simulation)
    return found
