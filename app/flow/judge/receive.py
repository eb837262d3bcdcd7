"""What becomes of a push: each event stored once, repeated or refused, and its ticket judged, in one transaction.

Pushes that wait at the same time share a transaction. Three rules it guards: (desk, id) makes an event idempotent, with
other content it is a conflict; an event is stored and its ticket judged together or not at all; and nobody is answered
before it is durable. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.flow import metrics
from app.flow.judge.assess import Assessed, Assessor, TicketKey
from app.flow.judge.locking import lock
from app.flow.query.answer import TicketAnswer
from app.flow.query.tickets import answers
from app.settings import Settings
from app.sla.event import KNOWN_TYPES, Event
from app.sla.span import SECOND, Micros, length_of
from app.store.engine.database import Connection, Database, after_commit
from app.store.engine.group_commit import GroupCommit
from app.store.tickets import archive, ledger
from app.store.tickets.ledger import Fact, digest_of

_WITHOUT_TICKET: Final = frozenset({"call", "service"})
"""Kinds of subject, as in "call:81", that are no ticket; `data.ticket` may name one."""


_CONFLICT: Final = "/id: an event of this id and another content is already known"


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as it comes in, readable and checked, for a desk."""

    desk: str
    event: Event
    digest: str
    trace: str | None = None
    """The request that brought it: what is told because of it, and logged of it, bears the same."""

    @classmethod
    def of(cls, desk: str, event: Event, trace: str | None = None) -> "Incoming":
        """An event with the digest of its content."""
        return cls(desk, event, digest_of(event), trace)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the event at this place of the push was not taken. `conflict`: its id is taken by another content."""

    index: int
    id: str | None
    reason: str
    conflict: bool = False


@dataclass(slots=True)
class Receipt:
    """What became of a push. `tickets` are those that it concerned, in the order in which it named them."""

    accepted: int = 0
    repeated: int = 0
    known: list[int] = field(default_factory=list[int])
    """The places of the repeated ones."""
    refused: list[Refusal] = field(default_factory=list[Refusal])
    tickets: list[TicketAnswer] = field(default_factory=list[TicketAnswer])


def ticket_of(event: Event) -> str | None:
    """The ticket that an event is about; none for a call or a service's outage that names none."""
    kind, colon, _ = event.subject.partition(":")
    if not colon or kind not in _WITHOUT_TICKET:
        return event.subject
    named = event.data.get("ticket")
    return None if named is None else str(named)


@dataclass(frozen=True, slots=True)
class _Push:
    incoming: Sequence[Incoming]
    deliver: bool
    answered: bool


class Receiver:
    """Takes pushes in. One per process."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._assessor = assessor
        self._max_skew = length_of(settings.max_skew)
        self._group: GroupCommit[_Push, Receipt] = GroupCommit(
            database, self._process, settings.group_commit_size, lambda push: len(push.incoming)
        )

    async def receive(self, incoming: Sequence[Incoming], *, deliver: bool = True) -> Receipt:
        """Take a push in. Returns once it is durable. `deliver` false: what it tells is recorded only."""
        return await self._group.submit(_Push(incoming, deliver, answered=True))

    def receive_now(
        self, incoming: Sequence[Incoming], *, deliver: bool = True, answered: bool = True
    ) -> Receipt:
        """`receive` for those without an event loop. `answered` false: the receipt names no tickets."""
        return self._group.submit_now(_Push(incoming, deliver, answered))

    def take(
        self, conn: Connection, now: Micros, incoming: Sequence[Incoming], *, deliver: bool = True
    ) -> Receipt:
        """`receive` within a transaction of the caller's. The receipt names no tickets."""
        return self._process(conn, now, [_Push(incoming, deliver, answered=False)])[0]

    def lock(self, conn: Connection, tickets: Iterable[TicketKey]) -> None:
        """Have tickets to oneself until the transaction ends, before what will be taken in for them is known."""
        lock(conn, self._assessor.catalogue, tickets)

    def _process(self, conn: Connection, now: Micros, pushes: Sequence[_Push]) -> list[Receipt]:
        named = {(one.desk, ticket_of(one.event)) for push in pushes for one in push.incoming}
        wanted = [(desk, ticket) for desk, ticket in named if ticket is not None]
        self.lock(conn, wanted)
        sorting = _Sorting(conn, self._assessor, now, now + self._max_skew)
        sorting.look_up(one for push in pushes for one in push.incoming)
        sorting.look_for_emptied(wanted)
        sorted_pushes = [sorting.sort(push) for push in pushes]
        ledger.append(conn, sorting.new, now)
        assessed = {
            deliver: self._assessor.assess(conn, now, touched, deliver=deliver, traces=sorting.traces)
            for deliver, touched in sorting.touched.items()
        }
        after_commit(conn, lambda: _count(sorting))
        return [
            self._receipt(conn, now, push, receipt, keys, assessed.get(push.deliver))
            for push, (receipt, keys) in zip(pushes, sorted_pushes, strict=True)
        ]

    def _receipt(
        self,
        conn: Connection,
        now: Micros,
        push: _Push,
        receipt: Receipt,
        keys: Iterable[TicketKey],
        assessed: Assessed | None,
    ) -> Receipt:
        if not push.answered:
            return receipt
        fresh, failed = ({}, {}) if assessed is None else (assessed.answers, assessed.failed)
        repeated: dict[str, list[str]] = {}
        for desk, ticket in keys:
            if (desk, ticket) not in fresh and (desk, ticket) not in failed:
                repeated.setdefault(desk, []).append(ticket)
        found = dict(fresh)
        for desk, tickets in repeated.items():
            again = answers(conn, self._assessor.catalogue, desk, tickets, now=now)
            found.update(((desk, ticket), answer) for ticket, answer in again.items())
        receipt.tickets = [found[key] for key in keys if key in found]
        return receipt


