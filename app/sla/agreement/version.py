"""Versions of a desk's agreement: which of them judges a ticket.

A version is an agreement with its calendars. The first one also judges everything before it, so that a log older than
the service can be judged. A later one judges the tickets created from `effective_from` on and, by its `applies_to`,
the tickets that were open then: from their creation (`open`) or for the rest of their lives (`rest`). It never changes
a ticket that was closed by then. A version whose `effective_from` lies ahead is planned: it judges nothing before that
instant. Of several versions the later `effective_from` prevails, and of one instant the higher number. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from app.sla.agreement.agreement import Agreement
from app.sla.event import Event
from app.sla.period import Period
from app.sla.span import Micros
from app.sla.ticket import SHUT, Ticket


class AppliesTo(StrEnum):
    """Which tickets a new version of an agreement or calendar judges."""

    NEW = "new"
    OPEN = "open"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Version:
    """An agreement with its calendars, in force from an instant on.

    `recorded_at` is when the service stored it: a view as of an earlier instant does not know it. None: the same as
    `effective_from`.
    """

    number: int
    agreement: Agreement
    effective_from: Micros
    applies_to: AppliesTo = AppliesTo.NEW
    recorded_at: Micros | None = None

    def is_known(self, as_of: Micros) -> bool:
        """Whether it was recorded by that instant."""
        return (self.effective_from if self.recorded_at is None else self.recorded_at) <= as_of


def known_versions(versions: Sequence[Version], as_of: Micros | None) -> tuple[Version, ...]:
    """The versions recorded by an instant, all for None. The first is always among them: it judges what came before."""
    if as_of is None:
        return tuple(versions)
    return (*versions[:1], *(version for version in versions[1:] if version.is_known(as_of)))


def in_order(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Versions in the order in which they come into force."""
    return tuple(sorted(versions, key=lambda version: (version.effective_from, version.number)))


def begun(versions: Sequence[Version], at: Micros) -> tuple[Version, ...]:
    """Those of these ordered versions that are in force or were before `at`. The first is always among them."""
    return (*versions[:1], *(version for version in versions[1:] if version.effective_from <= at))


def next_change_at(versions: Sequence[Version], at: Micros) -> Micros | None:
    """When a planned version next comes into force that may change what existed before; None for never.

    A version for new tickets changes no other ticket, unless its queue rules differ: those hold for all tickets.
    """
    return next(
        (
            version.effective_from
            for before, version in pairwise(versions)
            if version.effective_from > at and changes_existing(before, version)
        ),
        None,
    )


def changes_existing(before: Version, version: Version) -> bool:
    """Whether a version may change tickets that were created before it, when it follows another."""
    return version.applies_to is not AppliesTo.NEW or before.agreement.queue != version.agreement.queue


def in_force(versions: Sequence[Version], ordered: Sequence[Event]) -> tuple[Version, list[Version]]:
    """The version that judges a ticket from its creation, and those that judge the rest of its life, in order.

    `versions` have begun: none of them is planned at the instant of the evaluation.
    """
    if len(versions) == 1:
        return versions[0], []
    known = in_order(versions)
    base, rests = known[0], list[Version]()
    born = next((e.at for e in ordered if e.type == "ticket.created"), ordered[0].at)
    for version in known[1:]:
        if born >= version.effective_from:
            base, rests = version, []
        elif version.applies_to is AppliesTo.NEW or not _was_open(ordered, version.effective_from):
            continue
        elif version.applies_to is AppliesTo.OPEN:
            base, rests = version, []
        else:
            rests.append(version)
    return base, rests


def version_of_period(versions: Sequence[Version], period: Period, at: Micros) -> Version:
    """The version by which a period is judged at an instant: the last one in force at its first instant.

    One that takes over what is open also judges the period that is running when it comes into force, from then on. The
    first version judges every period before it.
    """
    known = sorted(versions, key=lambda v: v.number)
    found = known[0]
    for version in (each for each in known[1:] if each.effective_from <= at):
        takes_over = version.applies_to is not AppliesTo.NEW and version.effective_from < period.end
        if version.effective_from <= period.start or takes_over:
            found = version
    return found


def version_at(versions: Sequence[Version], at: Micros) -> Version:
    """The last version in force at an instant; the first one for what came before it."""
    known = sorted(versions, key=lambda v: v.number)
    return next((version for version in reversed(known) if version.effective_from <= at), known[0])


def _was_open(ordered: Iterable[Event], at: Micros) -> bool:
    ticket = Ticket()
    for event in ordered:
        if event.at <= at:
            ticket.apply(event)
    return ticket.ended_by is None and ticket.status not in SHUT
