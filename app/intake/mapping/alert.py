"""Alerts of monitors: what their labels mean to a desk, and the marks of their firings and ends.

Every monitor describes what fires with labels, under one name or another. A desk's file says which label names the
service, the resource and the cause, which alerts are outages, and whether they open tickets. Values of labels are
compared without case. Instants are microseconds UTC.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from app.intake.mapping.episode import FIRING, RESOLVED, Mark
from app.intake.mapping.events import without_absent
from app.intake.mapping.rule import looked_at
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, text
from app.sla.document.table import Table
from app.sla.event import Value
from app.sla.span import Micros

_ALERTS: Final = "alerts"
"""The option that holds a desk's mapping."""

_CHANNEL: Final = "monitoring"
_LABELS: Final = ("service", "resource", "cause", "priority", "group", "customer", "ticket")


@dataclass(frozen=True, slots=True)
class AlertMapping:
    """What a desk makes of a monitor's alerts.

    `…_label` are the labels that are looked at. An alert is an outage where `outages` is set, its labels have one of the
    values of each label in `outage_when`, and it names a service. `tickets` false: it opens no ticket. `services` and
    `causes` map their words (in lower case) to ours. `states` are those in which something is down, for monitors with
    more states than two.
    """

    service_label: str = "service"
    resource_label: str = "resource"
    cause_label: str = "cause"
    priority_label: str = "severity"
    group_label: str = "team"
    customer_label: str = "customer"
    ticket_label: str = "ticket"
    tickets: bool = True
    outages: bool = False
    outage_when: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    causes: Mapping[str, str] = field(default_factory=dict[str, str])
    states: frozenset[str] = frozenset()

    def of(self, source: Source) -> "AlertMapping":
        """The desk's own mapping, else this one."""
        own = source.options.get(_ALERTS)
        return own if isinstance(own, AlertMapping) else self

    def options(self, own: Table) -> Mapping[str, object]:
        """The mapping that a desk's table describes, as an option. This one has the defaults."""
        names = [f"{label}_label" for label in _LABELS]
        labels = {name: own.text(name, example=f'"{getattr(self, name)}"') for name in names}
        found = replace(
            self,
            **without_absent(labels),
            tickets=own.flag("tickets", default=self.tickets),
            outages=own.flag("outages", default=self.outages),
            outage_when=_conditions(own),
            services=_words(own, "services", '"web-1" = "Hosting"'),
            causes=_words(own, "causes", '"upstream" = "third_party"'),
            states=self._states(own),
        )
        if found.outage_when and not found.outages:
            own.fault("outage_when", "no alert is an outage here", "Write outages = true, or leave it out.")
        if not (found.tickets or found.outages):
            own.fault(
                "tickets",
                "alerts would be neither tickets nor outages",
                "Write outages = true, or leave it out.",
            )
        return {_ALERTS: found}

    def _states(self, own: Table) -> frozenset[str]:
        """The states of a monitor that has several; the key is unknown to the others."""
        if not self.states:
            return self.states
        example = json.dumps(sorted(self.states))
        return frozenset(state.casefold() for _, state in own.texts("states", example=example)) or self.states

    def is_outage(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is to be an outage."""
        lowered = {name: value.casefold() for name, value in labels.items()}
        return self.outages and all(lowered.get(name) in values for name, values in self.outage_when.items())


def _conditions(own: Table) -> dict[str, frozenset[str]]:
    inner = own.table("outage_when", example='outage_when = { severity = ["critical"] }')
    found: dict[str, frozenset[str]] = {}
    for label in inner.content:
        value = inner.value(label)
        listed = (
            [value]
            if isinstance(value, str)
            else [one for _, one in inner.texts(label, example='["critical"]')]
        )
        if not listed:
            inner.fault(label, "it names no value", f'Write {label} = ["critical"].')
        found[label] = frozenset(one.casefold() for one in listed)
    return found


def _words(own: Table, key: str, example: str) -> dict[str, str]:
    inner = own.table(key, example=f"[{own.at(key)}] and in it {example}")
    found: dict[str, str] = {}
    for theirs in inner.content:
        ours = inner.text(theirs, example='"a word"')
        if ours is not None and identifier(ours) is None:
            inner.fault(theirs, "it is no name", 'Write a short text on one line: "Hosting".')
        elif ours is not None:
            found[theirs.casefold()] = ours.strip()
    return found


@dataclass(frozen=True, slots=True)
class Alert:
    """One report of a monitor: a thing fires since `began_at`, or is over since `ended_at`, or both are known.

    `series` identifies the thing. `content` is what the desk's rules look at.
    """

    series: str
    labels: Mapping[str, str]
    began_at: Micros | None
    ended_at: Micros | None
    title: str | None
    url: str | None
    content: object


def alert_marks(alert: Alert, mapping: AlertMapping, words: Translator) -> tuple[Mark, ...]:
    """The marks of an alert. One that is over includes its firing, in case that never arrived.

    A beginning that is not before its end is none: some monitors date the beginning of what is over like its end.
    """
    began_at, ended_at = alert.began_at, alert.ended_at
    marks: list[Mark] = []
    if began_at is not None and (ended_at is None or began_at < ended_at):
        marks += _firing(alert, began_at, mapping, words)
    if ended_at is not None:
        since = ended_at if began_at is None else began_at
        marks.append(Mark.end(words.source.system, alert.series, since, ended_at, words.status(RESOLVED)))
    return tuple(marks)


def _firing(alert: Alert, began_at: Micros, mapping: AlertMapping, words: Translator) -> tuple[Mark, ...]:
    ticket = identifier(alert.labels.get(mapping.ticket_label))
    outage = _outage(alert, mapping, words)
    about_ticket = mapping.tickets or ticket is not None
    if outage is None and not about_ticket:
        return ()
    source = words.source
    mark = Mark.firing(
        source.system,
        alert.series,
        began_at,
        _fields(alert, mapping, words) if about_ticket else {},
        ticket=ticket,
        opens_ticket=mapping.tickets,
        outage=outage,
        looked_at=looked_at(source.rules, alert.content) if about_ticket else None,
    )
    return (mark,)


def _outage(alert: Alert, mapping: AlertMapping, words: Translator) -> Mapping[str, Value] | None:
    """The data of the outage that the alert is; None when it is none. Warns where only the service is missing."""
    if not mapping.is_outage(alert.labels):
        return None
    named = identifier(alert.labels.get(mapping.service_label))
    if named is None:
        # Without conditions the label itself decides which alerts are outages, and the others are tickets.
        if mapping.outage_when or not mapping.tickets:
            words.warn(
                f"an outage of {words.source.system} names no service in the label {mapping.service_label!r}"
            )
        return None
    cause = text(alert.labels.get(mapping.cause_label))
    return without_absent(
        {
            "service": mapping.services.get(named.casefold(), named),
            "resource": identifier(alert.labels.get(mapping.resource_label)),
            "cause": None if cause is None else mapping.causes.get(cause.casefold(), cause),
        }
    )


def _fields(alert: Alert, mapping: AlertMapping, words: Translator) -> dict[str, Value]:
    """The fields of the ticket that the alert opens."""
    labels = alert.labels
    service, group = labels.get(mapping.service_label), labels.get(mapping.group_label)
    return without_absent(
        {
            "title": alert.title,
            "url": alert.url,
            "channel": _CHANNEL,
            "author": "system",
            "status": words.status(FIRING),
            "customer": labels.get(mapping.customer_label),
            "service": None if service is None else mapping.services.get(service.casefold(), service),
            "priority": words.priority(labels.get(mapping.priority_label)),
            "group": group,
            "queue": words.queue(group),
        }
    )


def labels_of(values: Mapping[str, object]) -> dict[str, str]:
    """Labels from a JSON object: the entries that are texts or numbers and not empty."""
    return {name: found for name, value in values.items() if (found := text(value)) is not None}
