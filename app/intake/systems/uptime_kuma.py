"""Uptime Kuma adapter: the webhook notification of a monitor that goes down or comes up again.

A notification has the heartbeat that changed the monitor's state and the monitor itself. Its instants are UTC without an
offset. Kuma sends none for a heartbeat that is pending or under maintenance. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.alert import Alert, AlertMapping, alert_marks, labels_of
from app.intake.mapping.events import Unreadable, instant_in
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, instant, items, plain, table, text, whole
from app.intake.request import InboundRequest

SYSTEM: Final = "uptime-kuma"

_MAPPING: Final = AlertMapping(service_label="name", tickets=False, outages=True)
_DOWN, _UP = 0, 1
_ZONE: Final = "UTC"


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    heartbeat, monitor = table(body.get("heartbeat")), table(body.get("monitor"))
    if not heartbeat:
        return Reading(ignored="a notification without a heartbeat: a test, or about a certificate")
    status = whole(heartbeat.get("status"))
    if status is None:
        raise Unreadable("the status of the heartbeat is missing", "heartbeat.status")
    if status not in (_DOWN, _UP):
        return Reading(ignored=f"a heartbeat of the status {status} is neither down nor up")
    words = Translator(source)
    marks = alert_marks(_alert(heartbeat, monitor, down=status == _DOWN), _MAPPING.of(source), words)
    return Reading(marks=marks, warnings=words.warnings)


def _alert(heartbeat: Mapping[str, object], monitor: Mapping[str, object], *, down: bool) -> Alert:
    number = identifier(monitor.get("id")) or identifier(heartbeat.get("monitorID"))
    if number is None:
        raise Unreadable("the id of the monitor is missing", "monitor.id")
    at = instant_in(heartbeat, ["time"], "the instant of the heartbeat", _ZONE, "heartbeat.")
    # Newer versions name in a heartbeat that is up again when it went down.
    began = at if down else instant(heartbeat.get("lastDownTime"), _ZONE)
    name, message = text(monitor.get("name")), plain(heartbeat.get("msg"))
    return Alert(
        series=f"kuma-{number}",
        labels=_labels(monitor),
        began_at=began,
        ended_at=None if down else at,
        title=": ".join(filter(None, (name, message))) or None,
        url=text(monitor.get("url")),
        content={"heartbeat": heartbeat, "monitor": monitor},
    )


def _labels(monitor: Mapping[str, object]) -> dict[str, str]:
    """The monitor's tags, and what it is. A tag without a value has its own name as value."""
    tags: dict[str, object] = {}
    for tag in map(table, items(monitor.get("tags"))):
        if (name := text(tag.get("name"))) is not None:
            tags[name] = text(tag.get("value")) or name
    own = {"name": "name", "path": "pathName", "type": "type", "hostname": "hostname", "url": "url"}
    return labels_of(tags | {label: monitor.get(key) for label, key in own.items()})


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Uptime Kuma",
    schemes=("token", "url-secret"),
    read=_read,
    statuses={"firing": "open", "resolved": "solved"},
    priorities={"urgent": "urgent", "high": "high", "normal": "normal", "low": "low"},
    events_to_tick=("DOWN", "UP"),
    template="""\
Notification type: Webhook
Post URL: <URL>
Request body: Preset - application/json
Additional headers: {"X-Slatimer-Token": "<SECRET>"}
""",
    options=_MAPPING.options,
)
