"""Breaches, missed objectives and lapsed deadlines as recorded, and their acknowledgements.

The list leaves retracted ones out unless they are asked for, and marks them.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.flow.query import tickets
from app.flow.query.breaches import BreachFilters, all_breaches, costs_by_breach
from app.flow.query.serialize import instant_text
from app.intake.data_fields import Visible
from app.principal import Desks
from app.sla.credit.line import Line
from app.store.engine.database import Connection
from app.store.tickets import breaches
from app.store.tickets.breaches import Breach
from app.web.api.reports.table import FILES, Format, in_format
from app.web.api.tickets.breach_table import breach_table
from app.web.api.tickets.signals import Signal
from app.web.api.tickets.ticket_view import CommitmentKind, State
from app.web.http.access import Acknowledger, Viewer, desks_for
from app.web.http.budget import budgeted
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/breaches", tags=["breaches"])


class Acknowledgement(BaseModel):
    """A person has seen the breach."""

    author: str
    note: str | None
    at: InstantOut


class BreachView(BaseModel):
    """A breach, a missed objective or a lapsed deadline. `open`: its clock still goes on and it is not retracted."""

    id: str
    kind: Literal[
        "clock.breached", "clock.missed", "clock.lapsed", "availability.breached", "average.breached"
    ]
    desk: str
    ticket: str | None = Field(description="null where the subject is no ticket")
    subject: str = Field(description="the ticket's id, or as in `service:web`", examples=["4711"])
    service: str | None = Field(description="the service whose uptime it is; null for a clock")
    resource: str | None = Field(description="its resource; null for the whole service")
    period: str | None = Field(
        description="the month that was judged; null for a clock", examples=["2026-11"]
    )
    commitment: str
    cycle: int | None = Field(description="the number of the clock; null for what has none")
    commitment_kind: CommitmentKind
    at: InstantOut = Field(description="when it was late, corrected where the record was")
    detected_at: InstantOut
    retracted_at: InstantOut | None = Field(description="when it was retracted")
    state: State | None = Field(description="the state of its clock now; null for what has none")
    open: bool
    acknowledgement: Acknowledgement | None
    signal: Signal = Field(description="as it was recorded")


class BreachPage(BaseModel):
    """A page of breaches, the latest first."""

    breaches: list[BreachView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class BreachListQuery(BaseModel):
    """Which breaches: at or after `from` and before `to`."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None
    since: InstantInQuery | None = Field(None, alias="from")
    until: InstantInQuery | None = Field(None, alias="to")
    open: bool | None = Field(None, description="whether the clock still goes on")
    retracted: bool = Field(default=False, description="retracted ones too, with `retracted_at`")
    acknowledged: bool | None = Field(None, description="whether a person has acknowledged it")
    commitment: str | None = None
    kind: CommitmentKind | None = Field(None, description="the kind of the commitment")
    assignee: str | None = Field(None, description="of the ticket as it is now, as the fields that follow")
    group: str | None = None
    customer: str | None = None
    q: str | None = Field(
        None, max_length=200, description="searched in title, number, customer and organisation of the ticket"
    )
    format: Format | None = Field(
        None, description="`csv` or `xlsx`: the whole list as a file, without pages"
    )
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class Seen(BaseModel):
    """Who has seen the breach, with a note."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"author": "Ann", "note": "Calling them now"}]},
    )

    author: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), Visible]
    note: Annotated[str, StringConstraints(max_length=2_000)] | None = None


@router.get(
    "",
    summary="List breaches",
    response_model=BreachPage,
    responses=FILES | problems(401, 403, 404, 422),
)
async def list_breaches(
    request: Request, caller: Viewer, wanted: Annotated[BreachListQuery, Query()]
) -> Response:
    """What was late, the latest first, with who has seen it.

    A breach that was retracted, because a fact came late or was withdrawn, is left out. With `retracted=true` it is
    listed too. As a file the list has no pages: it has all that match, up to SLATIMER_REPORT_ROWS_MAX. Its last
    columns are the total of the credits that a breach has caused, without those refused, lapsed or withdrawn, their
    currency and their states. A credit that several breaches have caused is in the row of each.
    """
    parts = running(request)
    filters = _filters(desks_for(caller, wanted.desk), wanted)
    if wanted.format not in (None, Format.JSON):
        return await _file(parts, filters, wanted.format)
    limit = parts.settings.entries_on_page(wanted.limit)
    page = await parts.database.read_replicated(
        lambda conn: tickets.breaches_page(conn, filters, wanted.cursor, limit)
    )
    return Json({"breaches": [_breach(each) for each in page.items], "next": page.next})


def _filters(desks: Desks, wanted: BreachListQuery) -> BreachFilters:
    return BreachFilters(
        desks,
        wanted.since,
        wanted.until,
        wanted.open,
        wanted.retracted,
        wanted.acknowledged,
        wanted.commitment,
        wanted.kind,
        wanted.assignee,
        wanted.group,
        wanted.customer,
        wanted.q,
    )


async def _file(parts: WebRuntime, filters: BreachFilters, chosen: Format) -> Response:
    """All breaches that match as a file. Raises Problem where they are too many."""
    most = parts.settings.report_rows_max
    now = parts.database.now()

    def read(conn: Connection) -> tuple[list[Breach], Mapping[str, Sequence[Line]]] | None:
        found = all_breaches(conn, filters, most)
        return None if found is None else (found, costs_by_breach(conn, parts.catalogue, found, now))

    found = await parts.database.read_replicated(budgeted(parts.settings, read))
    if found is None:
        reason = (
            f"leaves more than {most} breaches, the limit SLATIMER_REPORT_ROWS_MAX. Ask for a shorter span"
        )
        raise invalid([Place("query", "from", reason)])
    return await run_in_threadpool(lambda: in_format(breach_table(*found), chosen))


@router.post(
    "/{breach_id}/acknowledgement",
    summary="Acknowledge a breach",
    response_model=BreachView,
    responses=problems(400, 401, 403, 404, 413, 422),
)
async def acknowledge_breach(
    request: Request,
    caller: Acknowledger,
    breach_id: Annotated[str, Path(description="the id of its signal", examples=["sig_…"])],
    seen: Seen,
) -> Response:
    """Records that a person has seen a breach. The first acknowledgement stays; a further one changes nothing.

    Of a person who is signed in, it has the name of that person, whatever `author` is.
    """

    def note(conn: Connection, now: int) -> Breach | None:
        found = breaches.breach(conn, breach_id)
        if found is None or not caller.sees(found.desk):
            return None
        author = caller.principal.signs(seen.author)
        return tickets.acknowledge(conn, breach_id, author, seen.note, now)

    found = await running(request).database.write(note)
    if found is None:
        raise not_found("breach", breach_id)
    return Json(_breach(found))


def _breach(breach: Breach) -> dict[str, Any]:
    recorded = orjson.loads(breach.body)
    seen = breach.acknowledgement
    return {
        "id": breach.id,
        "kind": recorded["kind"],
        "desk": breach.desk,
        "ticket": breach.subject.ticket,
        "subject": breach.subject.text,
        "service": recorded.get("service"),
        "resource": recorded.get("resource"),
        "period": recorded.get("period"),
        "commitment": recorded["commitment"],
        "cycle": recorded["cycle"],
        "commitment_kind": recorded["commitment_kind"],
        "at": instant_text(breach.true_at),
        "detected_at": instant_text(breach.detected_at),
        "retracted_at": instant_text(breach.retracted_at),
        "state": breach.clock_state,
        "open": breach.is_open,
        "acknowledgement": seen and {"author": seen.author, "note": seen.note, "at": instant_text(seen.at)},
        "signal": recorded,
    }
