"""Outages: the interruptions of one service, from its facts in their order.

A `reference` says which outage a fact is about; without one there is one at a time per resource. A start while the same
outage is open, an end without a start and a verification of no outage change nothing and are flagged. A cause is what
the latest fact about the outage says. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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

_Key: TypeAlias = tuple[str | None, str]


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
    for _, group in groupby(ordered, key=lambda event: (event.at, event.sequence)):
        same = [event for event in group if event.type in _TYPES]
        for event in reading.in_turn(same):
            reading.read(event)
    return sorted(reading.outages, key=lambda each: (each.start, each.event)), reading.flags


_TYPES: Final = frozenset({EventType.OUTAGE_STARTED, EventType.OUTAGE_ENDED, EventType.OUTAGE_VERIFIED})


def _key(event: Event) -> _Key:
    reference = text_of(event, "reference")
    return reference, EVERY_RESOURCE if reference is not None else casefolded(event.data.get("resource"))


class _Reading:
    """The outages so far. `_latest` is the place of the latest one of each key."""

    def __init__(self) -> None:
        self.outages: list[Outage] = []
        self.flags: list[str] = []
        self._latest: dict[_Key, int] = {}

    def in_turn(self, same: Sequence[Event]) -> list[Event]:
        """Facts of one instant in the order that makes sense: an open outage ends before the next begins, and one that
        begins now can end now."""
        if len(same) < 2:
            return list(same)
        return sorted(same, key=lambda event: _rank(event, is_open=self._open(_key(event)) is not None))

    def read(self, event: Event) -> None:
        key = _key(event)
        match event.type:
            case EventType.OUTAGE_STARTED:
                self._start(event, key)
            case EventType.OUTAGE_ENDED:
                self._end(event, key)
            case _:
                self._verify(event, key)

    def _open(self, key: _Key) -> int | None:
        place = self._latest.get(key)
        return None if place is None or self.outages[place].end is not None else place

    def _start(self, event: Event, key: _Key) -> None:
        if self._open(key) is not None:
            self.flags.append(f"{SECOND_START}:{event.id}")
            return
        self._latest[key] = len(self.outages)
        named = text_of(event, "resource") or EVERY_RESOURCE
        self.outages.append(
            Outage(
                start=event.at,
                end=None,
                resource=casefolded(named),
                reference=key[0],
                cause=text_of(event, "cause"),
                named=named,
                event=event.id,
            )
        )

    def _end(self, event: Event, key: _Key) -> None:
        place = self._open(key)
        if place is None:
            self.flags.append(f"{END_WITHOUT_START}:{event.id}")
        else:
            self._change(place, replace(self.outages[place], end=event.at), event)

    def _verify(self, event: Event, key: _Key) -> None:
        place = self._latest.get(key)
        if place is None:
            self.flags.append(f"{VERIFIED_WITHOUT_OUTAGE}:{event.id}")
        else:
            self._change(place, self.outages[place], event)

    def _change(self, place: int, outage: Outage, event: Event) -> None:
        verified_at = outage.verified_at
        if event.type == EventType.OUTAGE_VERIFIED and verified_at is None:
            verified_at = event.at
        self.outages[place] = replace(
            outage,
            cause=text_of(event, "cause") or outage.cause,
            verified_at=verified_at,
            reports=(*outage.reports, event.id),
        )


def _rank(event: Event, *, is_open: bool) -> int:
    order = [EventType.OUTAGE_STARTED, EventType.OUTAGE_ENDED]
    if event.type == EventType.OUTAGE_VERIFIED:
        return len(order)
    return (order[::-1] if is_open else order).index(EventType(event.type))
