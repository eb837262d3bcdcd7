"""What is compared after each fault, and what is wrong?

The record as the database holds it is laid beside what was acknowledged and what the reference expects of it. Every
finding has a name of its own, so that what is still wrong a round later is counted once. Instants are microseconds UTC.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.fault import Outage
from tests.chaos.life import SECOND
from tests.chaos.reference import BREACHED, MISSED, Breach, Clock, Reference

GRACE: Final = SECOND
"""A breach may be told this long after it, or after the end of the outage that it fell into."""

EVENTS: Final = "SELECT event_id FROM event"
SIGNALS: Final = """
SELECT seq, id, ticket, commitment, cycle, kind, at, corrected_at, detected_at, retracted_at IS NOT NULL AS gone
FROM signal ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """A signal of the record. `at` is when it was so by the record today, `told_at` by what was said at first."""

    seq: int
    id: str
    clock: Clock
    kind: str
    at: int
    told_at: int
    detected_at: int
    gone: bool

    @classmethod
    def of(cls, row: Any) -> "RecordedSignal":
        """A row of SIGNALS."""
        clock = Clock(row["ticket"], row["commitment"], row["cycle"])
        at = row["at"] if row["corrected_at"] is None else row["corrected_at"]
        return cls(row["seq"], row["id"], clock, row["kind"], at, row["at"], row["detected_at"], row["gone"])

    @property
    def is_breach(self) -> bool:
        """Whether it says that a clock is late, and stands."""
        return self.kind in (BREACHED, MISSED) and not self.gone


@dataclass
class Findings:
    """What is wrong, each kind by its own names. An empty one is as it must be."""

    lost: set[object] = field(default_factory=set[object])
    """Acknowledged events that are not there."""
    unrecorded: set[object] = field(default_factory=set[object])
    """Breaches of which no signal tells with the right instant."""
    doubled: set[object] = field(default_factory=set[object])
    """Clocks that two signals call late, and places in the stream that are given twice or not at all."""
    early: set[object] = field(default_factory=set[object])
    """Signals told before their time."""
    late: set[object] = field(default_factory=set[object])
    """Breaches told later than a second after the outage."""
    refused: set[object] = field(default_factory=set[object])
    """Pushes that were refused."""
    invented: set[object] = field(default_factory=set[object])
    """Clocks that are called late and are not."""
    undelivered: set[object] = field(default_factory=set[object])
    """Signals that a subscriber should have got, and got not or in the wrong order."""
    unseen: set[object] = field(default_factory=set[object])
    """Places of the stream that whoever followed it did not see, or not in order."""
    unsound: set[object] = field(default_factory=set[object])
    """What the doctor found, and processes that ended by themselves."""

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
    """How late a breach was told, in micros, and by how much that is more than the outage allows for."""

    breach: Breach
    after_it: int
    too_late: int


def compare(
    reference: Reference, stored: Iterable[str], recorded: Sequence[RecordedSignal], outages: Sequence[Outage]
) -> tuple[Findings, list[Delay]]:
    """What is wrong with the record, and how late each breach was told."""
    found = Findings()
    expected = reference.expected()
    standing: Mapping[Clock, list[RecordedSignal]] = defaultdict(list)
    for each in recorded:
        if each.is_breach:
            standing[each.clock].append(each)
    found.lost |= reference.events - set(stored)
    found.unrecorded |= {
        clock for clock, breach in expected.items() if not _tells(standing.get(clock), breach)
    }
    found.invented |= standing.keys() - expected.keys()
    found.doubled |= {clock for clock, rows in standing.items() if len(rows) > 1}
    found.doubled |= {each.seq for place, each in enumerate(recorded, 1) if each.seq != place}
    found.early |= {each.id for each in recorded if each.detected_at < each.told_at}
    delays = list(_delays(reference, expected, standing, outages))
    found.late |= {delay.breach.clock for delay in delays if delay.too_late > 0}
    return found, delays


def _tells(rows: Sequence[RecordedSignal] | None, breach: Breach) -> bool:
    return any((row.kind, row.at) == (breach.kind, breach.at) for row in rows or ())


def _delays(
    reference: Reference,
    expected: Mapping[Clock, Breach],
    standing: Mapping[Clock, Sequence[RecordedSignal]],
    outages: Sequence[Outage],
) -> Iterator[Delay]:
    for clock in expected.keys() & standing.keys():
        breach = expected[clock]
        known_at = reference.known_at(breach)
        detected_at = min(row.detected_at for row in standing[clock])
        yield Delay(breach, detected_at - known_at, detected_at - _latest(known_at, outages))


def _latest(known_at: int, outages: Sequence[Outage]) -> int:
    """When a breach must have been told that could be known then."""
    latest = known_at + GRACE
    for outage in outages:
        if outage.began_at <= latest and known_at <= outage.ended_at:
            latest = outage.ended_at + GRACE
    return latest
