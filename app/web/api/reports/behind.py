"""The clocks behind a figure of a report: the list that its row's `tickets` leads to."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.query.reports import ReportKind, clocks_behind
from app.flow.query.serialize import instant_text, seconds
from app.sla.report.figures import LateCause
from app.sla.report.measure import SPLITS, Measure, Outcome, ReportedClock, Value
from app.web.api.reports.asked import SpanQuery, answered, asked
from app.web.api.tickets.ticket_view import CommitmentKind
from app.web.http.access import Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/reports", tags=["reports"])

_BY_FIELD: Final = "the split's value; empty: none"


Pause = Literal["", "new", "open", "pending", "on_hold", "solved", "closed", "exclusion"]


class Of(StrEnum):
    """Which figure of a heatmap."""

    STARTS = "starts"
    BREACHES = "breaches"


class BehindQuery(SpanQuery):
    """Which clocks: the span of a row, the values of its split, and what else it is about."""

    kind: CommitmentKind | None = None
    commitment: str | None = None
    plan: str | None = Field(None, description=_BY_FIELD)
    level: str | None = Field(None, description=_BY_FIELD)
    priority: str | None = Field(None, description=_BY_FIELD)
    queue: str | None = Field(None, description=_BY_FIELD)
    assignee: str | None = Field(None, description=_BY_FIELD)
    group: str | None = Field(None, description=_BY_FIELD)
    customer: str | None = Field(None, description=_BY_FIELD)
    service: str | None = Field(None, description=_BY_FIELD)
    outcome: Outcome | None = Field(None, description="of attainment")
    tenth: int | None = Field(
        None, ge=0, le=10, description="of usage: 0 is less than 10 % of the target, 10 all of it"
    )
    of: Of | None = Field(None, description="of the heatmap; `starts` if left out")
    weekday: int | None = Field(None, ge=1, le=7, description="of the heatmap, with `hour`")
    hour: int | None = Field(None, ge=0, le=23, description="of the heatmap and of breaches")
    cause: LateCause | None = Field(None, description="of breaches")
    first_pause: Pause | None = Field(None, description="of breaches; empty: not paused before")
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class BehindClock(BaseModel):
    """One clock that the figure counts. Durations are whole seconds, rounded down."""

    ticket: str
    url: str = Field(description="the address of the ticket's view")
    commitment: str
    kind: CommitmentKind
    started_at: InstantOut | None
    ended_at: InstantOut | None
    breached_at: InstantOut | None
    outcome: Literal["met", "missed", "excluded"] | None = Field(description="null while it goes on")
    counted_seconds: int | None = Field(description="null while it goes on")
    target_seconds: int | None = Field(description="null while it goes on, or where it never started")
    cause: str | None = Field(description="why it was late")
    first_pause: str | None = Field(description="why it paused first before it was late")


class BehindPage(BaseModel):
    """A page of the clocks behind a figure, by the instant by which the report counts them."""

    clocks: list[BehindClock]
    next: str | None = Field(description="the cursor of the next page; null on the last")


_OWN: Final[Mapping[ReportKind, frozenset[str]]] = {
    ReportKind.ATTAINMENT: frozenset({"outcome"}),
    ReportKind.USAGE: frozenset({"tenth"}),
    ReportKind.HEATMAP: frozenset({"of", "weekday", "hour"}),
    ReportKind.BREACHES: frozenset({"hour", "cause", "first_pause"}),
}
"""The parameters that only some reports have, by report."""
_ALL_OWN: Final = frozenset[str]().union(*_OWN.values())


@router.get(
    "/{report}/tickets",
    summary="Tickets behind a figure",
    response_model=BehindPage,
    responses=problems(401, 403, 404, 410, 422),
)
async def list_tickets_of_report(
    request: Request,
    caller: Viewer,
    report: Annotated[ReportKind, Path(description="the report")],
    wanted: Annotated[BehindQuery, Query()],
) -> Response:
    """The clocks that a row of a report counts, each with its ticket: as many as the row's figures add up to.

    A row's `tickets` has the parameters. A ticket with several clocks of the kind, as for each of its replies, is listed
    once for each.
    """
    parts = running(request)
    what = asked(request, caller, wanted, None, None)
    measure, filters = _measure(report, wanted), _filters(report, wanted)
    limit = parts.settings.entries_on_page(wanted.limit)
    found, following = await answered(
        request,
        wanted,
        lambda conn: clocks_behind(
            conn, parts.catalogue, parts.settings, measure, what, filters, wanted.cursor, limit
        ),
    )
    return Json({"clocks": [_clock(wanted.desk, each) for each in found], "next": following})


def _measure(report: ReportKind, wanted: BehindQuery) -> Measure:
    match report:
        case ReportKind.ATTAINMENT:
            return Measure.OUTCOMES
        case ReportKind.USAGE:
            return Measure.SHARES
        case ReportKind.HEATMAP:
            return Measure.LATE_HOURS if wanted.of is Of.BREACHES else Measure.STARTS
        case ReportKind.BREACHES:
            return Measure.BREACHES


def _filters(report: ReportKind, wanted: BehindQuery) -> dict[str, Value]:
    """What the clocks must have, by name. Raises Problem for a parameter that the report does not have."""
    given = {
        name: getattr(wanted, name)
        for name in (*SPLITS, "kind", *_ALL_OWN)
        if name in wanted.model_fields_set
    }
    if foreign := sorted(given.keys() & _ALL_OWN - _OWN[report]):
        raise invalid(
            [Place("query", name, f"is no parameter of the report {report.value}") for name in foreign]
        )
    if report is ReportKind.HEATMAP:
        given.pop("of", None)
        weekday, hour = given.pop("weekday", None), given.pop("hour", None)
        if (weekday is None) != (hour is None):
            raise invalid([Place("query", "weekday", "goes with `hour`: give both, or neither")])
        if weekday is not None and hour is not None:
            given["hour_of_week"] = (weekday - 1) * 24 + hour
    return {name: _wanted(value) for name, value in given.items()}


def _wanted(value: Any) -> Value:
    """What a parameter asks for: an empty one for those that have none."""
    return value.value if isinstance(value, StrEnum) else None if value == "" else value


def _clock(desk: str, clock: ReportedClock) -> dict[str, Any]:
    figures = clock.figures
    return {
        "ticket": clock.ticket,
        "url": f"/v1/tickets/{quote(desk, safe='')}/{quote(clock.ticket, safe='')}",
        "commitment": clock.commitment,
        "kind": clock.kind,
        "started_at": instant_text(figures.started_at),
        "ended_at": instant_text(figures.ended_at),
        "breached_at": instant_text(clock.breached_at),
        "outcome": None if figures.ended_at is None else clock.outcome.value,
        "counted_seconds": seconds(figures.counted),
        "target_seconds": seconds(figures.target_length),
        "cause": figures.late_cause,
        "first_pause": figures.first_pause,
    }
