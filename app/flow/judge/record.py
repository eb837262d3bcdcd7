"""Facts entered by hand: a call, an outage, announced maintenance, an exclusion, a withdrawal, as events.

Each has its author, and a reason where one is needed. Checked as every pushed event is, and received as one. Instants
are microseconds UTC.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from app.flow.judge.receive import Incoming
from app.flow.query.serialize import instant_text
from app.intake.cloudevents import check
from app.intake.data_fields import is_visible
from app.sla.event import KNOWN_TYPES, Event, EventType
from app.sla.span import Micros
from app.sla.ticket import STATUSES

_PREFIX: Final = "by-hand-"
_STATUS: Final = "status:"

_DECISIONS: Final = frozenset(
    {
        EventType.EXCLUSION_GRANTED,
        EventType.CREDIT_REQUESTED,
        EventType.CREDIT_GRANTED,
        EventType.CREDIT_REFUSED,
    }
)
"""What a person decides: its author is that person, and it has a reason."""

_NEEDS_REASON: Final = _DECISIONS | {EventType.EVENT_WITHDRAWN}
_HAS_SPAN: Final = frozenset({EventType.EXCLUSION_GRANTED, EventType.MAINTENANCE_ANNOUNCED})


class FaultyFact(ValueError):
    """The fact cannot be recorded. The message names what is missing or wrong."""


def fact(
    desk: str,
    subject: str,
    kind: str,
    *,
    at: Micros,
    author: str,
    max_text: int,
    reason: str | None = None,
    since: Micros | None = None,
    until: Micros | None = None,
    withdraws: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> Incoming:
    """A fact by hand, checked and ready to be received. `kind` is an event type, or a status as in "status:solved".

    `subject` is a ticket's id, or "service:web" and the like. An exclusion and announced maintenance need `since` and
    `until`, a withdrawal the id that it `withdraws`; it, an exclusion and a decision on a credit need a `reason`. Raises
    FaultyFact.
    """
    data: dict[str, Any] = {**(more or {}), "recorded_by": author}
    if kind.startswith(_STATUS):
        kind, data["status"] = EventType.STATUS_CHANGED, _status(kind.removeprefix(_STATUS))
    if kind not in KNOWN_TYPES:
        raise FaultyFact(f"{kind!r} is no event type; write one of {', '.join(sorted(KNOWN_TYPES))}")
    if reason is not None:
        data["reason"] = reason
    if kind in _NEEDS_REASON and not is_visible(reason or ""):
        raise FaultyFact(f"{kind} needs a reason")
    data |= _span(kind, since, until, data)
    if kind == EventType.EVENT_WITHDRAWN:
        data["id"] = _withdrawn(withdraws)
    if kind in _NEEDS_REASON:
        data["author"] = author
    data.setdefault("author", "agent")
    event = Event(_PREFIX + secrets.token_hex(8), kind, subject, at, data)
    if faulty := check(event, max_text=max_text):
        raise FaultyFact(faulty.reason)
    return Incoming.of(desk, event)


def _status(status: str) -> str:
    if status not in STATUSES:
        raise FaultyFact(f"{status!r} is no status; write one of {', '.join(sorted(STATUSES))}")
    return status


def _withdrawn(event_id: str | None) -> str:
    if event_id is None:
        raise FaultyFact("event.withdrawn needs the id of the event that it takes back")
    return event_id


def _span(kind: str, since: Micros | None, until: Micros | None, data: Mapping[str, Any]) -> dict[str, Any]:
    """The span of an exclusion or of maintenance; it may stand in the data already."""
    if kind not in _HAS_SPAN:
        if since is not None or until is not None:
            raise FaultyFact(f"{kind} has no span; say when it happened with one instant")
        return {}
    if since is None and until is None and {"from", "to"} & data.keys():
        return {}
    if since is None or until is None or since >= until:
        raise FaultyFact(f"{kind} needs an instant from which and a later one up to which it is")
    return {"from": instant_text(since), "to": instant_text(until)}
