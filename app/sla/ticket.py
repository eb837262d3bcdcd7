"""The ticket: its fields and status after a sequence of its events."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.sla.contract import Contract
from app.sla.contract_finder import ContractFinder, completed
from app.sla.event import SETS_FIELDS, Event, Value
from app.sla.fields import TICKET_FIELDS
from app.sla.span import Micros


class Status(StrEnum):
    """The statuses of a ticket. Going from solved or closed back to work is a reopen."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"


STATUSES: Final = frozenset(s.value for s in Status)
SHUT: Final = frozenset({"solved", "closed"})
"""Statuses in which the desk has no more work on the ticket."""

_FIELD_SET: Final = frozenset(TICKET_FIELDS)


def _no_fields() -> dict[str, Value]:
    # Not `dict[str, Value]` as a factory: calling an alias costs ten times as much, and every evaluation makes tickets.
    return {}


@dataclass(slots=True)
class Ticket:
    """A ticket after the events applied so far. Mutable only while its events are being applied.

    `fields` has the last value of each field, completed by the ticket's contract where `finder` is there to find it.
    `status` is `new` until an event reports another.
    """

    fields: dict[str, Value] = field(default_factory=_no_fields)
    status: str = "new"
    previous_status: str = "new"
    created_at: Micros | None = None
    ended_by: Event | None = None
    """The merge or deletion that ended it, if any."""
    finder: ContractFinder | None = field(default=None, compare=False)
    """Finds its contract; None: the desk has no contracts."""
    contract: Contract | None = None
    """The contract that it belongs to."""
    contract_flag: str | None = None
    """Why it belongs to none."""
    _own: dict[str, Value] = field(default_factory=_no_fields, compare=False)
    """Its fields as they were sent, where there is a finder."""
    _first_at: Micros | None = field(default=None, compare=False)

    def apply(self, event: Event, *, reply_reopens_pending: bool = True) -> None:
        """Apply the next event. Events must come in their total order.

        `reply_reopens_pending`: a human customer reply sets a pending ticket to open. False where the agreement says
        otherwise, or where the source itself reports a status at the same instant.
        """
        self.previous_status = self.status
        kind = event.type
        if kind in SETS_FIELDS:
            self._set_fields(event)
        elif (
            kind == "customer.replied" and reply_reopens_pending and self.status == "pending" and event.human
        ):
            self.status = "open"
        elif kind in ("ticket.merged", "ticket.deleted") and self.ended_by is None:
            self.ended_by = event
        first = self._first_at is None
        if first:
            self._first_at = event.at
        if self.finder is not None and (first or kind in SETS_FIELDS):
            self._find_contract(self.finder)

    def copy(self) -> "Ticket":
        """A copy, which the events that are applied later do not change."""
        # Positional: `dataclasses.replace` would cost four times as much, and every evaluation makes one.
        return Ticket(
            dict(self.fields),
            self.status,
            self.previous_status,
            self.created_at,
            self.ended_by,
            self.finder,
            self.contract,
            self.contract_flag,
            self._own,
            self._first_at,
        )

    def use_finder(self, finder: ContractFinder | None) -> None:
        """Find its contract by another finder from now on, by its own fields."""
        if self.finder is None:
            self._own = self.fields
        self.finder, self.contract, self.contract_flag = finder, None, None
        self.fields = dict(self._own)
        if finder is not None:
            self._find_contract(finder)

    def _find_contract(self, finder: ContractFinder) -> None:
        """Find its contract and complete its fields. Nothing to do before its first event."""
        born = self._first_at if self.created_at is None else self.created_at
        if born is not None:
            self.contract, self.contract_flag = finder.find(self._own, born)
            self.fields = completed(self._own, self.contract)

    def _set_fields(self, event: Event) -> None:
        fields = self.fields if self.finder is None else self._own
        for name, value in event.data.items():
            if name in _FIELD_SET:
                fields[name] = value
        if event.type == "ticket.created":
            self.created_at = event.at
            fields["author"] = event.data.get("author") or "customer"
        if status := event.data.get("status"):
            self.status = str(status)

    @property
    def named_contract(self) -> Value:
        """The contract that it names itself."""
        return (self.fields if self.finder is None else self._own).get("contract")

    @property
    def reopened(self) -> bool:
        """Whether the last event was a reopen: from solved or closed to new, open or pending."""
        return self.previous_status in SHUT and self.status not in SHUT and self.status != "on_hold"
