"""PagerDuty: incidents that are triggered, acknowledged and resolved.

Webhooks V3: each request has one event with an id and an instant, so the order of arrival does not matter. PagerDuty has
no events for the start of an intervention and the restoration of a service: an acknowledgement counts as the first, a
resolution as the second. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, happened, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, looked_at, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, items, plain, table, text, word
from app.intake.request import InboundRequest
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

SYSTEM: Final = "pagerduty"

_CHANNEL: Final = "monitoring"
"""The ticket's author is a machine that detected a fault."""

_BY_THE_DESK: Final[Mapping[str, Value]] = {"author": "agent"}
"""A person or an integration of theirs: the instant counts all the same."""

_OF_NO_CLOCK: Final = (
    "incident.action_invocation.",
    "incident.conference_bridge.",
    "incident.custom_field_values.",
    "incident.incident_type.",
    "incident.responder.",
    "incident.role.",
    "incident.task.",
    "incident.workflow.",
    "service.",
    "pagey.ping",
)
"""Beginnings of the event types that concern no clock."""

_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "incident.priority_updated": ("priority",),
    "incident.service_updated": ("service",),
    "incident.delegated": ("assignees", "teams", "escalation_policy"),
    "incident.escalated": ("assignees", "teams", "escalation_policy"),
    "incident.reassigned": ("assignees", "teams", "escalation_policy"),
}
"""Which parts of the incident an update is about."""


@dataclass(frozen=True, slots=True)
class _Incident:
    """One event: its `kind`, and the incident or the part of one that it is about."""

    system: str
    id: str
    kind: str
    at: Micros
    ticket: str | None
    content: Mapping[str, object]
    words: Translator

    def fact(self, kind: EventType, data: Mapping[str, Value] | None = None) -> Event:
        return happened(self.system, self.ticket, kind, self.at, f"{self.id}:{kind}", data)

    def status(self) -> tuple[Event, ...]:
        status = self.words.status(text(self.content.get("status")))
        return () if status is None else (self.fact(EventType.STATUS_CHANGED, {"status": status}),)


def _read(request: InboundRequest, source: Source) -> Reading:
    event = table(table(request.json()).get("event"))
    kind = word(event.get("event_type"))
    if kind is None:
        raise Unreadable("the type of the event is missing", "event.event_type")
    if kind.startswith(_OF_NO_CLOCK):
        return Reading(ignored=f"{kind} concerns no clock")
    words = Translator(source)
    if (read := _READERS.get(kind)) is None:
        words.unknown("event type", kind)
        return Reading(warnings=words.warnings)
    incident = _incident(event, kind, words)
    events = (*read(incident), *_seen_by_rules(incident, source))
    return Reading(events, warnings=words.warnings)


def _incident(event: Mapping[str, object], kind: str, words: Translator) -> _Incident:
    content = table(event.get("data"))
    zone = words.source.zone
    at = instant_in(event, ["occurred_at"], "the instant at which it happened", zone, "event.")
    ticket = identifier(dig(content, "incident.id")) or identifier(content.get("id"))
    found = identifier(event.get("id")) or f"{at}:{kind}"
    return _Incident(words.source.system, found, kind, at, ticket, content, words)


def _triggered(incident: _Incident) -> tuple[Event, ...]:
    content = incident.content
    status = incident.words.status(text(content.get("status")))
    data = {
        "title": text(content.get("title")),
        "url": text(content.get("html_url")),
        "channel": _CHANNEL,
        "author": "system",
        "status": status,
        **_service(incident),
        **_priority(incident),
        **_owner(incident),
    }
    return (incident.fact(EventType.TICKET_CREATED, without_absent(data)),)


def _service(incident: _Incident) -> dict[str, Value]:
    return {"service": text(dig(incident.content, "service.summary"))}


def _priority(incident: _Incident) -> dict[str, Value]:
    named = text(dig(incident.content, "priority.summary")) or text(dig(incident.content, "priority.name"))
    # An account without priorities has the urgency alone.
    return {"priority": incident.words.priority(named or text(incident.content.get("urgency")))}


