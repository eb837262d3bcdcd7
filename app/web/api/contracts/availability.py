"""Availability: the uptime of services, their resources and contracts in a month or any span, each outage explained."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query.availability import AvailabilityLimits, AvailabilityQuestion
from app.flow.query.availability_list import uptime_page
from app.flow.query.contracts import UnknownContract
from app.principal import covers
from app.sla.period import PeriodFault
from app.sla.span import Micros, Span, length_of
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import Viewer, desks_for
from app.web.http.budget import budgeted
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

LONGEST: Final = timedelta(days=3653)
"""The longest span that can be asked for: ten years, as of every commitment."""

router = Router(prefix="/v1/availability", tags=["availability"])


class AvailabilitySpan(BaseModel):
    """A part of an outage that counts, or does not."""

    model_config = ConfigDict(populate_by_name=True)

    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    counted: bool
    reason: str = Field(examples=["hardware"])
    reason_detail: Detail = None


class AvailabilityOutage(BaseModel):
    """An outage as it concerns what is judged. Its spans are cut to the period and to the instant asked for."""

    model_config = ConfigDict(populate_by_name=True)

    reference: str | None
    service: str = Field(examples=["network"])
    resource: str | None = Field(description="null: the whole service was down")
    since: InstantOut = Field(alias="from")
    until: InstantOut | None = Field(alias="to", description="null while it lasts")
    cause: str | None = Field(description="null: not stated, which counts", examples=["hardware"])
    event: str = Field(description="the id of the event that started it")
    counted_seconds: float = Field(
        description="what overlaps with another outage counts once in the downtime"
    )
    spans: list[AvailabilitySpan]


class AnnouncedMaintenance(BaseModel):
    """A maintenance window. One that a later announcement replaced ends where that was made."""

    model_config = ConfigDict(populate_by_name=True)

    service: str = Field(examples=["network"])
    resource: str | None = Field(description="null: the whole service")
    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    announced_at: InstantOut
    emergency: bool
    counted: bool = Field(description="whether downtime within it counts")
    reason: str = Field(examples=["maintenance announced in time"])
    reason_detail: Detail = None
    event: str = Field(description="the id of the event that announced it")


class UptimeDay(BaseModel):
    """What a local day came to. The day of the instant asked for counts up to then."""

    date: str = Field(examples=["2026-11-27"])
    total_seconds: float = Field(description="the length of the whole day")
    downtime_seconds: float
    excluded_seconds: float


class Uptime(BaseModel):
    """The uptime of a service, a resource or a contract by one commitment. Seconds may have a fraction."""

    model_config = ConfigDict(populate_by_name=True)

    desk: str
    id: str = Field(examples=["network-uptime"])
    label: str
    kind: Literal["guarantee", "objective"]
    service: str | None = Field(description="null for a contract", examples=["network"])
    resource: str | None = Field(
        description="null: the service with all of its resources", examples=["srv-17"]
    )
    contract: str | None
    period: str | None = Field(description="null for a span of the query's own", examples=["2026-11"])
    since: InstantOut = Field(alias="from")
    until: InstantOut = Field(alias="to")
    target: str = Field(examples=["> 99.95%"])
    state: Literal["running", "kept", "breached", "none"] = Field(
        description="running until the period is over; none for a contract that is not valid in it, or has none of the "
        "services: neither kept nor broken, with the flag `not_covered`"
    )
    uptime: str = Field(
        description="per cent of the whole period, four decimals, rounded down", examples=["99.8634"]
    )
    total_seconds: float
    downtime_seconds: float = Field(description="what counts, up to the instant asked for")
    excluded_seconds: float = Field(description="all outages, less what counts")
    allowance_seconds: float = Field(description="the downtime that the period may have")
    remaining_seconds: float
    breached_at: InstantOut | None = Field(description="when the period could no longer be kept")
    next_at: InstantOut | None = Field(description="when something changes next though nothing is reported")
    outages: list[AvailabilityOutage]
    maintenance: list[AnnouncedMaintenance] = Field(
        description="windows of the period and, while it runs, those that lie ahead, as many as outages"
    )
    days: list[UptimeDay] | None = Field(
        None, description="with `days`: the last local days, each by the agreement of its month"
    )
    flags: list[str] = Field(examples=[["nothing_reported"]])


class UptimeList(BaseModel):
    """Uptimes, in the order of the agreement."""

    availability: list[Uptime]
    next: str | None = Field(None, description="the cursor of the objects that follow; null: there are none")


class AvailabilityQuery(BaseModel):
    """Which uptimes, of which time. Without `period` or `from` and `to`: the month of `at`."""

    model_config = ConfigDict(extra="forbid")

    desk: str | None = None
    id: str | None = Field(None, description="of one commitment")
    service: str | None = Field(None, description="compared without case")
    resource: str | None = Field(None, description="of one resource; empty: of whole services only")
    contract: str | None = Field(None, description="of one contract; name its desk too")
    period: str | None = Field(None, description="a month", examples=["2026-11"])
    since: InstantInQuery | None = Field(None, alias="from", description="of any span, with `to`")
    until: InstantInQuery | None = Field(None, alias="to")
    at: InstantInQuery | None = Field(None, description="the state at another instant; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was known then; default now")
    days: int | None = Field(
        None, ge=1, description="downtime by day too, of so many local days up to `at`", examples=[90]
    )

    cursor: str | None = Field(None, description="`next` of the answer before, with the same question")


@router.get(
    "",
    summary="Availability",
    operation_id="list_availability",
    response_model=UptimeList,
    responses=problems(401, 403, 404, 422),
)
async def list_availability(
    request: Request, caller: Viewer, wanted: Annotated[AvailabilityQuery, Query()]
) -> Response:
    """The uptimes of services and of each resource that a fact has named, or those of a contract, with their outages.

    Each is derived from the log when it is asked for. A service without facts is up, and marked `nothing_reported`. A
    contract is down while one of its services is, by outages that name none or one of its resources, on the days on
    which it is valid. An answer has so many objects; `next` goes on with those that follow.
    """
    parts = running(request)
    now = parts.database.now()
    question = _question(wanted, now, parts.settings.availability_days_max)
    limits = AvailabilityLimits(
        objects=parts.settings.availability_objects_max, outages=parts.settings.availability_outages_max
    )
    asked = desks_for(caller, wanted.desk)

    def find(conn: Connection) -> dict[str, Any]:
        known = sorted(parts.catalogue.desks(conn))
        desks = [wanted.desk] if wanted.desk is not None else [each for each in known if covers(asked, each)]
        page = uptime_page(conn, parts.catalogue, desks, question, limits, wanted.cursor)
        return {"availability": page.documents, "next": page.next}

    try:
        return Json(await parts.database.read_replicated(budgeted(parts.settings, find)))
    except UnknownDesk as error:
        raise not_found("desk", str(wanted.desk)) from error
    except UnknownContract as error:
        raise not_found("contract", f"{wanted.desk}/{wanted.contract}") from error
    except PeriodFault as error:
        raise invalid([Place("query", "period", str(error))]) from error


def _question(wanted: AvailabilityQuery, now: Micros, most_days: int) -> AvailabilityQuestion:
    """The question that a query asks. Raises Problem."""
    faults: list[Place] = []
    span: Span | None = None
    if wanted.contract is not None and wanted.desk is None:
        faults.append(Place("query", "desk", "is missing: a contract belongs to a desk"))
    if wanted.as_of is not None and wanted.as_of > now:
        faults.append(Place("query", "as_of", "lies ahead: nothing is known of then"))
    if wanted.since is not None or wanted.until is not None:
        faults += _faults_of_span(wanted)
        if not faults and wanted.since is not None and wanted.until is not None:
            span = Span(wanted.since, wanted.until)
    if wanted.days is not None and wanted.days > most_days:
        limit = f"is more than {most_days}, the limit SLATIMER_AVAILABILITY_DAYS_MAX"
        faults.append(Place("query", "days", limit))
    furthest = now + length_of(LONGEST)
    if max(wanted.at or 0, wanted.until or 0) > furthest:
        faults.append(Place("query", "to" if wanted.until else "at", "is more than ten years ahead"))
    if faults:
        raise invalid(faults)
    return AvailabilityQuestion(
        now=now,
        id=wanted.id,
        service=wanted.service,
        resource=wanted.resource,
        contract=wanted.contract,
        period=wanted.period,
        span=span,
        at=wanted.at,
        as_of=wanted.as_of,
        days=wanted.days,
    )


def _faults_of_span(wanted: AvailabilityQuery) -> list[Place]:
    if wanted.period is not None:
        return [Place("query", "period", "cannot go with `from` and `to`: ask for one of them")]
    if wanted.since is None or wanted.until is None:
        missing = "from" if wanted.since is None else "to"
        return [Place("query", missing, "is missing: a span has both `from` and `to`")]
    if wanted.until <= wanted.since:
        return [Place("query", "to", "must be after `from`")]
    if wanted.until - wanted.since > length_of(LONGEST):
        return [Place("query", "to", "is more than ten years after `from`: ask for a shorter span")]
    return []
