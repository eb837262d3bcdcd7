"""Creates, lists, changes and deletes subscriptions: webhooks to systems and messages to people.

A secret is shown when it is created and never again. A webhook's URL is shown in full only to administrators, since its
path often is a secret too. The URL of a channel to people contains credentials and is always masked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from starlette.responses import Response

from app.delivery.address import FaultyUrl
from app.delivery.wording.language import Language
from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import SubscriptionSpec
from app.flow.query.serialize import instant_text
from app.principal import EVERY_DESK, Permission
from app.store.engine.database import Connection
from app.store.outbound import subscriptions
from app.store.outbound.subscriptions import Channel, Subscription, SubscriptionState
from app.web.api.tickets.signals import SignalKind
from app.web.http.access import Caller, Subscriber, Viewer, desks_for, must_see
from app.web.http.instant import InstantOut
from app.web.http.problems import Place, invalid, not_found, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/subscriptions", tags=["subscriptions"])

MAX_VALUES: Final = 100
"""Values of one filter. More belong in another subscription."""


def _several(given: object) -> object:
    return [given] if isinstance(given, str) else given


_VALUE_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 255}
Value = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Values = Annotated[
    list[Value],
    BeforeValidator(_several),
    Field(min_length=1, max_length=MAX_VALUES),
    WithJsonSchema(
        {
            "anyOf": [
                _VALUE_SCHEMA,
                {"type": "array", "items": _VALUE_SCHEMA, "minItems": 1, "maxItems": MAX_VALUES},
            ]
        }
    ),
]
"""The values of one filter. A single one may be written without its list."""
Description = Annotated[str, StringConstraints(max_length=500)]
TicketDetail = Literal["title", "url", "customer", "assignee", "group"]
"""What deliveries show of a ticket beside the signal."""


class Cadence(StrEnum):
    """Of which periods reports are delivered."""

    WEEK = "week"
    MONTH = "month"


_REPORTS: Final = "with the kind `report.ready`: of which periods"
SubscriptionId = Annotated[str, Path(description="the subscription's id", examples=["sub_…"])]


class FilterFields(BaseModel):
    """A signal matches if every given field has one of its values. Case is ignored.

    `commitment` and `commitment_kind` are fields of the signal, the others of its ticket when the signal is recorded.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    commitment: Values | None = None
    commitment_kind: Values | None = None
    queue: Values | None = None
    plan: Values | None = None
    level: Values | None = None
    priority: Values | None = None
    category: Values | None = None
    service: Values | None = None
    kind: Values | None = None
    customer: Values | None = None
    organisation: Values | None = None
    group: Values | None = None
    assignee: Values | None = None

    def given(self) -> dict[str, tuple[str, ...]]:
        """The fields that are set."""
        return {name: tuple(values) for name, values in self.model_dump(exclude_none=True).items()}


class NewSubscription(BaseModel):
    """A subscription to create."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "desk": "haisoft",
                    "kinds": ["clock.warned", "clock.breached", "clock.breach_retracted"],
                    "url": "https://example.org/hooks/sla",
                    "filter": {"commitment": ["ticket-response"]},
                }
            ]
        },
    )

    desk: str = Field(description="a desk, or `*` for all desks with a key for all")
    kinds: list[SignalKind] = Field(min_length=1, examples=[["clock.breached"]])
    url: str = Field(
        description="https:// for a webhook; for people the URL of a channel, as mailtos:// or slack://"
    )
    filter: FilterFields = Field(default_factory=FilterFields)
    channel: Channel = Field(Channel.WEBHOOK, description="`webhook`, or `notice`: messages to people")
    language: Language | None = Field(None, description="of messages to people")
    description: Description = ""
    omit: list[TicketDetail] = Field(
        default_factory=list[TicketDetail], description="fields of the ticket that deliveries leave out"
    )
    reports: list[Cadence] = Field(default_factory=lambda: list(Cadence), min_length=1, description=_REPORTS)


class SubscriptionChanges(BaseModel):
    """Changes to a subscription. Omitted fields keep their values."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "paused"}]})

    kinds: list[SignalKind] | None = Field(None, min_length=1)
    url: str | None = None
    filter: FilterFields | None = None
    language: Language | None = None
    description: Description | None = None
    omit: list[TicketDetail] | None = Field(
        None, description="fields of the ticket that deliveries leave out; the list replaces the former one"
    )
    reports: list[Cadence] | None = Field(None, min_length=1, description=_REPORTS)
    state: Literal["active", "paused"] | None = Field(
        None, description="`active` also enables a disabled subscription"
    )


