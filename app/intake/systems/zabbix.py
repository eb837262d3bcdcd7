"""Zabbix adapter: a webhook media type that posts the macros of a problem, of its updates and of its recovery.

The script that `slatimer connect` prints posts its parameters as JSON. A problem keeps its event's id to the end, and
each message says again when it began. A time stamp counts; an older Zabbix sends dates in its server's own zone alone,
which `time_zone` of the source names. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.alert import Alert, AlertMapping, alert_marks, labels_of
from app.intake.mapping.events import Unreadable, instant_of
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, instant, items, table, text, whole
from app.intake.request import InboundRequest
from app.sla.span import Micros

SYSTEM: Final = "zabbix"

_MAPPING: Final = AlertMapping(tickets=False, outages=True)
_PROBLEM, _RECOVERY = 1, 0
_OWN: Final = {"name": "event_name", "host": "host", "severity": "severity"}


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    value = whole(body.get("event_value"))
    if value not in (_PROBLEM, _RECOVERY):
        raise Unreadable("it is 1 for a problem and 0 for its recovery", "event_value")
    words = Translator(source)
    marks = alert_marks(_alert(body, source, over=value == _RECOVERY), _MAPPING.of(source), words)
    return Reading(marks=marks, warnings=words.warnings)


def _alert(body: Mapping[str, object], source: Source, *, over: bool) -> Alert:
    number = identifier(body.get("event_id"))
    if number is None:
        raise Unreadable("the id of the event is missing", "event_id")
    began = _instant(body, "event", "the instant at which the problem began", source.zone)
    ended = _instant(body, "recovery", "the instant of the recovery", source.zone) if over else None
    return Alert(
        series=f"zabbix-{number}",
        labels=_labels(body),
        began_at=began,
        ended_at=ended,
        title=text(body.get("event_name")),
        url=text(body.get("url")),
        content=body,
    )


def _instant(body: Mapping[str, object], of: str, what: str, zone: str | None) -> Micros:
    """The time stamp, else date and time. A macro that this Zabbix does not know is sent as it is written."""
    if (at := instant(body.get(f"{of}_timestamp"))) is not None:
        return at
    date, time = text(body.get(f"{of}_date")), text(body.get(f"{of}_time"))
    written = None if date is None or time is None else f"{date.replace('.', '-')} {time}"
    return instant_of(written, what, f"{of}_timestamp" if date is None else f"{of}_date", zone)


def _labels(body: Mapping[str, object]) -> dict[str, str]:
    """The event's tags, of several values the first, and its name, host and severity. An empty tag is its own value."""
    tags: dict[str, object] = {}
    for tag in map(table, items(body.get("event_tags"))):
        if (name := text(tag.get("tag"))) is not None:
            tags.setdefault(name, text(tag.get("value")) or name)
    return labels_of(tags | {label: body.get(key) for label, key in _OWN.items()})


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Zabbix",
    schemes=("token", "url-secret"),
    read=_read,
    statuses={"firing": "open", "resolved": "solved"},
    priorities={
        "disaster": "urgent",
        "high": "high",
        "average": "normal",
        "warning": "normal",
        "information": "low",
        "not classified": "low",
    },
    events_to_tick=("problem", "problem recovery"),
    template="""\
Media type: Webhook, with the message templates Problem and Problem recovery. Parameters:
slatimer_url        <URL>
slatimer_token      <SECRET>
event_id            {EVENT.ID}
event_value         {EVENT.VALUE}
event_name          {EVENT.NAME}
event_tags          {EVENT.TAGSJSON}
event_timestamp     {EVENT.TIMESTAMP}
event_date          {EVENT.DATE}
event_time          {EVENT.TIME}
recovery_timestamp  {EVENT.RECOVERY.TIMESTAMP}
recovery_date       {EVENT.RECOVERY.DATE}
recovery_time       {EVENT.RECOVERY.TIME}
host                {HOST.HOST}
severity            {EVENT.SEVERITY}
url                 {TRIGGER.URL}

Script:
var params = JSON.parse(value), request = new HttpRequest(), url = params.slatimer_url;
request.addHeader('Content-Type: application/json');
request.addHeader('X-Slatimer-Token: ' + params.slatimer_token);
delete params.slatimer_url;
delete params.slatimer_token;
try { params.event_tags = JSON.parse(params.event_tags); } catch (error) { params.event_tags = []; }
var answer = request.post(url, JSON.stringify(params));
if (request.getStatus() < 200 || request.getStatus() > 299) {
  throw 'slatimer answered ' + request.getStatus() + ': ' + answer;
}
return 'OK';
""",
    options=_MAPPING.options,
)
