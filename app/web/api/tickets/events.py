"""Pushing events: one or up to `max_events` in a request, each stored at most once.

The body is read raw, since a declared model would cost the rate of this route. Each event is checked separately: faulty
ones are refused with their places, the others are stored. The answer follows the commit.
"""

import operator
from collections.abc import Awaitable, Callable, Collection, Iterable, Sized
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.flow import metrics
from app.flow.judge.receive import Incoming, Receipt, Refusal
from app.flow.query import serialize
from app.intake.cloudevents import Faulty, NotJson, read_event
from app.intake.http_binding import binary_event, is_binary
from app.principal import Permission, covers, permission_to_record
from app.sla.event import KNOWN_TYPES, Event
from app.web.api.tickets.ticket_view import TicketView
from app.web.http import elsewhere
from app.web.http.access import Caller, Recorder, one_of, roles_with
from app.web.http.bodies import MANY, ONE, ONE_OR_MANY, read_values
from app.web.http.middleware import request_id
from app.web.http.problems import Kind, Problem, problems
from app.web.http.responses import Json
from app.web.http.routing import Router, called_directly
from app.web.http.running import running

router = Router(prefix="/v1", tags=["events"])

T = TypeVar("T")


class RefusedEvent(BaseModel):
    """An event that was refused, and why; the reason begins with a JSON pointer into the event."""

    index: int = Field(description="its index in the push, from 0")
    id: str | None = Field(description="its id, if it has a readable one")
    reason: str = Field(
        examples=["/data/status: input should be 'new', 'open', … or 'closed', got \"opened\""]
    )


class PostponedTicket(BaseModel):
    """A ticket of a push that could not be evaluated now."""

    desk: str
    ticket: str


class Pushed(BaseModel):
    """The result of a push, once it is durable."""

    accepted: int = Field(description="stored now")
    repeated: int = Field(description="stored before with the same content")
    refused: list[RefusedEvent]
    tickets: list[TicketView] = Field(
        description="the tickets of the push, as they stand now. A key that may not read gets their clocks alone, "
        "and of events of an unknown type nothing"
    )
    postponed: list[PostponedTicket] = Field(
        default_factory=list[PostponedTicket],
        exclude_if=operator.not_,
        description="the tickets of the push that are evaluated later and so are not in `tickets`; left out when there "
        "are none. Their events are stored",
    )


_EVENT: Final = {"$ref": "#/components/schemas/CloudEvent"}
_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "e1",
    "source": "haisoft",
    "type": "ticket.created",
    "subject": "4711",
    "time": "2026-03-06T15:30:00+01:00",
    "data": {"title": "Server unreachable", "customer": "ACME", "service": "dedicated"},
}
_MANY: Final = {"type": "array", "items": _EVENT}
_ATTRIBUTE: Final = b"ce-"
"""How the name of a header begins that is an attribute of an event."""
_FEW: Final = 10
"""Events of a push that the event loop reads itself: a tenth of a millisecond each, with their answer."""


@router.post(
    "/events",
    summary="Push events",
    response_model=Pushed,
    responses=problems(400, 401, 403, 409, 413, 415, 421, 422, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": f"One event or an array. Also taken: one as {ONE}, several as {MANY}.",
            "content": {
                # One content type of the three: for several, generators write clients that do not load.
                ONE_OR_MANY: {"schema": {"oneOf": [_EVENT, _MANY]}, "example": _EXAMPLE}
            },
        }
    },
)
@elsewhere.forwards
@called_directly
async def push_events(request: Request, caller: Recorder) -> Response:
    """Receives one event or an array of them and answers once they are durable.

    (`source`, `id`) makes an event idempotent: the same again is `repeated`, the same id with another type, subject,
    instant or data a conflict. Faulty events are `refused` with the place of the fault and the others are stored; if all
    are refused the answer is 422, or 409 when all are conflicts. Events of an unknown type are stored and move no clock.

    `tickets` shows the tickets as they stand now. A ticket that is evaluated later is in `postponed` instead: a long one
    whose whole log must be replayed for a late event, or one whose evaluation failed and is tried again. Its events are
    stored and must not be sent again; its signals come later; `GET /v1/tickets/{desk}/{ticket}` shows it at once. The
    field is left out when there is no such ticket.

    All modes of CloudEvents over HTTP are read. Structured and batched: the content types of CloudEvents, or
    `application/json`. Binary: the attributes are headers (`ce-id`, `ce-source`, `ce-type`, `ce-subject`, `ce-time`,
    `ce-specversion` and extensions), and the body is `data` in JSON; a content type of CloudEvents takes precedence.
    """
    parts = running(request)
    values = await _values(request, parts.settings.max_events)
    beside = _beside(values)
    incoming, places, refused = await beside(partial(_sort, values, caller, parts.settings.max_text_length))
    if routes := parts.routing.routes:
        answer = await elsewhere.pushed(request, {one.desk for one in incoming}, routes)
        if answer is not None:
            return answer
    if refused:
        metrics.EVENTS.labels("", "refused").inc(len(refused))
    receipt = await parts.receiver.receive(incoming) if incoming else Receipt()
    refused += [Refusal(places[each.index], each.id, each.reason, each.conflict) for each in receipt.refused]
    if values and len(refused) == len(values):
        raise _all_refused(refused)
    return await beside(partial(_answer, receipt, incoming, refused, caller))


