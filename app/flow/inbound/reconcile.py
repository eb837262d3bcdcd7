"""Which events stand, when what a delivery or a snapshot says of a ticket changes?

A delivery that is read again by a mended mapping, or a snapshot that turns up between two others, may say other events
than were said before. What is said no more is withdrawn, what is new is added. The rule it guards: what stands in the
end depends on what is said in the end, and not on the order in which it was learnt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from app.flow.judge.receive import Incoming
from app.intake.mapping.events import event_id, withdrawal
from app.sla.ticket import Event
from app.store.engine.database import Connection
from app.store.inbound import origins
from app.store.inbound.origins import EventOrigin
from app.store.tickets import ledger
from app.store.tickets.ledger import digest_of

_REASON: Final = "its source says otherwise now"


class Reconciliation:
    """What is said within one transaction. `incoming` are the events that it adds, in order; `trace` names the
    delivery that is being read."""

    def __init__(self, conn: Connection) -> None:
        self.trace: str | None = None
        self._conn = conn
        self._digests: dict[tuple[str, str], str | None] = {}
        self._unwritten: dict[str, list[EventOrigin]] = {}
        self.incoming: list[Incoming] = []

    def look_up(self, desk: str, events: Iterable[Event]) -> None:
        """Read at once what the log knows of these events, so that settling them asks nothing more."""
        ids = [name for event in events for name in (event.id, _withdrawal_of(event.id))]
        self._remember(desk, [name for name in ids if (desk, name) not in self._digests])

    def settle(self, desk: str, origin: str, wanted: Sequence[Event], *, new: bool = False) -> list[str]:
        """Have this origin say exactly these events. `new`: it has said none so far.

        Returns a sentence for each event that contradicts one of its id which somebody else says: that one stays.
        """
        self.look_up(desk, wanted)
        left = {event.id: event for event in wanted}
        if not new:
            self._drop(desk, origin, left)
        contradictions: list[str] = []
        for event in left.values():
            name = self._free_id(desk, event)
            if name is None:
                contradictions.append(f"{event.type} {event.id} says otherwise than before and is left out")
                continue
            said = EventOrigin(origin, event.id, name, event.subject, event.at)
            self._unwritten.setdefault(desk, []).append(said)
        return contradictions

    def write(self) -> None:
        """Write down who says what, so far."""
        for desk, rows in self._unwritten.items():
            origins.add(self._conn, desk, rows)
        self._unwritten.clear()

    def _drop(self, desk: str, origin: str, left: dict[str, Event]) -> None:
        """Withdraw what the origin says no more; what it goes on to say is taken out of `left`."""
        self.write()
        before = origins.said(self._conn, desk, origin)
        self._remember(desk, [said.event_id for said in before.values()])
        gone: list[EventOrigin] = []
        for said in before.values():
            event = left.get(said.name)
            if event is not None and self._digest(desk, said.event_id) == digest_of(event):
                del left[said.name]
            else:
                gone.append(said)
        if not gone:
            return
        origins.drop(self._conn, desk, gone)
        elsewhere = origins.reported_elsewhere(self._conn, desk, origin, [said.event_id for said in gone])
        for said in gone:
            # One that the log does not hold was refused when it came.
            if said.event_id not in elsewhere and self._digest(desk, said.event_id) is not None:
                self._add(desk, withdrawal(Event(said.event_id, "", said.subject, said.at), _REASON))

    def _free_id(self, desk: str, event: Event) -> str | None:
        """The id under which the log holds the event from now on; none when another event of its id stands.

        A withdrawal is for ever, so an event that is said anew after it comes under an id of its own.
        """
        digest = digest_of(event)
        number, name = 1, event.id
        while True:
            known = self._digest(desk, name)
            if known is None:
                self._add(desk, event if name == event.id else replace(event, id=name))
                return name
            if self._digest(desk, _withdrawal_of(name)) is None:
                return name if known == digest else None
            number += 1
            name = event_id(event.id, str(number))

    def _add(self, desk: str, event: Event) -> None:
        incoming = Incoming.of(desk, event, self.trace)
        if self._digest(desk, event.id) is None:
            self._digests[desk, event.id] = incoming.digest
            self.incoming.append(incoming)

    def _digest(self, desk: str, name: str) -> str | None:
        if (desk, name) not in self._digests:
            self._remember(desk, [name])
        return self._digests[desk, name]

    def _remember(self, desk: str, names: Sequence[str]) -> None:
        if asked := [name for name in names if (desk, name) not in self._digests]:
            known = ledger.digests(self._conn, desk, asked)
            self._digests.update(((desk, name), known.get(name)) for name in asked)


def _withdrawal_of(name: str) -> str:
    return withdrawal(Event(name, "", "", 0), "").id
