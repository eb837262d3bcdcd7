"""Does a subscription's endpoint answer, and by which secret does it know us?"""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.delivery.outcome import DeliveryOutcome
from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import TooManySecrets
from app.sla.span import length_of
from app.store.engine.database import Connection
from app.store.outbound.subscriptions import Channel, Subscription
from app.web.api.outbound.subscriptions import SubscriptionId, WithSecret, found_for, view
from app.web.http.access import Subscriber
from app.web.http.problems import Kind, Place, Problem, invalid, problems
from app.web.http.responses import Json
from app.web.http.running import running

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])


class AttemptView(BaseModel):
    """What became of a test."""

    delivered: bool
    outcome: DeliveryOutcome
    reason: str
    status: int | None = Field(description="the endpoint's HTTP status")


@router.post(
    "/{subscription}/secret",
    summary="Replace the secret",
    response_model=WithSecret,
    responses=problems(401, 403, 404, 409, 422),
)
async def replace_secret(request: Request, caller: Subscriber, subscription: SubscriptionId) -> Response:
    """A new secret, shown this once. The former one goes on signing for a while, so every delivery bears both."""
    parts = running(request)
    overlap = length_of(parts.settings.secret_grace_period)

    def renew(conn: Connection, now: int) -> tuple[Subscription, str]:
        held = found_for(conn, caller, subscription)
        if held.channel is not Channel.WEBHOOK:
            raise invalid(
                [Place("path", "subscription", "is of messages to people, which bear no signature")]
            )
        return subscribe.replace_secret(conn, held, overlap, now)

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
async def test(request: Request, caller: Subscriber, subscription: SubscriptionId) -> Response:
    """Deliver a signed test now, once, and say what became of it. It is in no stream and in no record.

    A test changes nothing, whatever becomes of it: one that is answered 410 does not switch the subscription off.
    """
    parts = running(request)
    found = await parts.database.read(lambda conn: found_for(conn, caller, subscription))
    attempt = await parts.deliverer.sender.test(found, parts.database.now())
    return Json(
        {
            "delivered": attempt.delivered,
            "outcome": attempt.outcome.value,
            "reason": attempt.reason,
            "status": attempt.status,
        }
    )
