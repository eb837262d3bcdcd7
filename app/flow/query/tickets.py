"""Queries of tickets, signals and breaches.

`at` selects the state at an instant by all that is known now; `as_of` what was known at an instant: the events received
and the versions applied by then, evaluated at the earlier of the two. Nothing is written here but acknowledgements.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import structlog

from app.flow import metrics
from app.flow.query.allowances import exceeded_as_stored, exceeded_from_log, has_allowances
from app.flow.query.answer import ArchivedAnswer, QueueAnswer, TicketAnswer
from app.flow.query.duplicates import adjacent_tickets
from app.flow.query.failures import NOT_OF_THE_SUBJECT
from app.flow.query.measured_calls import months_of
from app.flow.query.merge_graph import MergeGraph, gather, gather_logs, judge
from app.flow.query.positions import pace_of
from app.principal import EVERY, Desks
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import begun, known_versions
from app.sla.allowance import FLAG, uses_of, without_clocks
from app.sla.clock.evaluation import Evaluation, NothingKnown
from app.sla.clock.explanation import Explanation, explain
from app.sla.queue.duplicate import group_key
from app.sla.queue.forecast import Pace
from app.sla.queue.waiting import WaitInterval, moves, wait_intervals
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import allowances, archive, board, breaches, queues, signals
from app.store.tickets.allowances import StoredUse
from app.store.tickets.archive import ArchivedTicket
from app.store.tickets.board import Filters
from app.store.tickets.breach_filters import BreachFilters
from app.store.tickets.breaches import Acknowledgement, Breach
from app.store.tickets.recorded import detected
from app.store.tickets.signals import Published

__all__ = [
    "Acknowledgement",
    "Breach",
    "BreachFilters",
    "CannotBeJudged",
    "EventsDropped",
    "Filters",
    "NothingKnownYet",
    "Page",
    "acknowledge",
    "answers",
    "breaches_page",
    "explanation",
    "signals_page",
    "ticket_answer",
    "ticket_now",
    "tickets_page",
]

_log = structlog.stdlib.get_logger()

T = TypeVar("T")


class NothingKnownYet(LookupError):
    """Nothing was known of this ticket at that instant. Ask for a later `at` or `as_of`, or check the id."""


class CannotBeJudged(RuntimeError):
    """This ticket cannot be evaluated. It is parked and tried again; the reason is with it."""


class EventsDropped(LookupError):
    """The facts of this ticket are no longer kept; what is left is how it stood in the end. Ask without `at` and
    `as_of`."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, and the cursor of the next part; none at the end."""

    items: Sequence[T]
    next: str | None


def ticket_answer(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    ticket: str,
    *,
    now: Micros,
    at: Micros | None = None,
    as_of: Micros | None = None,
) -> TicketAnswer:
    """One ticket. Raises NothingKnownYet, CannotBeJudged and, for a desk without a version, UnknownDesk."""
    query = _Query(conn, catalogue, desk, now, at, as_of)
    merge_graph = query.gather([ticket])
    if not merge_graph.logs[ticket]:
        if archive.without_events(conn, desk, [ticket]):
            raise EventsDropped(f"the facts of ticket {ticket!r} are no longer kept; its final view is")
        raise NothingKnownYet(f"nothing was known of ticket {ticket!r} then")
    try:
        return query.answer(merge_graph, ticket)
    except NothingKnown as error:
        raise NothingKnownYet(f"nothing had happened on ticket {ticket!r} by then") from error
    except NOT_OF_THE_SUBJECT:
        raise
    except Exception as error:
        raise CannotBeJudged(
            f"ticket {ticket!r} cannot be evaluated: {type(error).__name__}: {error}"
        ) from error


def ticket_now(
    conn: Connection, catalogue: Catalogue, desk: str, ticket: str, *, now: Micros
) -> TicketAnswer | ArchivedAnswer:
    """One ticket now, from its final view if it is archived. Raises what `ticket_answer` raises."""
    row = archive.archived(conn, desk, [ticket]).get(ticket)
    if row is None:
        return ticket_answer(conn, catalogue, desk, ticket, now=now)
    return _archived_answer(row, now)


def _archived_answer(row: ArchivedTicket, now: Micros) -> ArchivedAnswer:
    return ArchivedAnswer(row.desk, row.ticket, row.view, now, row.events_dropped_at is not None)


