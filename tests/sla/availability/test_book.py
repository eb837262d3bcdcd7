"""The book of a service: read event by event it has what the whole log states."""

from random import Random

import pytest

from app.sla.availability.book import ServiceBook
from app.sla.availability.change import news
from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.event import Event
from app.sla.span import HOUR, instant

KINDS = (
    *("outage.started", "outage.ended", "outage.verified", "outage.started", "outage.ended"),
    *("maintenance.announced", "exclusion.granted", "event.withdrawn", "call.offered"),
)


def history(random: Random) -> list[Event]:
    """Facts about few references, resources and instants, so that many are about the same."""
    events: list[Event] = []
    for n in range(random.randrange(1, 40)):
        kind, at = random.choice(KINDS), random.randrange(12) * HOUR
        data = {
            "reference": random.choice([None, "a", "b", "c"]),
            "resource": random.choice([None, "srv-1", "SRV-1", "srv-2"]),
            "cause": random.choice([None, "network", "power"]),
            "from": instant(at + random.randrange(5) * HOUR).isoformat(),
            "to": instant(at + random.randrange(5, 9) * HOUR).isoformat(),
            "id": f"e-{random.randrange(40)}",
        }
        events.append(
            Event(f"e-{n}", kind, "service:web", at, {k: v for k, v in data.items() if v is not None})
        )
    random.shuffle(events)
    return events


def stated(facts: ServiceFacts) -> tuple[object, ...]:
    rest = (facts.windows, facts.exclusions, facts.reports)
    return facts.outages, dict(facts.resources), *(sorted(map(repr, each)) for each in rest)


@pytest.mark.parametrize("seed", range(80))
def test_a_log_read_in_parts_states_what_the_whole_states(seed: int) -> None:
    random = Random(seed)
    events, known = history(random), list[Event]()
    book = ServiceBook("web")
    while events:
        count = random.randrange(1, 4)
        new, events = events[:count], events[count:]
        known += new
        book.add(new)
        assert stated(book.facts) == stated(read_facts("web", known))
        related = book.related(new)
        assert news("web", related, new) == news("web", known, new)
