"""A new subscription by the form of the page of deliveries. Its secret is shown in the answer that makes it only."""

from collections.abc import Mapping
from typing import Final

from app.delivery.address import FaultyUrl
from app.delivery.wording.phrases import N_
from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import SubscriptionSpec, TooManySubscriptions
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.outbound.subscriptions import Channel, Subscription
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.connections.subscribed import CONTENTS
from app.web.pages.frame.posted import Fault
from app.web.pages.frame.reader import Reader

_WEB: Final = ("https:", "http:")
_NAME_LENGTH: Final = 200
_ADDRESS_LENGTH: Final = 2_000
_ADDRESS: Final = N_("Nothing can be sent to this address.")
_TOO_MANY: Final = N_("The desk has {n} subscriptions, which is the limit. Delete one first.")


class NotSubscribed(ValueError):
    """Why there is no subscription: the field, a phrase with its number, and in English what the address lacks."""

    def __init__(self, field: str, phrase: str, detail: str = "", most: int = 0) -> None:
        super().__init__(phrase)
        self.field, self.phrase, self.detail, self.most = field, phrase, detail, most


async def subscribed_to(reader: Reader, form: Mapping[str, str]) -> Subscription:
    """The subscription that the form describes. Raises NotSubscribed and the 404 problem."""
    parts, desk = reader.runtime, must_see(reader.caller, form.get("desk", ""))
    url, name = form.get("url", "").strip(), form.get("description", "").strip()
    channel = Channel.WEBHOOK if url.casefold().startswith(_WEB) else Channel.NOTICE
    if len(name) > _NAME_LENGTH:
        raise NotSubscribed("description", Fault.TOO_LONG)
    try:
        parts.deliverer.sender.check(channel, url[: _ADDRESS_LENGTH + 1])
    except FaultyUrl as error:
        raise NotSubscribed("url", _ADDRESS, str(error)) from error
    if len(url) > _ADDRESS_LENGTH:
        raise NotSubscribed("url", Fault.TOO_LONG)
    kinds = next((each for each in CONTENTS.values() if " ".join(each) == form.get("kinds")), None)
    spec = SubscriptionSpec(
        desk=desk,
        channel=channel,
        url=url,
        kinds=kinds or next(iter(CONTENTS.values())),
        filter={},
        language=parts.settings.notification_language,
        description=name,
    )
    limit = parts.settings.desk_subscriptions_max

    def create(conn: Connection, now: Micros) -> Subscription:
        if desk not in parts.catalogue.desks(conn):
            raise not_found("desk", desk)
        return subscribe.create(conn, spec, now, limit=limit)

    try:
        return await parts.database.write(create, reader.caller.desks)
    except TooManySubscriptions as error:
        raise NotSubscribed("", _TOO_MANY, most=limit) from error
