"""Simulations over HTTP: started in one request, followed and read in others, cancelled in a last one."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileFault, FileKind, document_of
from app.flow.importing.contracts import read_toml
from app.flow.query.serialize import instant_text
from app.flow.simulation.draft import CHANGES_PATH, ContractDocument, Draft, Question, sides_of
from app.flow.simulation.supervisor import AnotherRuns
from app.intake.importing.unreadable import UnusableLog
from app.settings import Settings
from app.sla.calendar.zone import zone
from app.sla.span import Micros, Span, length_of
from app.store.audit import acting
from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.simulations import SimulationState, StoredSimulation
from app.web.api.contracts.faults import invalid_contracts
from app.web.api.desks.desk_document import LARGEST
from app.web.http.access import Caller, Viewer, must_see
from app.web.http.day import DayOrInstant
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Place, Problem, invalid, not_found, pointer, problems
from app.web.http.responses import Json
from app.web.http.routing import Router, limited_to
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/simulations", tags=["simulations"])

FLIPS_MAX: Final = 1_000
"""Flips of one page."""
_FLIPS: Final = 100

Text = dict[str, Any] | str


class NewSimulation(BaseModel):
    """What is to be judged again, and by what. Without a draft each ticket is judged by what judged it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "desk": "phpnet",
                "from": "2026-10-01",
                "to": "2026-11-01",
                "changes": {"levels.example-1.gti": "8h", "calendars.desk.hours.sat-sun": []},
            }
        },
    )

    desk: str = Field(examples=["phpnet"])
    since: DayOrInstant = Field(
        alias="from", description="tickets created from then on; a date is its beginning in the desk's zone"
    )
    until: DayOrInstant = Field(alias="to", description="up to then, when all of them are judged")
    changes: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="single changes of the drafts, else of the version in force; null removes a key",
        examples=[{"commitments.gti.target": "8h", "calendars.desk.hours.sat": []}],
    )
    agreement: Text | None = Field(None, description="a draft of the agreement file, as TOML or JSON")
    calendars: Text | None = Field(None, description="a draft of the desk's calendar file, as TOML or JSON")
    contracts: list[dict[str, Any]] | dict[str, dict[str, Any]] | str | None = Field(
        None, description="drafts of contracts: a list, an object by id, or TOML with `[contracts.ID]`"
    )


class SimulationStarted(BaseModel):
    """A simulation that was started."""

    id: str


class SimulatedClocks(BaseModel):
    """The clocks of a commitment at the end of the span."""

    clocks: int
    met: int
    missed: int
    running: int
    awaiting: int
    cancelled: int
    overdue_seconds: int = Field(description="real time past the due dates, of all clocks together")


class ComparedClocks(BaseModel):
    """As it was, and under the draft."""

    before: SimulatedClocks
    after: SimulatedClocks


class FlipSide(BaseModel):
    """A clock on one side. Where there is none, everything but the verdict and its explanation is null."""

    verdict: Literal["met", "missed", "running", "awaiting", "cancelled", "absent"]
    met: bool | None
    started_at: InstantOut | None
    due_at: InstantOut | None
    stopped_at: InstantOut | None
    counted_seconds: int | None
    target: str | None
    calendar: str | None
    explanation: str


class Flip(BaseModel):
    """A clock whose verdict differs, and is met or missed on one of the sides."""

    ticket: str
    commitment: str
    cycle: int
    before: FlipSide
    after: FlipSide


class SpanCredits(BaseModel):
    """What contracts are credited for the span, in one currency."""

    currency: str
    before: str
    after: str


class ShareTargets(BaseModel):
    """The targets that would have been kept in 90, 95 and 99 % of the cases; null where too many never ended."""

    cases: int = Field(description="clocks that were met or missed")
    p90: str | None = Field(description="as an agreement file takes it", examples=["6h12m"])
    p90_seconds: int | None
    p95: str | None
    p95_seconds: int | None
    p99: str | None
    p99_seconds: int | None


class KeptTargets(ShareTargets):
    """The same by the weekday on which the clock started, in the desk's zone."""

    weekdays: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ShareTargets]


class BestHour(BaseModel):
    """The hour of the week outside of opening in which an answer would have saved most missed clocks."""

    calendar: str = Field(examples=["phpnet/desk"])
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    since: str = Field(alias="from", examples=["19:00"])
    until: str = Field(alias="to", examples=["20:00"])
    saved: int = Field(
        description="missed clocks that were running when this hour began, before they were late"
    )
    missed: int


class SimulationResult(BaseModel):
    """What a simulation came to."""

    at: InstantOut = Field(description="when the tickets are judged: the end of the span")
    as_of: InstantOut = Field(description="no event received later counts")
    tickets: int
    tickets_without_events: int = Field(description="left out, since their events are no longer kept")
    tickets_not_judged: list[str] = Field(
        description="left out, since they cannot be evaluated; the first 200"
    )
    commitments: dict[str, ComparedClocks]
    flips: list[Flip]
    flips_next: str | None = Field(description="the `cursor` of the next page of flips; null at the end")
    flips_in_all: int = Field(
        description="also those beyond SLATIMER_SIMULATION_FLIPS_MAX, which are not listed"
    )
    credits: list[SpanCredits]
    targets: dict[str, KeptTargets] = Field(description="counted in the calendars of the draft")
    best_hour: BestHour | None = Field(description="under the draft; null where no hour would have saved any")


class SimulationOutline(BaseModel):
    """A simulation without its result."""

    id: str
    desk: str
    state: SimulationState
    progress: float = Field(description="from 0 to 1", examples=[0.42])
    reason: str | None = Field(description="why it failed or was cancelled")
    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    changes: dict[str, Any]
    drafts: list[Literal["agreement", "calendars", "contracts"]]
    author: str | None
    created_at: InstantOut
    ended_at: InstantOut | None


