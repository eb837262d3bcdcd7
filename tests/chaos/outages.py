"""Random facts about the outages of a service, and an independent reference of what they break.

The facts of one outage are pushed in random order: an end before its start, a cause after the breach, a withdrawal of
what was recorded. The reference walks over the instants at which anything begins or ends, and adds up what counts. It
implements the commitment on uptime of desk/agreements/chaos.toml only. Figures of facts are seconds, instants are
microseconds UTC. An outage that stays open beyond its month is not modelled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any, Final

from tests.chaos.breach import Breach, Clock
from tests.chaos.life import APART, SECOND, Happening, written

SERVICES: Final = 40
SUBJECT: Final = "service:"
PAST: Final = "past-"
"""How the services begin whose outages are of the month before."""
CLAIMED: Final = "claim-"
"""Of those whose outages' credits are claimed."""
UPTIME_BREACHED: Final = "availability.breached"

EXCLUDED_CAUSE: Final = "provider"
_NOTICE: Final = SECOND

STARTED: Final = "outage.started"
ENDED: Final = "outage.ended"
VERIFIED: Final = "outage.verified"
MAINTENANCE: Final = "maintenance.announced"
EXCLUSION: Final = "exclusion.granted"
WITHDRAWN: Final = "event.withdrawn"
REVISING: Final = frozenset({VERIFIED, MAINTENANCE, EXCLUSION, WITHDRAWN})
"""Facts that change what counts of the time before them."""

_DELAYED: Final = 0.35
"""Fraction of the facts that are pushed late, and the maximum delay."""
_LATEST: Final = 2.5


@dataclass(frozen=True, slots=True)
class Rule:
    """A commitment on uptime: what breaks it is one of `share` microseconds down, and `beyond` microseconds more."""

    id: str
    share: int
    beyond: int


UPTIME: Final = Rule("uptime", 1_000_000, 0)
"""> 99.9999%: what is allowed already breaks it."""
PAST_UPTIME: Final = Rule("past-uptime", 1_000, 1)
CLAIMED_UPTIME: Final = Rule("claim-uptime", 1_000, 1)
""">= 99.9%: what is allowed keeps it."""

_RULES: Final = {PAST: PAST_UPTIME, CLAIMED: CLAIMED_UPTIME}

Fact = tuple[float, str, dict[str, Any]]
"""(when it happens in seconds after the begin, type, data)."""


def outage_life(chance: Random, number: int, begins_at: int) -> list[tuple[float, Happening]]:
    """The facts of an outage and what belongs to it, each with the seconds from its begin to the push, in that order."""
    name = f"O{number}"
    subject = f"{SUBJECT}line-{chance.randint(1, SERVICES)}"
    pushed: list[tuple[float, Happening]] = []
    for place, (happens, type_, data) in enumerate(sorted(_facts(chance, name, begins_at), key=_instant)):
        at = begins_at + round(happens * SECOND) + place * APART
        late = chance.uniform(0.0, _LATEST) if chance.random() < _DELAYED else 0.0
        pushed.append((happens + late, Happening(f"{name}-{type_}-{place}", type_, subject, at, data)))
    if chance.random() < 0.1:
        pushed.append(_withdrawal(chance, pushed))
    return sorted(pushed, key=lambda each: each[0])


def _instant(fact: Fact) -> float:
    return fact[0]


def _facts(chance: Random, name: str, begins_at: int) -> Iterator[Fact]:
    about = {} if chance.random() < 0.05 else {"resource": f"host-{name}"}
    length = chance.uniform(0.5, 4.5)
    yield from _outage(chance, 0.0, length, about | {"reference": name})
    if chance.random() < 0.4:
        again = length + chance.uniform(0.1, 1.0)
        yield from _outage(chance, again, chance.uniform(0.5, 2.5), about | {"reference": f"{name}b"})
    if chance.random() < 0.3:
        cause = EXCLUDED_CAUSE if chance.random() < 0.6 else "hardware"
        yield chance.uniform(0.1, 4.0), VERIFIED, {"reference": name, "cause": cause}
    if chance.random() < 0.2:
        announced = chance.uniform(0.0, 1.5)
        begins = announced + chance.uniform(0.5, 1.8)
        span = _span(begins_at, begins, begins + chance.uniform(0.5, 2.0))
        yield announced, MAINTENANCE, span | {"reference": f"{name}m"}
    if chance.random() < 0.1:
        begins = chance.uniform(0.0, 2.0)
        span = _span(begins_at, begins, begins + chance.uniform(0.3, 1.5))
        yield chance.uniform(2.0, 4.0), EXCLUSION, span | {"author": "lead", "reason": "agreed"}


def _outage(chance: Random, begins: float, length: float, data: dict[str, Any]) -> Iterator[Fact]:
    yield begins, STARTED, data
    if chance.random() < 0.9:
        yield begins + length, ENDED, data


