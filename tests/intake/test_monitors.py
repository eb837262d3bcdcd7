"""What the notifications of monitors mean beyond their stories: labels, states, windows, and what cannot be read.

Each system's section says where its fields come from; `meta.fields_from` of the samples says it for each body.
"""

import json
from itertools import permutations
from typing import Any

import pytest

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, Stale, verify
from app.intake.source_file import SourceFault
from app.intake.systems import grafana, healthchecks, icinga, statuspage, uptime_kuma, zabbix
from app.sla.span import HOUR, SECOND
from tests.intake.desk import after, desk_of, events_alone, source_of
from tests.intake.sample import instant_of, samples, sent

Told = list[tuple[str, str, int]]


def reading(adapter: Adapter, body: Any, **said: Any) -> Reading:
    return adapter.reading(sent(body), source_of(adapter, **said))


def told(adapter: Adapter, body: Any, **said: Any) -> Told:
    """Type, subject and instant of the events of a body before which nothing was known."""
    events = events_alone(reading(adapter, body, **said), source_of(adapter, **said))
    return [(str(event.type), event.subject, event.at) for event in events]


def data_of(adapter: Adapter, body: Any, **said: Any) -> dict[str, Any]:
    """The data of the first event of a body."""
    return dict(events_alone(reading(adapter, body, **said), source_of(adapter, **said))[0].data)


def why(adapter: Adapter, body: Any, **said: Any) -> str:
    with pytest.raises(Unreadable) as caught:
        reading(adapter, body, **said)
    return str(caught.value)


def without(body: dict[str, Any], path: str) -> dict[str, Any]:
    """The body without what lies at a dotted path."""
    name, dot, rest = path.partition(".")
    if dot:
        return body | {name: without(body[name], rest)}
    return {key: value for key, value in body.items() if key != name}


# -- Grafana: "Configure webhook notifications" of its documentation, with the HMAC signature of version 12 --

BODY = b'{"alerts":[]}'
NOW = instant_of("2026-03-02T09:00:00Z")


def signed(scheme: str, at: int = NOW) -> InboundRequest:
    return InboundRequest.of(SCHEMES[scheme].sign("secret", BODY, at, ""), BODY, at)


def test_grafana_signs_the_body_or_time_and_body_with_a_colon_in_between() -> None:
    # Computed with `printf '%s' '1772442000:{"alerts":[]}' | openssl dgst -sha256 -hmac secret`.
    plain, timed = signed("grafana").headers, signed("grafana-timed").headers
    assert plain == {"x-grafana-alerting-signature": PLAIN}
    assert timed == {
        "x-grafana-alerting-signature": TIMED,
        "x-grafana-alerting-timestamp": "1772442000",
    }


PLAIN = "1745765da3451aa4b37c66c165cd80b9a4765574a56eedd22aebc2737ac612c3"
TIMED = "eb237d427f64c710a82973eb97143fbe78674227636600ae3ec97ba5a12c6e38"


def test_a_time_that_grafana_signed_long_ago_is_stale_and_a_signed_body_is_not() -> None:
    with pytest.raises(Stale):
        verify(SCHEMES["grafana-timed"], signed("grafana-timed"), ["secret"], NOW + HOUR)
    assert verify(SCHEMES["grafana"], signed("grafana"), ["secret"], NOW + HOUR).at is None
    with pytest.raises(BadSignature):
        verify(SCHEMES["grafana"], signed("grafana-timed"), ["secret"], NOW)


def test_a_desk_may_insist_on_the_signature_of_grafana() -> None:
    assert source_of(grafana.ADAPTER, scheme="grafana-timed").scheme == "grafana-timed"
    with pytest.raises(SourceFault):
        source_of(grafana.ADAPTER, scheme="hub-sha1")


# -- Uptime Kuma: webhook.js sends heartbeat, monitor and msg; heartbeat.js and monitor.js write the first two --

KUMA = {name: sample.body for name, sample in samples("uptime_kuma").items()}
DOWN, UP = KUMA["01_down"], KUMA["03_up"]
DOWN_AT, UP_AT = instant_of("2026-03-02T09:00:00.123Z"), instant_of("2026-03-02T09:41:00.900Z")


