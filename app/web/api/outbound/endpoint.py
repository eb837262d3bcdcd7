"""Replaces a subscription's secret, and sends a test to its endpoint."""

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.delivery.outcome import DeliveryOutcome
from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import TooManySecrets
from app.sla.span import length_of
from app.store.engine.database import Connection
from app.store.outbound.subscriptions import Channel, Subscription
from app.web.api.outbound.subscriptions import (
    SubscriptionId,
    SubscriptionWithSecret,
    found_for,
    view,
)
from app.web.http.access import Subscriber
from app.web.http.problems import Kind, Place, Problem, invalid, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(prefix="/v1/subscriptions", tags=["subscriptions"])


class AttemptView(BaseModel):
    """The result of a test delivery."""

    delivered: bool
    outcome: DeliveryOutcome
    reason: str
    status: int | None = Field(
        description="the HTTP status of the endpoint's response, or the SMTP code of a mail server's"
    )


@router.post(
    "/{subscription}/secret",
    summary="Replace the secret",
    response_model=SubscriptionWithSecret,
    responses=problems(401, 403, 404, 409, 422),
)
async def replace_subscription_secret(
    request: Request, caller: Subscriber, subscription: SubscriptionId
) -> Response:
    """Add a new secret, shown only in this response. The former one keeps signing for a while, beside the new one."""
    parts = running(request)
    overlap = length_of(parts.settings.secret_grace_period)

    def renew(conn: Connection, now: int) -> tuple[Subscription, str]:
        target = found_for(conn, caller, subscription)
        if target.channel is not Channel.WEBHOOK:
            raise invalid([Place("path", "subscription", "sends messages to people, which are not signed")])
        return subscribe.replace_secret(conn, target, overlap, now)

    try:
        renewed, secret = await parts.database.write(renew)
    except TooManySecrets as error:
        raise Problem(Kind.CONFLICT, str(error)) from error
    return Json(view(parts, renewed, caller) | {"secret": secret})


@router.post(
    "/{subscription}/test",
    summary="Send a test",
    response_model=AttemptView,
    responses=problems(401, 403, 404),
)
async def test_subscription(request: Request, caller: Subscriber, subscription: SubscriptionId) -> Response:
    """Send a signed test signal once, now, and return the result. It is not recorded.

    A test changes nothing, whatever its result: a response of 410 does not disable the subscription. A message to
    people names the subscription, its desk and who sent the test.
    """
    parts = running(request)
    found = await parts.database.read(lambda conn: found_for(conn, caller, subscription))
    sender, now = parts.deliverer.sender, parts.database.now()
    attempt = await sender.send_test(found, now, sent_by=caller.principal.signs(caller.principal.id))
    return Json(
        {
            "delivered": attempt.delivered,
            "outcome": attempt.outcome.value,
            "reason": attempt.reason,
            "status": attempt.status,
        }
    )
