"""FreeScout: conversations with their threads, and the event's name in a header.

A conversation is dated by its last update. The secret is one for the whole installation. Microseconds UTC.
"""

from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.value import instant
from app.intake.systems.conversation import EVENTS, PRIORITIES, STATUSES, Body, Dialect, options
from app.sla.span import Micros

_DATES: Final = ("updatedAt", "createdAt")


def _dated(body: Body, zone: str | None) -> Micros | None:
    return next((at for path in _DATES if (at := instant(body.get(path), zone)) is not None), None)


_DIALECT: Final = Dialect(header="x-freescout-event", customer="customer", dates=_DATES, dated=_dated)

ADAPTER: Final = Adapter(
    system="freescout",
    label="FreeScout",
    schemes=("freescout",),
    read=_DIALECT.read,
    idempotency_key=_DIALECT.idempotency_key,
    statuses=STATUSES,
    priorities=PRIORITIES,
    events_to_tick=(*EVENTS, "convo.deleted_forever"),
    headers=(_DIALECT.header,),
    options=options,
)