def _beside(values: Sized) -> Callable[[Callable[[], T]], Awaitable[T]]:
    """How the events of a push are read and answered: of a large one in a thread, so that other requests go on."""
    return run_in_threadpool if len(values) > _FEW else _at_once


async def _at_once(work: Callable[[], T]) -> T:
    return work()


def _answer(
    receipt: Receipt, incoming: Iterable[Incoming], refused: list[Refusal], caller: Caller
) -> Response:
    moved = {(one.desk, one.ticket) for one in incoming if one.event.type in KNOWN_TYPES}
    answer: dict[str, Any] = {
        "accepted": receipt.accepted,
        "repeated": receipt.repeated,
        "refused": _listed(refused),
        "tickets": _views(receipt, moved, caller),
    }
    if postponed := _postponed(receipt, moved, caller):
        answer["postponed"] = postponed
    return Json(answer)


def _postponed(
    receipt: Receipt, moved: Collection[tuple[str, str | None]], caller: Caller
) -> list[dict[str, str]]:
    """The tickets that are evaluated later. A key that may not read gets those that its events move."""
    return [
        {"desk": desk, "ticket": ticket}
        for desk, ticket in receipt.postponed
        if (desk, ticket) in moved or caller.may(Permission.VIEW, desk)
    ]


def _views(
    receipt: Receipt, moved: Collection[tuple[str, str | None]], caller: Caller
) -> list[serialize.Json]:
    """The tickets of a push. A key that may not read gets the clocks that its events move, and nothing else of them.

    An event of an unknown type moves none, so it shows such a key nothing.
    """
    views: list[serialize.Json] = []
    for answer in receipt.tickets:
        if caller.may(Permission.VIEW, answer.desk):
            views.append(serialize.ticket(answer))
        elif (answer.desk, answer.ticket) in moved:
            views.append(serialize.clocks_alone(answer))
    return views


async def _values(request: Request, limit: int) -> list[object]:
    """The values that state the events of a push, in the mode of CloudEvents that its headers say."""
    if _has_attributes(request) and is_binary(headers := request.headers.items()):
        try:
            return [binary_event(headers, await request.body())]
        except NotJson as error:
            raise Problem(
                Kind.UNREADABLE, f"The body, which is the event's data, is not JSON: {error}."
            ) from error
    values, _ = await read_values(request, limit=limit, one_by_one=True)
    return values


def _has_attributes(request: Request) -> bool:
    """Whether any header could be an attribute of an event; most senders' are all in the body."""
    return any(name.startswith(_ATTRIBUTE) for name, _ in request.headers.raw)


def _sort(
    values: list[object], caller: Caller, max_text: int
) -> tuple[list[Incoming], list[int], list[Refusal]]:
    """The readable events with their places in the push, and the refused ones."""
    incoming: list[Incoming] = []
    places: list[int] = []
    refused: list[Refusal] = []
    for index, value in enumerate(values):
        read = read_event(value, max_text=max_text)
        if isinstance(read, Faulty):
            refused.append(Refusal(index, read.id, read.reason))
        elif not covers(caller.principal.desks, read.desk):
            refused.append(_unknown_desk(index, read.desk, read.event))
        elif not caller.may(permission := permission_to_record(read.event.type), read.desk):
            refused.append(_lacking(index, permission, read.event))
        else:
            incoming.append(Incoming.of(read.desk, _signed(read.event, caller), request_id()))
            places.append(index)
    return incoming, places, refused


def _signed(event: Event, caller: Caller) -> Event:
    """The event, in which a person who is signed in is named as the one who records it."""
    name = caller.principal.name
    return event if name is None else replace(event, data={**event.data, "recorded_by": name})


def _unknown_desk(index: int, desk: str, event: Event) -> Refusal:
    """Another desk gets the receiver's refusal for a desk that does not exist: a key learns nothing of it."""
    return Refusal(index, event.id, f"/source: no desk {desk!r} is known")


def _lacking(index: int, permission: Permission, event: Event) -> Refusal:
    return Refusal(index, event.id, f"/type: {event.type} requires {one_of(roles_with(permission))}")


def _all_refused(refused: list[Refusal]) -> Problem:
    conflicts = all(each.conflict for each in refused)
    detail = (
        "Every event contradicts a stored one of the same source and id; nothing was stored."
        if conflicts
        else "No event could be taken; nothing was stored. Each is listed with its reason."
    )
    kind = Kind.CONFLICT if conflicts else Kind.EVENTS_REFUSED
    return Problem(kind, detail, extra={"accepted": 0, "repeated": 0, "refused": _listed(refused)})


def _listed(refused: list[Refusal]) -> list[dict[str, Any]]:
    return [
        {"index": each.index, "id": each.id, "reason": each.reason}
        for each in sorted(refused, key=lambda each: each.index)
    ]
