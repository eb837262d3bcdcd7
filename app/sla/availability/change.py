"""Change: the spans and resources about which further facts of a service say something else than those before.

Only the periods that such a span touches are judged again, and of a service with thousands of resources only those
concerned: a fact of today leaves the months of past years alone, and one of a server the other servers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.sla.availability.exclusion import Exclusion, Window
from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.availability.outage import EVERY_RESOURCE, Outage, key_of
from app.sla.event import Event, EventType
from app.sla.span import Span

_UNDOING: Final = frozenset({EventType.OUTAGE_ENDED, EventType.EVENT_WITHDRAWN})


@dataclass(frozen=True, slots=True)
class News:
    """A span about which something else is stated than before, of one resource or (without one) of the whole service."""

    span: Span
    resource: str = EVERY_RESOURCE


def news(service: str, events: Sequence[Event], new: Iterable[Event]) -> list[News]:
    """About what a service's events say something else than they did without the new ones.

    Only facts that share a reference, or without one the resource, have an effect on each other, so no others are read.
    A withdrawal may be about any. Some of the new ones may have been judged before, so what they say without those that
    end or withdraw something counts too: a signal of it may have been recorded.
    """
    coming = {event.id: event for event in new}
    if not coming:
        return []
    log = events
    if not any(event.type == EventType.EVENT_WITHDRAWN for event in coming.values()):
        keys = {key_of(event) for event in coming.values()}
        log = [event for event in events if event.type == EventType.EVENT_WITHDRAWN or key_of(event) in keys]
    before = read_facts(service, [event for event in log if event.id not in coming])
    between = [event for event in log if event.id not in coming or event.type not in _UNDOING]
    found = changed(before, read_facts(service, log))
    return found if len(between) == len(log) else found + changed(before, read_facts(service, between))


def changed(before: ServiceFacts, after: ServiceFacts) -> list[News]:
    """What only one of the two states."""
    return [
        *_only_in_one(before.outages, after.outages),
        *_only_in_one(before.windows, after.windows),
        *_only_in_one(before.exclusions, after.exclusions),
    ]


def _only_in_one(
    before: Iterable[Outage | Window | Exclusion], after: Iterable[Outage | Window | Exclusion]
) -> Iterator[News]:
    one, other = dict.fromkeys(before), dict.fromkeys(after)
    yield from (News(each.span, each.resource) for each in one if each not in other)
    yield from (News(each.span, each.resource) for each in other if each not in one)
