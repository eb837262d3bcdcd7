"""The invented past of a desk: events of its tickets, each with when it happened and when the service received it.

Instants are microseconds UTC. An event that would lie after `now` is left out.
"""

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Self

from app.sla.calendar import Calendar
from app.sla.calendar.zone import zone
from app.sla.event import Event
from app.sla.period import Months
from app.sla.span import DAY, SECOND, Micros, instant

SEED: Final = 20260306
"""A fixed seed: every demonstration shows the same day."""

STAFF: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "haisoft": (("Niveau 1", "amelie"), ("Niveau 1", "chloe"), ("Niveau 2", "bruno"), ("", "")),
    "webxtra": (("Support", "daan"), ("Support", "sanne"), ("Support", "lotte"), ("", "")),
    "phpnet": (("Infogérance", "elodie"), ("Infogérance", "didier"), ("Astreinte", "farid"), ("", "")),
    "clamehost": (("Assistenza", "carla"), ("Assistenza", "enzo"), ("", "")),
    "hvn": (("Chăm sóc khách hàng", "lan"), ("Kỹ thuật", "minh"), ("", "")),
}
"""Groups and people of each desk; some tickets are unassigned."""

_LONGEST: Final = 60 * DAY
"""How far back the search for open time goes: no calendar is closed for as long."""


def start_of_open_time(calendar: Calendar, length: Micros, until: Micros) -> Micros:
    """The latest start from which `length` of open time has passed by `until`: the inverse of `after_us`."""
    early, late = until - _LONGEST, until
    while late - early > 1:
        middle = (early + late) // 2
        if calendar.within_us(middle, until) >= length:
            early = middle
        else:
            late = middle
    return early


@dataclass(frozen=True, slots=True, order=True)
class ReceivedEvent:
    """An event of a desk and when the service received it. Sorts by that."""

    received_at: Micros
    number: int
    desk: str = field(compare=False)
    event: Event = field(compare=False)


class TicketHistory:
    """The events of one ticket. Each method adds one and returns the same object."""

    def __init__(self, desk: "DeskHistory", ticket: str) -> None:
        self._desk, self.ticket = desk, ticket
        self._count = 0

    def event(self, at: Micros, type_: str, *, received_at: Micros | None = None, **data: Any) -> Self:
        """Add an event of any type. `received_at`: when the service received it, if not at once."""
        self._count += 1
        self._desk.add(f"{self.ticket}-{self._count}", type_, self.ticket, at, received_at, data)
        return self

    def reply(
        self, at: Micros, text: str = "We are looking into it.", *, received_at: Micros | None = None
    ) -> Self:
        """An agent replies."""
        return self.event(at, "agent.replied", received_at=received_at, author="agent", text=text)

    def customer(self, at: Micros, text: str) -> Self:
        """The customer replies."""
        return self.event(at, "customer.replied", author="customer", text=text)

    def excluded(self, at: Micros, start: Micros, end: Micros, *, by: str, reason: str) -> Self:
        """A person excludes a span."""
        span = {"from": instant(start).isoformat(), "to": instant(end).isoformat()}
        self._count += 1
        data = {**span, "author": by, "reason": reason}
        self._desk.add(f"{self.ticket}-{self._count}", "exclusion.granted", self.ticket, at, None, data)
        return self

    def status(self, at: Micros, status: str) -> Self:
        """The ticket's status changes."""
        return self.event(at, "status.changed", status=status)


class DeskHistory:
    """The past of one desk up to `now`."""

    def __init__(self, desk: str, calendars: Mapping[str, Calendar], now: Micros, letter: str) -> None:
        self.desk, self.now, self.letter = desk, now, letter
        self.calendars = {name.partition("/")[2]: c for name, c in calendars.items() if name.startswith(desk)}
        self.random = Random(f"{SEED}{desk}")  # noqa: S311 - a story, not a secret
        self._staff = Random(f"{SEED}{desk}staff")  # noqa: S311
        self.events: list[ReceivedEvent] = []
        self._tickets = self._facts = self._calls = 0

    def ticket(self, at: Micros, /, *, name: str | None = None, **fields: Any) -> TicketHistory:
        """Create a ticket, by a customer unless `author` is given."""
        self._tickets += 1
        group, assignee = self._staff.choice(STAFF[self.desk])
        fields = {**({"group": group, "assignee": assignee} if assignee else {}), **fields}
        history = TicketHistory(self, name or f"{self.letter}-{1000 + self._tickets}")
        return history.event(at, "ticket.created", **fields)

    def add(
        self,
        event_id: str,
        type_: str,
        subject: str,
        at: Micros,
        received_at: Micros | None,
        data: dict[str, Any],
    ) -> None:
        """Add an event, unless it lies after `now`."""
        latest = at if received_at is None else max(at, received_at)
        if received_at is None:
            received_at = at + self.random.randrange(1, 4) * SECOND
        if latest <= self.now:
            event = Event(f"demo-{event_id}", type_, subject, at, data)
            insort(self.events, ReceivedEvent(min(received_at, self.now), len(self.events), self.desk, event))

    def fact(self, at: Micros, type_: str, subject: str, **data: Any) -> None:
        """Add an event about a service, a call or a contract."""
        self._facts += 1
        self.add(f"{self.letter}-fact-{self._facts}", type_, subject, at, None, data)

    def outage(
        self, at: Micros, length: Micros | None, service: str, reference: str, *, cause: str, **data: Any
    ) -> None:
        """An outage of a service with its cause; `length` None: it is still down. `data`: perhaps a `resource`."""
        subject, named = f"service:{service}", {"reference": reference, **data}
        self.fact(at, "outage.started", subject, cause=cause, **named)
        if length is not None:
            self.fact(at + length, "outage.ended", subject, **named)

    def maintenance(self, announced: Micros, start: Micros, end: Micros, service: str, **data: Any) -> None:
        """Announce maintenance of a service, perhaps for a time that is still ahead."""
        span = {"from": instant(start).isoformat(), "to": instant(end).isoformat()}
        self.fact(announced, "maintenance.announced", f"service:{service}", **span, **data)

    def call(self, at: Micros, waited: Micros | None, line: str, customer: str) -> None:
        """A call, answered after it `waited`; None: the caller gave up."""
        self._calls += 1
        subject = f"call:{self.letter}-{self._calls}"
        self.fact(at, "call.offered", subject, line=line, customer=customer)
        if waited is not None:
            self.fact(at + waited, "call.answered", subject)

    def last_month(self, time_zone: str) -> Micros:
        """The first instant of the month before the present one."""
        months = Months(zone(time_zone))
        return months.before(months.at(self.now)).start

    def random_instants(self, count: int, days: int, *, spare: Micros = 0) -> Iterator[Micros]:
        """`count` instants, spread at random over the past days without the last `spare`."""
        length = days * DAY - spare
        for place in sorted(self.random.random() for _ in range(count)):
            yield self.now - days * DAY + int(place * length)
