"""Admission of pushed events: which are new, repeated or refused, in one transaction.

(desk, id) makes an event idempotent; with another content it is a conflict. Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from app.flow import metrics
from app.flow.judge.incoming import Incoming, Receipt, Refusal
from app.sla.event import KNOWN_TYPES
from app.sla.span import SECOND, Micros
from app.sla.subject import Subject, SubjectKey, SubjectKind
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import archive, ledger
from app.store.tickets.clocks import TicketKey
from app.store.tickets.ledger import NewEvent

_CONFLICT: Final = "/id: an event of this id and another content is already known"


class Admission:
    """Admits the events of the pushes that share a transaction.

    `latest` is the furthest instant at which an event may lie. Subjects of the kinds `judged` are to be evaluated.
    """

    def __init__(
        self,
        conn: Connection,
        catalogue: Catalogue,
        now: Micros,
        latest: Micros,
        judged: Collection[SubjectKind],
    ) -> None:
        self._conn, self._catalogue, self._now, self._latest = conn, catalogue, now, latest
        self._judged = judged
        self._desks = catalogue.settled(conn)
        self._digests: dict[str, dict[str, str]] = {}
        self._without_events: dict[str, set[str]] = {}
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self.new: list[NewEvent] = []
        self.touched: dict[bool, dict[str, set[Subject]]] = {}
        """The subjects to evaluate, by whether their signals are delivered and by desk."""
        self.traces: dict[SubjectKey, str] = {}
        """The id of the request that brought the latest event of each subject."""

    def look_up(self, incoming: Iterable[Incoming]) -> None:
        """Read which of these ids are taken, and which of the tickets have lost their events."""
        ids: dict[str, list[str]] = {}
        tickets: dict[str, set[str]] = {}
        for one in incoming:
            ids.setdefault(one.desk, []).append(one.event.id)
            if one.ticket is not None:
                tickets.setdefault(one.desk, set()).add(one.ticket)
        self._digests = {desk: ledger.digests(self._conn, desk, wanted) for desk, wanted in ids.items()}
        for desk, names in tickets.items():
            if desk in self._desks and self._drops_events(desk):
                self._without_events[desk] = archive.without_events(self._conn, desk, sorted(names))

    def _drops_events(self, desk: str) -> bool:
        """Whether any version of its agreement lets old events be deleted."""
        history = self._catalogue.recorded(self._conn, desk, self._desks[desk])
        return any(version.agreement.keep_events is not None for version in history)

    def admit(self, incoming: Iterable[Incoming], *, deliver: bool) -> tuple[Receipt, list[TicketKey]]:
        """What becomes of each event of a push, and the tickets that the push is about."""
        receipt, tickets = Receipt(), dict[TicketKey, None]()
        touched = self.touched.setdefault(deliver, {})
        for index, one in enumerate(incoming):
            if (reason := self._fault(one)) is not None:
                conflict = reason is _CONFLICT
                receipt.refused.append(Refusal(index, one.event.id, reason, conflict))
                desk = one.desk if one.desk in self._desks else ""
                self._outcomes[desk, "conflict" if conflict else "refused"] += 1
                continue
            if one.ticket is not None:
                tickets[one.desk, one.ticket] = None
            if one.event.id in self._digests[one.desk]:
                receipt.repeated += 1
                receipt.known.append(index)
                self._outcomes[one.desk, "repeated"] += 1
                continue
            receipt.accepted += 1
            self._outcomes[one.desk, "accepted"] += 1
            self._accept(one, touched)
        return receipt, list(tickets)

    def _fault(self, one: Incoming) -> str | None:
        """Why the event is refused; none when it is new or repeated."""
        if one.desk not in self._desks:
            return f"/source: no desk {one.desk!r} is known"
        if one.ticket is not None and one.ticket in self._without_events.get(one.desk, ()):
            return (
                f"/subject: ticket {one.ticket!r} ended long ago and its facts are no longer kept; "
                "what happens now belongs to a new ticket"
            )
        if one.event.at > self._latest:
            ahead = (one.event.at - self._now) // SECOND
            return f"/time: {ahead} s ahead of now; check the sender's clock and offset"
        if self._digests[one.desk].get(one.event.id, one.digest) != one.digest:
            return _CONFLICT
        return None

    def _accept(self, one: Incoming, touched: dict[str, set[Subject]]) -> None:
        self._digests[one.desk][one.event.id] = one.digest
        self.new.append(NewEvent(one.desk, one.event, one.ticket, one.digest, one.trace))
        for subject in one.subjects:
            if subject.kind in self._judged:
                touched.setdefault(one.desk, set()).add(subject)
                if one.trace is not None:
                    self.traces[one.desk, subject] = one.trace

    def count(self) -> None:
        """Count what became of the events. After the commit."""
        for (desk, outcome), count in self._outcomes.items():
            metrics.EVENTS.labels(desk, outcome).inc(count)
        for new in self.new:
            if new.event.type not in KNOWN_TYPES:
                metrics.UNKNOWN_TYPES.labels(new.desk).inc()
