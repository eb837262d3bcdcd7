"""Change: the spans of time about which further facts of a service say something else than those before.

Only the periods that such a span touches are judged again: a fact of today leaves the months of past years alone.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Final

from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.availability.outage import key_of
from app.sla.event import Event, EventType
from app.sla.span import Span

_UNDOING: Final = frozenset({EventType.OUTAGE_ENDED, EventType.EVENT_WITHDRAWN})


def spans_of_news(service: str, events: Sequence[Event], new: Iterable[Event]) -> list[Span]:
    """The spans about which a service's events say something else than they did without the new ones.

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
    found = changed_spans(before, read_facts(service, log))
    return found if len(between) == len(log) else found + changed_spans(before, read_facts(service, between))


def changed_spans(before: ServiceFacts, after: ServiceFacts) -> list[Span]:
    """The spans of what only one of the two states."""
    return [
        *_only_in_one(
            ((each, each.span) for each in before.outages), ((each, each.span) for each in after.outages)
        ),
        *_only_in_one(
            ((each, each.span) for each in before.windows), ((each, each.span) for each in after.windows)
        ),
        *_only_in_one(
            ((each, each.span) for each in before.exclusions),
            ((each, each.span) for each in after.exclusions),
        ),
    ]


def spans_of(facts: ServiceFacts) -> list[Span]:
    """The spans of all that is stated."""
    return changed_spans(ServiceFacts(facts.service), facts)


def _only_in_one(
    before: Iterable[tuple[Hashable, Span]], after: Iterable[tuple[Hashable, Span]]
) -> Iterator[Span]:
    one, other = dict(before), dict(after)
    yield from (span for each, span in one.items() if each not in other)
    yield from (span for each, span in other.items() if each not in one)
