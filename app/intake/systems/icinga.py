"""Icinga 2 and Nagios adapters: a notification command that posts the macros of a host or a service.

Neither sends webhooks. The command that `slatimer connect` prints posts the same JSON from both. What fires is an object
in one of the desk's `states`; in any other state it is over, so a service that is critical and then in warning is no
longer down. An instant is that of the last change of the state. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.alert import Alert, AlertMapping, alert_marks, labels_of
from app.intake.mapping.events import Unreadable, digest, instant_in
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, plain, table, text, word
from app.intake.request import InboundRequest

_MAPPING: Final = AlertMapping(
    service_label="object",
    priority_label="state",
    tickets=False,
    outages=True,
    states=frozenset({"down", "critical"}),
)
_CHANGES: Final = ("problem", "recovery")


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    kind = word(body.get("type"))
    if kind is None:
        raise Unreadable("the type of the notification is missing", "type")
    if kind not in _CHANGES:
        return Reading(ignored=f"a notification of the type {kind} is no change of a state")
    words, mapping = Translator(source), _MAPPING.of(source)
    marks = alert_marks(_alert(body, kind, mapping, source), mapping, words)
    return Reading(marks=marks, warnings=words.warnings)


def _alert(body: Mapping[str, object], kind: str, mapping: AlertMapping, source: Source) -> Alert:
    host, service, state = text(body.get("host")), text(body.get("service")), word(body.get("state"))
    if host is None:
        raise Unreadable("the name of the host is missing", "host")
    if kind == "problem" and state is None:
        raise Unreadable("the state is missing", "state")
    name = host if service is None else f"{host}!{service}"
    at = instant_in(body, ["since"], "the instant of the last change of the state", source.zone)
    down = kind == "problem" and state in mapping.states
    own = {"object": name, "host": host, "service": service, "state": state}
    return Alert(
        series=identifier(name) or digest(name),
        labels=labels_of({**table(body.get("labels")), **own}),
        began_at=at if down else None,
        ended_at=None if down else at,
        title=": ".join(filter(None, (name, plain(body.get("output"))))),
        url=text(body.get("url")),
        content=body,
    )


_SCRIPT: Final = """\
#!/bin/sh
# slatimer-notification.sh, executable, on the monitoring server; needs jq and curl
jq -n '{type: env.TYPE, host: env.HOST, service: env.SERVICE, state: env.STATE, since: env.SINCE, output: env.OUTPUT}' |
  curl -fsS --retry 4 --retry-connrefused --max-time 5 -H 'X-Slatimer-Token: <SECRET>' \\
    -H 'Content-Type: application/json' --data-binary @- '<URL>'

"""

_ICINGA: Final = """\
# commands.conf
object NotificationCommand "slatimer-host" {
  command = [ ConfigDir + "/scripts/slatimer-notification.sh" ]
  env = {
    TYPE = "$notification.type$"
    HOST = "$host.name$"
    STATE = "$host.state$"
    SINCE = "$host.last_state_change$"
    OUTPUT = "$host.output$"
  }
}
object NotificationCommand "slatimer-service" {
  command = [ ConfigDir + "/scripts/slatimer-notification.sh" ]
  env = {
    TYPE = "$notification.type$"
    HOST = "$host.name$"
    SERVICE = "$service.name$"
    STATE = "$service.state$"
    SINCE = "$service.last_state_change$"
    OUTPUT = "$service.output$"
  }
}
"""

_NAGIOS: Final = """\
# commands.cfg
define command {
  command_name slatimer-host
  command_line /usr/bin/env TYPE="$NOTIFICATIONTYPE$" HOST="$HOSTNAME$" STATE="$HOSTSTATE$" \
SINCE="$LASTHOSTSTATECHANGE$" OUTPUT="$HOSTOUTPUT$" /usr/local/bin/slatimer-notification.sh
}
define command {
  command_name slatimer-service
  command_line /usr/bin/env TYPE="$NOTIFICATIONTYPE$" HOST="$HOSTNAME$" SERVICE="$SERVICEDESC$" \
STATE="$SERVICESTATE$" SINCE="$LASTSERVICESTATECHANGE$" OUTPUT="$SERVICEOUTPUT$" /usr/local/bin/slatimer-notification.sh
}
"""

ADAPTER: Final = Adapter(
    system="icinga",
    label="Icinga 2",
    schemes=("token", "url-secret"),
    read=_read,
    statuses={"firing": "open", "resolved": "solved"},
    priorities={
        "down": "urgent",
        "critical": "urgent",
        "unreachable": "normal",
        "unknown": "normal",
        "warning": "normal",
    },
    events_to_tick=("types = [ Problem, Recovery ]",),
    template=_SCRIPT + _ICINGA,
    options=_MAPPING.options,
)

NAGIOS: Final = replace(
    ADAPTER,
    system="nagios",
    label="Nagios",
    events_to_tick=("notification_options d,r (host) and w,u,c,r (service)",),
    template=_SCRIPT + _NAGIOS,
)
