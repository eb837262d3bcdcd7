"""Prometheus Alertmanager adapter, also for Grafana: one ticket per alert, from firing to resolved.

One body carries a group of alerts and is sent again as long as any of them fires. A fingerprint's ticket lasts from its
first firing to its resolution, whatever `startsAt` says in between: a restart of Prometheus dates an alert anew. After
that, a firing is another ticket. An alert with the label `ticket` reports events of that ticket of the desk instead.
Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.episode import FIRING, RESOLVED, Mark
from app.intake.mapping.events import Unreadable, digest, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import looked_at
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, items, plain, table, text, whole, word
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.event import Value
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


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    if not isinstance(body.get("alerts"), list):
        raise Unreadable("the list of alerts is missing", "alerts")
    words = Translator(source)
    marks: list[Mark] = []
    faults: list[Unreadable] = []
    for place, one in enumerate(items(body["alerts"])):
        try:
            marks += _marks(table(one), f"alerts[{place}].", words)
        except Unreadable as error:
            faults.append(error)
    if faults and not marks:
        raise faults[0]
    left_out = whole(body.get("truncatedAlerts")) or 0
    cut = (f"{left_out} alerts were left out by max_alerts of {source.system}",) if left_out > 0 else ()
    ignored = None if marks else "a group without alerts"
    return Reading(marks=tuple(marks), warnings=(*words.warnings, *map(str, faults), *cut), ignored=ignored)


def _marks(alert: Mapping[str, object], place: str, words: Translator) -> tuple[Mark, ...]:
    """The marks of an alert. A resolved one includes its firing, in case that never arrived.

    Grafana dates a resolved alert's beginning like its end: such a one fired at another instant, which it does not name.
    """
    source = words.source
    labels = table(alert.get("labels"))
    # Old versions send no fingerprint; it is a digest of the labels, and so is this.
    series = identifier(alert.get("fingerprint")) or digest(dict(labels))
    began_at = instant_in(alert, ["startsAt"], "the instant at which the alert began", source.zone, place)
    match word(alert.get("status")):
        case "firing":
            return (_firing(alert, series, began_at, words),)
        case "resolved":
            what = "the instant at which the alert ended"
            ended_at = instant_in(alert, ["endsAt"], what, source.zone, place)
            end = Mark.end(source.system, series, began_at, ended_at, words.status(RESOLVED))
            return (_firing(alert, series, began_at, words), end) if began_at < ended_at else (end,)
        case _:
            raise Unreadable("an alert is firing or resolved", f"{place}status")


def _firing(alert: Mapping[str, object], series: str, began_at: Micros, words: Translator) -> Mark:
    source, labels = words.source, table(alert.get("labels"))
    service = text(labels.get(_label(source, "service_label")))
    ticket = identifier(labels.get(_label(source, "ticket_label")))
    return Mark.firing(
        source.system,
        series,
        began_at,
        _fields(alert, service, words),
        ticket=ticket,
        service=service,
        looked_at=looked_at(source.rules, alert),
    )


def _label(source: Source, option: str) -> str:
    return str(source.options.get(option, _LABELS[option]))


def _fields(alert: Mapping[str, object], service: str | None, words: Translator) -> dict[str, Value]:
    """The fields of the ticket that the alert opens."""
    source, labels = words.source, table(alert.get("labels"))
    annotations = table(alert.get("annotations"))
    group = text(labels.get(_label(source, "group_label")))
    return without_absent(
        {
            "title": plain(annotations.get("summary")) or text(labels.get("alertname")),
            "url": text(alert.get("generatorURL")),
            "channel": _CHANNEL,
            "author": "system",
            "status": words.status(FIRING),
            "customer": text(labels.get(_label(source, "customer_label"))),
            "service": service,
            "priority": words.priority(text(labels.get(_label(source, "priority_label")))),
            "group": group,
            "queue": words.queue(group),
        }
    )


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