class SimulationView(SimulationOutline):
    """A simulation, and its result once it is done."""

    result: SimulationResult | None


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
    draft = await asyncio.to_thread(_draft, asked, parts.settings)
    now = parts.database.now()
    in_force = await parts.database.read(lambda conn: parts.catalogue.in_force(conn, asked.desk, at=now))
    span = _span(asked, in_force.agreement.time_zone, parts.settings)
    question = Question(asked.desk, span, now, draft)
    try:
        await parts.database.read(lambda conn: sides_of(conn, parts.catalogue, question))
        started = await parts.simulations.start(question, acting.get().who)
    except FaultyFiles as error:
        raise invalid(_place(asked.changes, fault) for fault in error.faults) from error
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


def _draft(asked: NewSimulation, settings: Settings) -> Draft:
    """The draft of a request. Raises Problem."""
    places: list[Place] = []
    most = settings.simulation_changes_max
    if len(asked.changes) > most:
        wrong = (
            f"has more than {most} changes, the limit SLATIMER_SIMULATION_CHANGES_MAX. Send a file instead"
        )
        places.append(Place("body", "/changes", wrong))
    if (wrong := _unstorable(asked.changes)) is not None:
        places.append(Place("body", "/changes", wrong))
    files = [
        file
        for name, kind in (("agreement", FileKind.AGREEMENT), ("calendars", FileKind.CALENDARS))
        if (file := _file(asked, name, kind, places)) is not None
    ]
    contracts = _contracts(asked.contracts, places)
    if len(contracts) > settings.contract_import_max:
        wrong = f"has more than {settings.contract_import_max} terms, the limit SLATIMER_CONTRACT_IMPORT_MAX"
        places.append(Place("body", "/contracts", wrong))
    if places:
        raise invalid(places)
    return Draft(files, contracts, asked.changes)


def _unstorable(value: object) -> str | None:
    """Why a value cannot be stored, if it cannot."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        return f"cannot be stored: {error}"
    return None


def _file(asked: NewSimulation, name: str, kind: FileKind, places: list[Place]) -> DeskFile | None:
    given: Text | None = getattr(asked, name)
    if given is None:
        return None
    if isinstance(given, dict):
        if (wrong := _unstorable(given)) is not None:
            places.append(Place("body", pointer([name]), wrong))
        return DeskFile(name, asked.desk, kind, given, "")
    if len(given) > LARGEST:
        places.append(Place("body", pointer([name]), f"has more than {LARGEST:,} characters"))
        return None
    try:
        return DeskFile(name, asked.desk, kind, document_of(given), given)
    except ValueError as error:
        places.append(Place("body", pointer([name]), f"is not TOML: {error}"))
        return None


def _contracts(
    given: list[dict[str, Any]] | dict[str, dict[str, Any]] | str | None, places: list[Place]
) -> list[ContractDocument]:
    """The contracts' documents, each with its place as a JSON pointer."""
    if given is None:
        return []
    if isinstance(given, str):
        try:
            return [("/contracts", document) for _, document in read_toml(given.encode()).documents]
        except (UnusableLog, UnicodeEncodeError) as error:
            places.append(Place("body", "/contracts", str(error)))
            return []
    if (wrong := _unstorable(given)) is not None:
        places.append(Place("body", "/contracts", wrong))
        return []
    if isinstance(given, list):
        return [(pointer(["contracts", str(number)]), each) for number, each in enumerate(given)]
    return [(pointer(["contracts", name]), {"id": name} | each) for name, each in given.items()]


def _span(asked: NewSimulation, zone_name: str, settings: Settings) -> Span:
    start, end = (_instant(each, zone_name) for each in (asked.since, asked.until))
    longest = settings.simulation_span_max
    if end <= start:
        raise invalid([Place("body", "/to", "must be later than `from`")])
    if end - start > length_of(longest):
        wrong = f"is more than {longest.days} days after `from`, the limit SLATIMER_SIMULATION_SPAN_MAX"
        raise invalid([Place("body", "/to", wrong)])
    return Span(start, end)


def _instant(given: Micros | date, zone_name: str) -> Micros:
    if not isinstance(given, date):
        return given
    return max(0, zone(zone_name).end_of_day(date.fromordinal(given.toordinal() - 1)))


def _place(changes: Mapping[str, Any], found: FileFault) -> Place:
    """A fault by the change or the draft that has it."""
    fault = found.fault
    steps = [found.path]
    if found.path == CHANGES_PATH:
        near = (key for key in changes if _is_about(key, fault.place))
        steps += [key] if (key := next(near, None)) is not None else []
    line = "" if found.line is None else f"line {found.line}: "
    return Place("body", pointer(steps), f"{fault.place}: {line}{fault.wrong}. {fault.right}")


def _is_about(key: str, place: str) -> bool:
    return place == key or place.startswith(f"{key}.") or key.startswith(f"{place}.")


def outline(found: StoredSimulation) -> dict[str, Any]:
    """A simulation without its result as JSON."""
    question = found.question
    drafts = [file["kind"] for file in question["files"]]
    return {
        "id": found.id,
        "desk": found.desk,
        "state": found.state.value,
        "progress": found.progress,
        "reason": found.reason,
        "from": instant_text(question["from"]),
        "to": instant_text(question["to"]),
        "changes": question["changes"],
        "drafts": [*drafts, *(["contracts"] if question["contracts"] else [])],
        "author": found.author,
        "created_at": instant_text(found.created_at),
        "ended_at": instant_text(found.ended_at),
    }