def answers(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    tickets: Iterable[str],
    *,
    now: Micros,
    at: Micros | None = None,
    as_of: Micros | None = None,
    placed: bool = True,
) -> dict[str, TicketAnswer]:
    """Several tickets of a desk. One that cannot be evaluated is left out, counted and logged.

    `placed` false leaves out where they wait.
    """
    query = _Query(conn, catalogue, desk, now, at, as_of, placed=placed)
    merge_graph = query.gather(tickets)
    found: dict[str, TicketAnswer] = {}
    for ticket in tickets:
        if not merge_graph.logs[ticket]:
            continue
        try:
            found[ticket] = query.answer(merge_graph, ticket)
        except NothingKnown:
            continue
        except NOT_OF_THE_SUBJECT:
            raise
        except Exception:  # noqa: BLE001 - one ticket's own content must not hide the others
            _log.exception("evaluation for a query failed", desk=desk, subject=ticket)
            metrics.FAILURES.labels(desk).inc()
    return found


def tickets_page(
    conn: Connection, catalogue: Catalogue, filters: Filters, cursor: str | None, limit: int, *, now: Micros
) -> Page[TicketAnswer | ArchivedAnswer]:
    """Tickets that match, next due first. Raises FaultyCursor."""
    keys, following = board.tickets(conn, filters, now, cursor, limit)
    by_desk: dict[str, list[str]] = {}
    for desk, ticket in keys:
        by_desk.setdefault(desk, []).append(ticket)
    found: dict[tuple[str, str], TicketAnswer | ArchivedAnswer] = {}
    for desk, tickets in by_desk.items():
        archived = archive.archived(conn, desk, tickets)
        judged = answers(conn, catalogue, desk, [each for each in tickets if each not in archived], now=now)
        found.update(((desk, ticket), answer) for ticket, answer in judged.items())
        found.update(((desk, ticket), _archived_answer(row, now)) for ticket, row in archived.items())
    return Page([found[key] for key in keys if key in found], following)


def explanation(answer: TicketAnswer, commitment: str | None, cycle: int | None = None) -> Explanation:
    """The spans behind a clock of an answer. Raises NoSuchClock."""
    return explain(answer.evaluation, commitment, cycle)


def signals_page(
    conn: Connection, after: int, limit: int, desks: Desks = EVERY, kinds: Sequence[str] = ()
) -> Page[Published]:
    """The stream after a place, in order. `next` is the place to continue from, also at the end of the stream."""
    found = signals.page(conn, after, limit, desks, kinds)
    return Page(found, str(found[-1].seq if found else after))


def breaches_page(conn: Connection, filters: BreachFilters, cursor: str | None, limit: int) -> Page[Breach]:
    """Breaches, misses and lapses, the latest first. Raises FaultyCursor."""
    found, following = breaches.breaches(conn, filters, cursor, limit)
    return Page(found, following)


def acknowledge(
    conn: Connection, breach_id: str, author: str, note: str | None, now: Micros
) -> Breach | None:
    """Record that a person has seen a breach; the first acknowledgement stays. None for an unknown breach."""
    if breaches.breach(conn, breach_id) is None:
        return None
    breaches.acknowledge(conn, breach_id, Acknowledgement(author, note, now))
    return breaches.breach(conn, breach_id)


