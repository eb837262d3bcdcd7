"""The timeline of a ticket: its events and boundaries as steps, in their total order.

Each `Step` says what an event means: the facts that it is, the status after it, whether it reopened or ended the ticket,
and which commitments an exclusion covers. Boundaries are what is no event and yet changes the clocks: the start or end
of an exclusion, a version of the agreement, a merge. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from app.sla.agreement.agreement import Agreement, DerivedFact
from app.sla.agreement.version import Version
from app.sla.clock.field_fact import DateComes, Watched, field_facts
from app.sla.contract import Contract
from app.sla.contract_finder import NO_CONTRACTS, StoredContracts
from app.sla.event import (
    AFTER_EVENTS,
    BEFORE_EVENTS,
    KNOWN_TYPES,
    Event,
    OrderKey,
    Value,
    exclusion_span,
    order_key,
    status_instants,
)
from app.sla.fields import FIELD_MARK, STATUS_MARK
from app.sla.merge import Absorbed
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.ticket import Ticket

_EVENT: Final = ReasonCode.EVENT
_NO_FACTS: Final[frozenset[str]] = frozenset()
_NO_FIELDS: Final[Mapping[str, Value]] = {}
_NOTHING_EXCLUDED: Final[Mapping[str, Reason]] = {}
_FACTS: Final = {kind: frozenset((kind,)) for kind in KNOWN_TYPES}
_MESSAGES: Final = frozenset(
    {"customer.replied", "agent.replied", "note.added", "progress.reported", "request.read"}
)
"""Types of which an automatic event is no fact."""
_CHANGES_FIELDS: Final = frozenset({"ticket.created", "ticket.updated"})
EVERY_COMMITMENT: Final = "*"


@dataclass(slots=True)
class Step:
    """One event or boundary, as the tracks see it.

    Never changed; not frozen, which would triple the cost of creation.
    """

    at: Micros
    id: str
    """The event's id, or the boundary's name. It becomes part of the occurrence of warnings."""
    cause: Reason
    facts: frozenset[str]
    """The start and stop facts that it is."""
    fields: Mapping[str, Value]
    """The ticket's fields after it; left out where `fields_changed` is false."""
    status: str
    reopened: bool
    ended: Reason | None
    """Why the ticket ended with this event (merged, deleted)."""
    is_level: bool
    """Whether it concerns every commitment, whatever its start and stop facts are."""
    fields_changed: bool
    levels_changed: bool
    """Whether the status or the set of exclusions may have changed."""
    excluded: Mapping[str, Reason]
    """The commitments that an exclusion covers now; `*` stands for all."""
    by_customer: bool = False
    """Whether it is a human message of the customer, the creation included."""
    contract: Contract | None = None
    """The ticket's contract after it."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A span that a person took out of the count, for some commitments or all."""

    start: Micros
    end: Micros
    commitments: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Boundary:
    """What changes the clocks without being an event: `of` is the version, the merge or the date of the ticket; None: an
    exclusion's edge."""

    at: Micros
    of: Version | Absorbed | DateComes | None = None

    @property
    def order_key(self) -> OrderKey:
        """Exclusions and versions come before the other events of their instant, a merge after them."""
        match self.of:
            case None:
                return (self.at, 1, BEFORE_EVENTS, 0, "edge:")
            case Version(number=number):
                return (self.at, 1, BEFORE_EVENTS, 0, f"version:{number}")
            case DateComes() as comes:
                return (self.at, *comes.order_key[1:])
            case Absorbed(ticket=ticket):
                return (self.at, 1, AFTER_EVENTS, 0, f"merge:{ticket}")


Item: TypeAlias = Event | Boundary


