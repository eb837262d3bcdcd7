"""Independent reference: computes the expected breaches of a ticket or a service from the acknowledged events.

Those of services are in `outages`, averages in `calls`, credits in `credits` and `claims`. For tickets it implements the
four commitments of desk/agreements/chaos.toml only, in a different way than the service. A commitment is breached at its
due date when nothing has ended it by then; pending time does not count where it pauses. Instants and durations are
microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.breach import Breach, Clock
from tests.chaos.calls import CALL, Expected, Month, averages
from tests.chaos.claims import Claimed, by_contract, credit_of, deadline
from tests.chaos.credits import CONTRACT, owed
from tests.chaos.life import SECOND, Happening
from tests.chaos.outages import PAST, REVISING, SUBJECT, naming, uptime_breaches

BREACHED: Final = "clock.breached"
MISSED: Final = "clock.missed"

_ENDED_BY_CLOSING: Final = "closed"


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment with one clock, which starts at the creation."""

    id: str
    target: int
    stopped_by: str
    pauses: bool
    kind: str = BREACHED


ONCE: Final = (
    Commitment("answer", 1 * SECOND, "agent.replied", pauses=True),
    Commitment("reading", 2 * SECOND, "request.read", pauses=False, kind=MISSED),
    Commitment("repair", 3 * SECOND, "service.restored", pauses=True),
)
REPLY: Final = "reply"
REPLY_TARGET: Final = 1 * SECOND


def breaches(ticket: str, happenings: Iterable[Happening]) -> Iterator[Breach]:
    """All breaches of a ticket by these events, including future ones."""
    log = sorted(happenings, key=lambda each: each.at)
    created_at = next((each.at for each in log if each.type == "ticket.created"), None)
    if created_at is None:
        return
    closed_at = next((each.at for each in log if each.data.get("status") == _ENDED_BY_CLOSING), None)
    waits = list(_waits(log))
    for commitment in ONCE:
        stopped_at = next((each.at for each in log if each.type == commitment.stopped_by), None)
        due_at = _due(created_at, commitment.target, waits if commitment.pauses else ())
        if due_at is not None and not _ended(due_at, stopped_at, closed_at):
            yield Breach(Clock(ticket, commitment.id, 0), due_at, commitment.kind)
    for asked_at, answered_at in _reply_cycles(log):
        due_at = asked_at + REPLY_TARGET
        if not _ended(due_at, answered_at, closed_at):
            yield Breach(Clock(ticket, REPLY, asked_at), due_at, BREACHED)


def _ended(due_at: int, *ends: int | None) -> bool:
    """At the due date itself is in time."""
    return any(end is not None and end <= due_at for end in ends)


def _waits(log: Sequence[Happening]) -> Iterator[tuple[int, int | None]]:
    """The spans of status pending. A message of the customer ends one too."""
    since: int | None = None
    for each in log:
        status = each.data.get("status")
        if status == "pending":
            since = each.at if since is None else since
        elif since is not None and (status is not None or each.type == "customer.replied"):
            yield since, each.at
            since = None
    if since is not None:
        yield since, None


def _due(since: int, target: int, waits: Iterable[tuple[int, int | None]]) -> int | None:
    """The instant after so much time outside the waits; None if one of them has no end."""
    left = target
    for begin, end in waits:
        if since + left < begin:
            break
        left -= begin - since
        if end is None:
            return None
        since = end
    return since + left


def _reply_cycles(log: Sequence[Happening]) -> Iterator[tuple[int, int | None]]:
    """The messages of the customer that opened a cycle, each with the instant of the reply."""
    asked_at: int | None = None
    for each in log:
        if each.type == "customer.replied" and asked_at is None:
            asked_at = each.at
        elif each.type == "agent.replied" and asked_at is not None:
            yield asked_at, each.at
            asked_at = None
    if asked_at is not None:
        yield asked_at, None


class Reference:
    """The expected breaches of all acknowledged events."""

    def __init__(self) -> None:
        self._logs: dict[str, dict[str, Happening]] = {}
        self._known_at: dict[str, int] = {}
        self._stale: set[str] = set()
        self._of_ticket: dict[str, list[Breach]] = {}

    def add(self, happening: Happening, acknowledged_at: int) -> None:
        """Add an event with the instant of its first acknowledgement."""
        self._logs.setdefault(happening.ticket, {})[happening.id] = happening
        self._known_at.setdefault(happening.id, acknowledged_at)
        self._stale.add(happening.ticket)

    @property
    def events(self) -> set[str]:
        """The ids of all acknowledged events."""
        return set(self._known_at)

    def expected(self) -> dict[Clock, Breach]:
        """Every breach, by its clock."""
        for ticket in self._stale:
            of_kind = uptime_breaches if ticket.startswith(SUBJECT) else breaches
            self._of_ticket[ticket] = list(of_kind(ticket, self._logs[ticket].values()))
        self._stale.clear()
        return {breach.clock: breach for of_ticket in self._of_ticket.values() for breach in of_ticket}

    def credits(self) -> dict[str, str]:
        """What each contract is owed, by its subject."""
        return {
            ticket.replace(f"{SUBJECT}{PAST}", CONTRACT): owed(log.values())
            for ticket, log in self._logs.items()
            if ticket.startswith(f"{SUBJECT}{PAST}")
        }

    def claims(self, at: int) -> dict[str, Claimed | None]:
        """What the credit of each contract with claims is at an instant."""
        return {contract: credit_of(facts, at) for contract, facts in by_contract(self._logs)}

    def averages(self, at: int) -> dict[Month, Expected]:
        """What must be recorded of each month of an average by an instant."""
        return averages((log.values() for ticket, log in self._logs.items() if ticket.startswith(CALL)), at)

    def known_at(self, breach: Breach) -> int:
        """The later of the breach and the acknowledgement of the events that cause it.

        An outage of the whole service breaks the uptime of a resource that is named for the first time afterwards.
        """
        facts = self._logs[breach.clock.ticket].values()
        causes = (each for each in facts if each.at <= breach.at or each.type in REVISING)
        resource = breach.clock.resource
        named = [self._known_at[each.id] for each in naming(facts, resource)] if resource else []
        return max(breach.at, min(named, default=0), *(self._known_at[each.id] for each in causes))

    def last(self) -> int:
        """The last instant of any breach, event or deadline."""
        breached = max((breach.at for breach in self.expected().values()), default=0)
        lapses = max(deadline(facts) for _, facts in by_contract(self._logs))
        return max(breached, lapses, *(each.at for log in self._logs.values() for each in log.values()), 0)
