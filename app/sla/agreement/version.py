"""Which version of an agreement judges a ticket?

A version is an agreement with its calendars, put into force at an instant. The first governs all before it, too, so that
a log older than the service can be judged. A later one judges the tickets born after it and, as it was applied, the open
ones anew (`open`) or the rest of their lives (`rest`); never a ticket that was shut by then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.sla.agreement.agreement import Agreement
from app.sla.event import Event
from app.sla.span import Micros
from app.sla.ticket import SHUT, Ticket


class AppliesTo(StrEnum):
    """Which tickets a new version of an agreement or calendar judges."""

    NEW = "new"
    OPEN = "open"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Version:
    """An agreement with its calendars, as put into force at an instant. The first version governs all before it, too."""

    number: int
    agreement: Agreement
    applied_at: Micros
    applies_to: AppliesTo = AppliesTo.NEW


def in_force(versions: Sequence[Version], ordered: Sequence[Event]) -> tuple[Version, list[Version]]:
    """The version that governs a ticket from its birth, and those that take over the rest of its life, in order."""
    known = sorted(versions, key=lambda v: v.number)
    base, rests = known[0], list[Version]()
    if len(known) == 1:
        return base, rests
    born = next((e.at for e in ordered if e.type == "ticket.created"), ordered[0].at)
    for version in known[1:]:
        if born >= version.applied_at:
            base, rests = version, []
        elif version.applies_to is AppliesTo.NEW or not _was_open(ordered, version.applied_at):
            continue
        elif version.applies_to is AppliesTo.OPEN:
            base, rests = version, []
        else:
            rests.append(version)
    return base, rests


def _was_open(ordered: Iterable[Event], at: Micros) -> bool:
    ticket = Ticket()
    for event in ordered:
        if event.at <= at:
            ticket.apply(event)
    return ticket.ended_by is None and ticket.status not in SHUT
