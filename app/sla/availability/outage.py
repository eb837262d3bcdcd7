"""Outages: the interruptions of one service, from its facts in their order.

A `reference` says which outage a fact is about; without one there is one at a time per resource. A start while the same
outage is open, an end without a start and a verification of no outage change nothing and are flagged. A cause is what
the latest fact about the outage says. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from app.sla.availability.covered import ENDLESS
from app.sla.event import Event, EventType
from app.sla.fields import casefolded
from app.sla.span import Micros, Span

SECOND_START: Final = "second_start"
END_WITHOUT_START: Final = "end_without_start"
VERIFIED_WITHOUT_OUTAGE: Final = "verified_without_outage"

EVERY_RESOURCE: Final = ""
"""The resource of a fact that names none: it concerns all of the service's."""

OUTAGE_FACTS: Final = frozenset({EventType.OUTAGE_STARTED, EventType.OUTAGE_ENDED, EventType.OUTAGE_VERIFIED})

Key: TypeAlias = tuple[str | None, str]
"""(reference, resource where there is none)."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One interruption. `end` is None while it is open."""

    start: Micros
    end: Micros | None
    resource: str = EVERY_RESOURCE
    """Casefolded."""
    reference: str | None = None
    cause: str | None = None
    """As written by the latest fact that states one; None: not stated, which counts as the desk's own."""
    named: str = EVERY_RESOURCE
    """The resource as written."""
    event: str = ""
    """The id of the event that started it."""
    verified_at: Micros | None = None
    """When the desk first confirmed it."""
    reports: tuple[str, ...] = ()
    """The ids of the further events about it."""

    @property
    def span(self) -> Span:
        """From its start up to its end; an open one is endless."""
        return Span(self.start, ENDLESS if self.end is None else self.end)

    def lasts_after(self, at: Micros) -> bool:
        """Whether it is open, or ends after an instant."""
        return self.end is None or self.end > at

    def concerns(self, resource: str) -> bool:
        """Whether a resource is down while it lasts."""
        return self.resource in (EVERY_RESOURCE, resource)


def text_of(event: Event, name: str) -> str | None:
    """A field of an event's data as a text; None when it is absent or blank."""
    value = event.data.get(name)
    return (str(value).strip() or None) if value is not None else None


def read_outages(ordered: Iterable[Event]) -> tuple[list[Outage], list[str]]:
    """The outages that these facts of one service state, in order of their starts, and the flags of faulty facts."""
    reading = _Reading()
    about_outages = (event for event in ordered if event.type in OUTAGE_FACTS)
    for _, same in groupby(about_outages, key=lambda event: (event.at, event.sequence)):
        for event in reading.in_turn(list(same)):
            reading.read(event)
    found = [draft.outage for draft in reading.drafts]
    return sorted(found, key=lambda each: (each.start, each.event)), reading.flags


def key_of(event: Event) -> Key:
    """What an event about an outage or a window names: facts with other keys have no effect on what it is about."""
    reference = text_of(event, "reference")
    return reference, EVERY_RESOURCE if reference is not None else casefolded(event.data.get("resource"))


class _Draft:
    """An outage that further facts may end or explain. Not frozen: a service may have ten thousand facts."""

    __slots__ = ("cause", "end", "key", "reports", "started", "verified_at")

    def __init__(self, started: Event, key: Key) -> None:
        self.started, self.key = started, key
        self.end: Micros | None = None
        self.cause = text_of(started, "cause")
        self.verified_at: Micros | None = None
        self.reports: list[str] = []

    def report(self, event: Event) -> None:
        """A further fact about it, an end or a verification."""
        if event.type == EventType.OUTAGE_ENDED:
            self.end = event.at
        elif self.verified_at is None:
            self.verified_at = event.at
        self.cause = text_of(event, "cause") or self.cause
        self.reports.append(event.id)

    @property
    def outage(self) -> Outage:
        named = text_of(self.started, "resource") or EVERY_RESOURCE
        return Outage(
            start=self.started.at,
            end=self.end,
            resource=casefolded(named),
            reference=self.key[0],
            cause=self.cause,
            named=named,
            event=self.started.id,
            verified_at=self.verified_at,
            reports=tuple(self.reports),
        )


class _Reading:
    """The outages so far. `_latest` is the latest one of each key."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.flags: list[str] = []
        self._latest: dict[Key, _Draft] = {}

    def in_turn(self, same: Sequence[Event]) -> Sequence[Event]:
        """Facts of one instant in the order that makes sense: an open outage ends before the next begins, and one that
        begins now can end now."""
        if len(same) < 2:
            return same
        return sorted(same, key=lambda event: _rank(event, is_open=self._open(key_of(event)) is not None))

    def read(self, event: Event) -> None:
        key = key_of(event)
        if event.type == EventType.OUTAGE_STARTED:
            self._start(event, key)
            return
        is_end = event.type == EventType.OUTAGE_ENDED
        draft = self._open(key) if is_end else self._latest.get(key)
        if draft is None:
            self.flags.append(f"{END_WITHOUT_START if is_end else VERIFIED_WITHOUT_OUTAGE}:{event.id}")
            return
        draft.report(event)

    def _open(self, key: Key) -> _Draft | None:
        draft = self._latest.get(key)
        return None if draft is None or draft.end is not None else draft

    def _start(self, event: Event, key: Key) -> None:
        if self._open(key) is not None:
            self.flags.append(f"{SECOND_START}:{event.id}")
            return
        self._latest[key] = draft = _Draft(event, key)
        self.drafts.append(draft)


def _rank(event: Event, *, is_open: bool) -> int:
    order = [EventType.OUTAGE_STARTED, EventType.OUTAGE_ENDED]
    if event.type == EventType.OUTAGE_VERIFIED:
        return len(order)
    return (order[::-1] if is_open else order).index(EventType(event.type))