def test_an_up_of_kuma_says_when_the_monitor_went_down() -> None:
    subject = "service:Hosting eu-3"
    assert told(uptime_kuma.ADAPTER, UP) == [
        ("outage.started", subject, DOWN_AT),
        ("outage.ended", subject, UP_AT),
    ]
    assert told(uptime_kuma.ADAPTER, without(UP, "heartbeat.lastDownTime")) == []


def test_instants_of_kuma_are_utc_whatever_the_zone_of_the_desk() -> None:
    assert told(uptime_kuma.ADAPTER, DOWN, time_zone="Europe/Paris")[0][2] == DOWN_AT


def test_tags_of_kuma_are_labels_and_one_without_a_value_is_its_own() -> None:
    said = {"service_label": "service", "resource_label": "production", "services": {"hosting": "Web"}}
    data = data_of(uptime_kuma.ADAPTER, DOWN, **said)
    assert (data["service"], data["resource"]) == ("Web", "production")
    assert told(uptime_kuma.ADAPTER, DOWN, outage_when={"production": "no"}) == []


def test_a_monitor_of_kuma_opens_a_ticket_where_the_desk_wants_one() -> None:
    data = data_of(uptime_kuma.ADAPTER, DOWN, tickets=True)
    assert (data["title"], data["service"], data["url"]) == (
        "Hosting eu-3: connect ETIMEDOUT 203.0.113.7:443",
        "Hosting eu-3",
        "https://eu-3.example.net",
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"heartbeat": None, "monitor": None, "msg": "My Webhook Testing"}, "without a heartbeat"),
        (DOWN | {"heartbeat": DOWN["heartbeat"] | {"status": 2}}, "neither down nor up"),
        (DOWN | {"heartbeat": DOWN["heartbeat"] | {"status": 3}}, "neither down nor up"),
    ],
)
def test_a_test_of_kuma_and_a_state_in_between_mean_nothing(body: dict[str, Any], reason: str) -> None:
    assert reason in str(reading(uptime_kuma.ADAPTER, body).ignored)


@pytest.mark.parametrize("place", ["heartbeat.status", "heartbeat.time"])
def test_a_heartbeat_without_state_or_instant_is_unreadable(place: str) -> None:
    assert why(uptime_kuma.ADAPTER, without(DOWN, place)).startswith(f"{place}: ")


def test_a_monitor_of_kuma_is_known_by_its_id_in_either_place() -> None:
    assert told(uptime_kuma.ADAPTER, without(DOWN, "monitor.id")) == told(uptime_kuma.ADAPTER, DOWN)
    neither = without(without(DOWN, "monitor.id"), "heartbeat.monitorID")
    assert why(uptime_kuma.ADAPTER, neither).startswith("monitor.id: ")


# -- Healthchecks: the placeholders of hc/integrations/webhook/transport.py in the template of `slatimer connect` --

CHECK = samples("healthchecks")["01_down"].body


@pytest.mark.parametrize(
    ("tags", "service"),
    [("service=Backup", "Backup"), ("prod service:Backup", "Backup"), ("service", "service")],
)
def test_tags_of_a_check_are_labels(tags: str, service: str) -> None:
    assert (
        data_of(healthchecks.ADAPTER, CHECK | {"tags": tags}, service_label="service")["service"] == service
    )


def test_the_service_of_a_check_is_its_name() -> None:
    assert data_of(healthchecks.ADAPTER, CHECK)["service"] == 'Nightly "backup" of eu-3'


def test_a_check_that_is_paused_means_nothing() -> None:
    assert reading(healthchecks.ADAPTER, CHECK | {"status": "paused"}).ignored is not None


@pytest.mark.parametrize("place", ["code", "status", "now"])
def test_a_check_without_code_state_or_instant_is_unreadable(place: str) -> None:
    assert why(healthchecks.ADAPTER, without(CHECK, place)).startswith(f"{place}: ")


