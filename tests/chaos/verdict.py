"""Comparison of the database with the acknowledged events and the expected breaches.

A finding has an id, so that it is counted once when it persists in the next round. Instants are microseconds UTC.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.breach import Breach, Clock
from tests.chaos.fault import Outage
from tests.chaos.life import SECOND
from tests.chaos.outages import UPTIME_BREACHED
from tests.chaos.reference import BREACHED, MISSED, Reference

GRACE: Final = SECOND
"""Allowed detection lag, from the breach or from the end of the outage in which it happened."""

EVENTS: Final = "SELECT event_id FROM event"
SIGNALS: Final = """
SELECT seq, id, ticket, commitment, cycle, kind, occurrence, at, corrected_at, detected_at,
    retracted_at IS NOT NULL AS gone, deliver
FROM signal ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """A stored signal. `at` is its corrected instant, `original_at` the instant that was recorded first."""

    seq: int
    id: str
    clock: Clock
    kind: str
    at: int
    original_at: int
    detected_at: int
    gone: bool
    deliver: bool = True
    """Whether subscribers get it: signals about what was long ago are in the stream only."""

    @classmethod
    def of(cls, row: Any) -> "RecordedSignal":
        """A row of SIGNALS."""
        resource = row["occurrence"] if row["kind"] == UPTIME_BREACHED else ""
        clock = Clock(row["ticket"], row["commitment"], row["cycle"], resource)
        at = row["at"] if row["corrected_at"] is None else row["corrected_at"]
        about = (row["seq"], row["id"], clock, row["kind"], at, row["at"], row["detected_at"])
        return cls(*about, row["gone"], row["deliver"])

    @property
    def is_breach(self) -> bool:
        """Whether it is a breach that is not retracted."""
        return self.kind in (BREACHED, MISSED, UPTIME_BREACHED) and not self.gone


@dataclass
class Findings:
    """Everything wrong, by kind. All sets are empty after a good run."""

    lost: set[object] = field(default_factory=set[object])
    """Acknowledged events that are missing."""
    unrecorded: set[object] = field(default_factory=set[object])
    """Breaches without a signal with the right instant."""
    doubled: set[object] = field(default_factory=set[object])
    """Clocks with two breach signals, and stream positions that are duplicate or missing."""
    early: set[object] = field(default_factory=set[object])
    """Signals recorded before their time."""
    late: set[object] = field(default_factory=set[object])
    """Breaches recorded later than a second after the outage."""
    refused: set[object] = field(default_factory=set[object])
    """Pushes that were refused, or failed otherwise than by 503 with Retry-After."""
    invented: set[object] = field(default_factory=set[object])
    """Breach signals without a breach."""
    undelivered: set[object] = field(default_factory=set[object])
    """Signals that the subscriber did not get, or got in the wrong order."""
    unseen: set[object] = field(default_factory=set[object])
    """Stream positions that the client did not get, or not in order."""
    unsound: set[object] = field(default_factory=set[object])
    """Failed checks of `slatimer doctor`, and processes that ended unexpectedly."""

    def kinds(self) -> dict[str, set[object]]:
        """Every kind by its name."""
        return dict(vars(self))

    def __or__(self, other: "Findings") -> "Findings":
        mine, others = self.kinds(), other.kinds()
        return Findings(**{kind: mine[kind] | others[kind] for kind in mine})

    def __bool__(self) -> bool:
        return any(self.kinds().values())

    def __str__(self) -> str:
        return " ".join(f"{kind}={len(found)}" for kind, found in self.kinds().items())


@dataclass(frozen=True, slots=True)
class Delay:
    """Detection lag of a breach in micros, and its excess over what the outage allows."""

    breach: Breach
    after_it: int
    too_late: int


def compare(
    reference: Reference, stored: Iterable[str], recorded: Sequence[RecordedSignal], outages: Sequence[Outage]
) -> tuple[Findings, list[Delay]]:
    """Compare. Returns the findings and the detection lag of each breach."""
    found = Findings()
    expected = reference.expected()
    breach_signals: Mapping[Clock, list[RecordedSignal]] = defaultdict(list)
    for each in recorded:
        if each.is_breach:
            breach_signals[each.clock].append(each)
    found.lost |= reference.events - set(stored)
    found.unrecorded |= {
        clock for clock, breach in expected.items() if not _matches(breach_signals.get(clock), breach)
    }
    found.invented |= breach_signals.keys() - expected.keys()
    found.doubled |= {clock for clock, rows in breach_signals.items() if len(rows) > 1}
    found.doubled |= {each.seq for place, each in enumerate(recorded, 1) if each.seq != place}
    found.early |= {each.id for each in recorded if each.detected_at < each.original_at}
    delays = list(_delays(reference, expected, breach_signals, outages))
    found.late |= {delay.breach.clock for delay in delays if delay.too_late > 0}
    return found, delays


def _matches(rows: Sequence[RecordedSignal] | None, breach: Breach) -> bool:
    return any((row.kind, row.at) == (breach.kind, breach.at) for row in rows or ())


def _delays(
    reference: Reference,
    expected: Mapping[Clock, Breach],
    breach_signals: Mapping[Clock, Sequence[RecordedSignal]],
    outages: Sequence[Outage],
) -> Iterator[Delay]:
    for clock in expected.keys() & breach_signals.keys():
        breach = expected[clock]
        known_at = reference.known_at(breach)
        detected_at = min(row.detected_at for row in breach_signals[clock])
        yield Delay(breach, detected_at - known_at, detected_at - _latest(known_at, outages))


def _latest(known_at: int, outages: Sequence[Outage]) -> int:
    """The latest allowed `detected_at` of a breach that is known from then on."""
    latest = known_at + GRACE
    for outage in outages:
        if outage.began_at <= latest and known_at <= outage.ended_at:
            latest = outage.ended_at + GRACE
    return latest
