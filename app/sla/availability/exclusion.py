"""What keeps time from counting as downtime: announced maintenance, and exclusions that a person granted.

A later announcement with the same `reference` replaces the window from its own instant on: before it the old window
stands, after it the new one, with its own notice. Without a reference each announcement is a window of its own.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from app.sla.agreement.availability import MaintenanceNotice
from app.sla.availability.outage import EVERY_RESOURCE, text_of
from app.sla.event import Event, EventType, exclusion_span
from app.sla.fields import casefolded
from app.sla.span import Micros, Span

UNREADABLE_SPAN: Final = "unreadable_span"


@dataclass(frozen=True, slots=True)
class Window:
    """Announced maintenance. `span` is the part of the window that no later announcement replaced."""

    span: Span
    notice: Micros
    """From the announcement to the beginning of the window as announced; negative for one announced too late."""
    emergency: bool
    resource: str
    event: str

    def is_exempt(self, rule: MaintenanceNotice | None) -> bool:
        """Whether downtime within it does not count. None: maintenance always counts."""
        return rule is not None and self.notice >= rule.needed(emergency=self.emergency)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A span that a person excluded. Without `availabilities` it is excluded from all of them."""

    span: Span
    resource: str
    availabilities: frozenset[str]
    author: str | None
    reason: str | None
    event: str

    def is_for(self, availability: str) -> bool:
        """Whether it excludes its span from this commitment."""
        return not self.availabilities or availability in self.availabilities


def read_windows(ordered: Iterable[Event]) -> tuple[list[Window], list[str]]:
    """The maintenance windows that these facts announce, and the flags of those that cannot be read."""
    windows: list[Window] = []
    flags: list[str] = []
    latest: dict[str, int] = {}
    for event in ordered:
        if event.type != EventType.MAINTENANCE_ANNOUNCED:
            continue
        if (span := _span(event, flags)) is None:
            continue
        reference = text_of(event, "reference")
        if reference is not None:
            if reference in latest:
                replaced = windows[latest[reference]]
                windows[latest[reference]] = replace(replaced, span=_before(replaced.span, event.at))
            latest[reference] = len(windows)
        windows.append(
            Window(
                span=span,
                notice=span.start - event.at,
                emergency=event.data.get("emergency") is True,
                resource=_resource(event),
                event=event.id,
            )
        )
    return [window for window in windows if window.span.length], flags


def read_exclusions(ordered: Iterable[Event]) -> tuple[list[Exclusion], list[str]]:
    """The spans that persons excluded, and the flags of those that cannot be read."""
    found: list[Exclusion] = []
    flags: list[str] = []
    for event in ordered:
        if event.type != EventType.EXCLUSION_GRANTED or (span := _span(event, flags)) is None:
            continue
        found.append(
            Exclusion(
                span=span,
                resource=_resource(event),
                availabilities=_availabilities(event),
                author=text_of(event, "author"),
                reason=text_of(event, "reason"),
                event=event.id,
            )
        )
    return found, flags


def _span(event: Event, flags: list[str]) -> Span | None:
    found = exclusion_span(event)
    if found is None or found[1] <= found[0]:
        flags.append(f"{UNREADABLE_SPAN}:{event.id}")
        return None
    return Span(*found)


def _before(span: Span, at: Micros) -> Span:
    return Span(span.start, max(span.start, min(span.end, at)))


def _resource(event: Event) -> str:
    return casefolded(event.data.get("resource")) or EVERY_RESOURCE


def _availabilities(event: Event) -> frozenset[str]:
    given = event.data.get("commitments")
    listed = cast("Sequence[object]", given) if isinstance(given, list | tuple) else ()
    return frozenset(map(str, listed))
