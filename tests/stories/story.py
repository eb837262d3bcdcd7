"""What a story is told in: a ticket's facts in plain words, and how its clocks stand at an instant.

Instants are written as the desk's wall clock shows them ("2026-03-06 15:30"), or with an offset of their own, and come
back the same way. Nothing here judges: a story only builds events, and `evaluate` says the rest.
"""

import copy
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from app.flow.query.reasons import text
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import parse_agreement
from app.sla.calendar import Calendar, parse_calendars
from app.sla.clock.evaluation import Absorbed, AppliesTo, Evaluation, Version, evaluate
from app.sla.clock.view import ClockView
from app.sla.event import Event
from app.sla.span import Micros, instant, micros

ROOT = Path(__file__).parents[2]


@cache
def _file(folder: str, desk: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / folder / f"{desk}.toml").read_text())


@cache
def calendars_of(desk: str) -> dict[str, Calendar]:
    """The shipped calendars of a desk."""
    return parse_calendars(_file("calendars", desk), desk=desk)


def shipped(desk: str, **changes: object) -> Agreement:
    """The shipped agreement of a desk, with top-level tables replaced or added."""
    return parse_agreement(
        {**copy.deepcopy(_file("agreements", desk)), **changes}, calendars=calendars_of(desk)
    )


def written(document: str, calendars: Mapping[str, Calendar]) -> Agreement:
    """An agreement of a story's own."""
    return parse_agreement(tomllib.loads(document), calendars=calendars)


@dataclass(frozen=True)
class Seen:
    """A clock as the story's desk sees it: wall-clock times of its zone, and lengths as timedeltas."""

    view: ClockView
    zone: ZoneInfo

    @property
    def state(self) -> str:
        return str(self.view.state)

    @property
    def met(self) -> bool | None:
        return self.view.met

    @property
    def awaiting(self) -> tuple[str, ...]:
        return self.view.awaiting

    @property
    def target(self) -> str | None:
        return self.view.target

    @property
    def started(self) -> str | None:
        return _shown(self.view.started_at, self.zone)

    @property
    def due(self) -> str | None:
        return _shown(self.view.due_at, self.zone)

    @property
    def stopped(self) -> str | None:
        return _shown(self.view.stopped_at, self.zone)

    @property
    def breached(self) -> str | None:
        return _shown(self.view.breached_at, self.zone)

    @property
    def due_if_resumed(self) -> str | None:
        return _shown(self.view.due_if_resumed_now, self.zone)

    @property
    def counted(self) -> timedelta:
        return timedelta(microseconds=self.view.counted)

    @property
    def remaining(self) -> timedelta | None:
        left = self.view.remaining
        return None if left is None else timedelta(microseconds=left)


@dataclass(frozen=True)
class Judged:
    """Everything about the story's ticket at one instant."""

    evaluation: Evaluation
    zone: ZoneInfo

    def clocks(self, commitment: str) -> list[Seen]:
        """All cycles of a commitment, first to last."""
        return [Seen(c, self.zone) for c in self.evaluation.clocks if c.commitment == commitment]

    def clock(self, commitment: str) -> Seen:
        """The only or last clock of a commitment."""
        found = self.clocks(commitment)
        assert found, f"no clock of {commitment}: there are {self.names}, without {self.reasons}"
        return found[-1]

    @property
    def names(self) -> set[str]:
        """The commitments that have a clock."""
        return {clock.commitment for clock in self.evaluation.clocks}

    @property
    def reasons(self) -> dict[str, str]:
        """Why commitments have none."""
        return {name: text(reason) for name, reason in self.evaluation.not_applicable}

    @property
    def status(self) -> str:
        return self.evaluation.ticket.status

    @property
    def flags(self) -> tuple[str, ...]:
        return self.evaluation.flags

    def recorded(self, commitment: str, *kinds: str) -> list[tuple[str, str | None]]:
        """What a commitment's clocks did and when, in order; of these kinds, or of all."""
        mine = [
            m
            for m in self.evaluation.transitions
            if m.commitment == commitment and (not kinds or m.kind in kinds)
        ]
        return [(str(m.kind), _shown(m.at, self.zone)) for m in sorted(mine, key=lambda m: m.at)]


class Story:
    """The log of one ticket, in the order in which it is told."""

    def __init__(self, desk: str | Agreement, *, ticket: str = "T1") -> None:
        self.agreement = shipped(desk) if isinstance(desk, str) else desk
        self.zone = ZoneInfo(self.agreement.time_zone)
        self.ticket = ticket
        self.events: list[Event] = []
        self.absorbed: list[Absorbed] = []

    def fact(self, type_: str, at: str, /, **data: object) -> Self:
        """Anything that happens."""
        event_id = str(data.pop("event_id", f"{self.ticket}-{len(self.events) + 1:02}"))
        self.events.append(Event(event_id, type_, self.ticket, self.instant(at), data))
        return self

    def created(self, at: str, /, **fields: object) -> Self:
        return self.fact("ticket.created", at, **fields)

    def updated(self, at: str, /, **fields: object) -> Self:
        return self.fact("ticket.updated", at, **fields)

    def customer(self, at: str, **data: object) -> Self:
        return self.fact("customer.replied", at, author="customer", **data)

    def reply(self, at: str, **data: object) -> Self:
        return self.fact("agent.replied", at, author="agent", **data)

    def note(self, at: str, **data: object) -> Self:
        return self.fact("note.added", at, author="agent", **data)

    def status(self, at: str, status: str) -> Self:
        return self.fact("status.changed", at, status=status)

    def excluded(
        self, at: str, start: str, end: str, *, by: str, reason: str, commitments: tuple[str, ...] = ()
    ) -> Self:
        """A person takes a span out of the count."""
        return self.fact(
            "exclusion.granted",
            at,
            **{"from": self._iso(start), "to": self._iso(end), "commitments": list(commitments)},
            author=by,
            reason=reason,
        )

    def withdrawn(self, at: str, event_id: str) -> Self:
        return self.fact("event.withdrawn", at, id=event_id, author="lead", reason="entered in error")

    def takes_in(self, other: "Story", at: str) -> Self:
        """Another ticket is merged into this one."""
        merge = Event(
            f"{other.ticket}-merge", "ticket.merged", other.ticket, self.instant(at), {"into": self.ticket}
        )
        self.absorbed.append(Absorbed(other.ticket, merge, (*other.events, merge)))
        return self

    def at(self, at: str) -> Judged:
        """How everything stands at an instant, by all that the story tells."""
        version = Version(1, self.agreement, 0, AppliesTo.NEW)
        return Judged(evaluate(self.events, [version], self.instant(at), absorbed=self.absorbed), self.zone)

    def instant(self, at: str) -> Micros:
        return micros(self._aware(at))

    def _iso(self, at: str) -> str:
        return self._aware(at).isoformat()

    def _aware(self, at: str) -> datetime:
        read = datetime.fromisoformat(at)
        return read if read.tzinfo is not None else read.replace(tzinfo=self.zone)


def _shown(at: Micros | None, zone: ZoneInfo) -> str | None:
    if at is None:
        return None
    local = instant(at).astimezone(zone).replace(tzinfo=None)
    whole_minute = not local.second and not local.microsecond
    return local.isoformat(" ", "minutes" if whole_minute else "auto")
