"""Book: the facts of one service, kept while its log grows, so that a further fact is read with few earlier ones.

Facts with different keys have no effect on each other (`outage.key_of`), so only those with the key of a new one
are read again. A withdrawal may be about any fact: then all are. What it states is what `read_facts` of the whole log
does, but for flags, which it leaves out, and the order of all but outages. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from app.sla.availability.facts import REPORTS, ServiceFacts, read_facts
from app.sla.availability.outage import EVERY_RESOURCE, Key, key_of, text_of
from app.sla.event import Event, EventType, OrderKey, in_order, order_key
from app.sla.fields import casefolded


class ServiceBook:
    """The facts of one service so far. Used by one thread."""

    def __init__(self, service: str, events: Iterable[Event] = ()) -> None:
        self._service = service
        self._log: list[Event] = []
        """All events, in the order of receipt."""
        self._clear()
        self.add(events)

    def _clear(self) -> None:
        self._withdrawals: list[Event] = []
        self._valid: dict[Key, list[Event]] = {}
        """The facts that are not withdrawn, by their keys."""
        self._found: dict[Key, ServiceFacts] = {}
        self._named: dict[str, tuple[OrderKey, str]] = {}
        """How each resource was first written."""

    def add(self, events: Iterable[Event]) -> None:
        """Read further events of the log."""
        new = list(events)
        self._log += new
        if any(event.type == EventType.EVENT_WITHDRAWN for event in new):
            self._clear()
            self._withdrawals = [event for event in self._log if event.type == EventType.EVENT_WITHDRAWN]
            new = self._log
        touched: set[Key] = set()
        for event in in_order(chain(self._withdrawals, new)):
            if event.type in REPORTS:
                key = key_of(event)
                self._valid.setdefault(key, []).append(event)
                touched.add(key)
                self._name(event)
        for key in touched:
            self._found[key] = read_facts(self._service, self._valid[key])

    def _name(self, event: Event) -> None:
        resource = casefolded(named := text_of(event, "resource"))
        if named is not None and resource != EVERY_RESOURCE:
            written = order_key(event), named
            self._named[resource] = min(self._named.get(resource, written), written)

    def related(self, new: Sequence[Event]) -> Sequence[Event]:
        """The events that may have an effect on what new ones state, these among them, and all withdrawals."""
        if any(event.type == EventType.EVENT_WITHDRAWN for event in new):
            return self._log
        keys = {key_of(event) for event in new}
        same = chain.from_iterable(self._valid.get(key, ()) for key in keys)
        return list({event.id: event for event in chain(same, new, self._withdrawals)}.values())

    @property
    def facts(self) -> ServiceFacts:
        """The facts, without flags."""
        outages = chain.from_iterable(each.outages for each in self._found.values())
        return ServiceFacts(
            service=self._service,
            outages=tuple(sorted(outages, key=lambda each: (each.start, each.event))),
            windows=tuple(chain.from_iterable(each.windows for each in self._found.values())),
            exclusions=tuple(chain.from_iterable(each.exclusions for each in self._found.values())),
            resources={resource: named for resource, (_, named) in self._named.items()},
            reports=tuple(chain.from_iterable(each.reports for each in self._found.values())),
        )