def test_the_template_of_healthchecks_is_json_once_it_is_filled_in() -> None:
    template = (healthchecks.ADAPTER.template or "").splitlines()[-1]
    filled = (
        template.replace("$NAME_JSON", json.dumps('a "b"')).replace("$CODE", "c").replace("$STATUS", "up")
    )
    assert json.loads(filled.replace("$NOW", "2026-03-02T09:00:00+00:00"))["name"] == 'a "b"'


# -- Icinga 2 and Nagios: the macros of notifications in the JSON of the command that `slatimer connect` prints --

CRITICAL = samples("icinga")["02_critical"].body
HTTP = "service:web-1!http"


@pytest.mark.parametrize("state", ["CRITICAL", "critical", "DOWN"])
def test_an_object_in_a_state_of_the_desk_is_down(state: str) -> None:
    assert [kind for kind, _, _ in told(icinga.ADAPTER, CRITICAL | {"state": state})] == ["outage.started"]


@pytest.mark.parametrize("state", ["WARNING", "UNKNOWN", "UNREACHABLE"])
def test_a_problem_in_any_other_state_ends_what_is_down(state: str) -> None:
    other = CRITICAL | {"state": state, "since": "1772445600"}
    desk = after(desk_of(icinga.ADAPTER), [sent(CRITICAL), sent(other)])
    assert [fact[:2] for fact in desk.facts] == [("outage.started", HTTP), ("outage.ended", HTTP)]
    assert told(icinga.ADAPTER, other) == []
    also = [state, "critical"]
    assert [kind for kind, _, _ in told(icinga.ADAPTER, other, states=also)] == ["outage.started"]


def test_a_custom_variable_names_the_service_and_a_host_the_resource() -> None:
    body = CRITICAL | {"labels": {"sla_service": "Hosting", "state": "forged"}}
    said = {"service_label": "sla_service", "resource_label": "host", "outage_when": {"state": "critical"}}
    data = data_of(icinga.ADAPTER, body, **said)
    assert (data["service"], data["resource"]) == ("Hosting", "web-1")


@pytest.mark.parametrize("kind", ["ACKNOWLEDGEMENT", "CUSTOM", "DOWNTIMESTART", "FLAPPINGSTART"])
def test_a_notification_that_changes_no_state_means_nothing(kind: str) -> None:
    assert kind.lower() in str(reading(icinga.ADAPTER, CRITICAL | {"type": kind}).ignored)


def test_an_object_with_a_long_name_is_known_by_its_digest() -> None:
    long = CRITICAL | {"service": "x" * 300}
    read = reading(icinga.ADAPTER, long, services={}, service_label="host")
    assert [len(mark.series) for mark in read.marks] == [24]


@pytest.mark.parametrize("place", ["type", "host", "state", "since"])
def test_a_notification_without_what_it_needs_is_unreadable(place: str) -> None:
    assert why(icinga.ADAPTER, without(CRITICAL, place)).startswith(f"{place}: ")


# -- Zabbix: the macros of the manual in the parameters that `slatimer connect` prints --

PROBLEM = samples("zabbix")["01_problem"].body
RECOVERY = samples("zabbix")["03_recovery"].body
OLD = {"event_timestamp": "{EVENT.TIMESTAMP}", "recovery_timestamp": "*UNKNOWN*"}


def test_a_recovery_says_the_whole_life_of_its_problem() -> None:
    assert told(zabbix.ADAPTER, RECOVERY) == [
        ("outage.started", "service:Hosting", instant_of("2026-03-02T09:00:00Z")),
        ("outage.ended", "service:Hosting", instant_of("2026-03-02T09:43:12Z")),
    ]


def test_dates_of_an_older_zabbix_are_read_in_the_zone_of_its_server() -> None:
    old = RECOVERY | OLD
    assert told(zabbix.ADAPTER, old, time_zone="Europe/Paris") == told(zabbix.ADAPTER, RECOVERY)
    assert "set time_zone in the desk's file of sources" in why(zabbix.ADAPTER, old)


def test_of_several_values_of_a_tag_the_first_counts_and_an_empty_one_is_its_own() -> None:
    tags = [
        {"tag": "service", "value": "Mail"},
        {"tag": "service", "value": "Hosting"},
        {"tag": "resource", "value": ""},
    ]
    data = data_of(zabbix.ADAPTER, PROBLEM | {"event_tags": tags})
    assert (data["service"], data["resource"]) == ("Mail", "resource")