class SubscriptionView(BaseModel):
    """A subscription, and the health of its endpoint."""

    id: str = Field(examples=["sub_…"])
    desk: str
    channel: Channel
    url: str
    kinds: list[SignalKind]
    filter: dict[str, list[str]]
    language: Language
    description: str
    omit: list[TicketDetail] = Field(description="fields of the ticket that deliveries leave out")
    reports: list[Cadence] = Field(description=_REPORTS)
    state: SubscriptionState
    created_at: InstantOut
    failures: int = Field(description="failures in a row")
    failing_since: InstantOut | None
    quiet_until: InstantOut | None = Field(description="no delivery is attempted before then")
    disabled_reason: str | None
    refused: str | None = Field(description="why its URL is not allowed (any more); null if it is")
    former_secret_until: InstantOut | None = Field(description="when the former secret expires")


class SubscriptionWithSecret(SubscriptionView):
    """A subscription with its newest secret, which is shown only in this response."""

    secret: str | None = Field(description="null for messages to people", examples=["whsec_…"])


class SubscriptionList(BaseModel):
    """Subscriptions, the oldest first."""

    subscriptions: list[SubscriptionView]


@router.post(
    "",
    summary="Subscribe",
    status_code=201,
    response_model=SubscriptionWithSecret,
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
async def create_subscription(request: Request, caller: Subscriber, given: NewSubscription) -> Response:
    """Subscribe a system or people to the signals recorded from now on. The secret is shown only in this response."""
    parts, desk = running(request), must_see(caller, given.desk)
    known = await parts.database.read(parts.catalogue.desks)
    if desk != EVERY_DESK and desk not in known:
        raise not_found("desk", desk)
    _check(parts, given.channel, given.url)
    spec = SubscriptionSpec(
        desk=desk,
        channel=given.channel,
        url=given.url,
        kinds=tuple(dict.fromkeys(given.kinds)),
        filter=given.filter.given(),
        language=given.language.value if given.language else parts.settings.notification_language,
        description=given.description,
        omit=_distinct(given.omit),
        reports=_distinct(given.reports),
    )
    limit = parts.settings.desk_subscriptions_max
    made = await parts.database.write(lambda conn, now: subscribe.create(conn, spec, now, limit=limit))
    secret = made.secrets[0].secret if made.secrets else None
    headers = {"Location": f"{router.prefix}/{made.id}"}
    return Json(view(parts, made, caller) | {"secret": secret}, 201, headers)


@router.get(
    "",
    summary="List subscriptions",
    response_model=SubscriptionList,
    responses=problems(401, 403, 404, 422),
)
async def list_subscriptions(
    request: Request, caller: Viewer, desk: Annotated[str | None, Query(description="of one desk")] = None
) -> Response:
    """All subscriptions that the key may see."""
    parts, of = running(request), desks_for(caller, desk)
    found = await parts.database.read(lambda conn: subscriptions.listed(conn, of))
    return Json({"subscriptions": [view(parts, each, caller) for each in found]})


@router.get(
    "/{subscription}",
    summary="Show a subscription",
    response_model=SubscriptionView,
    responses=problems(401, 403, 404),
)
async def show_subscription(request: Request, caller: Viewer, subscription: SubscriptionId) -> Response:
    """One subscription, and the health of its endpoint."""
    parts = running(request)
    found = await parts.database.read(lambda conn: found_for(conn, caller, subscription))
    return Json(view(parts, found, caller))


@router.patch(
    "/{subscription}",
    summary="Change a subscription",
    response_model=SubscriptionView,
    responses=problems(400, 401, 403, 404, 413, 422),
)
async def change_subscription(
    request: Request, caller: Subscriber, subscription: SubscriptionId, given: SubscriptionChanges
) -> Response:
    """Change a subscription, pause it, or enable it again. Deliveries that waited while it was paused are then made."""
    parts = running(request)

    def apply(conn: Connection, now: int) -> Subscription:
        before = found_for(conn, caller, subscription)
        if given.url is not None:
            _check(parts, before.channel, given.url)
        return subscribe.change(conn, before, _changed(before, given), now)

    changed = await parts.database.write(apply)
    parts.deliverer.wake()
    return Json(view(parts, changed, caller))


@router.delete(
    "/{subscription}",
    summary="Unsubscribe",
    status_code=204,
    responses=problems(401, 403, 404),
)
async def delete_subscription(request: Request, caller: Subscriber, subscription: SubscriptionId) -> Response:
    """Delete a subscription and its deliveries."""

    def delete(conn: Connection, now: int) -> None:  # noqa: ARG001 - required by the signature
        subscriptions.remove(conn, found_for(conn, caller, subscription).id)

    await running(request).database.write(delete)
    return Response(status_code=204)


def found_for(conn: Connection, caller: Caller, which: str) -> Subscription:
    """The subscription. Raises the same problem for one that the key may not see as for one that does not exist."""
    found = subscriptions.find(conn, which)
    if found is None or not caller.sees(found.desk):
        raise not_found("subscription", which)
    return found


def _check(parts: WebRuntime, channel: Channel, url: str) -> None:
    try:
        parts.deliverer.sender.check(channel, url)
    except FaultyUrl as error:
        raise invalid([Place("body", "/url", str(error))]) from error


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, names)))


