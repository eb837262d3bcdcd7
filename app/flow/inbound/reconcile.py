"""Reconciliation: make the log hold exactly the events that a request or a snapshot reports now.

A request that is read again by a corrected mapping, or a snapshot that arrives between two others, may report other
events than before. Events that no origin reports any more are withdrawn, new ones are added: the result depends on what
is reported in the end, and not on the order in which it arrived.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from app.flow.inbound.snapshot_chain import OriginEvents
from app.flow.judge.receive import Incoming
from app.intake.mapping.events import event_id, withdrawal
from app.sla.event import Event
from app.store.engine.database import Connection
from app.store.inbound import origins
from app.store.inbound.origins import EventOrigin
from app.store.tickets import ledger
from app.store.tickets.ledger import digest_of

_REASON: Final = "its source no longer reports it"


class Reconciliation:
    """The changes of one transaction. `incoming` are the events to append, in order; `trace` is the id of the webhook
    that is being read."""

    def __init__(self, conn: Connection) -> None:
        self.trace: str | None = None
        self._conn = conn
        self._digests: dict[tuple[str, str], str | None] = {}
        self._unwritten: dict[str, list[EventOrigin]] = {}
        self.incoming: list[Incoming] = []

    def preload(self, desk: str, events: Iterable[Event]) -> None:
        """Read the digests of these events and of their withdrawals in one query."""
        ids = [name for event in events for name in (event.id, _withdrawal_id(event.id))]
        self._load(desk, [name for name in ids if (desk, name) not in self._digests])

    def reconcile(self, origin: OriginEvents) -> list[str]:
        """Make this origin report exactly its events.

        Returns a warning for each event that contradicts a stored one of its id from another origin: that one stays.
        """
        desk = origin.desk
        self.preload(desk, origin.events)
        left = {event.id: event for event in origin.events}
        if not origin.new:
            self._drop(origin, left)
        warnings: list[str] = []
        for event in left.values():
            stored_id = self._stored_id(desk, event)
            if stored_id is None:
                warnings.append(
                    f"{event.type} {event.id} differs from the stored event of this id and is left out"
                )
                continue
            row = EventOrigin(origin.origin, event.id, stored_id, event.subject, event.at)
            self._unwritten.setdefault(desk, []).append(row)
        return warnings

    def flush(self) -> None:
        """Store the origins gathered so far."""
        for desk, rows in self._unwritten.items():
            origins.add(self._conn, desk, rows)
        self._unwritten.clear()

    def _drop(self, origin: OriginEvents, left: dict[str, Event]) -> None:
        """Withdraw what the origin no longer reports; what it reports as before is removed from `left`."""
        self.flush()
        desk = origin.desk
        before = origins.of_origin(self._conn, desk, origin.origin)
        self._load(desk, [row.event_id for row in before.values()])
        gone: list[EventOrigin] = []
        for row in before.values():
            event = left.get(row.name)
            if event is not None and self._digest(desk, row.event_id) == digest_of(event):
                del left[row.name]
            else:
                gone.append(row)
        if not gone:
            return
        origins.drop(self._conn, desk, gone)
        ids = [row.event_id for row in gone]
        elsewhere = origins.reported_elsewhere(self._conn, desk, origin.origin, ids)
        named = {event.id: ticket for event in origin.before if (ticket := event.data.get("ticket"))}
        for row in gone:
            # An event that the log does not hold was refused when it was received.
            if row.event_id not in elsewhere and self._digest(desk, row.event_id) is not None:
                # Not before the snapshot: the creation that it reported may be earlier than the ticket's real one, and
                # a withdrawal dated so would make the ticket known at instants at which nothing had happened.
                dated = row.at if origin.at is None else max(row.at, origin.at)
                # A service's outage that names a ticket is in that ticket's log, too, and so must be its withdrawal.
                about = {"ticket": named[row.name]} if row.name in named else {}
                self._append(desk, withdrawal(Event(row.event_id, "", row.subject, dated, about), _REASON))

    def _stored_id(self, desk: str, event: Event) -> str | None:
        """The id under which the log holds the event from now on; none when another event has its id and stands.

        A withdrawal is permanent, so an event that is reported again after it gets an id with a number.
        """
        digest = digest_of(event)
        number, name = 1, event.id
        while True:
            known = self._digest(desk, name)
            if known is None:
                self._append(desk, event if name == event.id else replace(event, id=name))
                return name
            if self._digest(desk, _withdrawal_id(name)) is None:
                return name if known == digest else None
            number += 1
            name = event_id(event.id, str(number))

    def _append(self, desk: str, event: Event) -> None:
        incoming = Incoming.of(desk, event, self.trace)
        if self._digest(desk, event.id) is None:
            self._digests[desk, event.id] = incoming.digest
            self.incoming.append(incoming)

    def _digest(self, desk: str, name: str) -> str | None:
        if (desk, name) not in self._digests:
            self._load(desk, [name])
        return self._digests[desk, name]

    def _load(self, desk: str, names: Sequence[str]) -> None:
        if missing := [name for name in names if (desk, name) not in self._digests]:
            known = ledger.digests(self._conn, desk, missing)
            self._digests.update(((desk, name), known.get(name)) for name in missing)


def _withdrawal_id(name: str) -> str:
    return withdrawal(Event(name, "", "", 0), "").id
