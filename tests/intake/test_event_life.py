"""One ticket's life through the systems that say what happened: as said, in any order, repeated, and signed.

Every delivery of a system is taken in the order of the story, in any other, and more than once; what is known of the
ticket and its clocks must be the same at every instant of the story. Freshdesk alone dates nothing: there an instant is
that of arrival, so the order in which deliveries *arrive* is lost with the source, and any order of *reading* is not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from app.intake.adapter import Adapter
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, Stale, verify
from app.intake.systems.alertmanager import ADAPTER as ALERTMANAGER
from app.intake.systems.chatwoot import ADAPTER as CHATWOOT
from app.intake.systems.freshdesk import ADAPTER as FRESHDESK
from app.intake.systems.grafana import ADAPTER as GRAFANA
from app.intake.systems.healthchecks import ADAPTER as HEALTHCHECKS
from app.intake.systems.icinga import ADAPTER as ICINGA
from app.intake.systems.icinga import NAGIOS
from app.intake.systems.pagerduty import ADAPTER as PAGERDUTY
from app.intake.systems.statuspage import ADAPTER as STATUSPAGE
from app.intake.systems.uptime_kuma import ADAPTER as UPTIME_KUMA
from app.intake.systems.whmcs import ADAPTER as WHMCS
from app.intake.systems.zabbix import ADAPTER as ZABBIX
from app.sla.event import Event
from app.sla.span import HOUR, SECOND, Micros
from tests.intake.desk import Desk, desk_of, events_alone
from tests.intake.laws import (
    a_story_with_gaps_ends_the_same_in_any_order,
    brought_by_repetition,
    order_and_repetition_play_no_part,
)
from tests.intake.sample import (
    LEFT_OUT,
    PENDING_AGAIN,
    Otherwise,
    Sample,
    instant_of,
    recorded,
    samples,
    sent,
)

FRACTION = SECOND // 4
"""Chatwoot's `updated_at` in the samples lies a quarter of a second after the whole one that their story counts in."""


class System(NamedTuple):
    """A system, its story, what its desk said of it, and where we read otherwise than a sample says."""

    adapter: Adapter
    tickets: tuple[str, ...]
    story: dict[str, Sample]
    said: dict[str, Any]
    otherwise: dict[str, Otherwise]
    examples: int = 20
    """Monitors share one way from marks to events: few of each are enough."""

    def desk(self) -> Desk:
        return desk_of(self.adapter, **self.said)

    def deliveries(self) -> list[InboundRequest]:
        return [sample.delivery for sample in self.story.values()]


def _rule(then: str, **when: str) -> dict[str, Any]:
    return {"when": when, "then": then}


def _arrived(story: Mapping[str, Sample], at: Mapping[str, str]) -> dict[str, Sample]:
    """The samples of Freshdesk as they arrived at the instants of the story."""
    return {
        name: replace(sample, delivery=replace(sample.delivery, received_at=instant_of(at[name])))
        for name, sample in story.items()
    }


FRESHDESK_STORY = _arrived(
    samples("freshdesk"),
    {
        "01_created": "2026-03-02T09:00:00Z",
        "02_priority_changed": "2026-03-02T09:04:10Z",
        "03_group_changed": "2026-03-02T09:06:00Z",
        "04_agent_reply": "2026-03-02T09:12:30Z",
        "05_status_pending": "2026-03-02T09:12:31Z",
        "06_private_note": "2026-03-02T09:20:00Z",
        "07_customer_reply": "2026-03-02T10:05:45Z",
        "08_status_open": "2026-03-02T10:05:46Z",
        "09_status_waiting_third_party": "2026-03-02T11:02:00Z",
        "11_solved": "2026-03-02T13:30:00Z",
        "12_reopened": "2026-03-02T15:10:00Z",
        "13_closed": "2026-03-06T16:45:00Z",
    },
)

SAME_STATUS = "what the status already is, is said again; nothing follows from it"

OTHER_DATA = {
    "03_group_changed": "the body names this group from the creation on; what is new in it, the agent, is told"
}
"""Samples of which the kind, ticket and instant are told, with other data, and why."""

