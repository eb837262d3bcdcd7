"""How is a desk's past told? Tickets and their facts, each with when it happened and when the service heard of it.

Instants are micros. Nothing lies after `now`: what a tale puts there is left out.
"""

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Self

from app.sla.calendar import Calendar
from app.sla.event import Event
from app.sla.span import DAY, SECOND, Micros, instant

SEED: Final = 20260306
"""Chance gives the same day to everyone."""

_LONGEST: Final = 60 * DAY
"""How far back open time is looked for: no calendar is closed for as long."""


def when_counted(calendar: Calendar, length: Micros, until: Micros) -> Micros:
    """The latest start from which `length` of open time has passed by `until`: a calendar asked backwards."""
    early, late = until - _LONGEST, until
    while late - early > 1:
        middle = (early + late) // 2
        if calendar.within_us(middle, until) >= length:
            early = middle
        else:
            late = middle
    return early


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """An event of a desk and when the service received it."""

    received_at: Micros
    place: int
    desk: str = field(compare=False)
    event: Event = field(compare=False)


class Thread:
    """One ticket of a tale, told fact by fact."""

    def __init__(self, tale: "Tale", ticket: str) -> None:
        self._tale, self.ticket = tale, ticket
        self._count = 0

    def fact(self, at: Micros, type_: str, *, heard_at: Micros | None = None, **data: Any) -> Self:
        """Anything that happens. `heard_at`: when the service was told, if not at once."""
        self._count += 1
        self._tale.add(f"{self.ticket}-{self._count}", type_, self.ticket, at, heard_at, data)
        return self

    def reply(
        self, at: Micros, text: str = "We are looking into it.", *, heard_at: Micros | None = None
    ) -> Self:
        """A person of the desk answers."""
        return self.fact(at, "agent.replied", heard_at=heard_at, author="agent", text=text)

    def customer(self, at: Micros, text: str) -> Self:
        """The customer writes again."""
        return self.fact(at, "customer.replied", author="customer", text=text)

    def excluded(self, at: Micros, start: Micros, end: Micros, *, by: str, reason: str) -> Self:
        """A person takes a span out of the count."""
        span = {"from": instant(start).isoformat(), "to": instant(end).isoformat()}
        self._count += 1
        data = {**span, "author": by, "reason": reason}
        self._tale.add(f"{self.ticket}-{self._count}", "exclusion.granted", self.ticket, at, None, data)
        return self

    def status(self, at: Micros, status: str) -> Self:
        """The ticket's status changes."""
        return self.fact(at, "status.changed", status=status)


class Tale:
    """The past of one desk up to `now`."""

    def __init__(self, desk: str, calendars: Mapping[str, Calendar], now: Micros, letter: str) -> None:
        self.desk, self.now, self._letter = desk, now, letter
        self.calendars = {name.partition("/")[2]: c for name, c in calendars.items() if name.startswith(desk)}
        self.chance = Random(f"{SEED}{desk}")  # noqa: S311 - a story, not a secret
        self.facts: list[Fact] = []
        self._tickets = 0

    def ticket(self, at: Micros, /, *, name: str | None = None, **fields: Any) -> Thread:
        """A new ticket that a customer opened, unless `author` says otherwise."""
        self._tickets += 1
        thread = Thread(self, name or f"{self._letter}-{1000 + self._tickets}")
        return thread.fact(at, "ticket.created", **fields)

    def add(
        self,
        event_id: str,
        type_: str,
        subject: str,
        at: Micros,
        heard_at: Micros | None,
        data: dict[str, Any],
    ) -> None:
        """A fact, unless it lies ahead."""
        received_at = at + self.chance.randrange(1, 4) * SECOND if heard_at is None else heard_at
        if at <= self.now and (heard_at is None or heard_at <= self.now):
            event = Event(f"demo-{event_id}", type_, subject, at, data)
            insort(self.facts, Fact(min(received_at, self.now), len(self.facts), self.desk, event))

    def transitions(self, count: int, days: int, *, spare: Micros = 0) -> Iterator[Micros]:
        """So many instants, spread by chance over the past days but the last `spare`."""
        length = days * DAY - spare
        for place in sorted(self.chance.random() for _ in range(count)):
            yield self.now - days * DAY + int(place * length)