def test_a_problem_without_the_tag_of_a_service_is_a_warning() -> None:
    found = reading(zabbix.ADAPTER, PROBLEM | {"event_tags": []})
    assert found.warnings == ("an outage of zabbix names no service in the label 'service'",)


def test_a_problem_of_less_severity_is_no_outage_where_the_desk_says_so() -> None:
    assert told(zabbix.ADAPTER, PROBLEM, outage_when={"severity": ["high"]}) == []
    assert told(zabbix.ADAPTER, PROBLEM, outage_when={"severity": ["high", "disaster"]}) != []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"event_value": "{EVENT.VALUE}"}, "event_value"),
        ({"event_id": ""}, "event_id"),
        ({"event_timestamp": None, "event_date": None}, "event_timestamp"),
        ({"event_timestamp": None, "event_date": "soon"}, "event_date"),
    ],
)
def test_a_message_without_what_it_needs_is_unreadable(change: dict[str, Any], place: str) -> None:
    assert why(zabbix.ADAPTER, PROBLEM | change).startswith(f"{place}: ")


# -- Statuspage: "Enable webhook notifications" of Atlassian's help, and the incident object of its API --

PAGE = {name: sample.body for name, sample in samples("statuspage").items()}
MAIL = "service:Email Server"


def with_incident(name: str, /, **changed: Any) -> dict[str, Any]:
    return PAGE[name] | {"incident": PAGE[name]["incident"] | changed}


def update(at: str, new: str, old: str = "operational", **more: Any) -> dict[str, Any]:
    component = {"code": "cmpmail01", "name": "Email Server", "old_status": old, "new_status": new}
    return {"created_at": at, "affected_components": [component], **more}


def test_a_resolved_incident_says_the_whole_outage_of_its_component() -> None:
    assert told(statuspage.ADAPTER, PAGE["03_resolved"]) == [
        ("outage.started", MAIL, instant_of("2026-03-02T09:01:00Z")),
        ("outage.ended", MAIL, instant_of("2026-03-02T10:15:00Z")),
    ]


def test_the_time_that_an_update_displays_is_when_it_happened() -> None:
    updates = [update("2026-03-02T09:30:00Z", "major_outage", display_at="2026-03-02T08:45:00Z")]
    ((_, _, at),) = told(statuspage.ADAPTER, with_incident("02_incident", incident_updates=updates))
    assert at == instant_of("2026-03-02T08:45:00Z")


@pytest.mark.parametrize(
    ("status", "down"),
    [
        ("major_outage", True),
        ("partial_outage", True),
        ("degraded_performance", False),
        ("operational", False),
    ],
)
def test_a_component_is_down_in_the_states_of_an_outage(status: str, down: bool) -> None:
    body = with_incident("02_incident", incident_updates=[update("2026-03-02T09:30:00Z", status)])
    assert bool(told(statuspage.ADAPTER, body)) == down
    assert bool(told(statuspage.ADAPTER, body, states=["degraded_performance"])) == (
        status == "degraded_performance"
    )


def test_maintenance_is_announced_once_for_each_window_in_any_order_of_arrival() -> None:
    webhooks = [sent(PAGE[name]) for name in ("05_maintenance", "06_moved", "07_in_progress")]
    again = sent(with_incident("05_maintenance", updated_at="2026-03-03T12:00:00.000Z", name="Other"))
    found = [after(desk_of(statuspage.ADAPTER), order).facts for order in permutations([*webhooks, again])]
    assert all(other == found[0] for other in found)
    assert [(kind, subject, at, data["from"]) for kind, subject, at, data in found[0]] == [
        (
            "maintenance.announced",
            MAIL,
            instant_of("2026-03-03T08:00:00Z"),
            "2026-03-05T22:00:00+00:00",
        ),
        (
            "maintenance.announced",
            MAIL,
            instant_of("2026-03-04T08:00:00Z"),
            "2026-03-05T23:00:00+00:00",
        ),
    ]
    assert {data["reference"] for _, _, _, data in found[0]} == {"mnt001"}