class _Sorting:
    """Tells the new events of a transaction from the repeated and the refused."""

    def __init__(self, conn: Connection, assessor: Assessor, now: Micros, latest: Micros) -> None:
        self._conn, self._now, self._latest = conn, now, latest
        self._catalogue = assessor.catalogue
        self._desks = assessor.catalogue.settled(conn)
        self._emptied: dict[str, set[str]] = {}
        self._digests: dict[str, dict[str, str]] = {}
        self.new: list[Fact] = []
        self.touched: dict[bool, dict[str, set[str]]] = {}
        """The tickets to judge, by whether what they tell is delivered and by desk."""
        self.traces: dict[TicketKey, str] = {}
        """The request that brought the latest news of each ticket."""
        self.outcomes: dict[tuple[str, str], int] = {}

    def look_up(self, incoming: Iterable[Incoming]) -> None:
        """Read which of these ids are taken, and by which content."""
        asked: dict[str, list[str]] = {}
        for one in incoming:
            asked.setdefault(one.desk, []).append(one.event.id)
        self._digests = {desk: ledger.digests(self._conn, desk, ids) for desk, ids in asked.items()}

    def look_for_emptied(self, tickets: Iterable[TicketKey]) -> None:
        """Read which of these tickets have lost their facts, of the desks that let go of any."""
        by_desk: dict[str, list[str]] = {}
        for desk, ticket in tickets:
            by_desk.setdefault(desk, []).append(ticket)
        for desk, names in by_desk.items():
            if desk in self._desks and self._lets_go(desk):
                self._emptied[desk] = archive.without_events(self._conn, desk, names)

    def _lets_go(self, desk: str) -> bool:
        """Whether any version of its agreement let facts go."""
        history = self._catalogue.history(self._conn, desk, self._desks[desk])
        return any(version.agreement.keep_events is not None for version in history)

    def sort(self, push: _Push) -> tuple[Receipt, list[TicketKey]]:
        """What becomes of each event, and the tickets that the push is about."""
        receipt, keys = Receipt(), dict[TicketKey, None]()
        touched = self.touched.setdefault(push.deliver, {})
        for index, one in enumerate(push.incoming):
            ticket = ticket_of(one.event)
            if (reason := self._fault(one, ticket)) is not None:
                conflict = reason is _CONFLICT
                receipt.refused.append(Refusal(index, one.event.id, reason, conflict))
                self._note(one.desk if one.desk in self._desks else "", "conflict" if conflict else "refused")
                continue
            if ticket is not None:
                keys[one.desk, ticket] = None
            if one.event.id in self._digests[one.desk]:
                receipt.repeated += 1
                receipt.known.append(index)
                self._note(one.desk, "repeated")
                continue
            receipt.accepted += 1
            self._note(one.desk, "accepted")
            self._take(one, ticket, touched)
        return receipt, list(keys)

    def _fault(self, one: Incoming, ticket: str | None) -> str | None:
        """Why the event cannot be taken; none when it can, or was before."""
        if one.desk not in self._desks:
            return f"/source: no desk {one.desk!r} is known"
        if ticket is not None and ticket in self._emptied.get(one.desk, ()):
            return (
                f"/subject: ticket {ticket!r} ended long ago and its facts are no longer kept; "
                "what happens now belongs to a new ticket"
            )
        if one.event.at > self._latest:
            ahead = (one.event.at - self._now) // SECOND
            return f"/time: {ahead} s ahead of now; check the sender's clock and offset"
        if self._digests[one.desk].get(one.event.id, one.digest) != one.digest:
            return _CONFLICT
        return None

    def _take(self, one: Incoming, ticket: str | None, touched: dict[str, set[str]]) -> None:
        self._digests[one.desk][one.event.id] = one.digest
        self.new.append(Fact(one.desk, one.event, ticket, one.digest, one.trace))
        if ticket is not None:
            touched.setdefault(one.desk, set()).add(ticket)
            if one.trace is not None:
                self.traces[one.desk, ticket] = one.trace

    def _note(self, desk: str, outcome: str) -> None:
        self.outcomes[desk, outcome] = self.outcomes.get((desk, outcome), 0) + 1


def _count(sorting: _Sorting) -> None:
    for (desk, outcome), count in sorting.outcomes.items():
        metrics.EVENTS.labels(desk, outcome).inc(count)
    for fact in sorting.new:
        if fact.event.type not in KNOWN_TYPES:
            metrics.UNKNOWN_TYPES.labels(fact.desk).inc()
