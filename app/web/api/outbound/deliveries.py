"""What became of a subscription's deliveries, and how is one sent again?"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.delivery.outcome import Outcome
from app.flow.query.serialize import moment
from app.store.engine.database import Connection
from app.store.outbound import redelivery
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.redelivery import Delivery
from app.store.outbound.subscriptions import State, Subscription
from app.web.api.outbound.subscriptions import SubscriptionId, found_for
from app.web.http.access import Administrator, Reader
from app.web.http.instant import InstantIn, InstantOut
from app.web.http.problems import Kind, Problem, not_found, problems
from app.web.http.responses import Json
from app.web.http.running import running

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])


class DeliveryView(BaseModel):
    """A signal on its way to a subscription. `id` is the signal's, and the `webhook-id` of every attempt."""

    id: str = Field(examples=["sig_…"])
    kind: str
    desk: str
    ticket: str | None
    at: InstantOut = Field(description="when it happened")
    state: DeliveryState
    attempts: int
    created_at: InstantOut
    attempted_at: InstantOut | None
    next_at: InstantOut | None = Field(description="when it is tried next; null while others go first")
    under_way: bool
    outcome: Outcome | None = Field(description="how the last attempt ended")
    reason: str | None
    status: int | None


class DeliveryPage(BaseModel):
    """A page of deliveries, the latest signal first."""

    deliveries: list[DeliveryView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class WantedDeliveries(BaseModel):
    """Which deliveries."""

    model_config = ConfigDict(extra="forbid")

    state: DeliveryState | None = None
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class Since(BaseModel):
    """From when on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"since": "2026-03-06T15:30:00+01:00"}]}
    )

    since: InstantIn


class SentAgain(BaseModel):
    """What is on its way again."""

    retried: int
    more: bool = Field(description="ask again for the rest")


@router.get(
    "/{subscription}/deliveries",
    summary="List deliveries",
    response_model=DeliveryPage,
    responses=problems(401, 403, 404, 422),
)
async def list_deliveries(
    request: Request,
    reader: Reader,
    subscription: SubscriptionId,
    wanted: Annotated[WantedDeliveries, Query()],
) -> Response:
    """What was, is or was to be delivered, the latest first, each with how its last attempt ended."""
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.page_limit)

    def read(conn: Connection) -> tuple[list[Delivery], str | None]:
        found = found_for(conn, reader, subscription)
        return redelivery.page(conn, found.id, wanted.state, wanted.cursor, limit)

    page, following = await parts.database.read(read)
    return Json({"deliveries": [_delivery(each) for each in page], "next": following})


@router.post(
    "/{subscription}/deliveries/{delivery}/retry",
    summary="Deliver again",
    response_model=DeliveryView,
    responses=problems(401, 403, 404, 409),
)
async def retry(
    request: Request,
    administrator: Administrator,
    subscription: SubscriptionId,
    delivery: Annotated[
        str, Path(description="the delivery's id, which is its signal's", examples=["sig_…"])
    ],
) -> Response:
    """Try a parked delivery again, at once. One that is on its way or has arrived stays as it is.

    409 while the subscription is switched off.
    """
    parts = running(request)

    def again(conn: Connection, now: int) -> Delivery | None:
        held = _switched_on(found_for(conn, administrator, subscription))
        found = redelivery.find(conn, held.id, delivery)
        if found is not None and found.state is DeliveryState.PARKED:
            redelivery.retry(conn, held, found, now)
            found = redelivery.find(conn, held.id, delivery)
        return found

    found = await parts.database.write(again)
    if found is None:
        raise not_found("delivery", delivery)
    parts.deliverer.wake()
    return Json(_delivery(found))


@router.post(
    "/{subscription}/retry-since",
    summary="Deliver again since",
    response_model=SentAgain,
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
async def retry_since(
    request: Request, administrator: Administrator, subscription: SubscriptionId, given: Since
) -> Response:
    """Send again what was told since then and was given up, or was missed while the subscription was switched off.

    Nothing is sent that was told before the subscription was made. 409 while it is switched off.
    """
    parts = running(request)

    def again(conn: Connection, now: int) -> tuple[int, bool]:
        held = _switched_on(found_for(conn, administrator, subscription))
        return redelivery.retry_since(conn, held, given.since, now)

    count, more = await parts.database.write(again)
    parts.deliverer.wake()
    return Json({"retried": count, "more": more})


def _switched_on(held: Subscription) -> Subscription:
    if held.state is State.DISABLED:
        raise Problem(
            Kind.SWITCHED_OFF,
            f"Nothing is sent to {held.id} while it is switched off: {held.disabled_reason}. "
            'Switch it on with PATCH {"state": "active"}, then ask again.',
        )
    return held


def _delivery(shown: Delivery) -> dict[str, Any]:
    under_way = shown.claim is not None
    return {
        "id": shown.id,
        "kind": shown.kind,
        "desk": shown.desk,
        "ticket": shown.subject.ticket,
        "at": moment(shown.at),
        "state": shown.state.value,
        "attempts": shown.attempts,
        "created_at": moment(shown.created_at),
        "attempted_at": moment(shown.attempted_at),
        "next_at": None if under_way else moment(shown.next_at),
        "under_way": under_way,
        "outcome": shown.outcome,
        "reason": shown.reason,
        "status": shown.status,
    }
