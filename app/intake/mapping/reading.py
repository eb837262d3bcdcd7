"""What an adapter makes of one request: events, snapshots, marks, words that are not mapped, or why it is ignored."""

from dataclasses import dataclass

from app.intake.mapping.episode import Mark
from app.intake.mapping.snapshot import Snapshot
from app.sla.event import Event


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a request.

    `warnings` name words that are not mapped (the rest is read, and the webhook is listed in the inbox); `ignored` is
    the reason why a request reports nothing: a draft, spam, an event of a kind that concerns no clock.
    """

    events: tuple[Event, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    warnings: tuple[str, ...] = ()
    ignored: str | None = None
    marks: tuple[Mark, ...] = ()
