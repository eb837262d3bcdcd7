"""Receiving what a log means, many tickets in one transaction, all events of a ticket in the same.

What is known already is not received again, so a repeated or resumed replay costs little. Events of an earlier release,
whose ids were made of row numbers, are recognised by their content.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.flow.judge.receive import Incoming, Receiver
from app.intake.importing.meaning import Meant
from app.intake.importing.unreadable import Refused
from app.sla.subject import Subject
from app.store.engine.database import Connection, Database
from app.store.tickets import ledger
from app.store.tickets.ledger import digest_of

_FORMER_PREFIX: Final = "row-"
"""Ids of events that a replay stored before ids were made of what rows state."""

_OTHER_CONTENT: Final = (
    "it was stored before with another content: by another mapping, or its fields were changed since. "
    "The event that is stored stays"
)


@dataclass(slots=True)
class Received:
    """What became of a batch. `tickets` are those of its rows."""

    rows: list[Meant] = field(default_factory=list[Meant])
    tickets: list[str] = field(default_factory=list[str])
    repeated: int = 0
    refused: list[Refused] = field(default_factory=list[Refused])


class Batches:
    """Gathers the rows of tickets until there are enough of them for a transaction."""

    def __init__(self, database: Database, receiver: Receiver, desk: str, size: int) -> None:
        self._database, self._receiver, self._desk, self._size = database, receiver, desk, size
        self._received, self._events = Received(), 0

    @property
    def full(self) -> bool:
        """Whether the batch is worth a transaction."""
        return self._events >= self._size

    def add(self, subject: str, rows: Iterable[Meant]) -> None:
        """Add the rows of a subject."""
        if Subject.parse(subject).ticket is not None:
            self._received.tickets.append(subject)
        for row in rows:
            self._received.rows.append(row)
            self._events += len(row.events)

    def flush(self) -> Received:
        """Receive the rows that were added since the last time."""
        batch, self._received, self._events = self._received, Received(), 0
        incoming = [Incoming.of(self._desk, event) for row in batch.rows for event in row.events]
        named = (one.ticket for one in incoming if one.ticket is not None)
        batch.tickets = list(dict.fromkeys((*batch.tickets, *named)))
        known = self._database.read_now(lambda conn: _known(conn, self._desk, incoming, batch.tickets))
        unknown = [one for one in incoming if one.event.id not in known]
        reasons: dict[str, str] = {}
        if unknown:
            receipt = self._receiver.receive_now(unknown, deliver=False, answered=False)
            known |= {unknown[index].event.id for index in receipt.known}
            reasons = {unknown[r.index].event.id: _reason(r.reason, r.conflict) for r in receipt.refused}
        for row in batch.rows:
            ids = [event.id for event in row.events]
            batch.repeated += bool(ids) and all(each in known for each in ids)
            if wrong := next((reasons[each] for each in ids if each in reasons), None):
                batch.refused.append(Refused(row.entry.line, row.entry.row, wrong, _own_id(row)))
        return batch


def _own_id(row: Meant) -> str | None:
    """The id that the row itself has."""
    return None if row.entry.event is None else row.entry.event.id


def _reason(reason: str, conflict: bool) -> str:
    return f"{reason}; {_OTHER_CONTENT}" if conflict else reason


def _known(conn: Connection, desk: str, incoming: list[Incoming], tickets: list[str]) -> set[str]:
    """The ids of those events that are stored with the same content, under this id or one of an earlier release."""
    digests = ledger.digests(conn, desk, [one.event.id for one in incoming])
    known = {one.event.id for one in incoming if digests.get(one.event.id) == one.digest}
    unknown = [one for one in incoming if one.event.id not in digests]
    if not unknown:
        return known
    former: Counter[str] = Counter()
    for log in ledger.logs(conn, desk, tickets).values():
        former.update(digest_of(event) for event in log if event.id.startswith(_FORMER_PREFIX))
    for one in unknown:
        if former[one.digest] > 0:
            former[one.digest] -= 1
            known.add(one.event.id)
    return known
