"""Since when does a ticket wait, at which place of its queue, and why there?

A ticket's waiting is derived as stints from the logs of its duplicate group, and from nothing else; so a
late fact, another order of arrival or a repetition ends in the same stints, and a move that should not have
been is gone. What a ticket is about (customer, subject, domain, and so its group) is judged by what is
known at the end of the log; where it waits (queue) and how soon it is served (rank) by what held at each
instant. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from app.sla.agreement.agreement import MessageEffect, QueueRules
from app.sla.event import Event, in_order, order_key, status_instants
from app.sla.queue.duplicate import GroupKey, domains_named, group_of, lacks_domain, queue_of
from app.sla.queue.interval import Cause, Move, WaitInterval, moves
from app.sla.span import Micros
from app.sla.ticket import Ticket

__all__ = ["Cause", "Move", "WaitInterval", "moves", "wait_intervals"]

WAITING_STATUSES = frozenset({"new", "open"})


def wait_intervals(
    logs: Mapping[str, Iterable[Event]],
    rules: QueueRules,
    at: Micros,
    *,
    reply_ends_pending: bool = True,
    faulty_merges: Collection[str] = (),
) -> dict[str, tuple[WaitInterval, ...]]:
    """The stints up to `at` of each of these tickets, by what is known in their logs.

    `logs` holds whole duplicate groups: one of them, or as many as one likes. A ticket that never waited has
    no stints. `reply_ends_pending` is the agreement's `customer_reply_ends_pending`; `faulty_merges` are
    the tickets whose own merge cannot stand (an unknown target, a ring) and so moves nothing.
    """
    ordered = {
        ticket: [e for e in in_order(log) if e.at <= at and _stands(e, faulty_merges)]
        for ticket, log in logs.items()
    }
    waits = {ticket: _Wait(_Story(ticket, log, rules), rules) for ticket, log in ordered.items() if log}
    timeline = sorted(
        ((order_key(event), ticket, event) for ticket, log in ordered.items() for event in log),
        key=lambda entry: entry[:2],
    )
    groups: dict[GroupKey, dict[str, _Wait]] = {}
    for instant, batch in groupby(timeline, key=lambda entry: entry[0][0]):
        touched: dict[str, _Wait] = {}
        for _, ticket, event in batch:
            wait = touched[ticket] = waits[ticket]
            wait.take(event, reply_ends_pending=reply_ends_pending)
            if wait.story.group is not None:
                known = groups.setdefault(wait.story.group, {})
                if _asks_again(event):
                    touched |= wait.push_back(known, instant)
                known[ticket] = wait
        for wait in touched.values():
            wait.settle(instant)
    return {ticket: tuple(waits[ticket].wait_intervals) if ticket in waits else () for ticket in ordered}


def _stands(event: Event, faulty_merges: Collection[str]) -> bool:
    return event.type != "ticket.merged" or event.subject not in faulty_merges


def _asks_again(event: Event) -> bool:
    """Whether this is a ticket that a customer opened: the desk's own and automatic ones push nobody back."""
    return (
        event.type == "ticket.created" and event.human and event.data.get("author") in (None, "", "customer")
    )


def _is_customer_message(event: Event) -> bool:
    return _asks_again(event) or (event.type == "customer.replied" and event.human)


def _is_agent_message(event: Event) -> bool:
    by_agent = event.type == "ticket.created" and event.data.get("author") == "agent"
    return (by_agent or event.type == "agent.replied") and event.human


class _Story:
    """What the whole log says of a ticket, whenever it was said."""

    def __init__(self, ticket: str, log: Sequence[Event], rules: QueueRules) -> None:
        final = Ticket()
        for event in log:
            final.apply(event)
        self.ticket = ticket
        self.group: GroupKey | None = group_of(final.fields, rules)
        # Of a ticket whose creation was never seen: its first event.
        self.created_at: Micros = log[0].at if final.created_at is None else final.created_at
        self.statuses_named_at = status_instants(log)
        self._fields, self._log = final.fields, log

    @cached_property
    def domains(self) -> frozenset[str]:
        """The domains that it names. Texts are long, and few tickets have a possible duplicate."""
        return domains_named(self._fields, (_text(e) for e in self._log if _is_customer_message(e)))

    def may_repeat(self, other: "_Story") -> bool:
        """Whether two tickets of one group are duplicates: not when they name different domains."""
        return not (self.domains and other.domains) or not self.domains.isdisjoint(other.domains)


def _text(event: Event) -> str:
    return str(event.data.get("text") or "")


