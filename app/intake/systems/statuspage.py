"""Atlassian Statuspage adapter: components that go down, incidents that say so, and scheduled maintenance.

A component is a service. Updates of a component and of an incident that names it are marks of one series, so both
together are one outage. A maintenance announces its window; a later webhook of it announces another one only if the
window has changed. Statuspage signs nothing: the secret is in the address. Instants are microseconds UTC.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.alert import Alert, AlertMapping, alert_marks, labels_of
from app.intake.mapping.episode import Mark
from app.intake.mapping.events import Unreadable, digest, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, is_empty, items, plain, table, text, word
from app.intake.request import InboundRequest
from app.sla.span import SECOND, Micros

SYSTEM: Final = "statuspage"

_MAPPING: Final = AlertMapping(
    service_label="component",
    tickets=False,
    outages=True,
    states=frozenset({"partial_outage", "major_outage"}),
)
Json = Mapping[str, object]


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    words, mapping = Translator(source), _MAPPING.of(source)
    if component := table(body.get("component")):
        marks = _of_component(component, table(body.get("component_update")), mapping, words)
    elif not (incident := table(body.get("incident"))):
        raise Unreadable("neither a component nor an incident is there", "incident")
    elif is_empty(incident.get("scheduled_for")):
        marks = tuple(_of_incident(incident, mapping, words))
    else:
        marks = _of_maintenance(incident, mapping, words)
    return Reading(marks=marks, warnings=words.warnings)


def _of_component(
    component: Json, update: Json, mapping: AlertMapping, words: Translator
) -> tuple[Mark, ...]:
    at = instant_in(
        update, ["created_at"], "the instant of the update", words.source.zone, "component_update."
    )
    status = word(update.get("new_status")) or word(component.get("status"))
    if status is None:
        raise Unreadable("the new status is missing", "component_update.new_status")
    alert = _alert(component, status, at, {}, mapping, "component.")
    return alert_marks(alert, mapping, words)


def _of_incident(incident: Json, mapping: AlertMapping, words: Translator) -> Iterator[Mark]:
    """The marks of the components that the updates of an incident set. Each webhook has all updates so far."""
    for number, update in enumerate(map(table, items(incident.get("incident_updates")))):
        above = f"incident.incident_updates[{number}]."
        for place, component in enumerate(map(table, items(update.get("affected_components")))):
            old, new = word(component.get("old_status")), word(component.get("new_status"))
            if new is None or (old == new and new not in mapping.states):
                continue
            what = "the instant of the update"
            # The time that is displayed can be corrected by hand; it is when it happened.
            at = instant_in(update, ["display_at", "created_at"], what, words.source.zone, above)
            alert = _alert(component, new, at, incident, mapping, f"{above}affected_components[{place}].")
            yield from alert_marks(alert, mapping, words)


def _alert(
    component: Json, status: str, at: Micros, incident: Json, mapping: AlertMapping, place: str
) -> Alert:
    down = status in mapping.states
    return Alert(
        series=f"component-{_id(component, place)}",
        labels=_labels(component, incident) | {"status": status},
        began_at=at if down else None,
        ended_at=None if down else at,
        title=plain(incident.get("name")) or text(component.get("name")),
        url=text(incident.get("shortlink")),
        content={"component": component, "incident": incident},
    )


def _id(component: Json, place: str) -> str:
    # Within an incident's updates a component's id is called its code.
    found = identifier(component.get("id")) or identifier(component.get("code"))
    if found is None:
        raise Unreadable("the id of the component is missing", f"{place}id")
    return found


def _labels(component: Json, incident: Json) -> dict[str, str]:
    return labels_of(
        {
            "component": component.get("name"),
            "incident": incident.get("name"),
            "impact": incident.get("impact"),
        }
    )


def _of_maintenance(incident: Json, mapping: AlertMapping, words: Translator) -> tuple[Mark, ...]:
    zone, above = words.source.zone, "incident."
    reference = identifier(incident.get("id"))
    if reference is None:
        raise Unreadable("the id of the incident is missing", "incident.id")
    begins = instant_in(incident, ["scheduled_for"], "the beginning of the maintenance", zone, above)
    ends = instant_in(incident, ["scheduled_until"], "the end of the maintenance", zone, above)
    if ends <= begins:
        raise Unreadable("the maintenance must end after it begins", "incident.scheduled_until")
    what = "the instant of the last update"
    at = instant_in(incident, ["updated_at", "created_at"], what, zone, above)
    window = {"reference": reference, "from": _written(begins), "to": _written(ends)}
    components = list(map(table, items(incident.get("components"))))
    if not components:
        words.warn(f"the maintenance {reference} of {words.source.system} names no component")
    marks: list[Mark] = []
    for place, component in enumerate(components):
        found = _announcement(component, incident, mapping, f"incident.components[{place}].")
        name = f"maintenance-{reference}-{_id(component, f'incident.components[{place}].')}"
        series = identifier(name) or digest(name)
        marks.append(Mark.announcement(words.source.system, series, at, window | found))
    return tuple(marks)


def _announcement(component: Json, incident: Json, mapping: AlertMapping, place: str) -> dict[str, object]:
    labels = _labels(component, incident)
    named = identifier(labels.get(mapping.service_label))
    if named is None:
        raise Unreadable("the name of the component is missing", f"{place}name")
    service = mapping.services.get(named.casefold(), named)
    return without_absent({"service": service, "resource": identifier(labels.get(mapping.resource_label))})


def _written(at: Micros) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND).isoformat()


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Atlassian Statuspage",
    schemes=("url-secret",),
    read=_read,
    statuses={"firing": "open", "resolved": "solved"},
    priorities={"critical": "urgent", "major": "high", "minor": "normal", "none": "low"},
    events_to_tick=("component updates", "incident updates", "scheduled maintenance"),
    options=_MAPPING.options,
)
