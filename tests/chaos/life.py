"""What happens to a ticket in its few seconds? A life by chance, of facts whose consequences the reference can count.

Most facts are pushed as they happen. Some are learnt late, so that a breach is told and then taken back, and some are
dated a little ahead. `after`, `shift` and all figures here are seconds, instants are microseconds UTC.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

DESK: Final = "chaos"
SECOND: Final = 1_000_000

_LATE: Final = 0.15
"""Share of the facts that are learnt late, and by how much at most."""
_LATEST: Final = 2.5
_AHEAD: Final = 0.05
"""Share of the facts that are dated ahead of now, and how far at most."""
_FARTHEST: Final = 0.8
_APART: Final = 1000
"""Micros between two facts that would else be of one instant: what comes first then is a matter of words."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a ticket."""

    id: str
    type: str
    ticket: str
    at: int
    data: dict[str, Any]

    def as_event(self) -> dict[str, Any]:
        """The CloudEvents event that says so."""
        seconds, micros = divmod(self.at, SECOND)
        written = datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{micros:06}Z")
        about = {"id": self.id, "source": DESK, "type": self.type, "subject": self.ticket, "time": written}
        return {"specversion": "1.0", **about, "data": self.data}

    def as_row(self) -> dict[str, Any]:
        """What is kept of it in a file: its own fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is pushed so long after a life's beginning. It happened at `after` + `shift`."""

    after: float
    type: str
    shift: float = 0.0
    data: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def happens(self) -> float:
        """When it happens, in seconds from the life's beginning."""
        return self.after + self.shift


def life(chance: Random, ticket: str, begins_at: int) -> list[tuple[float, Happening]]:
    """A ticket's life: when each fact is pushed, in seconds after its beginning, in that order."""
    created = Step(0.0, "ticket.created", min(0.0, _shift(chance)), {"title": "Out of order"})
    recorded: list[tuple[float, Happening]] = []
    for number, step in enumerate([created, *_plan(chance)]):
        # Nothing happens before the creation, and no two things at once.
        happens = round(max(step.happens, created.happens) * SECOND) + number * _APART
        about = Happening(f"{ticket}-{number}", step.type, ticket, begins_at + happens, step.data)
        recorded.append((step.after, about))
    return recorded


def _plan(chance: Random) -> list[Step]:
    steps = list(_steps(chance))
    if chance.random() < 0.6:
        closing = chance.uniform(1.0, 6.0)
        # Whatever follows a closing would be about reopening, which the reference knows nothing of.
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
