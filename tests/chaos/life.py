"""Random events of one ticket, chosen so that the reference can compute the consequences.

Most events are pushed when they happen. Some are pushed late, so that a breach is recorded and then retracted, and some
are dated slightly in the future. `after`, `shift` and all figures here are seconds, instants are microseconds UTC.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

DESK: Final = "chaos"
SECOND: Final = 1_000_000

_LATE: Final = 0.15
"""Fraction of the events that are pushed late, and the maximum delay."""
_LATEST: Final = 2.5
_AHEAD: Final = 0.05
"""Fraction of the events with a future instant, and the maximum distance."""
_FARTHEST: Final = 0.8
APART: Final = 1000
"""Micros between two events that would otherwise share an instant: their order would be ambiguous."""


def written(at: int) -> str:
    """An instant as a text."""
    seconds, micros = divmod(at, SECOND)
    return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{micros:06}Z")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a ticket, or to a service: then `ticket` is its subject."""

    id: str
    type: str
    ticket: str
    at: int
    data: dict[str, Any]

    def as_event(self) -> dict[str, Any]:
        """As a CloudEvents event."""
        time = written(self.at)
        about = {"id": self.id, "source": DESK, "type": self.type, "subject": self.ticket, "time": time}
        return {"specversion": "1.0", **about, "data": self.data}

    def as_row(self) -> dict[str, Any]:
        """As a row of a file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Step:
    """An event pushed `after` seconds from the begin of a life. It happened at `after` + `shift`."""

    after: float
    type: str
    shift: float = 0.0
    data: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def happens(self) -> float:
        """When it happens, in seconds from the life's beginning."""
        return self.after + self.shift


def life(chance: Random, ticket: str, begins_at: int) -> list[tuple[float, Happening]]:
    """The events of a ticket, each with the seconds from its begin to the push, in that order."""
    created = Step(0.0, "ticket.created", min(0.0, _shift(chance)), {"title": "Out of order"})
    recorded: list[tuple[float, Happening]] = []
    for number, step in enumerate([created, *_plan(chance)]):
        # Nothing happens before the creation, and no two things at once.
        happens = round(max(step.happens, created.happens) * SECOND) + number * APART
        about = Happening(f"{ticket}-{number}", step.type, ticket, begins_at + happens, step.data)
        recorded.append((step.after, about))
    return recorded


def _plan(chance: Random) -> list[Step]:
    steps = list(_steps(chance))
    if chance.random() < 0.6:
        closing = chance.uniform(1.0, 6.0)
        # Events after a closing would test reopening, which the reference does not model.
        steps = [step for step in steps if max(step.after, step.happens) < closing - 0.1]
        steps.append(Step(closing, "status.changed", data={"status": "closed"}))
    return sorted(steps, key=lambda step: step.after)


def _steps(chance: Random) -> Iterator[Step]:
    if chance.random() < 0.6:
        yield _step(chance, 0.2, 2.0, "agent.replied")
    if chance.random() < 0.35:
        yield _step(chance, 0.3, 2.5, "customer.replied")
        if chance.random() < 0.3:
            yield _step(chance, 0.5, 3.0, "customer.replied")
        if chance.random() < 0.6:
            yield _step(chance, 0.8, 4.0, "agent.replied")
    if chance.random() < 0.4:
        waits = replace(_step(chance, 0.1, 2.5, "status.changed"), data={"status": "pending"})
        yield waits
        if chance.random() < 0.9:
            goes_on = _step(chance, waits.after + 0.1, waits.after + 2.5, "status.changed")
            yield replace(goes_on, data={"status": "open"})
    if chance.random() < 0.4:
        yield _step(chance, 0.2, 3.0, "request.read")
    if chance.random() < 0.4:
        yield _step(chance, 0.5, 4.5, "service.restored")


def _step(chance: Random, earliest: float, latest: float, type_: str) -> Step:
    return Step(chance.uniform(earliest, latest), type_, _shift(chance))


def _shift(chance: Random) -> float:
    drawn = chance.random()
    if drawn < _LATE:
        return -chance.uniform(0.0, _LATEST)
    return chance.uniform(0.0, _FARTHEST) if drawn < _LATE + _AHEAD else 0.0
