"""Facts entered by hand: a call, an intervention, an exclusion, a withdrawal, as events with their author and reason.

Checked as every pushed event is, and received as one. Instants are microseconds UTC.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from app.flow.judge.receive import Incoming
from app.flow.query.serialize import instant_text
from app.intake.cloudevents import check
from app.sla.event import KNOWN_TYPES, Event
from app.sla.span import Micros
from app.sla.ticket import STATUSES

_PREFIX: Final = "by-hand-"
_STATUS: Final = "status:"
_NEEDS_NO_REASON: Final = KNOWN_TYPES - {"exclusion.granted", "event.withdrawn"}


class FaultyFact(ValueError):
    """The fact cannot be recorded. The message names what is missing or wrong."""


def fact(
    desk: str,
    ticket: str,
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

    An exclusion needs `since` and `until`, a withdrawal the id that it `withdraws`, both a `reason`. Raises FaultyFact.
    """
    data: dict[str, Any] = {**(more or {}), "recorded_by": author}
    if kind.startswith(_STATUS):
        kind, data["status"] = "status.changed", _status(kind.removeprefix(_STATUS))
    if kind not in KNOWN_TYPES:
        raise FaultyFact(f"{kind!r} is no event type; write one of {', '.join(sorted(KNOWN_TYPES))}")
    if reason is not None:
        data["reason"] = reason
    elif kind not in _NEEDS_NO_REASON:
        raise FaultyFact(f"{kind} needs a reason")
    if kind == "exclusion.granted":
        data |= _span(since, until) | {"author": author}
    elif kind == "event.withdrawn":
        if withdraws is None:
            raise FaultyFact("event.withdrawn needs the id of the event that it takes back")
        data |= {"id": withdraws, "author": author}
    else:
        data.setdefault("author", "agent")
    event = Event(_PREFIX + secrets.token_hex(8), kind, ticket, at, data)
    if faulty := check(event, max_text=max_text):
        raise FaultyFact(faulty.reason)
    return Incoming.of(desk, event)


def _status(status: str) -> str:
    if status not in STATUSES:
        raise FaultyFact(f"{status!r} is no status; write one of {', '.join(sorted(STATUSES))}")
    return status


def _span(since: Micros | None, until: Micros | None) -> dict[str, Any]:
    if since is None or until is None or since >= until:
        raise FaultyFact(
            "exclusion.granted needs an instant from which and a later one up to which it excludes"
        )
    return {"from": instant_text(since), "to": instant_text(until)}
