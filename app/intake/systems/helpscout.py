"""Help Scout: conversations whose threads are only counted, and the event's name in a header.

No field dates every change. The last update by a user and the instant since which the customer waits do so together:
the later of them, or the closing, is the conversation's instant. Microseconds UTC.
"""

from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.value import dig, instant
from app.intake.systems.conversation import EVENTS, PRIORITIES, STATUSES, Body, Dialect, options
from app.sla.span import Micros

_DATES: Final = ("userUpdatedAt", "closedAt", "customerWaitingSince.time", "createdAt")


def _dated(body: Body, zone: str | None) -> Micros | None:
    known = (instant(dig(body, path), zone) for path in _DATES)
    return max((at for at in known if at is not None), default=None)


_DIALECT: Final = Dialect(header="x-helpscout-event", customer="primaryCustomer", dates=_DATES, dated=_dated)

ADAPTER: Final = Adapter(
    system="helpscout",
    label="Help Scout",
    schemes=("helpscout",),
    read=_DIALECT.read,
    idempotency_key=_DIALECT.idempotency_key,
    statuses=STATUSES,
    priorities=PRIORITIES,
    events_to_tick=(*EVENTS, "convo.tags", "convo.custom-fields", "convo.merged"),
    headers=(_DIALECT.header,),
    options=options,
)