def _owner(incident: _Incident) -> dict[str, Value]:
    content = incident.content
    teams = [name for team in items(content.get("teams")) if (name := text(dig(team, "summary")))]
    assignees = [name for one in items(content.get("assignees")) if (name := text(dig(one, "summary")))]
    group = teams[0] if teams else text(dig(content, "escalation_policy.summary"))
    found: dict[str, Value] = {"assignee": assignees[0] if assignees else None, "group": group}
    queue = incident.words.queue(group)
    return found if queue is None else found | {"queue": queue}


def _updated(part: Callable[[_Incident], dict[str, Value]]) -> Callable[[_Incident], tuple[Event, ...]]:
    def read(incident: _Incident) -> tuple[Event, ...]:
        # An incident without an assignee has an empty list; a priority that is not mapped changes nothing.
        data = without_absent(part(incident), ("assignee",))
        return (incident.fact(EventType.TICKET_UPDATED, data),) if data else ()

    return read


def _resolved(incident: _Incident) -> tuple[Event, ...]:
    return (incident.fact(EventType.SERVICE_RESTORED, _BY_THE_DESK), *incident.status())


def _acknowledged(incident: _Incident) -> tuple[Event, ...]:
    return (incident.fact(EventType.INTERVENTION_STARTED, _BY_THE_DESK),)


def _annotated(incident: _Incident) -> tuple[Event, ...]:
    return (incident.fact(EventType.NOTE_ADDED, {"author": "agent"} | _text(incident, "content")),)


def _reported(incident: _Incident) -> tuple[Event, ...]:
    return (incident.fact(EventType.PROGRESS_REPORTED, {"author": "agent"} | _text(incident, "message")),)


def _text(incident: _Incident, key: str) -> dict[str, Value]:
    return without_absent({"text": plain(incident.content.get(key))})


def _seen_by_rules(incident: _Incident, source: Source) -> tuple[Event, ...]:
    if incident.ticket is None:
        return ()
    content = incident.content
    fields = looked_at(source.rules, content)
    if incident.kind != "incident.triggered":
        shown = _SHOWN_BY.get(incident.kind, ())
        fields = {path: fields[path] for path in fields if path.partition(".")[0] in shown}
    change = Change(
        status=text(content.get("status")) if incident.kind in _OF_A_STATUS else None,
        fields=fields,
        note=plain(content.get("content")) if incident.kind == "incident.annotated" else None,
    )
    return rule_events(source.system, incident.ticket, incident.at, incident.id, source.rules, change)


def _none(_: _Incident) -> tuple[Event, ...]:
    return ()


_OF_A_STATUS: Final = frozenset(
    {
        "incident.triggered",
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.resolved",
        "incident.reopened",
    }
)

_READERS: Final[Mapping[str, Callable[[_Incident], tuple[Event, ...]]]] = {
    "incident.triggered": _triggered,
    "incident.acknowledged": _acknowledged,
    # The acknowledgement was taken back. The intervention stays started, unless a rule of the desk differs.
    "incident.unacknowledged": _none,
    "incident.resolved": _resolved,
    "incident.reopened": _Incident.status,
    "incident.annotated": _annotated,
    "incident.status_update_published": _reported,
    "incident.priority_updated": _updated(_priority),
    "incident.service_updated": _updated(_service),
    "incident.delegated": _updated(_owner),
    "incident.escalated": _updated(_owner),
    "incident.reassigned": _updated(_owner),
}


def _delivery_id(request: InboundRequest) -> str | None:
    # The event's own id, which two subscriptions to the same service have in common.
    try:
        return identifier(dig(request.json(), "event.id"))
    except Unreadable:
        return None


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="PagerDuty",
    schemes=("pagerduty",),
    read=_read,
    idempotency_key=_delivery_id,
    statuses={"triggered": "open", "acknowledged": "open", "resolved": "solved"},
    priorities={
        "p1": "urgent",
        "p2": "high",
        "p3": "normal",
        "p4": "low",
        "p5": "low",
        "high": "high",
        "low": "low",
    },
    events_to_tick=tuple(_READERS),
)