@dataclass(slots=True, eq=False)
class _Wait:
    """The waiting of one ticket while its group is being folded. What one instant brings counts as one
    change."""

    story: _Story
    rules: QueueRules
    ticket: Ticket = field(default_factory=Ticket)
    last_message_by: str | None = None
    joined_at: Micros = 0
    cause: str = Cause.CREATED
    text_names_domain: bool = False
    """Whether a message so far has named a domain."""
    lacked_domain: bool = True
    """Whether it lacked its domain before this instant."""
    wait_intervals: list[WaitInterval] = field(default_factory=list[WaitInterval])

    @property
    def waits(self) -> bool:
        return (
            self.last_message_by == "customer"
            and self.ticket.status in WAITING_STATUSES
            and self.ticket.ended_by is None
        )

    def take(self, event: Event, *, reply_ends_pending: bool) -> None:
        """Take one event of the ticket in, in the total order."""
        waited = self.waits
        may_reopen = reply_ends_pending and event.at not in self.story.statuses_named_at
        self.ticket.apply(event, reply_reopens_pending=may_reopen)
        if _is_customer_message(event):
            self._hear_customer(event)
        elif _is_agent_message(event) and (event.type != "ticket.created" or self.last_message_by is None):
            self.last_message_by = "agent"
        if self.ticket.reopened:
            self._join(event.at, Cause.REOPENED)
        if self.waits and not waited and self.joined_at != event.at:
            self.cause = Cause.RESUMED

    def push_back(self, known: Mapping[str, "_Wait"], at: Micros) -> dict[str, "_Wait"]:
        """Move the earlier duplicates that wait to the bottom, and say which.

        This one joins at the same instant. Creation decides between them, so the earlier stay first.
        """
        if self.rules.duplicate is MessageEffect.KEEPS or not self.waits:
            return {}
        moved = {
            ticket: wait
            for ticket, wait in known.items()
            if wait is not self and wait.waits and wait.story.may_repeat(self.story)
        }
        for wait in moved.values():
            wait._join(at, Cause.DUPLICATE)
        if moved and self.joined_at != at:  # it wrote before its creation, by the source's clock
            self._join(at, Cause.DUPLICATE)
        return moved

    def settle(self, at: Micros) -> None:
        """Close and open stints by what this instant has changed."""
        if self._spares_domains:
            self.lacked_domain = self._lacks_domain()
        last = (
            self.wait_intervals[-1] if self.wait_intervals and self.wait_intervals[-1].to_at is None else None
        )
        new = self._wait_interval(at) if self.waits else None
        if last and new and (last.key, last.queue) == (new.key, new.queue):
            return
        if last and new and last.joined_at == new.joined_at:
            new = replace(new, cause=Cause.QUEUE if last.queue != new.queue else Cause.RANK)
        if last:
            self.wait_intervals[-1] = replace(
                last, to_at=at, ended_by=new.cause if new else self._leave_cause()
            )
        if new:
            self.wait_intervals.append(new)

    def _wait_interval(self, at: Micros) -> WaitInterval:
        fields = self.ticket.fields
        rank, created_at = self.rules.rank(fields), self.story.created_at
        return WaitInterval(
            self.story.ticket, at, None, rank, self.joined_at, created_at, self.cause, queue_of(fields)
        )

    def _hear_customer(self, event: Event) -> None:
        if self._spares_domains:
            self.text_names_domain |= bool(domains_named({}, [_text(event)]))
        repeated = self.last_message_by == "customer"
        created = event.type == "ticket.created"
        # Messages that are dated before the creation came first all the same: it is no further one.
        if created and self.last_message_by is not None:
            return
        self.last_message_by = "customer"
        if not repeated:
            self._join(event.at, Cause.CREATED if created else Cause.MESSAGE)
        elif self._repeat_costs_the_place():
            self._join(event.at, Cause.REPEAT_MESSAGE)

    @property
    def _spares_domains(self) -> bool:
        """Whether it matters here that a message supplies the domain."""
        return self.rules.domain_required and self.rules.domain_reply is MessageEffect.KEEPS

    def _lacks_domain(self) -> bool:
        return not self.text_names_domain and lacks_domain(self.ticket.fields, (), self.rules)

    def _repeat_costs_the_place(self) -> bool:
        supplies_domain = self._spares_domains and self.lacked_domain and not self._lacks_domain()
        return self.rules.repeat_message is MessageEffect.MOVES and not supplies_domain

    def _join(self, at: Micros, cause: str) -> None:
        self.joined_at, self.cause = at, cause

    def _leave_cause(self) -> str:
        if self.ticket.ended_by is not None:
            return Cause.MERGED if self.ticket.ended_by.type == "ticket.merged" else Cause.DELETED
        return Cause.ANSWERED if self.last_message_by == "agent" else self.ticket.status
