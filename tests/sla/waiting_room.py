"""A desk's day, told in short lines: what happened to its tickets, and how they wait then."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from app.sla.agreement.agreement import Condition, MessageEffect, QueueRules
from app.sla.event import Event
from app.sla.queue.position import QueueOrder
from app.sla.queue.waiting import Move, WaitInterval, moves, wait_intervals
from app.sla.span import Micros, micros

MOVES, KEEPS = MessageEffect.MOVES, MessageEffect.KEEPS
MANAGED_FIRST = (Condition((("plan", frozenset({"managed"})),)),)

WEBXTRA = QueueRules(first=MANAGED_FIRST, repeat_message=MOVES, duplicate=MOVES, domain_required=True)


def on_the_day(clock: str) -> Micros:
    """The instant of a clock time on 2 March 2026, in UTC; "+1 09:00" is the day after."""
    days, _, hours = clock.rpartition(" ")
    return micros(datetime.fromisoformat(f"2026-03-02T{hours}Z") + timedelta(days=int(days or 0)))


class WaitingRoom:
    """Events by ticket. Each call adds one, whatever the order of the clock times."""

    def __init__(self, rules: QueueRules = WEBXTRA) -> None:
        self.rules = rules
        self.events: list[Event] = []

    def add(self, ticket: str, clock: str, kind: str, **data: object) -> "WaitingRoom":
        self.events.append(Event(f"e{len(self.events)}", kind, ticket, on_the_day(clock), data))
        return self

    def created(self, ticket: str, clock: str, **data: object) -> "WaitingRoom":
        fields = {"customer": "jansen", "title": "Mail is down", "domain": "jansen.nl"}
        return self.add(ticket, clock, "ticket.created", **{**fields, **data})

    def asks(self, ticket: str, clock: str, **data: object) -> "WaitingRoom":
        return self.add(ticket, clock, "customer.replied", **data)

    def answers(self, ticket: str, clock: str, **data: object) -> "WaitingRoom":
        return self.add(ticket, clock, "agent.replied", **data)

    def status(self, ticket: str, clock: str, status: str) -> "WaitingRoom":
        return self.add(ticket, clock, "status.changed", status=status)

    def updated(self, ticket: str, clock: str, **data: object) -> "WaitingRoom":
        return self.add(ticket, clock, "ticket.updated", **data)

    def logs(self) -> Mapping[str, list[Event]]:
        return {
            subject: [e for e in self.events if e.subject == subject]
            for subject in sorted({e.subject for e in self.events})
        }

    def wait_intervals(
        self, at: str = "+9 23:00", reply_ends_pending: bool = True
    ) -> dict[str, tuple[WaitInterval, ...]]:
        return wait_intervals(self.logs(), self.rules, on_the_day(at), reply_ends_pending=reply_ends_pending)

    def story(self, ticket: str, at: str = "+9 23:00") -> list[tuple[str, str, str]]:
        """The moves of a ticket as (clock time, what it did, cause)."""
        return [(_clock(m.at), _did(m), m.cause) for m in moves(self.wait_intervals(at)[ticket])]

    def order(self, at: str = "+9 23:00", queue: str = "default") -> list[str]:
        """The tickets that wait in a queue, the next one first."""
        line = QueueOrder(
            wait_interval.key
            for of_ticket in self.wait_intervals(at).values()
            for wait_interval in of_ticket
            if wait_interval.queue == queue and wait_interval.holds_at(on_the_day(at))
        )
        return [ticket for *_, ticket in line]

    def joined_at(self, ticket: str, at: str = "+9 23:00") -> str | None:
        """The clock time since which the ticket counts as waiting."""
        wait_interval = next((s for s in self.wait_intervals(at)[ticket] if s.holds_at(on_the_day(at))), None)
        return None if wait_interval is None else _clock(wait_interval.joined_at)


def _clock(at: Micros) -> str:
    return datetime.fromtimestamp(at / 1_000_000, tz=UTC).strftime("%H:%M")


def _did(move: Move) -> str:
    if move.from_key is None:
        return "joined"
    return "left" if move.to_key is None else "moved"
