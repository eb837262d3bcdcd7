"""Causes of credits: a period in which an availability was broken, and a commitment that a ticket missed.

Both are plain figures, so that a credit does not depend on how they were found. Instants and lengths are microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from app.sla.agreement.credit import ClaimWindow
from app.sla.calendar import NeverOpen, UncoveredYear
from app.sla.period import Period
from app.sla.span import Micros

STARTED: Final = "outage.started"
ENDED: Final = "outage.ended"
VERIFIED: Final = "outage.verified"


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage that counts: when it began, when it ended and when the desk verified it, as far as that is known."""

    started_at: Micros
    ended_at: Micros | None = None
    verified_at: Micros | None = None
    facts: tuple[str, ...] = ()
    """The ids of its events."""

    def start_of_claim(self, starts_on: frozenset[str]) -> Micros | None:
        """The first instant at which one of these facts happened; None: not yet."""
        known = {STARTED: self.started_at, ENDED: self.ended_at, VERIFIED: self.verified_at}
        return min((at for fact, at in known.items() if fact in starts_on and at is not None), default=None)


@dataclass(frozen=True, slots=True)
class BrokenUptime:
    """The uptime of a period, for one object of a contract, by an instant. `breached_at` None: it is kept so far.

    `stretches` are the lengths of each uninterrupted downtime that counts; their sum is `downtime`.
    """

    availability: str
    period: Period
    total: Micros
    downtime: Micros
    breached_at: Micros | None
    stretches: tuple[Micros, ...] = ()
    service: str = ""
    """The service, where each service of a contract is judged for itself."""
    incidents: tuple[Incident, ...] = ()
    target: str = ""
    """As written."""

    @property
    def share(self) -> Fraction:
        """The exact uptime."""
        return 1 - Fraction(self.downtime, self.total)


@dataclass(frozen=True, slots=True)
class MissedClock:
    """A commitment that a ticket missed. `cycle` is the identity of its clock.

    `started_at` and `ended_at` bound the whole interruption, from the start of the clock to its stop; None: it goes on.
    """

    commitment: str
    ticket: str
    cycle: Micros
    breached_at: Micros
    started_at: Micros
    ended_at: Micros | None = None
    created_at: Micros | None = None
    """When the ticket was created; None: with the start of the clock."""
    incident: Incident | None = None
    facts: tuple[str, ...] = ()
    """The ids of the events that started and stopped it."""
    tickets: tuple[str, ...] = ()
    """All tickets that report the interruption, if it is one; `ticket` is empty where an outage states it."""
    availability: str = ""
    """By which the outage counts that states it."""
    cause: str | None = None
    """Of the interruption, as the latest fact of the ticket states it."""

    @property
    def outage(self) -> str:
        """The id of the event that began the outage, where one states the interruption."""
        return "" if self.ticket or self.incident is None else self.incident.facts[0]


Cause: TypeAlias = BrokenUptime | MissedClock


def claim_deadlines(cause: Cause, window: ClaimWindow) -> tuple[Micros | None, ...]:
    """Until when each incident of a cause can be claimed; None: its time does not run yet, or has no date."""
    if isinstance(cause, BrokenUptime):
        starts = [incident.start_of_claim(window.starts_on) for incident in cause.incidents]
    elif window.starts_on and cause.incident is not None:
        starts = [cause.incident.start_of_claim(window.starts_on)]
    else:
        starts = [cause.breached_at]
    return tuple(None if start is None else _deadline(window, start) for start in starts)


def _deadline(window: ClaimWindow, start: Micros) -> Micros | None:
    try:
        return window.target.deadline(start, window.calendar)
    except (UncoveredYear, NeverOpen):
        return None


def latest(deadlines: Iterable[Micros | None]) -> Micros | None:
    """Until when something can be claimed that is claimed as one: the last of the deadlines; None: without end."""
    known = list(deadlines)
    ended = [at for at in known if at is not None]
    return max(ended) if ended and len(ended) == len(known) else None
