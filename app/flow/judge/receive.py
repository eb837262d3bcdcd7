"""Receiving: pushed events are stored and their subjects evaluated, in one transaction.

Pushes that wait at the same time share a transaction, and a large push has several in turn, so that other desks wait
for a part of it only. Three rules it guards: (desk, id) makes an event idempotent, with another content it is a
conflict; an event is stored and its subject evaluated together or not at all; and no push is answered before all of it
is durable. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.flow.judge.admit import Admission
from app.flow.judge.assess import Assessed, Assessor
from app.flow.judge.incoming import Incoming, Receipt, Refusal, parts, ticket_of
from app.flow.judge.locking import lock
from app.flow.query.answer import TicketAnswer
from app.flow.query.tickets import answers
from app.principal import Desks
from app.settings import Settings
from app.sla.span import Micros, length_of
from app.sla.subject import Subject
from app.store.engine.database import Connection, Database, after_commit
from app.store.engine.group_commit import GroupCommit
from app.store.tickets import ledger
from app.store.tickets.clocks import TicketKey

__all__ = ["Incoming", "Receipt", "Receiver", "Refusal", "ticket_of"]


@dataclass(frozen=True, slots=True)
class _Push:
    incoming: Sequence[Incoming]
    deliver: bool
    answered: bool


def _is_parked(key: TicketKey, assessed: Assessed) -> bool:
    desk, ticket = key
    return (desk, Subject.parse(ticket)) in assessed.failed


def _desks_of(incoming: Iterable[Incoming]) -> Desks:
    return frozenset(one.desk for one in incoming)


class Receiver:
    """Receives pushes. One per process."""

    def __init__(self, database: Database, assessor: Assessor, settings: Settings) -> None:
        self._assessor, self._catalogue = assessor, assessor.catalogue
        self._max_skew, self._cycles = length_of(settings.max_skew), settings.answer_cycles
        self._database = database
        self._part_size, self._shared_part_size = settings.push_part_size, settings.shared_batch_size
        self._group: GroupCommit[_Push, Receipt] = GroupCommit(
            database,
            self._process,
            settings.group_commit_size,
            lambda push: len(push.incoming),
            desks_of=lambda push: _desks_of(push.incoming),
            share=settings.push_part_size,
            bulk=settings.shared_batch_size,
        )

    async def receive(self, incoming: Sequence[Incoming], *, deliver: bool = True) -> Receipt:
        """Receive a push. Returns once it is durable. `deliver` false: its signals are recorded only.

        A large one is received in parts, one after the other, in small ones while other desks write. When one fails,
        those before it are stored; a repetition of the push is harmless to them.
        """
        whole, desks = Receipt(), _desks_of(incoming)
        for places in parts(incoming, lambda: self._size_of_part(desks)):
            push = _Push([incoming[place] for place in places], deliver, answered=True)
            whole.add(await self._group.submit(push), places)
        return whole

    def _size_of_part(self, desks: Desks) -> int:
        return self._shared_part_size if self._database.is_shared(desks) else self._part_size

    def receive_now(
        self, incoming: Sequence[Incoming], *, deliver: bool = True, answered: bool = True
    ) -> Receipt:
        """`receive` without an event loop. `answered` false: the receipt names no tickets."""
        return self._group.submit_now(_Push(incoming, deliver, answered))

    def receive_within(
        self, conn: Connection, now: Micros, incoming: Sequence[Incoming], *, deliver: bool = True
    ) -> Receipt:
        """`receive` within a transaction of the caller's. The receipt names no tickets."""
        return self._process(conn, now, [_Push(incoming, deliver, answered=False)])[0]

    def lock(self, conn: Connection, tickets: Iterable[TicketKey]) -> None:
        """Lock tickets until the transaction ends, before their events are read."""
        lock(conn, self._catalogue, tickets)

    def _process(self, conn: Connection, now: Micros, pushes: Sequence[_Push]) -> list[Receipt]:
        incoming = [one for push in pushes for one in push.incoming]
        self.lock(conn, {(one.desk, one.ticket) for one in incoming if one.ticket is not None})
        admission = Admission(conn, self._catalogue, now, now + self._max_skew, self._assessor.kinds)
        admission.look_up(incoming)
        admitted = [admission.admit(push.incoming, deliver=push.deliver) for push in pushes]
        ledger.append(conn, admission.new, now)
        assessed = {
            deliver: self._assessor.assess(conn, now, touched, deliver=deliver, traces=admission.traces)
            for deliver, touched in admission.touched.items()
        }
        after_commit(conn, admission.count)
        for push, (receipt, tickets) in zip(pushes, admitted, strict=True):
            if push.answered:
                receipt.postponed = [key for key in tickets if _is_parked(key, assessed[push.deliver])]
                receipt.tickets = self._answers(conn, now, tickets, assessed[push.deliver])
        return [receipt for receipt, _ in admitted]

    def _answers(
        self, conn: Connection, now: Micros, tickets: Sequence[TicketKey], assessed: Assessed
    ) -> list[TicketAnswer]:
        """The views of these tickets: the evaluation just made, or a query where every event was a repetition."""
        repeated: dict[str, list[str]] = {}
        for desk, ticket in tickets:
            if (desk, ticket) not in assessed.answers and not _is_parked((desk, ticket), assessed):
                repeated.setdefault(desk, []).append(ticket)
        found = dict(assessed.answers)
        for desk, names in repeated.items():
            again = answers(conn, self._catalogue, desk, names, now=now)
            found.update(((desk, ticket), answer) for ticket, answer in again.items())
        return [found[key].limited(self._cycles) for key in tickets if key in found]