class _Query:
    """A query of tickets of one desk, with its two instants."""

    def __init__(
        self,
        conn: Connection,
        catalogue: Catalogue,
        desk: str,
        now: Micros,
        at: Micros | None,
        as_of: Micros | None,
        *,
        placed: bool = True,
    ) -> None:
        self._conn, self._desk, self._placed = conn, desk, placed
        self._known_at = as_of
        self._as_of = now if as_of is None else as_of
        self._at = (now if at is None else at) if as_of is None else min(as_of, now if at is None else at)
        known = known_versions(catalogue.timeline(conn, desk), as_of)
        self._versions = begun(known, max(self._at, self._as_of))
        self._paces: dict[str, Pace] = {}
        self._detected: dict[Subject, dict[tuple[str, Micros], Micros]] = {}
        self._uses: dict[str, list[StoredUse]] = {}

    @property
    def _agreement(self) -> Agreement:
        return self._versions[-1].agreement

    def gather(self, tickets: Iterable[str]) -> MergeGraph:
        names = list(tickets)
        self._detected = detected(self._conn, self._desk, map(Subject.parse, names), self._as_of)
        if self._known_at is None and has_allowances(self._versions):
            self._uses = allowances.of_tickets(self._conn, self._desk, names)
        return gather(self._conn, self._desk, names, as_of=self._known_at)

    def answer(self, merge_graph: MergeGraph, ticket: str) -> TicketAnswer:
        evaluation = self._evaluation(merge_graph, ticket)
        place = self._place(merge_graph, ticket, evaluation) if self._placed else None
        return TicketAnswer(
            desk=self._desk,
            ticket=ticket,
            evaluation=evaluation,
            as_of=self._as_of,
            detected=self._detected.get(Subject.parse(ticket), {}),
            queue=place,
            is_capped=place is not None and self._is_capped(ticket, evaluation),
            merged_into=merge_graph.merged_into(ticket, self._at),
            merged_from=merge_graph.merged_from(ticket, self._at),
        )

    def _evaluation(self, merge_graph: MergeGraph, ticket: str) -> Evaluation:
        """The ticket's evaluation, marked where it is past an allowance."""
        evaluation = judge(merge_graph, ticket, self._versions, self._at)
        if not has_allowances(self._versions):
            return evaluation
        if self._known_at is None:
            exceeded = exceeded_as_stored(self._uses.get(ticket, ()), self._versions, self._at)
        else:
            log, months = merge_graph.whole_log(ticket, self._at), months_of(self._versions)
            uses = uses_of(ticket, log, evaluation.ticket, self._versions, months, self._at)
            exceeded = exceeded_from_log(
                self._conn, self._desk, self._versions, uses, self._at, self._known_at
            )
        if not exceeded:
            return evaluation
        versions = without_clocks(exceeded, self._versions)
        marked = evaluation if versions is None else judge(merge_graph, ticket, versions, self._at)
        return replace(marked, flags=(*marked.flags, FLAG))

    def _place(self, merge_graph: MergeGraph, ticket: str, evaluation: Evaluation) -> QueueAnswer | None:
        """Where it waits: from the stored wait intervals, or derived anew for what was known earlier."""
        if self._known_at is None:
            own = queues.wait_intervals(self._conn, self._desk, [ticket]).get(ticket, ())
        else:
            own = self._derived(merge_graph, ticket, evaluation)
        past = tuple(wait_interval for wait_interval in own if wait_interval.from_at <= self._at)
        last = next((wait_interval for wait_interval in past if wait_interval.holds_at(self._at)), None)
        if last is None:
            return None
        so_far = tuple(move for move in moves(past) if move.at <= self._at)
        if self._known_at is not None:
            return QueueAnswer(
                last.queue, None, None, last.joined_at, so_far, None, Reason(ReasonCode.PAST_STATE)
            )
        position, length = queues.place_at(self._conn, self._desk, last, self._at)
        reply_at, reason = self._pace(last.queue).reply_at(position, self._at)
        return QueueAnswer(last.queue, position, length, last.joined_at, so_far, reply_at, reason)

    def _is_capped(self, ticket: str, evaluation: Evaluation) -> bool:
        key, created_at = group_key(evaluation.ticket, self._agreement), evaluation.ticket.created_at
        if key is None or created_at is None:
            return False
        most = self._agreement.queue.duplicates_max
        return queues.has_more_before(self._conn, self._desk, (key, created_at, ticket), most)

    def _pace(self, queue: str) -> Pace:
        if queue not in self._paces:
            self._paces[queue] = pace_of(self._conn, self._desk, queue, self._agreement.queue, self._at)
        return self._paces[queue]

    def _derived(
        self, merge_graph: MergeGraph, ticket: str, evaluation: Evaluation
    ) -> tuple[WaitInterval, ...]:
        key = group_key(evaluation.ticket, self._agreement)
        created_at, rules = evaluation.ticket.created_at, self._agreement.queue
        mates: tuple[str, ...] = (ticket,)
        if key is not None and created_at is not None:
            place = {(key, created_at, ticket): True}
            near = adjacent_tickets(self._conn, self._desk, place, [ticket], rules.duplicates_max)
            mates = next(each.tickets for each in near if ticket in each.within)
        gather_logs(self._conn, merge_graph, sorted(mates), as_of=self._as_of)
        known = {name: merge_graph.whole_log(name, self._at) for name in mates}
        faulty = [name for name in known if merge_graph.fault(name) is not None]
        reply_ends_pending = self._agreement.customer_reply_ends_pending
        return wait_intervals(
            known,
            rules,
            self._at,
            reply_ends_pending=reply_ends_pending,
            faulty_merges=faulty,
            finder=merge_graph.contract_finder(self._agreement),
        )[ticket]
