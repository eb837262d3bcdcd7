"""Cards: a service or a resource with its uptime in a month, what is left of its downtime, its days and its outages."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from app.intake.instant import read_instant
from app.sla.span import SECOND
from app.web.pages.frame.figures import month, uptime
from app.web.pages.frame.vocabulary import KINDS, named
from app.web.pages.frame.words import local
from app.web.pages.service.bars import Bars, bars, lost, spare
from app.web.pages.service.outages import Audience, OutageView, WindowView, outage_views, window_views
from app.web.pages.service.states import flag_texts, state_text

__all__ = ["Audience", "ServiceCard", "card"]

_DOWN, _BREACHED = -2.0, -1.0
_MILLISECOND: Final = SECOND // 1000


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """A service or one of its resources by one commitment."""

    key: str
    """For ids of elements."""
    desk: str
    id: str
    service: str
    resource: str | None
    label: str
    kind: str
    period: str | None
    down_since: str | None
    down_count: int
    uptime: str
    left: str
    state: str
    state_text: str
    breached_at: str | None
    target: str
    downtime: str
    allowed: str
    excluded: str
    flags: tuple[str, ...]
    days: Bars | None
    outages: tuple[OutageView, ...]
    windows: tuple[WindowView, ...]
    values: dict[str, Any] | None
    """What a form about the service needs; None: the reader may record nothing."""
    urgency: float
    """Down first, then breached, then by the share of the allowance that is left."""
    next_at: int | None
    """When a figure changes next though nothing is reported, in milliseconds."""


def card(found: dict[str, Any], to: Audience) -> ServiceCard:
    """The card of an uptime, from its document."""
    words = to.words
    down = [each for each in found["outages"] if each["to"] is None]
    today = local(to.now, to.zone).date()
    values = {"desk": found["desk"], "service": found["service"], "zone": to.zone}
    breached, upcoming = found["breached_at"], found["next_at"]
    return ServiceCard(
        key=quote("-".join((found["desk"], found["id"], found["service"], found["resource"] or "")), safe=""),
        desk=found["desk"],
        id=found["id"],
        service=found["service"],
        resource=found["resource"],
        label=found["label"],
        kind=named(words, KINDS, found["kind"]),
        period=month(words, found["period"]) if found["period"] else None,
        down_since=to.at(down[0]["from"]) if down else None,
        down_count=len(down),
        uptime=uptime(words, found["uptime"]),
        left=spare(words, found["remaining_seconds"]),
        state=found["state"],
        state_text=state_text(words, found["state"]),
        breached_at=None if breached is None else to.at(breached),
        target=words.uptime(found["target"]),
        downtime=lost(words, found["downtime_seconds"]),
        allowed=spare(words, found["allowance_seconds"]),
        excluded=lost(words, found["excluded_seconds"]),
        flags=tuple(flag_texts(words, found["flags"])),
        days=bars(words, found["days"], today) if found["days"] else None,
        outages=outage_views(found, to),
        windows=window_views(found, to),
        values=values if to.may_record else None,
        urgency=_urgency(found, is_down=bool(down)),
        next_at=None if upcoming is None else read_instant(upcoming) // _MILLISECOND,
    )


def _urgency(found: dict[str, Any], *, is_down: bool) -> float:
    if is_down:
        return _DOWN
    if found["state"] == "breached":
        return _BREACHED
    allowed = found["allowance_seconds"]
    return found["remaining_seconds"] / allowed if allowed > 0 else 1.0