SYSTEMS = {
    "freshdesk": System(
        FRESHDESK,
        ("11",),
        FRESHDESK_STORY,
        {"rules": [_rule("service.restored", status="Resolved")]},
        {
            "05_status_pending": PENDING_AGAIN,
            "06_private_note": PENDING_AGAIN,
            "11_solved": Otherwise("a rule sees the status", besides=("service.restored",)),
        },
    ),
    "whmcs": System(
        WHMCS,
        ("4021", "4022", "4023"),
        # One ticket cannot be opened by the client and by an agent: the second opening is another life's.
        {name: sample for name, sample in samples("whmcs").items() if name != "01b_created_by_admin"},
        {
            "rules": [
                _rule("intervention.started", status="In Progress"),
                _rule("service.restored", note="node pay-3"),
            ]
        },
        {
            "06_internal_note": Otherwise("a rule sees the note", besides=("service.restored",)),
            "08_status_in_progress": Otherwise(
                SAME_STATUS + "; and a rule sees the status",
                besides=("status.changed", "intervention.started"),
            ),
        },
    ),
    "chatwoot": System(
        CHATWOOT,
        ("42",),
        samples("chatwoot"),
        {"rules": [_rule("intervention.started", tag="vip"), _rule("request.read", field="priority")]},
        {
            "02_priority_changed": Otherwise("a rule sees the field", besides=("request.read",)),
            "06_internal_note": PENDING_AGAIN,
            "07_customer_reply": Otherwise("its conversation is open again", besides=("status.changed",)),
            "10_labels_changed": Otherwise("a rule sees the label", besides=("intervention.started",)),
            "11_solved": Otherwise("this body no longer has the label", besides=("ticket.updated",)),
        },
    ),
    "pagerduty": System(
        PAGERDUTY,
        ("PGR0VU2",),
        samples(
            "pagerduty",
            order=("triggered", "acknowledged", "reassigned", "annotated", "resolved", "reopened"),
        ),
        {"rules": [_rule("anomaly.detected", status="triggered"), _rule("progress.reported", note="node")]},
        {
            "triggered": Otherwise("a rule sees the status", besides=("anomaly.detected",)),
            "annotated": Otherwise("a rule sees the note", besides=("progress.reported",)),
            "reopened": Otherwise("a rule sees the status", besides=("anomaly.detected",)),
        },
    ),
    "alertmanager": System(
        ALERTMANAGER,
        ("2c5d6f1a9b3e4710-1772442000123", "77aa00bb11cc22dd-1772442250500"),
        samples("alertmanager"),
        {},
        {},
    ),
    "grafana": System(
        GRAFANA, ("6b1f0e77c2a94d35-1772442000000",), samples("grafana"), {"outages": True}, {}, 5
    ),
    "uptime-kuma": System(UPTIME_KUMA, (), samples("uptime_kuma"), {}, {}, 5),
    "icinga": System(ICINGA, (), samples("icinga"), {}, {}, 5),
    "nagios": System(NAGIOS, (), samples("nagios"), {}, {}, 5),
    "zabbix": System(ZABBIX, (), samples("zabbix"), {}, {}, 5),
    "healthchecks": System(HEALTHCHECKS, (), samples("healthchecks"), {"service_label": "service"}, {}, 5),
    "statuspage": System(STATUSPAGE, (), samples("statuspage"), {}, {}, 5),
}

BY_SYSTEM = pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))
SIGNING = ["whmcs", "chatwoot", "pagerduty"]
SIGNED = pytest.mark.parametrize("system", [SYSTEMS[name] for name in SIGNING], ids=SIGNING)


def _in_whole_seconds(said: list[tuple[str, str, Micros]]) -> list[tuple[str, str, Micros]]:
    return sorted(
        (kind, ticket, at - FRACTION if at % SECOND == FRACTION else at) for kind, ticket, at in said
    )


def _expected(sample: Sample, otherwise: Otherwise | None) -> list[tuple[str, str, Micros]]:
    said = [(one["type"], one["subject"], instant_of(one["time"])) for one in sample.expect]
    besides = () if otherwise is None else otherwise.besides
    return sorted(said) if not besides else sorted(said) + [(kind, "*", 0) for kind in sorted(besides)]


def _besides(
    said: list[tuple[str, str, Micros]], otherwise: Otherwise | None
) -> list[tuple[str, str, Micros]]:
    """The same, with what comes besides set apart at the end: the sample names neither its ticket nor its instant."""
    kept = list(said)
    apart: list[tuple[str, str, Micros]] = []
    for kind in () if otherwise is None else sorted(otherwise.besides):
        found = next((one for one in reversed(kept) if one[0] == kind), None)
        assert found is not None, f"{kind} was not told"
        kept.remove(found)
        apart.append((kind, "*", 0))
    return kept + apart


