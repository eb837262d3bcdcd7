"""Signals in order, by pages with a cursor.

A place is the same number here and in the live stream (`stream`): `next` of a page, the id of a live event.
"""

from typing import Annotated, Any, Final

import orjson
from fastapi import Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.responses import Response

from app.flow.outbound.subscribe import KINDS
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import signals
from app.store.tickets.signals import Published, SignalFilters
from app.web.api.tickets.ticket_view import Clock, CommitmentKind
from app.web.http.access import Viewer, desks_for
from app.web.http.instant import InstantInQuery, InstantOut
from app.web.http.problems import Kind, Place, Problem, problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

LAST_PLACE: Final = 2**63 - 1
"""The largest number of a place that can be asked for."""

router = Router(prefix="/v1", tags=["signals"])


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"is no kind of signal. There are: {', '.join(KINDS)}")
    return kind


SIGNAL_KIND: Final[dict[str, Any]] = {"type": "string", "enum": list(KINDS)}
"""The JSON schema of a kind of signal that is recorded."""

SignalKind = Annotated[str, AfterValidator(_known), WithJsonSchema(SIGNAL_KIND)]
"""A kind in a query. A wrong one must not look like a kind without signals."""


class Signal(BaseModel):
    """A recorded signal. A clock's carries the whole clock; a queue's the positions."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="never changes, so a repetition can be dropped")
    kind: SignalKind = Field(examples=["clock.breached"])
    desk: str
    ticket: str | None = Field(description="null for a signal about no ticket")
    subject: str | None = Field(
        None,
        description="the ticket's id, or as in `service:web`; null for the desk itself, and in signals of release 0.1",
        examples=["4711"],
    )
    commitment: str | None
    cycle: int | None
    occurrence: str
    generation: int
    at: InstantOut = Field(description="when it happened")
    detected_at: InstantOut = Field(description="when it was recorded")
    commitment_kind: CommitmentKind | None
    late: bool = Field(description="it became known only after an evaluation at or after its instant")
    cause: str | None = Field(None, description="why, where there is more to it than time")
    cause_detail: Detail = None
    clock: Clock | None


class SignalPage(BaseModel):
    """A page of the stream. `next` goes on after it, now or later."""

    signals: list[Signal]
    next: str


class StreamQuery(BaseModel):
    """Which signals, and from where on."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=LAST_PLACE)] | None = Field(
        None, description="`next` of a page, or the id of a live event"
    )
    desk: str | None = None
    kind: list[SignalKind] = Field(
        default_factory=list[str], description="several may be given", examples=[["clock.breached"]]
    )


class SignalListQuery(StreamQuery):
    """Which signals, from where on, and how many."""

    limit: int | None = Field(None, ge=1, description="entries on the page")
    ticket: str | None = Field(None, description="one ticket's; name its desk too")
    subject: str | None = Field(
        None,
        description="one subject's: a ticket's id, or as in `service:web`; name its desk too",
        examples=["service:web"],
    )
    commitment: list[str] = Field(
        default_factory=list[str], description="several may be given", examples=[["gti"]]
    )
    since: InstantInQuery | None = Field(
        None, alias="from", description="that happened (`at`) then or later; name a desk too"
    )
    until: InstantInQuery | None = Field(None, alias="to", description="that happened (`at`) before then")
    latest: bool = Field(False, description="the last that match instead of the first")

    @property
    def filters(self) -> SignalFilters:
        """The filters that a page has and the live stream has not."""
        named = [_as_recorded(each) for each in (self.ticket, self.subject) if each is not None]
        subjects = named[0].intersection(*named) if named else None
        return SignalFilters(subjects, self.commitment, self.since, self.until)


def _as_recorded(text: str) -> set[Subject]:
    """The subjects under which signals about it may be recorded: services and contracts are judged without case."""
    subject = Subject.parse(text)
    return {subject, subject.key}


@router.get(
    "/signals", summary="List signals", response_model=SignalPage, responses=problems(401, 403, 404, 410, 422)
)
async def list_signals(
    request: Request, caller: Viewer, wanted: Annotated[SignalListQuery, Query()]
) -> Response:
    """The signals after a place in the stream, in order. Without `after` from the beginning.

    410: `after` is beyond the end, since the database was restored from a backup; `last` is the end.
    With `latest` the page ends where the stream ends now, so that `next` is the place to follow it from.
    """
    parts = running(request)
    limit = parts.settings.entries_on_page(wanted.limit)
    after, desks = wanted.after or 0, desks_for(caller, wanted.desk)
    filters = wanted.filters

    def read(conn: Connection) -> list[Published]:
        found = signals.page(conn, after, limit, desks, wanted.kind, filters=filters, latest=wanted.latest)
        if not found:
            check_place(conn, after, "query", "after")
        return found

    page = await parts.database.read_replicated(read)
    recorded: list[Any] = [orjson.Fragment(each.body) for each in page]
    return Json({"signals": recorded, "next": str(page[-1].seq if page else after)})


def check_place(conn: Connection, after: int, location: str, name: str) -> None:
    """Raises Problem for a place beyond the end: its signals were lost, and nothing would follow for a long time."""
    last = signals.last(conn)
    if after > last:
        reason = f"is beyond the end of the stream, which is {last}: the database was restored from a backup"
        remedy = f"Read again what you keep, then go on with after={last}"
        raise Problem(
            Kind.BEYOND_THE_END,
            f"{name} {after} {reason}. {remedy}.",
            errors=[Place(location, name, f"{reason}. {remedy}")],
            extra={"last": str(last)},
        )