def _changed(before: Subscription, given: SubscriptionChanges) -> Subscription:
    values: dict[str, Any] = {
        "url": given.url,
        "kinds": None if given.kinds is None else tuple(dict.fromkeys(given.kinds)),
        "filter": None if given.filter is None else given.filter.given(),
        "language": None if given.language is None else given.language.value,
        "description": given.description,
        "omit": None if given.omit is None else _distinct(given.omit),
        "reports": None if given.reports is None else _distinct(given.reports),
        "state": None if given.state is None else SubscriptionState(given.state),
    }
    return replace(before, **{name: value for name, value in values.items() if value is not None})


def view(parts: WebRuntime, subscription: Subscription, caller: Caller) -> dict[str, Any]:
    """The JSON of a subscription, as this key may see it."""
    unmasked = subscription.channel is Channel.WEBHOOK and caller.may(Permission.SUBSCRIBE, subscription.desk)
    expires_at = max(
        (each.expires_at for each in subscription.secrets if each.expires_at is not None), default=None
    )
    filters: Mapping[str, tuple[str, ...]] = subscription.filter
    return {
        "id": subscription.id,
        "desk": subscription.desk,
        "channel": subscription.channel.value,
        "url": subscription.url if unmasked else parts.deliverer.sender.masked_url(subscription),
        "kinds": list(subscription.kinds),
        "filter": {name: list(values) for name, values in filters.items()},
        "language": subscription.language,
        "description": subscription.description,
        "omit": list(subscription.omit),
        "reports": list(subscription.reports),
        "state": subscription.state.value,
        "created_at": instant_text(subscription.created_at),
        "failures": subscription.failures,
        "failing_since": instant_text(subscription.failing_since),
        "quiet_until": instant_text(subscription.quiet_until),
        "disabled_reason": subscription.disabled_reason,
        "refused": parts.deliverer.sender.refusal(subscription),
        "former_secret_until": instant_text(expires_at),
    }
