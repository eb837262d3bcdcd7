"""What an adapter makes of one request: events, snapshots, words that are not mapped, or why it concerns no clock."""

from dataclasses import dataclass

from app.intake.mapping.snapshot import Snapshot
from app.sla.event import Event


@dataclass(frozen=True, slots=True)
class Reading:
    """What a delivery says.

    `warnings` name what is not mapped (the delivery is taken and listed as well); `ignored` says why a delivery means
    nothing on purpose: a draft, spam, an event of a kind that concerns no clock.
    """

    events: tuple[Event, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    warnings: tuple[str, ...] = ()
    ignored: str | None = None
