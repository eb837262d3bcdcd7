"""One ticket with its clocks, now or at another instant.

`at` selects the state at another instant by all that is known, `as_of` what was known at an instant.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.query import serialize, tickets
from app.flow.query.answer import TicketAnswer
from app.sla.span import Micros, length_of
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.api.tickets.ticket_view import TicketView, ticket_json
from app.web.http.access import Caller, Viewer, must_see
from app.web.http.budget import budgeted
from app.web.http.encoded_slash import with_slashes
from app.web.http.instant import InstantInQuery
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

FURTHEST: Final = timedelta(days=3653)
"""How far ahead of now `at` may lie: ten years are counted quickly, and no commitment is longer."""

router = Router(prefix="/v1", tags=["tickets"])

Desk = Annotated[str, Path(description="the desk", examples=["haisoft"])]

TicketId = Annotated[
    str,
    AfterValidator(with_slashes),
    Path(description="the ticket's id; a slash in it is written as %2F", examples=["4711"]),
]


class When(BaseModel):
    """The instant of the query, and by what was known when."""

    model_config = ConfigDict(extra="forbid")

    at: InstantInQuery | None = Field(None, description="how the clocks stand then; default now")
    as_of: InstantInQuery | None = Field(None, description="by what was known then; default now")


class WhichCycles(When):
    """The latest cycles of each commitment, or those before one, at which instant."""

    cycles_before: int | None = Field(
        None, ge=2, description="only cycles with a lower number; without it the latest ones"
    )


@router.get(
    "/tickets/{desk}/{ticket:path}",
    summary="One ticket",
    response_model=TicketView,
    responses=problems(401, 403, 404, 410, 422),
)
async def show_ticket(
    request: Request, caller: Viewer, desk: Desk, ticket: TicketId, wanted: Annotated[WhichCycles, Query()]
) -> Response:
    """A ticket and all its clocks, now or at another instant.

    `at` selects the state at an instant by all that is known today; ahead of now it shows what comes if nothing else
    happens. `as_of` selects what was known at an instant: 404 when nothing was. Of a ticket that ended long ago only its
    final view may exist: 410 for another instant. Of a commitment with many cycles the latest ones are shown;
    `earlier_cycles` says how many came before, and `cycles_before` pages them.
    """
    parts = running(request)
    if wanted.at is not None or wanted.as_of is not None:
        before = wanted.cycles_before
        return await answer_about(
            parts, caller, desk, ticket, wanted, lambda answer: Json(ticket_json(parts, answer, before))
        )
    must_see(caller, desk)
    now = parts.database.now()
    try:
        answer = await parts.database.read(
            budgeted(
                parts.settings, lambda conn: tickets.ticket_now(conn, parts.catalogue, desk, ticket, now=now)
            )
        )
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    return Json(ticket_json(parts, answer, wanted.cycles_before))


async def answer_about(
    parts: WebRuntime,
    caller: Caller,
    desk: str,
    ticket: str,
    wanted: When,
    render: Callable[[TicketAnswer], Json],
) -> Json:
    """The answer about a ticket, rendered in the reader's thread and within its time budget."""
    must_see(caller, desk)
    now = parts.database.now()
    _check(wanted, now)

    def read(conn: Connection) -> Json:
        answer = tickets.ticket_answer(
            conn, parts.catalogue, desk, ticket, now=now, at=wanted.at, as_of=wanted.as_of
        )
        return render(answer)

    try:
        return await parts.database.read(budgeted(parts.settings, read))
    except UnknownDesk as error:
        raise not_found("desk", desk) from error


def _check(wanted: When, now: Micros) -> None:
    """Raises Problem for an `as_of` after now, and for an `at` too far ahead."""
    if wanted.as_of is not None and wanted.as_of > now:
        after = f"is after now, {serialize.instant_text(now)}"
        reason = f"{after}. What will be known then cannot be told; ask with at instead"
        raise invalid([Place("query", "as_of", reason)])
    if wanted.at is not None and wanted.at > now + length_of(FURTHEST):
        raise invalid([Place("query", "at", f"is more than {FURTHEST.days} days ahead of now")])
