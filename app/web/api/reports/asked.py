"""What a request asks of a report: its span, periods and split, and the problems of what cannot be asked."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.flow.query.report_scope import Answer, Asked, NamesAreOff
from app.sla.report.cut import By
from app.sla.report.measure import SPLITS
from app.sla.span import Micros, Span, length_of
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.api.reports.table import Format, Table, chosen_format, in_format
from app.web.http.access import Caller, must_see
from app.web.http.budget import budgeted
from app.web.http.instant import InstantInQuery
from app.web.http.kept_reports import keep_figures
from app.web.http.problems import Place, invalid, not_found
from app.web.http.running import running

T = TypeVar("T")

EARLIEST: Final[Micros] = 0
"""1970: no ticket system is older."""

SPLIT_TEXT: Final = "of " + ", ".join(f"`{name}`" for name in SPLITS) + ", with commas"


class SpanQuery(BaseModel):
    """A desk, the span from `from` up to `to`, and what was known when."""

    model_config = ConfigDict(extra="forbid")

    desk: str = Field(examples=["haisoft"])
    since: InstantInQuery = Field(alias="from", description="the first instant of the report")
    until: InstantInQuery = Field(alias="to", description="the first instant after it")
    as_of: InstantInQuery | None = Field(
        None, description="by the events received and the versions applied by then; now, if left out"
    )


class ReportQuery(SpanQuery):
    """Which report, and how it is written."""

    by: By | None = Field(
        None, description="days, ISO weeks or months of the desk's zone; one period if left out"
    )
    split: str | None = Field(None, description=SPLIT_TEXT, examples=["commitment,plan"])
    format: Format | None = Field(None, description="instead of the header `Accept`")


FILTERED: Final = "count only those with this value of the split; empty: those with none"
_Only = Annotated[str | None, Field(max_length=1000)]


class ClockReportQuery(ReportQuery):
    """Which report of tickets, and which of them it counts."""

    commitment: _Only = Field(None, description=FILTERED)
    plan: _Only = Field(None, description=FILTERED)
    level: _Only = Field(None, description=FILTERED)
    priority: _Only = Field(None, description=FILTERED)
    queue: _Only = Field(None, description=FILTERED)
    assignee: _Only = Field(None, description=FILTERED)
    group: _Only = Field(None, description=FILTERED)
    customer: _Only = Field(None, description=FILTERED)
    service: _Only = Field(None, description=FILTERED)


def asked(
    request: Request,
    caller: Caller,
    wanted: SpanQuery,
    by: By | None,
    split: str | None,
    allowed: Sequence[str] = SPLITS,
) -> Asked:
    """What is asked; `allowed`: the fields by which the report is split. Raises Problem."""
    parts = running(request)
    must_see(caller, wanted.desk)
    now = parts.database.now()
    longest = parts.settings.report_span_max
    places: list[Place] = []
    if wanted.since < EARLIEST:
        places.append(Place("query", "from", "lies before 1970"))
    if wanted.until <= wanted.since:
        places.append(Place("query", "to", "must be later than `from`"))
    elif wanted.until - wanted.since > length_of(longest):
        places.append(
            Place(
                "query",
                "to",
                f"is more than {longest.days} days after `from`, the limit SLATIMER_REPORT_SPAN_MAX",
            )
        )
    splits, wrong = _splits(split, allowed, parts.settings.report_splits_max)
    if wrong is not None:
        places.append(Place("query", "split", wrong))
    if places:
        raise invalid(places)
    # As of now or later is what is stored: nothing else is known yet.
    as_of = None if wanted.as_of is None or wanted.as_of >= now else wanted.as_of
    only = _only(wanted, allowed) if isinstance(wanted, ReportQuery) else ()
    return Asked(wanted.desk, Span(wanted.since, wanted.until), now, by, splits, as_of, only)


def _only(wanted: ReportQuery, allowed: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """The filters of a report, by names of splits."""
    return tuple((name, getattr(wanted, name) or None) for name in allowed if name in wanted.model_fields_set)


def _splits(written: str | None, allowed: Sequence[str], most: int) -> tuple[tuple[str, ...], str | None]:
    """The names of a split, or what is wrong with them."""
    names = tuple(name.strip() for name in (written or "").split(",") if name.strip())
    if unknown := [name for name in names if name not in allowed]:
        return (), f"{unknown[0]!r} is none of {', '.join(allowed)}"
    if len(set(names)) < len(names):
        return (), "names a field twice"
    if len(names) > most:
        return (), f"has more than {most} fields, the limit SLATIMER_REPORT_SPLITS_MAX"
    return names, None


async def answered(request: Request, wanted: SpanQuery, work: Callable[[Connection], T]) -> T:
    """The result of a read within the time budget of an answer. Raises Problem for what cannot be asked of the desk."""
    parts = running(request)
    try:
        return await parts.database.read_replicated(budgeted(parts.settings, work))
    except UnknownDesk as error:
        raise not_found("desk", wanted.desk) from error
    except NamesAreOff as error:
        raise invalid([Place("query", "split", str(error))]) from error


async def reported(request: Request, wanted: SpanQuery, work: Callable[[Connection], Answer]) -> Answer:
    """A report, whose figures of ended periods are kept for the next one. Raises as `answered` does."""
    found = await answered(request, wanted, work)
    await keep_figures(running(request), wanted.desk, found.to_keep)
    return found


async def written(
    request: Request, wanted: ReportQuery, table: Callable[[], Table], json: Callable[[], Response]
) -> Response:
    """A report in the format that the request prefers, written outside the event loop."""
    chosen = wanted.format or chosen_format(request.headers.get("accept"))
    return await run_in_threadpool(json if chosen is Format.JSON else lambda: in_format(table(), chosen))


Split = Annotated[
    dict[str, str | None], Field(description="the values of the split; null: the ticket has none")
]
