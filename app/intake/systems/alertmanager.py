"""Prometheus Alertmanager adapter: one ticket per alert, from firing to resolved.

One body carries a group of alerts and is sent again as long as any of them fires. Each alert is a ticket of its own,
identified by its fingerprint and the instant at which it began, so that the next time is another ticket; an alert with
the label `ticket` reports events of that ticket of the desk instead. Events are made of labels and instants, which are
the same in every repetition. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, digest, happened, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, looked_at, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, items, plain, table, text, whole, word
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

SYSTEM: Final = "alertmanager"

_CHANNEL: Final = "monitoring"
_LABELS: Final[Mapping[str, str]] = {
    "service_label": "service",
    "priority_label": "severity",
    "group_label": "team",
    "customer_label": "customer",
    "ticket_label": "ticket",
}
"""The labels that are looked at, unless the source file names others."""

_MILLISECOND: Final[Micros] = 1000


@dataclass(frozen=True, slots=True)
class _Alert:
    """One alert of a body. `named` is the desk's ticket that its label names, `ended_at` None while it fires."""

    fingerprint: str
    began_at: Micros
    ended_at: Micros | None
    labels: Mapping[str, object]
    content: Mapping[str, object]
    named: str | None
    service: str | None

    @property
    def key(self) -> str:
        return f"{self.fingerprint}-{self.began_at // _MILLISECOND}"

    @property
    def ticket(self) -> str:
        return self.named or self.key


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    if not isinstance(body.get("alerts"), list):
        raise Unreadable("the list of alerts is missing", "alerts")
    words = Translator(source)
    events: dict[str, Event] = {}
    for place, one in enumerate(items(body["alerts"])):
        alert = _alert(table(one), f"alerts[{place}]", source)
        events |= {event.id: event for event in _events(alert, words)}
    left_out = whole(body.get("truncatedAlerts")) or 0
    cut = (f"{left_out} alerts were left out by max_alerts of {source.system}",) if left_out > 0 else ()
    ignored = None if events else "a group without alerts"
    return Reading(tuple(events.values()), warnings=(*words.warnings, *cut), ignored=ignored)


def _alert(content: Mapping[str, object], place: str, source: Source) -> _Alert:
    labels = table(content.get("labels"))
    above = f"{place}."
    began_at = instant_in(content, ["startsAt"], "the instant at which the alert began", source.zone, above)
    ended_at = None
    match word(content.get("status")):
        case "firing":
            pass
        case "resolved":
            what = "the instant at which the alert ended"
            ended_at = instant_in(content, ["endsAt"], what, source.zone, above)
        case _:
            raise Unreadable("an alert is firing or resolved", f"{above}status")
    return _Alert(
        # Old versions send no fingerprint; it is a digest of the labels, and so is this.
        fingerprint=identifier(content.get("fingerprint")) or digest(dict(labels)),
        began_at=began_at,
        ended_at=ended_at,
        labels=labels,
        content=content,
        named=identifier(labels.get(_label(source, "ticket_label"))),
        service=text(labels.get(_label(source, "service_label"))),
    )


def _label(source: Source, option: str) -> str:
    return str(source.options.get(option, _LABELS[option]))


def _events(alert: _Alert, words: Translator) -> list[Event]:
    """The events of an alert. A resolved one includes its beginning, in case that never arrived."""
    source = words.source
    recorded = [] if alert.named is not None else [_created(alert, words)]
    recorded.append(_fact(source, alert, EventType.ANOMALY_DETECTED, alert.began_at))
    recorded += _outage(source, alert, EventType.OUTAGE_STARTED, alert.began_at)
    recorded += _seen_by_rules(source, alert, "firing", alert.began_at)
    if alert.ended_at is None:
        return recorded
    recorded.append(_fact(source, alert, EventType.SERVICE_RESTORED, alert.ended_at))
    recorded += _outage(source, alert, EventType.OUTAGE_ENDED, alert.ended_at)
    recorded += _seen_by_rules(source, alert, "resolved", alert.ended_at)
    # A ticket of the desk is the desk's to solve; one that only the alert opened is over with it.
    if alert.named is None and (status := words.status("resolved")) is not None:
        recorded.append(_fact(source, alert, EventType.STATUS_CHANGED, alert.ended_at, {"status": status}))
    return recorded


def _created(alert: _Alert, words: Translator) -> Event:
    source, labels = words.source, alert.labels
    annotations = table(alert.content.get("annotations"))
    group = text(labels.get(_label(source, "group_label")))
    data = without_absent(
        {
            "title": plain(annotations.get("summary")) or text(labels.get("alertname")),
            "url": text(alert.content.get("generatorURL")),
            "channel": _CHANNEL,
            "author": "system",
            "status": words.status("firing"),
            "customer": text(labels.get(_label(source, "customer_label"))),
            "service": alert.service,
            "priority": words.priority(text(labels.get(_label(source, "priority_label")))),
            "group": group,
            "queue": words.queue(group),
        }
    )
    # A summary may contain a figure that differs in each repetition. The digest gives each content its own id, so the
    # log sees several creations of one instant, of which the ticket uses one, and no conflict of content under one id.
    key = f"{EventType.TICKET_CREATED}:{digest(data)}"
    return happened(source.system, alert.ticket, EventType.TICKET_CREATED, alert.began_at, key, data)


def _fact(
    source: Source, alert: _Alert, kind: EventType, at: Micros, data: Mapping[str, Value] | None = None
) -> Event:
    known = {"author": "system", "reference": alert.key} if data is None else data
    return happened(source.system, alert.ticket, kind, at, f"{alert.key}:{at}:{kind}", known)


def _outage(source: Source, alert: _Alert, kind: EventType, at: Micros) -> list[Event]:
    """The start or end of the service's outage, where the desk counts its outages by alerts."""
    if not source.options.get("outages") or alert.service is None:
        return []
    subject, key = f"service:{alert.service}", f"{alert.key}:{at}:{kind}"
    data = {"service": alert.service, "ticket": alert.ticket}
    return [happened(source.system, subject, kind, at, key, data)]


def _seen_by_rules(source: Source, alert: _Alert, status: str, at: Micros) -> tuple[Event, ...]:
    began = status == "firing"
    change = Change(status=status, fields=looked_at(source.rules, alert.content) if began else {})
    return rule_events(source.system, alert.ticket, at, f"{alert.key}:{at}", source.rules, change)


def _options(inner: Table) -> Mapping[str, object]:
    labels = {option: inner.text(option, example=f'"{label}"') for option, label in _LABELS.items()}
    return {**without_absent(labels), "outages": inner.flag("outages", default=False)}


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Prometheus Alertmanager",
    schemes=("token", "url-secret"),
    read=_read,
    statuses={"firing": "open", "resolved": "solved"},
    priorities={
        "critical": "urgent",
        "page": "urgent",
        "error": "high",
        "high": "high",
        "warning": "normal",
        "info": "low",
        "none": "low",
    },
    events_to_tick=("firing", "resolved (send_resolved: true)"),
    template="""\
receivers:
  - name: slatimer
    webhook_configs:
      - url: "<URL>"
        send_resolved: true
        http_config:
          authorization:
            credentials: "<SECRET>"
""",
    options=_options,
)
