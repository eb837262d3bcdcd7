"""Facts of a service in one line each, for tests of uptime."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from app.sla.agreement.availability import AvailabilityRule, MaintenanceNotice, UptimeTarget
from app.sla.agreement.rule import Kind
from app.sla.availability.facts import ServiceFacts, read_facts
from app.sla.availability.uptime import ALL, Uptime, Who, uptime
from app.sla.calendar.zone import Zone
from app.sla.event import Event
from app.sla.period import Months, Period
from app.sla.span import HOUR, MINUTE, Micros, Span, instant

SERVICE = "web"
UTC = Months(Zone("UTC"))
NOVEMBER = UTC.named("2026-11")
"""30 days."""


def rule(written: str = ">= 99.9%", **more: Any) -> AvailabilityRule:
    """A commitment with a target as an agreement file writes it."""
    sign, share = written.split()
    target = UptimeTarget(written, Fraction(share.rstrip("%")) / 100, strict=sign == ">")
    return AvailabilityRule("uptime", "Uptime", Kind.GUARANTEE, (SERVICE,), target, **more)


NOTICE = MaintenanceNotice(normal=24 * HOUR, emergency=60 * MINUTE)


def fact(event_id: str, kind: str, at: Micros, sequence: int = 0, /, **data: Any) -> Event:
    """A fact of the service."""
    return Event(event_id, kind, f"service:{SERVICE}", at, data, sequence)


def started(event_id: str, at: Micros, **data: Any) -> Event:
    return fact(event_id, "outage.started", at, **data)


def ended(event_id: str, at: Micros, **data: Any) -> Event:
    return fact(event_id, "outage.ended", at, **data)


def outage(name: str, start: Micros, length: Micros, **data: Any) -> list[Event]:
    """An outage with a reference, over."""
    named = {"reference": name, **data}
    return [started(f"{name}-start", start, **named), ended(f"{name}-end", start + length, reference=name)]


def spanning(span: Span) -> Mapping[str, str]:
    """A span as facts carry it."""
    return {"from": instant(span.start).isoformat(), "to": instant(span.end).isoformat()}


def announced(event_id: str, at: Micros, span: Span, **data: Any) -> Event:
    return fact(event_id, "maintenance.announced", at, **spanning(span), **data)


def excluded(event_id: str, at: Micros, span: Span, **data: Any) -> Event:
    return fact(
        event_id, "exclusion.granted", at, **spanning(span), **{"author": "lead", "reason": "agreed", **data}
    )


def facts(*events: Event) -> ServiceFacts:
    return read_facts(SERVICE, events)


def judged(
    of: AvailabilityRule,
    *events: Event,
    who: Who = ALL,
    period: Period = NOVEMBER,
    at: Micros | None = None,
) -> Uptime:
    """The uptime of the service at an instant; without one at the end of the period."""
    return uptime(of, [facts(*events)], who, period, period.end if at is None else at)
