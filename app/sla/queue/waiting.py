"""Wait intervals, derived from the logs of a duplicate group and from nothing else.

So a late event, another order of arrival or a repetition gives the same intervals, and a move that proves wrong is gone.
What a ticket is about (customer, subject, domain, and so its group) is taken from the end of the log; where it waits
(queue) and how soon it is served (rank) from the state at each instant. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Final

from app.sla.agreement.agreement import MessageEffect, QueueRules
from app.sla.contract_finder import ContractFinder
from app.sla.event import Event, Value, in_order, order_key, status_instants
from app.sla.queue.duplicate import GroupKey, domains_named, group_of, lacks_domain, queue_of
from app.sla.queue.interval import Cause, Move, WaitInterval, moves
from app.sla.span import Micros
from app.sla.ticket import Ticket

__all__ = ["Cause", "Move", "WaitInterval", "moves", "wait_intervals"]

_KEEPS: Final = MessageEffect.KEEPS
WAITING_STATUSES: Final = frozenset({"new", "open"})


def wait_intervals(
    logs: Mapping[str, Iterable[Event]],
    rules: QueueRules,
    at: Micros,
    *,
    reply_ends_pending: bool = True,
    faulty_merges: Collection[str] = (),
    finder: ContractFinder | None = None,
) -> dict[str, tuple[WaitInterval, ...]]:
    """The wait intervals up to `at` of each of these tickets.

    `logs` has whole duplicate groups, one or several. A ticket that never waited has no interval.
    `reply_ends_pending` is the agreement's `customer_reply_ends_pending`; `faulty_merges` are the tickets whose
    own merge is invalid (an unknown target, a ring) and changes nothing. `finder` finds the contracts of the tickets.
    """
    ordered = {ticket: _valid_until(at, log, faulty_merges) for ticket, log in logs.items()}
    waits = {
        ticket: _Wait(_TicketFacts(ticket, log, rules), rules, Ticket(finder=finder))
        for ticket, log in ordered.items()
        if log
    }
    _replay(waits, ordered, reply_ends_pending=reply_ends_pending)
    return {ticket: tuple(waits[ticket].wait_intervals) if ticket in waits else () for ticket in ordered}


class LoneWait:
    """The waiting of a ticket that no other moves: later events continue it without the earlier ones.

    Its intervals equal those of `wait_intervals` over the whole log, but for those that were left out.
    """

    def __init__(self, ticket: str, wait: "_Wait", *, reply_ends_pending: bool) -> None:
        self._ticket, self._wait, self._reply_ends_pending = ticket, wait, reply_ends_pending
        self.left_out = 0
        """How many of the first intervals were left out."""

    @classmethod
    def begin(
        cls,
        ticket: str,
        log: Iterable[Event],
        rules: QueueRules,
        *,
        reply_ends_pending: bool,
        finder: ContractFinder | None = None,
    ) -> "LoneWait | None":
        """The waiting by these events, none of which lies ahead; none without an event."""
        ordered = in_order(log)
        if not ordered:
            return None
        wait = _Wait(_TicketFacts(ticket, ordered, rules), rules, Ticket(finder=finder))
        lone = cls(ticket, wait, reply_ends_pending=reply_ends_pending)
        lone._replay(ordered)
        return lone

    @property
    def wait_intervals(self) -> tuple[WaitInterval, ...]:
        """The intervals, without the first `left_out` of them."""
        return tuple(self._wait.wait_intervals)

    def leave_out_all_but(self, intervals: int) -> None:
        """Drop the first intervals: only the last one can still change."""
        self.left_out += max(0, len(self._wait.wait_intervals) - intervals)
        del self._wait.wait_intervals[:-intervals]

    def advance(self, later: Iterable[Event]) -> None:
        """Go on by events that all come after those so far."""
        ordered = in_order(later)
        # No message so far shares an instant with them, so only their own statuses matter.
        self._wait.facts.statuses_named_at = status_instants(ordered)
        self._replay(ordered)

    def _replay(self, ordered: Sequence[Event]) -> None:
        waits, logs = {self._ticket: self._wait}, {self._ticket: ordered}
        _replay(waits, logs, reply_ends_pending=self._reply_ends_pending)


def _replay(
    waits: Mapping[str, "_Wait"], ordered: Mapping[str, Sequence[Event]], *, reply_ends_pending: bool
) -> None:
    """Apply the events of a duplicate group, or of several, in the order of their instants."""
    groups = _Groups(waits)
    for instant, batch in groupby(_in_one_order(ordered), key=lambda entry: entry[1].at):
        changed: dict[str, _Wait] = {}
        for ticket, event in batch:
            wait = changed[ticket] = waits[ticket]
            wait.apply(event, reply_ends_pending=reply_ends_pending)
            if _is_customer_ticket(event):
                changed |= wait.move_duplicates(groups.before(wait), instant)
        for wait in changed.values():
            wait.settle(instant)


def _in_one_order(ordered: Mapping[str, Sequence[Event]]) -> list[tuple[str, Event]]:
    """The events of all these logs in their order, each with its ticket."""
    entries = [(ticket, event) for ticket, log in ordered.items() for event in log]
    # The log of one ticket has its order already, and most tickets are alone.
    return (
        entries if len(ordered) == 1 else sorted(entries, key=lambda entry: (order_key(entry[1]), entry[0]))
    )


class _Groups:
    """The members of each duplicate group in the order of their creation."""

    def __init__(self, waits: Mapping[str, "_Wait"]) -> None:
        self._members: dict[GroupKey, list[_Wait]] = {}
        self._places: dict[str, int] = {}
        if len(waits) == 1:
            return  # alone: what it is about need not be found out
        for wait in sorted(waits.values(), key=lambda each: (each.facts.created_at, each.facts.ticket)):
            if wait.facts.group is not None:
                members = self._members.setdefault(wait.facts.group, [])
                self._places[wait.facts.ticket] = len(members)
                members.append(wait)

    def before(self, wait: "_Wait") -> list["_Wait"]:
        """The tickets that a further one moves where they wait: as many of the latest before it as the rules say."""
        place = self._places.get(wait.facts.ticket)
        if place is None or wait.facts.group is None:
            return []
        first = max(0, place - wait.rules.duplicates_max)
        return self._members[wait.facts.group][first:place]


def _valid_until(at: Micros, log: Iterable[Event], faulty_merges: Collection[str]) -> list[Event]:
    """The events up to `at` in their order, without the merges that are invalid."""
    ordered = [event for event in in_order(log) if event.at <= at]
    if not faulty_merges:
        return ordered
    return [e for e in ordered if e.type != "ticket.merged" or e.subject not in faulty_merges]


def _is_customer_ticket(event: Event) -> bool:
    """Whether a customer opened a ticket: those of the desk and automatic ones move no duplicate back."""
    return (
        event.type == "ticket.created" and event.human and event.data.get("author") in (None, "", "customer")
    )


def _is_customer_message(event: Event) -> bool:
    return (event.type == "customer.replied" and event.human) or _is_customer_ticket(event)


def _is_agent_message(event: Event) -> bool:
    by_agent = event.type == "ticket.created" and event.data.get("author") == "agent"
    return (by_agent or event.type == "agent.replied") and event.human


class _TicketFacts:
    """What the whole log of a ticket gives, whenever each event happened."""

    def __init__(self, ticket: str, log: Sequence[Event], rules: QueueRules) -> None:
        created = next((event for event in log if event.type == "ticket.created"), None)
        self.ticket = ticket
        # Of a ticket whose creation was never seen: its first event.
        self.created_at: Micros = log[0].at if created is None else created.at
        self.statuses_named_at = status_instants(log)
        self._is_created, self._log, self._rules = created is not None, log, rules

    @cached_property
    def group(self) -> GroupKey | None:
        """Its duplicate group; none where duplicates change nothing. Lazy: subjects are long."""
        # A ticket whose creation was never seen is no duplicate: which one came first is not known.
        if not self._is_created or self._rules.duplicate is _KEEPS:
            return None
        return group_of(self._fields, self._rules)

    @cached_property
    def domains(self) -> frozenset[str]:
        """The domains that it names. Lazy: texts are long, and few tickets have a possible duplicate."""
        return domains_named(self._fields, (_text(e) for e in self._log if _is_customer_message(e)))

    @cached_property
    def _fields(self) -> Mapping[str, Value]:
        """Its fields at the end of the log. Lazy: a ticket that is alone needs none of them."""
        final = Ticket()
        for event in self._log:
            final.apply(event)
        return final.fields

    def may_repeat(self, other: "_TicketFacts") -> bool:
        """Whether two tickets of one group are duplicates: not when they name different domains."""
        return not (self.domains and other.domains) or not self.domains.isdisjoint(other.domains)


def _text(event: Event) -> str:
    return str(event.data.get("text") or "")


def _no_intervals() -> list[WaitInterval]:
    return []


@dataclass(slots=True, eq=False)
class _Wait:
    """The waiting of one ticket during the replay of its group. All events of one instant are one change."""

    facts: _TicketFacts
    rules: QueueRules
    ticket: Ticket = field(default_factory=Ticket)
    last_message_by: str | None = None
    joined_at: Micros = 0
    cause: str = Cause.CREATED
    text_names_domain: bool = False
    """Whether a message so far has named a domain."""
    lacked_domain: bool = True
    """Whether it lacked its domain before this instant."""
    wait_intervals: list[WaitInterval] = field(default_factory=_no_intervals)

    @property
    def waits(self) -> bool:
        return (
            self.last_message_by == "customer"
            and self.ticket.status in WAITING_STATUSES
            and self.ticket.ended_by is None
        )

    def apply(self, event: Event, *, reply_ends_pending: bool) -> None:
        """Apply the next event of the ticket."""
        waited, ticket = self.waits, self.ticket
        may_reopen = reply_ends_pending and event.at not in self.facts.statuses_named_at
        ticket.apply(event, reply_reopens_pending=may_reopen)
        if _is_customer_message(event):
            self._apply_customer_message(event)
        elif _is_agent_message(event) and (event.type != "ticket.created" or self.last_message_by is None):
            self.last_message_by = "agent"
        if ticket.reopened:
            self._join(event.at, Cause.REOPENED)
        if not waited and self.joined_at != event.at and self.waits:
            self.cause = Cause.RESUMED

    def move_duplicates(self, earlier: Iterable["_Wait"], at: Micros) -> dict[str, "_Wait"]:
        """Move the earlier duplicates that wait to the bottom, and return them.

        This one joins at the same instant. Creation decides between them, so the earlier stay first.
        """
        if self.rules.duplicate is _KEEPS or not self.waits:
            return {}
        moved = {
            wait.facts.ticket: wait for wait in earlier if wait.waits and wait.facts.may_repeat(self.facts)
        }
        for wait in moved.values():
            wait._join(at, Cause.DUPLICATE)
        if moved and self.joined_at != at:  # it wrote before its creation, by the source's clock
            self._join(at, Cause.DUPLICATE)
        return moved

    def settle(self, at: Micros) -> None:
        """Close and open wait intervals after all events of an instant."""
        if self._keeps_for_domain:
            self.lacked_domain = self._lacks_domain()
        last = self.wait_intervals[-1] if self.wait_intervals else None
        if last and last.to_at is not None:
            last = None
        new = self._wait_interval(at) if self.waits else None
        if last and new and last.is_same_place(new):
            return
        if last and new and last.joined_at == new.joined_at:
            new = new._replace(cause=Cause.QUEUE if last.queue != new.queue else Cause.RANK)
        if last:
            ended_by = new.cause if new else self._leave_cause()
            self.wait_intervals[-1] = last._replace(to_at=at, ended_by=ended_by)
        if new:
            self.wait_intervals.append(new)

    def _wait_interval(self, at: Micros) -> WaitInterval:
        fields = self.ticket.fields
        rank, created_at = self.rules.rank(fields), self.facts.created_at
        return WaitInterval(
            self.facts.ticket, at, None, rank, self.joined_at, created_at, self.cause, queue_of(fields)
        )

    def _apply_customer_message(self, event: Event) -> None:
        if self._keeps_for_domain:
            self.text_names_domain |= bool(domains_named({}, [_text(event)]))
        repeated = self.last_message_by == "customer"
        created = event.type == "ticket.created"
        # Messages dated before the creation came first: the creation is no further message.
        if created and self.last_message_by is not None:
            return
        self.last_message_by = "customer"
        if not repeated:
            self._join(event.at, Cause.CREATED if created else Cause.MESSAGE)
        elif self._repeat_moves():
            self._join(event.at, Cause.REPEAT_MESSAGE)

    @property
    def _keeps_for_domain(self) -> bool:
        """Whether a message that supplies a missing domain keeps the ticket's place."""
        return self.rules.domain_required and self.rules.domain_reply is _KEEPS

    def _lacks_domain(self) -> bool:
        return not self.text_names_domain and lacks_domain(self.ticket.fields, (), self.rules)

    def _repeat_moves(self) -> bool:
        supplies_domain = self._keeps_for_domain and self.lacked_domain and not self._lacks_domain()
        return self.rules.repeat_message is MessageEffect.MOVES and not supplies_domain

    def _join(self, at: Micros, cause: str) -> None:
        self.joined_at, self.cause = at, cause

    def _leave_cause(self) -> str:
        if self.ticket.ended_by is not None:
            return Cause.MERGED if self.ticket.ended_by.type == "ticket.merged" else Cause.DELETED
        return Cause.ANSWERED if self.last_message_by == "agent" else self.ticket.status