def _wanted(adapter: Adapter, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The data that a sample expects, in our words."""
    ours = {"opened_by": "author", "added": "tags"}
    wanted = {
        ours.get(key, key): value
        for key, value in expected.items()
        if key not in LEFT_OUT and key != "removed"
    }
    if "priority" in wanted:
        theirs = str(wanted["priority"]).casefold()
        wanted["priority"] = adapter.priorities.get(theirs, theirs)
    return wanted


def _holds(sample: Sample, adapter: Adapter, events: list[Event]) -> None:
    for expected in sample.expect:
        wanted = _wanted(adapter, expected.get("data", {}))
        told_of = [e for e in events if e.type == expected["type"] and e.subject == expected["subject"]]
        for name, value in wanted.items():
            if name == "tags":
                assert any(set(value) <= set(_tags(event)) for event in told_of), (sample.name, value)
            else:
                assert any(event.data.get(name) == value for event in told_of), (sample.name, name, value)


def _tags(event: Event) -> list[str]:
    tags = event.data.get("tags")
    return [str(tag) for tag in tags] if isinstance(tags, list) else []


@BY_SYSTEM
def test_each_delivery_says_what_it_is_said_to_mean(system: System) -> None:
    desk = system.desk()
    for name, sample in system.story.items():
        reading, new = desk.reading(sample.delivery), desk.receive(sample.delivery)
        # An alert says its whole life each time; what was told before is the same event and is not new.
        events = events_alone(reading, desk.source) if system.adapter is ALERTMANAGER else new
        otherwise = system.otherwise.get(name)
        assert _besides(_in_whole_seconds(recorded(events)), otherwise) == _expected(sample, otherwise), name
        if name not in OTHER_DATA:
            _holds(sample, system.adapter, events)
        assert reading.warnings == ()


@BY_SYSTEM
def test_every_delivery_once_more_brings_nothing(system: System) -> None:
    assert brought_by_repetition(system) == []


@BY_SYSTEM
def test_any_order_and_any_repetition_end_in_the_same_life(system: System) -> None:
    order_and_repetition_play_no_part(system, system.examples)


@BY_SYSTEM
def test_a_story_with_gaps_ends_the_same_in_any_order(system: System) -> None:
    a_story_with_gaps_ends_the_same_in_any_order(system, system.examples)


@BY_SYSTEM
def test_every_sample_is_signed_as_the_system_signs(system: System) -> None:
    scheme = SCHEMES[system.adapter.schemes[0]]
    for sample in system.story.values():
        sent_at = sample.delivery.headers.get("webhook-timestamp") or sample.delivery.headers.get(
            "x-chatwoot-timestamp"
        )
        now = sample.delivery.received_at if sent_at is None else int(sent_at) * SECOND
        signed = verify(scheme, sample.delivery, ["whsec_cmV0aXJlZA==", sample.secret], now)
        assert (signed.at is not None) == (sent_at is not None)


@SIGNED
def test_one_byte_changed_in_body_signature_or_time_is_refused(system: System) -> None:
    scheme = SCHEMES[system.adapter.schemes[0]]
    sample = next(iter(system.story.values()))
    body, headers = sample.delivery.body, dict(sample.delivery.headers)
    now = instant_of("2026-03-02T09:00:01Z")
    assert verify(scheme, sample.delivery, [sample.secret], now)
    for place in {0, len(body) // 2, len(body) - 1}:
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(BadSignature):
            verify(scheme, InboundRequest(headers, changed, 0), [sample.secret], now)
    for name in (scheme.header, "webhook-timestamp", "x-chatwoot-timestamp", "webhook-id"):
        written = headers.get(name, "")
        for place in range(len(written)):
            other = written[:place] + chr(ord(written[place]) ^ 1) + written[place + 1 :]
            with pytest.raises(BadSignature):
                verify(scheme, InboundRequest({**headers, name: other}, body, 0), [sample.secret], now)


@pytest.mark.parametrize("name", ["whmcs", "chatwoot"])
def test_an_attempt_that_was_signed_an_hour_ago_is_stale(name: str) -> None:
    sample = next(iter(SYSTEMS[name].story.values()))
    scheme = SCHEMES[SYSTEMS[name].adapter.schemes[0]]
    with pytest.raises(Stale):
        verify(scheme, sample.delivery, [sample.secret], instant_of("2026-03-02T09:00:01Z") + HOUR)


@BY_SYSTEM
def test_a_secret_of_another_connection_is_refused(system: System) -> None:
    scheme = SCHEMES[system.adapter.schemes[0]]
    sample = next(iter(system.story.values()))
    with pytest.raises(BadSignature):
        verify(scheme, sample.delivery, ["whsec_YW5vdGhlcg=="], instant_of("2026-03-02T09:00:01Z"))


@BY_SYSTEM
def test_deliveries_of_one_story_are_told_apart(system: System) -> None:
    ids = [system.adapter.idempotency_key(delivery) for delivery in system.deliveries()]
    assert len(set(ids) - {None}) == len([one for one in ids if one is not None])


@BY_SYSTEM
def test_a_connection_test_means_nothing(system: System) -> None:
    reading = system.desk().reading(sent({"slatimer": "connection test"}))
    assert (reading.ignored, reading.events, reading.snapshots) == ("a connection test", (), ())
