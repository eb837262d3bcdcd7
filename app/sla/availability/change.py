"""Change: the spans of time about which further facts of a service say something else than those before.

Only the periods that such a span touches are judged again: a fact of today leaves the months of past years alone.
"""

from collections.abc import Hashable, Iterable, Iterator

from app.sla.availability.facts import ServiceFacts
from app.sla.span import Span


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