def _span(begins_at: int, start: float, end: float) -> dict[str, Any]:
    return {
        "from": written(begins_at + round(start * SECOND)),
        "to": written(begins_at + round(end * SECOND)),
    }


def _withdrawal(chance: Random, pushed: Sequence[tuple[float, Happening]]) -> tuple[float, Happening]:
    after, withdrawn = chance.choice(pushed)
    later = chance.uniform(0.0, 3.0)
    at = withdrawn.at + round(later * SECOND) + APART // 2
    about = {"id": withdrawn.id, "author": "lead", "reason": "error"}
    return after + later, Happening(f"{withdrawn.id}-withdrawn", WITHDRAWN, withdrawn.ticket, at, about)


@dataclass(frozen=True, slots=True)
class Span:
    """Down, or not counted, from an instant up to another. `end` None: open. `resource` "": of the whole service."""

    start: int
    end: int | None
    resource: str = ""

    def covers(self, at: int) -> bool:
        """Whether the time from this instant on belongs to it."""
        return self.start <= at and (self.end is None or at < self.end)


def uptime_breaches(subject: str, happenings: Iterable[Happening]) -> Iterator[Breach]:
    """The breaches of a service's uptime by these facts, for the service and each resource that they name."""
    service = subject.removeprefix(SUBJECT)
    rule = next((rule for prefix, rule in _RULES.items() if service.startswith(prefix)), UPTIME)
    facts = _valid(happenings)
    if not facts:
        return
    down, excused = list(_outages(facts)), list(_excused(facts))
    for resource in sorted({"", *(str(each.data.get("resource", "")) for each in facts)}):
        concerned = [each for each in down if not resource or each.resource in ("", resource)]
        for start, end in _months(facts[0].at, facts[-1].at):
            left = (end - start) // rule.share + rule.beyond
            at = _broken_at(concerned, excused, start, end, left)
            if at is not None:
                yield Breach(Clock(subject, rule.id, start, resource.casefold()), at, UPTIME_BREACHED)


def counted_outages(happenings: Iterable[Happening]) -> Iterator[Span]:
    """The outages of a service that count by these facts."""
    return _outages(_valid(happenings))


def _valid(happenings: Iterable[Happening]) -> list[Happening]:
    """The facts that are not withdrawn, in order."""
    log = list(happenings)
    gone = {each.data["id"] for each in log if each.type == WITHDRAWN}
    return sorted((each for each in log if each.id not in gone and each.type != WITHDRAWN), key=_at)


def naming(happenings: Iterable[Happening], resource: str) -> Iterator[Happening]:
    """The facts that name this resource of a service, which is casefolded. A withdrawn one names it no more."""
    return (each for each in _valid(happenings) if str(each.data.get("resource", "")).casefold() == resource)


def _at(happening: Happening) -> int:
    return happening.at


def _outages(facts: Sequence[Happening]) -> Iterator[Span]:
    """What counts: each outage by its reference, unless the last cause that was stated is an excluded one."""
    for started in facts:
        if started.type != STARTED:
            continue
        about = [each for each in facts if each.data.get("reference") == started.data["reference"]]
        later = [each for each in about if each.at >= started.at]
        causes = [each.data["cause"] for each in later if "cause" in each.data]
        if causes[-1:] != [EXCLUDED_CAUSE]:
            end = next((each.at for each in later if each.type == ENDED), None)
            yield Span(started.at, end, str(started.data.get("resource", "")))


def _excused(facts: Sequence[Happening]) -> Iterator[Span]:
    """Maintenance that was announced in time, and what a person excluded."""
    for each in facts:
        if each.type in (MAINTENANCE, EXCLUSION):
            start, end = (_micros(each.data[name]) for name in ("from", "to"))
            if each.type == EXCLUSION or start - each.at >= _NOTICE:
                yield Span(start, end)


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round(moment.replace(microsecond=0).timestamp()) * SECOND + moment.microsecond


def _months(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Beginning and end of each month from that of one instant to that of another."""
    moment = datetime.fromtimestamp(first // SECOND, UTC)
    year, month = moment.year, moment.month
    while (start := _month(year, month)) <= last:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        yield start, _month(year, month)


def _month(year: int, month: int) -> int:
    return round(datetime(year, month, 1, tzinfo=UTC).timestamp()) * SECOND


def _broken_at(down: Sequence[Span], excused: Sequence[Span], start: int, end: int, left: int) -> int | None:
    """The instant of the month by which so much of it is down; None: there is none."""
    edges = {start, end}
    for each in (*down, *excused):
        edges |= {edge for edge in (each.start, each.end) if edge is not None and start < edge < end}
    ordered = sorted(edges)
    for begin, until in pairwise(ordered):
        counts = any(each.covers(begin) for each in down) and not any(each.covers(begin) for each in excused)
        if not counts:
            continue
        if until - begin >= left:
            return begin + left
        left -= until - begin
    return None
