"""What Alertmanager's groups mean beyond the story: repetitions, labels of the desk, services, cut lists."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.source_file import SourceFault
from app.intake.systems.alertmanager import ADAPTER
from app.sla.event import Event
from tests.intake.desk import after, desk_of, events_alone, source_of
from tests.intake.sample import instant_of, samples, sent

BODY: dict[str, Any] = samples("alertmanager")["01_firing"].body
ALERT: dict[str, Any] = BODY["alerts"][0]
TICKET = "2c5d6f1a9b3e4710-1772442000123"


def _body(labels: dict[str, str] | None = None, **changed: Any) -> dict[str, Any]:
    return {**BODY, "alerts": [{**ALERT, "labels": {**ALERT["labels"], **(labels or {})}, **changed}]}


def _reading(body: dict[str, Any], **said: Any) -> Reading:
    return ADAPTER.reading(sent(body), source_of(ADAPTER, **said))


def _events(body: dict[str, Any], **said: Any) -> list[Event]:
    """The events of a body before which nothing was known."""
    source = source_of(ADAPTER, **said)
    return events_alone(ADAPTER.reading(sent(body), source), source)


def _told(events: list[Event]) -> list[tuple[str, str]]:
    return [(str(event.type), event.subject) for event in events]


ENDED: dict[str, Any] = {"status": "resolved", "endsAt": "2026-03-02T13:30:00Z"}


def test_an_alert_that_goes_on_is_told_once_though_its_figures_change() -> None:
    deliveries = [sent(_body(annotations={"summary": "502", "description": f"{n}%"})) for n in range(3)]
    assert len(after(desk_of(ADAPTER), deliveries).log) == 2


def test_a_summary_with_a_figure_makes_no_second_ticket_and_no_conflict() -> None:
    deliveries = [sent(_body(annotations={"summary": f"{n}% fail"})) for n in range(3)]
    one, other = after(desk_of(ADAPTER), deliveries), after(desk_of(ADAPTER), deliveries[::-1])
    assert one.known(TICKET) == other.known(TICKET)


def test_the_same_alert_of_another_day_is_another_ticket() -> None:
    later = _events(_body(startsAt="2026-03-03T09:00:00Z"))
    assert {subject for _, subject in _told(later)} == {"2c5d6f1a9b3e4710-1772528400000"}


def test_an_alert_that_names_a_ticket_tells_of_that_ticket_and_opens_none() -> None:
    events = _events(_body({"ticket": "4711"}, **ENDED))
    assert _told(events) == [("anomaly.detected", "4711"), ("service.restored", "4711")]
    assert events[0].data == {"author": "system", "reference": TICKET}


def _outages(body: dict[str, Any], **said: Any) -> list[tuple[str, str, int, dict[str, Any]]]:
    events = _events(body, **said)
    return [(str(e.type), e.subject, e.at, dict(e.data)) for e in events if e.type.startswith("outage.")]


def test_outages_of_the_service_are_told_where_the_desk_counts_them() -> None:
    data = {"service": "checkout", "reference": TICKET, "ticket": TICKET}
    assert _outages(_body(**ENDED), outages=True) == [
        ("outage.started", "service:checkout", instant_of("2026-03-02T09:00:00.123456Z"), data),
        ("outage.ended", "service:checkout", instant_of("2026-03-02T13:30:00Z"), data),
    ]
    assert _outages(_body(**ENDED)) == []


def test_labels_name_the_service_the_resource_and_the_cause_of_an_outage() -> None:
    body = _body({"app": "shop", "host": "eu-3", "why": "Upstream"})
    said = {
        "service_label": "app",
        "resource_label": "host",
        "cause_label": "why",
        "services": {"SHOP": "Hosting"},
        "causes": {"upstream": "third_party"},
    }
    ((_, subject, _, data),) = _outages(body, outages=True, **said)
    assert (subject, data["service"], data["resource"], data["cause"]) == (
        "service:Hosting",
        "Hosting",
        "eu-3",
        "third_party",
    )
    ((_, _, _, as_sent),) = _outages(body, outages=True, cause_label="why")
    assert as_sent["cause"] == "Upstream"


def test_the_end_of_an_outage_states_no_cause_so_that_a_corrected_one_stands() -> None:
    started, ended = _outages(_body({"cause": "network", "resource": "eu-3"}, **ENDED), outages=True)
    assert (started[3]["cause"], started[3]["resource"]) == ("network", "eu-3")
    assert ("cause" in ended[3], ended[3]["resource"]) == (False, "eu-3")


def test_an_alert_without_a_resource_or_a_cause_is_an_outage_without_them() -> None:
    ((_, _, _, data),) = _outages(_body(), outages=True)
    assert {"resource", "cause"}.isdisjoint(data)


@pytest.mark.parametrize(
    ("when", "outage"),
    [
        ({"severity": "CRITICAL"}, True),
        ({"severity": ["page", "critical"]}, True),
        ({"severity": ["warning"]}, False),
        ({"severity": "critical", "job": "checkout"}, True),
        ({"severity": "critical", "job": "billing"}, False),
        ({"outage": "yes"}, False),
    ],
)
def test_alerts_with_these_values_of_labels_are_outages(when: dict[str, Any], outage: bool) -> None:
    assert bool(_outages(_body(), outages=True, outage_when=when)) == outage


def test_an_outage_instead_of_a_ticket() -> None:
    assert _told(_events(_body(**ENDED), outages=True, tickets=False)) == [
        ("outage.started", "service:checkout"),
        ("outage.ended", "service:checkout"),
    ]
    ((_, _, _, data), _) = _outages(_body(**ENDED), outages=True, tickets=False)
    assert data == {"service": "checkout", "reference": TICKET}


def test_without_tickets_an_alert_still_reports_to_the_ticket_that_it_names() -> None:
    events = _events(_body({"ticket": "4711"}), outages=True, tickets=False)
    assert _told(events) == [("anomaly.detected", "4711"), ("outage.started", "service:checkout")]
    assert events[1].data["ticket"] == "4711"


def test_an_alert_that_is_neither_ticket_nor_outage_means_nothing() -> None:
    reading = _reading(_body(), outages=True, tickets=False, outage_when={"severity": "page"})
    assert reading.ignored == "none of its alerts is a ticket or an outage here"


@pytest.mark.parametrize("service", ["", "x" * 201, "a\nb"])
def test_an_outage_without_a_service_is_a_warning(service: str) -> None:
    said = {"outages": True, "outage_when": {"severity": "critical"}}
    reading = _reading(_body({"service": service}), **said)
    assert reading.warnings == ("an outage of alertmanager names no service in the label 'service'",)
    assert [event.type for event in events_alone(reading, source_of(ADAPTER, **said))] == [
        "ticket.created",
        "anomaly.detected",
    ]


def test_where_the_label_tells_which_alerts_are_outages_its_absence_is_no_warning() -> None:
    assert _reading(_body({"service": ""}), outages=True).warnings == ()
    assert _reading(_body({"service": ""}), outages=True, tickets=False).warnings != ()


def test_labels_have_the_names_that_the_desk_gave_them() -> None:
    body = _body({"app": "shop", "prio": "page", "squad": "Ops", "tenant": "ACME"})
    said = {
        "service_label": "app",
        "priority_label": "prio",
        "group_label": "squad",
        "customer_label": "tenant",
    }
    created = _events(body, **said, queues={"ops": "night"})[0]
    assert {name: created.data[name] for name in ("service", "priority", "group", "customer", "queue")} == {
        "service": "shop",
        "priority": "urgent",
        "group": "Ops",
        "customer": "ACME",
        "queue": "night",
    }


def test_rules_see_a_label_when_the_alert_begins_and_the_status_when_it_ends() -> None:
    rules = [
        {"when": {"field": "labels.severity", "value": "critical"}, "then": "call.registered"},
        {"when": {"status": "resolved"}, "then": "progress.reported"},
    ]
    kinds = [kind for kind, _ in _told(_events(_body(**ENDED), rules=rules))]
    assert (kinds.count("call.registered"), kinds.count("progress.reported")) == (1, 1)


def test_alerts_that_were_left_out_are_a_warning() -> None:
    assert _reading({**_body(), "truncatedAlerts": 3}).warnings == (
        "3 alerts were left out by max_alerts of alertmanager",
    )


def test_a_severity_that_is_not_mapped_is_a_warning() -> None:
    assert _reading(_body({"severity": "purple"})).warnings == (
        "priority 'purple' of alertmanager is not mapped",
    )


def test_an_alert_without_a_fingerprint_is_known_by_its_labels() -> None:
    one, same = _events(_body(fingerprint=None)), _events(_body(fingerprint=None))
    other = _events(_body({"instance": "pay-9"}, fingerprint=None))
    assert _told(one) == _told(same)
    assert _told(one) != _told(other)


def test_a_group_without_alerts_means_nothing() -> None:
    assert _reading({**BODY, "alerts": []}).ignored == "a group without alerts"


@pytest.mark.parametrize(
    "changed",
    [
        {"startsAt": None},
        {"startsAt": "0001-01-01T00:00:00Z"},
        {"status": "suppressed"},
        {"status": "resolved", "endsAt": "0001-01-01T00:00:00Z"},
    ],
)
def test_an_alert_without_status_or_instants_is_unreadable(changed: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match=r"alerts\[0\]"):
        _reading(_body(**changed))


def test_a_body_that_is_no_group_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="alerts"):
        _reading({"status": "firing"})


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"outage_when": {"severity": "critical"}}, "outage_when"),
        ({"outages": True, "outage_when": {"severity": []}}, "outage_when.severity"),
        ({"outages": True, "outage_when": {"severity": [1]}}, "outage_when.severity[0]"),
        ({"outages": True, "outage_when": "critical"}, "outage_when"),
        ({"tickets": False}, "tickets"),
        ({"outages": True, "causes": {"net": 4}}, "causes.net"),
        ({"outages": True, "services": ["a"]}, "services"),
        ({"outages": True, "states": ["down"]}, "states"),
    ],
)
def test_a_faulty_key_of_outages_is_named(said: dict[str, Any], place: str) -> None:
    with pytest.raises(SourceFault) as refused:
        source_of(ADAPTER, **said)
    assert f"sources.alertmanager.{place}" in {fault.place for fault in refused.value.faults}


def test_an_option_that_is_none_is_a_fault() -> None:
    with pytest.raises(SourceFault) as refused:
        source_of(ADAPTER, outages="yes", servis_label="x")
    assert [fault.place for fault in refused.value.faults] == [
        "sources.alertmanager.outages",
        "sources.alertmanager.servis_label",
    ]
