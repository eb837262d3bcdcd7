"""Lists a subscription's deliveries and retries them."""

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.delivery.outcome import DeliveryOutcome
from app.flow.query.serialize import instant_text
from app.intake.instant import InstantIn
from app.store.engine.database import Connection
from app.store.outbound import delivery_list, redelivery
from app.store.outbound.delivery_list import Delivery
from app.store.outbound.outbox import DeliveryState
from app.store.outbound.subscriptions import Subscription, SubscriptionState
from app.web.api.outbound.subscriptions import SubscriptionId, found_for
from app.web.api.tickets.signals import SignalKind
from app.web.http.access import Subscriber, Viewer
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Problem, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/subscriptions", tags=["subscriptions"])


class DeliveryView(BaseModel):
    """The delivery of a signal to a subscription. `id` is the signal's, and the `webhook-id` of every attempt."""

    id: str = Field(examples=["sig_…"])
    kind: SignalKind
    desk: str
    ticket: str | None
    at: InstantOut = Field(description="when it happened")
    state: DeliveryState
    attempts: int
    created_at: InstantOut
    attempted_at: InstantOut | None
    next_at: InstantOut | None = Field(
        description="when the next attempt is due; null behind earlier signals of the ticket"
    )
    under_way: bool
    outcome: DeliveryOutcome | None = Field(description="how the last attempt ended")
    reason: str | None
    status: int | None


class DeliveryPage(BaseModel):
    """A page of deliveries, the latest signal first."""

    deliveries: list[DeliveryView]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class DeliveryListQuery(BaseModel):
    """Filters a list of deliveries."""

    model_config = ConfigDict(extra="forbid")

    state: DeliveryState | None = None
    cursor: str | None = Field(None, description="`next` of the page before")
    limit: int | None = Field(None, ge=1, description="entries on the page")


class RetrySince(BaseModel):
    """Which deliveries to retry: those of signals recorded at or after `since`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"since": "2026-03-06T15:30:00+01:00"}]}
    )

    since: InstantIn


class RetriedDeliveries(BaseModel):
    """How many deliveries are pending again."""

    retried: int
    more: bool = Field(description="whether more remain: repeat the request")


@router.get(
    "/{subscription}/deliveries",
    summary="List deliveries",
    response_model=DeliveryPage,
    responses=problems(401, 403, 404, 422),
)
async def list_deliveries(
    request: Request,
    caller: Viewer,
    subscription: SubscriptionId,
    wanted: Annotated[DeliveryListQuery, Query()],
) -> Response:
    """All deliveries of a subscription, the latest signal first, each with the result of its last attempt."""
    parts = running(request)
    limit = min(wanted.limit or parts.settings.page_size, parts.settings.max_page_size)

    def read(conn: Connection) -> tuple[list[Delivery], str | None]:
        found = found_for(conn, caller, subscription)
        return delivery_list.page(conn, found.id, wanted.state, wanted.cursor, limit)

    page, following = await parts.database.read_replicated(read)
    return Json({"deliveries": [_view(each) for each in page], "next": following})


@router.post(
    "/{subscription}/deliveries/{delivery}/retry",
    summary="Retry a delivery",
    response_model=DeliveryView,
    responses=problems(401, 403, 404, 409),
)
async def retry_delivery(
    request: Request,
    caller: Subscriber,
    subscription: SubscriptionId,
    delivery: Annotated[
        str, Path(description="the delivery's id, which is its signal's", examples=["sig_…"])
    ],
) -> Response:
    """Retry a parked delivery now. A pending or delivered one is returned unchanged.

    409 while the subscription is disabled.
    """
    parts = running(request)

    def again(conn: Connection, now: int) -> Delivery | None:
        target = _enabled(found_for(conn, caller, subscription))
        found = delivery_list.find(conn, target.id, delivery)
        if found is not None and found.state is DeliveryState.PARKED:
            redelivery.retry(conn, target, found, now)
            found = delivery_list.find(conn, target.id, delivery)
        return found

    found = await parts.database.write(again)
    if found is None:
        raise not_found("delivery", delivery)
    parts.deliverer.wake()
    return Json(_view(found))


@router.post(
    "/{subscription}/retry-since",
    summary="Retry deliveries since",
    response_model=RetriedDeliveries,
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
async def retry_deliveries_since(
    request: Request, caller: Subscriber, subscription: SubscriptionId, given: RetrySince
) -> Response:
    """Deliver signals recorded since then that were parked, or missed while the subscription was disabled.

    Signals from before the subscription was created are never sent. 409 while it is disabled.
    """
    parts = running(request)

    def again(conn: Connection, now: int) -> tuple[int, bool]:
        target = _enabled(found_for(conn, caller, subscription))
        return redelivery.retry_since(conn, target, given.since, now)

    count, more = await parts.database.write(again)
    parts.deliverer.wake()
    return Json({"retried": count, "more": more})


def _enabled(subscription: Subscription) -> Subscription:
    if subscription.state is SubscriptionState.DISABLED:
        raise Problem(
            Kind.SWITCHED_OFF,
            f"Subscription {subscription.id} is disabled: {subscription.disabled_reason}. "
            'Enable it with PATCH {"state": "active"}, then retry.',
        )
    return subscription


def _view(shown: Delivery) -> dict[str, Any]:
    under_way = shown.claim is not None
    return {
        "id": shown.id,
        "kind": shown.kind,
        "desk": shown.desk,
        "ticket": shown.subject.ticket,
        "at": instant_text(shown.at),
        "state": shown.state.value,
        "attempts": shown.attempts,
        "created_at": instant_text(shown.created_at),
        "attempted_at": instant_text(shown.attempted_at),
        "next_at": None if under_way else instant_text(shown.next_at),
        "under_way": under_way,
        "outcome": shown.outcome,
        "reason": shown.reason,
        "status": shown.status,
    }