def test_each_component_of_a_maintenance_gets_its_announcement() -> None:
    component = PAGE["05_maintenance"]["incident"]["components"][0]
    other = component | {"id": "cmpweb01", "name": "Portal"}
    body = with_incident("05_maintenance", components=[component, other])
    subjects = {subject for _, subject, _ in told(statuspage.ADAPTER, body, services={"portal": "Web"})}
    assert subjects == {"service:Web", MAIL}


def test_a_maintenance_of_no_component_is_a_warning() -> None:
    found = reading(statuspage.ADAPTER, with_incident("05_maintenance", components=[]))
    assert found.warnings == ("the maintenance mnt001 of statuspage names no component",)


def test_a_window_keeps_its_fractions_of_a_second() -> None:
    body = with_incident("05_maintenance", scheduled_for="2026-03-05T22:00:00.250Z")
    assert data_of(statuspage.ADAPTER, body)["from"] == "2026-03-05T22:00:00.250000+00:00"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"meta": {}, "page": {}}, "incident"),
        (without(PAGE["01_component_down"], "component.id"), "component.id"),
        (without(PAGE["01_component_down"], "component_update.created_at"), "component_update.created_at"),
        (with_incident("05_maintenance", scheduled_until=None), "incident.scheduled_until"),
        (with_incident("05_maintenance", scheduled_until="2026-03-05T22:00:00Z"), "incident.scheduled_until"),
        (with_incident("05_maintenance", id=None), "incident.id"),
        (with_incident("05_maintenance", components=[{"name": "x"}]), "incident.components[0].id"),
        (with_incident("05_maintenance", components=[{"id": "x"}]), "incident.components[0].name"),
        (
            with_incident("02_incident", incident_updates=[update("soon", "major_outage")]),
            "incident.incident_updates[0].created_at",
        ),
    ],
)
def test_a_body_of_statuspage_without_what_it_needs_is_unreadable(body: dict[str, Any], place: str) -> None:
    assert why(statuspage.ADAPTER, body).startswith(f"{place}: ")


# -- all of them --


@pytest.mark.parametrize(
    ("adapter", "body"),
    [
        (uptime_kuma.ADAPTER, DOWN),
        (healthchecks.ADAPTER, CHECK),
        (icinga.ADAPTER, CRITICAL),
        (icinga.NAGIOS, CRITICAL),
        (zabbix.ADAPTER, PROBLEM),
    ],
    ids=lambda value: value.system if isinstance(value, Adapter) else "",
)
def test_an_outage_as_well_as_a_ticket_names_the_ticket(adapter: Adapter, body: dict[str, Any]) -> None:
    events = events_alone(reading(adapter, body, tickets=True), source_of(adapter, tickets=True))
    (outage,) = [event for event in events if event.type == "outage.started"]
    assert [event.type for event in events if event.subject == outage.data["ticket"]] == [
        "ticket.created",
        "anomaly.detected",
    ]
    assert outage.data["reference"] == outage.data["ticket"]
    assert str(outage.data["reference"]).endswith(f"-{outage.at * 1000 // SECOND}")


@pytest.mark.parametrize(
    "adapter",
    [uptime_kuma.ADAPTER, healthchecks.ADAPTER, icinga.ADAPTER, zabbix.ADAPTER, statuspage.ADAPTER],
    ids=lambda adapter: adapter.system,
)
def test_an_outage_that_the_file_switches_off_while_it_lasts_ends_all_the_same(adapter: Adapter) -> None:
    story = [sample.delivery for sample in samples(adapter.system.replace("-", "_")).values()]
    on, off = source_of(adapter), source_of(adapter, outages=False, tickets=True)
    firing = next(mark for one in story for mark in adapter.reading(one, on).marks if mark.fires)
    ends = [mark for one in story for mark in adapter.reading(one, off).marks if not mark.fires]
    later = [mark for mark in ends if mark.at > firing.at]
    events = events_alone(Reading(marks=(firing, *later)), off)
    assert [event.type for event in events] == ["outage.started", "outage.ended"]
