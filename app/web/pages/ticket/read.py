"""Reads everything about a ticket on one snapshot. Instants are microseconds UTC."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from app.flow.query import tickets
from app.flow.query.answer import ArchivedAnswer, TicketAnswer
from app.flow.query.breaches import breaches_of, costs_of
from app.flow.query.queues import QueueForecast, UnknownQueue, queue_forecast
from app.flow.query.serialize import ticket as view_of
from app.settings import Settings
from app.sla.agreement.version import Version
from app.sla.credit.line import Line
from app.sla.event import Event, in_order, order_key
from app.sla.queue.duplicate import queue_of
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import signals
from app.store.tickets.breaches import Breach
from app.store.tickets.ledger import logs
from app.store.tickets.signals import SignalFilters

OTHERS_MAX: Final = 8
"""Other tickets of the customer that are listed; the list of all is one link further."""


@dataclass(frozen=True, slots=True)
class TicketRead:
    """A ticket with all that its page shows. `answer` is none for an archived one whose events were deleted."""

    desk: str
    ticket: str
    zone: str
    """Of the desk."""
    answer: TicketAnswer | None = None
    final_view: dict[str, Any] | None = None
    events: Sequence[Event] = ()
    """In their order; the latest ones."""
    valid: frozenset[str] = frozenset()
    """The ids of events that were not withdrawn."""
    earlier: int = 0
    """Events before those."""
    signals: Sequence[dict[str, Any]] = ()
    """The latest ones, in the order of the stream."""
    breaches: Sequence[Breach] = ()
    costs: dict[str, Sequence[Line]] = field(default_factory=dict[str, Sequence[Line]])
    versions: Sequence[Version] = ()
    forecast: QueueForecast | None = None
    """What one more message of the customer would change; none without a queue."""
    others: Sequence[dict[str, Any]] = ()
    """Views of other tickets of the customer, next due first."""


def read_ticket(
    conn: Connection, catalogue: Catalogue, settings: Settings, desk: str, ticket: str, now: Micros
) -> TicketRead:
    """The ticket. Raises what `ticket_answer` raises, but for an archived ticket whose events were deleted."""
    versions = catalogue.versions(conn, desk, at=now)
    zone = versions[-1].agreement.time_zone
    found = tickets.ticket_now(conn, catalogue, desk, ticket, now=now)
    if isinstance(found, ArchivedAnswer):
        if found.events_dropped:
            return TicketRead(desk, ticket, zone, final_view=view_of(found))
        found = tickets.ticket_answer(conn, catalogue, desk, ticket, now=now)
    log = logs(conn, desk, [ticket])[ticket]
    ordered, most = sorted(log, key=order_key), settings.answer_events
    of_it = SignalFilters(subjects={Subject.parse(ticket)})
    own = breaches_of(conn, desk, ticket)
    return TicketRead(
        desk,
        ticket,
        zone,
        answer=found.limited(settings.answer_cycles),
        events=ordered[-most:],
        valid=frozenset(event.id for event in in_order(log)),
        earlier=max(0, len(ordered) - most),
        signals=[
            orjson.loads(each.body)
            for each in signals.page(
                conn, 0, settings.max_page_size, frozenset({desk}), filters=of_it, latest=True
            )
        ],
        breaches=own,
        costs=costs_of(conn, catalogue, desk, own, now),
        versions=versions,
        forecast=_forecast(conn, catalogue, found, now),
        others=_others(conn, catalogue, found, now),
    )


def _forecast(
    conn: Connection, catalogue: Catalogue, answer: TicketAnswer, now: Micros
) -> QueueForecast | None:
    """Of a ticket that waits: where one more message would put it."""
    if answer.queue is None:
        return None
    evaluation = answer.evaluation
    queue = queue_of(evaluation.ticket.fields)
    try:
        return queue_forecast(conn, catalogue, answer.desk, queue, answer.ticket, evaluation, now)
    except UnknownQueue:
        return None


def _others(
    conn: Connection, catalogue: Catalogue, answer: TicketAnswer, now: Micros
) -> list[dict[str, Any]]:
    customer = answer.evaluation.ticket.fields.get("customer")
    if not customer:
        return []
    filters = tickets.Filters(desks=frozenset({answer.desk}), customer=str(customer))
    page = tickets.tickets_page(conn, catalogue, filters, None, OTHERS_MAX + 1, now=now)
    views = [view_of(each) for each in page.items if each.ticket != answer.ticket]
    return views[:OTHERS_MAX]