@dataclass(slots=True)
class Timeline:
    """The walk through a ticket's events under an agreement. `agreement` changes when a version takes over."""

    agreement: Agreement
    exclusions: Sequence[Exclusion]
    named_status_at: frozenset[Micros]
    """Instants at which the source itself reports a status: a message changes none there."""
    ticket: Ticket
    watched: Watched | None
    """The fields and statuses that some commitment starts on."""
    contracts: StoredContracts
    """The stored contracts that the ticket may belong to."""
    excluded: Mapping[str, Reason]
    begun: bool = False

    def step(self, event: Event) -> Step:
        """Apply the next event to the ticket."""
        ticket, agreement, kind = self.ticket, self.agreement, event.type
        status, first = ticket.status, not self.begun
        assignee = ticket.fields.get("assignee") if agreement.derived else None
        before = None if self.watched is None else dict(ticket.fields)
        human = kind not in _MESSAGES or event.human
        if kind == "customer.replied":
            reopens = agreement.customer_reply_ends_pending and event.at not in self.named_status_at
            ticket.apply(event, reply_reopens_pending=reopens)
            by_customer = human
        else:
            ticket.apply(event)
            by_customer = kind == "ticket.created" and ticket.fields["author"] == "customer" and event.human
        self.begun = True
        facts = _FACTS.get(kind, _NO_FACTS) if human else _NO_FACTS
        for derived in agreement.derived:
            if _shows(derived, event, ticket, assignee):
                facts |= {derived.fact}
        fields_changed = first or kind in _CHANGES_FIELDS
        status_changed = first or ticket.status != status
        if self.watched is not None and before is not None:
            shown = set(field_facts(self.watched, event, before, ticket.fields, agreement.time_zone))
            facts, fields_changed = facts | shown, fields_changed or bool(shown)
            if self.watched.statuses and status_changed:
                facts |= {STATUS_MARK + ticket.status}
        ended = _ended(event) if ticket.ended_by is event else None
        return Step(
            event.at,
            event.id,
            Reason(_EVENT, event.id),
            facts,
            dict(ticket.fields) if fields_changed else _NO_FIELDS,
            ticket.status,
            status_changed and ticket.reopened,
            ended,
            fields_changed or status_changed or ended is not None,
            fields_changed,
            status_changed,
            self.excluded,
            by_customer,
            ticket.contract,
        )

    def exclusion_boundary(self, at: Micros) -> Step:
        """Begin and end exclusions."""
        self.excluded = {
            name: exclusion.reason
            for exclusion in self.exclusions
            if exclusion.start <= at < exclusion.end
            for name in exclusion.commitments
        }
        return self._boundary(at, "exclusion", Reason(ReasonCode.EXCLUSION_BOUNDARY))

    def version_boundary(self, version: Version, at: Micros) -> Step:
        """Go on under another version of the agreement."""
        self.agreement = version.agreement
        finder = version.agreement.contract_finder(self.contracts)
        if finder is not None or self.ticket.finder is not None:
            self.ticket.use_finder(finder)
        cause = Reason(ReasonCode.VERSION, version.number)
        return self._boundary(at, f"version {version.number}", cause, fields_changed=True)

    def date_comes(self, at: Micros, comes: DateComes) -> Step:
        """Take a date of the ticket that has come as a fact."""
        params = {"value": comes.event.data[comes.field], "event": comes.event.id}
        cause = Reason(ReasonCode.FIELD_DATE, comes.field, params)
        return self._boundary(at, "date", cause, facts=frozenset((FIELD_MARK + comes.field,)))

    def _boundary(
        self,
        at: Micros,
        name: str,
        cause: Reason,
        *,
        facts: frozenset[str] = _NO_FACTS,
        fields_changed: bool = False,
    ) -> Step:
        ticket = self.ticket
        fields = dict(ticket.fields) if fields_changed else _NO_FIELDS
        return Step(
            at,
            name,
            cause,
            facts,
            fields,
            ticket.status,
            False,
            None,
            True,
            fields_changed,
            True,
            self.excluded,
            contract=ticket.contract,
        )


def timeline(
    agreement: Agreement,
    exclusions: Sequence[Exclusion],
    past: Sequence[Event],
    of: Watched | None = None,
    contracts: StoredContracts = NO_CONTRACTS,
) -> Timeline:
    """The timeline of a ticket at its beginning. `of`: the fields and statuses that some commitment starts on."""
    ticket = Ticket(finder=agreement.contract_finder(contracts))
    return Timeline(agreement, exclusions, status_instants(past), ticket, of, contracts, _NOTHING_EXCLUDED)


def in_sequence(past: Sequence[Event], boundaries: Sequence[Boundary]) -> Sequence[Item]:
    """Events and boundaries in their order."""
    if not boundaries:
        return past
    # Nothing happens to a ticket before its first event: an exclusion that began earlier holds from there.
    born = past[0].at
    moved = [Boundary(max(each.at, born), each.of) for each in boundaries]
    keyed: list[tuple[OrderKey, Item]] = [(order_key(event), event) for event in past]
    keyed += [(each.order_key, each) for each in moved]
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]


def exclusion_boundaries(exclusions: Sequence[Exclusion]) -> list[Boundary]:
    """The starts and ends of exclusions, each instant once."""
    return [Boundary(edge) for edge in sorted({edge for x in exclusions for edge in (x.start, x.end)})]


def read_exclusions(ordered: Sequence[Event]) -> tuple[list[Exclusion], list[str]]:
    """The exclusions of a log, whenever they were granted, and a flag for each that cannot be read."""
    granted = [event for event in ordered if event.type == "exclusion.granted"]
    if not granted:
        return [], []
    read = [(event, _exclusion(event)) for event in granted]
    flags = [f"unreadable_exclusion:{event.id}" for event, exclusion in read if exclusion is None]
    return [exclusion for _, exclusion in read if exclusion is not None], flags


def _exclusion(event: Event) -> Exclusion | None:
    span = exclusion_span(event)
    if span is None:
        return None
    named = event.data.get("commitments")
    commitments = (EVERY_COMMITMENT,)
    if isinstance(named, list | tuple) and named:
        commitments = tuple(str(name) for name in cast("Sequence[object]", named))
    params = {name: value for name in ("author", "reason") if (value := event.data.get(name))}
    return Exclusion(*span, commitments, Reason(ReasonCode.EXCLUSION, event.id, params))


def _ended(event: Event) -> Reason:
    if event.type == "ticket.deleted":
        return Reason(ReasonCode.TICKET_DELETED, event.id)
    into = event.data.get("into")
    return Reason(ReasonCode.MERGED_INTO, event.id, {"into": into} if into else None)


def _shows(derived: DerivedFact, event: Event, ticket: Ticket, assignee: object) -> bool:
    """Whether the event shows a fact that its source does not send."""
    kind = event.type
    if kind not in derived.shown_by:
        assigned = kind == "ticket.updated" and "assigned" in derived.shown_by
        if not (assigned and event.data.get("assignee") and event.data.get("assignee") != assignee):
            return False
    if derived.by_agent:
        author = event.data.get("author")
        if not event.human or author == "customer" or (kind == "ticket.created" and author != "agent"):
            return False
    return derived.where.all_hold(ticket.fields)
