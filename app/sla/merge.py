"""Merged tickets: what happens in a ticket after it was merged counts in the ticket into which it went.

A message, a reply, a claim or any other fact of the source is carried over, in the one total order of both logs. The
source's own fields, status and end are not: ticket systems close a merged ticket, and that closes no other. Of a chain
every link is a source of the next. Derived from the logs alone, so a merge that is withdrawn takes everything back.
Instants are microseconds UTC.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.sla.event import KNOWN_TYPES, Event, exclusion_span, in_order, order_key
from app.sla.span import instant

_STAYS: Final = frozenset(
    {
        "ticket.created",
        "ticket.updated",
        "status.changed",
        "ticket.merged",
        "ticket.deleted",
        "event.withdrawn",
    }
)
"""Types that are about the merged ticket alone. A withdrawal has its effect in the log of what it withdraws."""
_CARRIED: Final = KNOWN_TYPES - _STAYS


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A ticket that was merged into the one in question: its log, and the merge."""

    ticket: str
    merged_by: Event
    events: tuple[Event, ...]
    absorbed: tuple["Absorbed", ...] = ()


def with_absorbed(ordered: Sequence[Event], absorbed: Sequence[Absorbed]) -> Sequence[Event]:
    """A ticket's events in their order, with those that happened in its sources after they were merged into it."""
    if not absorbed:
        return ordered
    created = next((event for event in ordered if event.type == "ticket.created"), None)
    # By another clock than the merge's, the target may be younger: what happened before it was there is not its own.
    born = None if created is None else order_key(created)
    carried = [
        event for source in absorbed for event in _carried(source) if born is None or born < order_key(event)
    ]
    return sorted([*ordered, *carried], key=order_key) if carried else ordered


def until_merge(source: Absorbed) -> list[Event]:
    """What had happened in the source, and in what it had absorbed itself, when it was merged.

    With it the exclusions that were granted there later: each holds for its span whenever it was granted.
    """
    merged = order_key(source.merged_by)
    # A merge before the one that counts named no ticket, or it would be the one: the wait went on.
    return [
        event
        for event in with_absorbed(in_order(source.events), source.absorbed)
        if (order_key(event) < merged and event.type != "ticket.merged") or event.type == "exclusion.granted"
    ]


def passed_through(absorbed: Sequence[Absorbed]) -> Iterator[Absorbed]:
    """These sources, and those that came into one of them after it was merged itself: they go straight on."""
    for source in absorbed:
        yield source
        for inner in passed_through(source.absorbed):
            if inner.merged_by.at > source.merged_by.at:
                yield inner


def _carried(source: Absorbed) -> Iterator[Event]:
    merged = order_key(source.merged_by)
    for event in with_absorbed(in_order(source.events), source.absorbed):
        if event.type not in _CARRIED or order_key(event) < merged:
            continue
        if event.type == "exclusion.granted":
            yield from _from_the_merge_on(event, source.merged_by)
        else:
            yield event


def _from_the_merge_on(exclusion: Event, merge: Event) -> Iterator[Event]:
    """The part of an exclusion's span after the merge: what lies before is the source's own wait."""
    span = exclusion_span(exclusion)
    if span is None or span[0] >= merge.at:
        yield exclusion
    elif span[1] > merge.at:
        yield replace(exclusion, data={**exclusion.data, "from": instant(merge.at).isoformat()})
