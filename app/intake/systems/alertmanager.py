"""Prometheus Alertmanager adapter: one ticket or outage per alert, from firing to resolved.

One body carries a group of alerts and is sent again as long as any of them fires. A fingerprint's episode lasts from its
first firing to its resolution, whatever `startsAt` says in between: a restart of Prometheus dates an alert anew. After
that, a firing is another episode. An alert with the label `ticket` reports events of that ticket of the desk instead.
Grafana sends the same body. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.alert import Alert, AlertMapping, alert_marks, labels_of
from app.intake.mapping.episode import Mark
from app.intake.mapping.events import Unreadable, digest, instant_in
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, items, plain, table, text, whole, word
from app.intake.request import InboundRequest

SYSTEM: Final = "alertmanager"

_MAPPING: Final = AlertMapping()


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    if not isinstance(body.get("alerts"), list):
        raise Unreadable("the list of alerts is missing", "alerts")
    words, mapping = Translator(source), _MAPPING.of(source)
    marks: list[Mark] = []
    faults: list[Unreadable] = []
    for place, one in enumerate(items(body["alerts"])):
        try:
            marks += alert_marks(_alert(table(one), f"alerts[{place}].", source), mapping, words)
        except Unreadable as error:
            faults.append(error)
    if faults and not marks:
        raise faults[0]
    left_out = whole(body.get("truncatedAlerts")) or 0
    cut = (f"{left_out} alerts were left out by max_alerts of {source.system}",) if left_out > 0 else ()
    nothing = (
        "none of its alerts is a ticket or an outage here" if body["alerts"] else "a group without alerts"
    )
    ignored = None if marks or words.warnings else nothing
    return Reading(marks=tuple(marks), warnings=(*words.warnings, *map(str, faults), *cut), ignored=ignored)


def _alert(alert: Mapping[str, object], place: str, source: Source) -> Alert:
    """An alert of a group. Grafana dates a resolved alert's beginning like its end: such a one fired at another instant,
    which it does not name."""
    labels, annotations = table(alert.get("labels")), table(alert.get("annotations"))
    status = word(alert.get("status"))
    if status not in ("firing", "resolved"):
        raise Unreadable("an alert is firing or resolved", f"{place}status")
    began = instant_in(alert, ["startsAt"], "the instant at which the alert began", source.zone, place)
    ended = None
    if status == "resolved":
        ended = instant_in(alert, ["endsAt"], "the instant at which the alert ended", source.zone, place)
    return Alert(
        # Old versions send no fingerprint; it is a digest of the labels, and so is this.
        series=identifier(alert.get("fingerprint")) or digest(dict(labels)),
        labels=labels_of(labels),
        began_at=began,
        ended_at=ended,
        title=plain(annotations.get("summary")) or text(labels.get("alertname")),
        url=text(alert.get("generatorURL")),
        content=alert,
    )


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
    options=_MAPPING.options,
)
