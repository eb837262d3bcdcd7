"""Alerts that fire, are restarted and are resolved: one ticket for each episode, in any order of arrival."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.request import InboundRequest
from app.intake.systems.alertmanager import ADAPTER
from app.store.inbound.hooks import HookState
from tests.intake.desk import AGREEMENT, Desk, after, desk_of
from tests.intake.sample import instant_of, sent

DAY = "2026-03-02T"
MINUTE = 60_000_000
RULES = [{"when": {"status": "resolved"}, "then": "progress.reported"}]


def at(clock: str) -> int:
    return instant_of(f"{DAY}{clock}:00Z")


def ticket(clock: str, fingerprint: str = "f1") -> str:
    return f"{fingerprint}-{at(clock) // 1000}"


def alert(began: str, ended: str | None = None, fingerprint: str = "f1", **changed: Any) -> dict[str, Any]:
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": {"alertname": "DiskFull", "service": "mail", "severity": "critical"},
        "annotations": {"summary": "Disk is full"},
        "startsAt": f"{DAY}{began}:00Z",
        "endsAt": "0001-01-01T00:00:00Z" if ended is None else f"{DAY}{ended}:00Z",
        "fingerprint": fingerprint,
        **changed,
    }


def group(*alerts: dict[str, Any]) -> InboundRequest:
    return sent({"version": "4", "status": "firing", "alerts": list(alerts)})


def desk(**said: Any) -> Desk:
    return desk_of(ADAPTER, **said)


def lives(known: Desk) -> dict[str, tuple[int | None, int | None]]:
    """When each ticket was created and solved, by what stands of it."""
    found: dict[str, tuple[int | None, int | None]] = {}
    for kind, subject, instant, _ in known.facts:
        created, solved = found.get(subject, (None, None))
        if kind == "ticket.created":
            assert created in (None, instant)
            created = instant
        elif kind == "status.changed":
            assert solved is None
            solved = instant
        found[subject] = (created, solved)
    return found


def in_every_order(
    requests: Iterable[InboundRequest], **said: Any
) -> dict[str, tuple[int | None, int | None]]:
    """The lives of the tickets, the same in every order of these requests."""
    outcomes = [after(desk(**said), order) for order in permutations(requests)]
    assert all(other.facts == outcomes[0].facts for other in outcomes)
    return lives(outcomes[0])


def test_an_alert_that_goes_on_under_another_beginning_stays_in_its_ticket() -> None:
    found = in_every_order([group(alert("09:00")), group(alert("09:20")), group(alert("09:20", "10:00"))])
    assert found == {ticket("09:00"): (at("09:00"), at("10:00"))}


def test_a_restarted_alert_breaches_nothing_that_was_met() -> None:
    restarted = [group(alert("09:00")), group(alert("09:20")), group(alert("09:20", "10:00"))]
    known = after(desk(), restarted).known(ticket("09:00"))
    (restored,) = (clock for clock in known.clocks if clock.commitment == "gtr")
    assert (restored.met, restored.breached_at, restored.stopped_at) == (True, None, at("10:00"))


def test_an_end_that_is_dated_like_its_beginning_ends_the_open_ticket() -> None:
    found = in_every_order([group(alert("09:00")), group(alert("10:00", "10:00"))])
    assert found == {ticket("09:00"): (at("09:00"), at("10:00"))}


def test_an_end_without_an_open_ticket_opens_none() -> None:
    assert lives(after(desk(), [group(alert("10:00", "10:00"))])) == {}


def test_an_end_that_is_dated_before_its_beginning_ends_at_the_beginning() -> None:
    found = in_every_order([group(alert("09:00")), group(alert("10:00", "09:30"))])
    assert found == {ticket("09:00"): (at("09:00"), at("10:00"))}


def test_a_firing_after_the_end_is_the_next_ticket() -> None:
    found = in_every_order(
        [
            group(alert("09:00")),
            group(alert("09:00", "10:00")),
            group(alert("11:00")),
            group(alert("12:00", "12:00")),
        ]
    )
    assert found == {
        ticket("09:00"): (at("09:00"), at("10:00")),
        ticket("11:00"): (at("11:00"), at("12:00")),
    }


def test_a_firing_at_the_instant_of_an_end_is_the_next_ticket() -> None:
    found = in_every_order([group(alert("09:00", "10:00")), group(alert("10:00"))])
    assert found == {ticket("09:00"): (at("09:00"), at("10:00")), ticket("10:00"): (at("10:00"), None)}


def test_an_end_that_arrives_late_parts_one_ticket_into_two() -> None:
    known = after(desk(), [group(alert("09:00")), group(alert("11:00"))])
    assert lives(known) == {ticket("09:00"): (at("09:00"), None)}
    after(known, [group(alert("09:00", "10:00"))])
    assert lives(known) == {
        ticket("09:00"): (at("09:00"), at("10:00")),
        ticket("11:00"): (at("11:00"), None),
    }


def test_an_end_that_arrives_late_parts_one_outage_into_two_with_references_of_their_own() -> None:
    requests = [group(alert("09:00")), group(alert("11:00")), group(alert("09:00", "10:00"))]
    found = [after(desk(outages=True, tickets=False), order).facts for order in permutations(requests)]
    assert all(other == found[0] for other in found)
    assert [(kind, subject, instant, data["reference"]) for kind, subject, instant, data in found[0]] == [
        ("outage.started", "service:mail", at("09:00"), ticket("09:00")),
        ("outage.ended", "service:mail", at("10:00"), ticket("09:00")),
        ("outage.started", "service:mail", at("11:00"), ticket("11:00")),
    ]


def test_an_outage_goes_on_under_another_beginning_with_its_first_reference() -> None:
    requests = [group(alert("09:00")), group(alert("09:20")), group(alert("09:20", "10:00"))]
    found = [after(desk(outages=True, tickets=False), order).facts for order in permutations(requests)]
    assert all(other == found[0] for other in found)
    assert [(kind, instant, data["reference"]) for kind, _, instant, data in found[0]] == [
        ("outage.started", at("09:00"), ticket("09:00")),
        ("outage.ended", at("10:00"), ticket("09:00")),
    ]


OF_OUTAGES = AGREEMENT | {
    "commitments": [
        {
            "id": "restored",
            "label": "Restored",
            "kind": "guarantee",
            "measure": "gtr",
            "calendar": "always",
            "starts_on": ["outage.started"],
            "stops_on": ["outage.ended"],
            "target": "45m",
        }
    ]
}


def test_an_outage_that_is_taken_back_is_taken_back_for_the_ticket_that_it_names() -> None:
    named = {"alertname": "DiskFull", "service": "mail", "ticket": "4711"}
    begun, late = group(alert("09:20", labels=named)), group(alert("09:00", labels=named))
    ended, earlier = (
        group(alert("10:00", "10:00", labels=named)),
        group(alert("09:30", "09:30", labels=named)),
    )
    for order in permutations([begun, late, ended, earlier]):
        known = after(replace(desk(outages=True), agreement=OF_OUTAGES), order)
        (clock,) = known.known("4711").clocks
        assert (clock.started_at, clock.stopped_at) == (at("09:00"), at("09:30"))
        withdrawn = [event for event in known.log.values() if event.type == "event.withdrawn"]
        assert {event.data.get("ticket") for event in withdrawn if event.subject == "service:mail"} <= {
            "4711"
        }


def test_a_beginning_that_arrives_late_is_the_tickets_own() -> None:
    known = after(desk(), [group(alert("09:20")), group(alert("09:20", "10:00")), group(alert("09:00"))])
    assert lives(known) == {ticket("09:00"): (at("09:00"), at("10:00"))}


def test_the_last_webhook_makes_up_for_all_that_were_lost() -> None:
    assert lives(after(desk(), [group(alert("09:00", "10:00"))])) == {
        ticket("09:00"): (at("09:00"), at("10:00"))
    }


def test_other_fingerprints_are_other_tickets() -> None:
    known = after(desk(), [group(alert("09:00"), alert("09:00", fingerprint="f2"), alert("10:00", "10:00"))])
    assert lives(known) == {
        ticket("09:00"): (at("09:00"), at("10:00")),
        ticket("09:00", "f2"): (at("09:00"), None),
    }


def test_a_named_ticket_gets_one_beginning_and_one_end_of_a_restarted_alert() -> None:
    named = {"alertname": "DiskFull", "service": "mail", "ticket": "4711"}
    requests = [
        group(alert("09:00", labels=named)),
        group(alert("09:20", labels=named)),
        group(alert("10:00", "10:00", labels=named)),
    ]
    known = after(desk(outages=True), requests)
    assert [(kind, subject, instant) for kind, subject, instant, _ in known.facts] == [
        ("anomaly.detected", "4711", at("09:00")),
        ("outage.started", "service:mail", at("09:00")),
        ("service.restored", "4711", at("10:00")),
        ("outage.ended", "service:mail", at("10:00")),
    ]


def test_rules_see_one_end_of_an_episode() -> None:
    requests = [group(alert("09:00")), group(alert("10:00", "10:00")), group(alert("09:30", "10:00"))]
    known = after(desk(rules=RULES), requests)
    assert [fact[:3] for fact in known.facts if fact[0] == "progress.reported"] == [
        ("progress.reported", ticket("09:00"), at("10:00"))
    ]


def test_figures_in_a_summary_change_neither_the_ticket_nor_what_is_stored_of_it() -> None:
    summaries = [group(alert("09:00", annotations={"summary": f"{n}% full"})) for n in range(5)]
    found = {str(after(desk(), order).facts) for order in permutations(summaries[:3])}
    assert len(found) == 1
    known = after(desk(), [*summaries, group(alert("09:00", "10:00"))])
    assert lives(known) == {ticket("09:00"): (at("09:00"), at("10:00"))}


def test_a_faulty_alert_of_a_group_is_named_and_the_others_are_read() -> None:
    known = desk()
    (outcome,) = known.outcomes(group(alert("09:00"), alert("09:00", startsAt="soon", fingerprint="f2")))
    assert outcome.state is HookState.DONE
    assert [warning.partition(":")[0] for warning in outcome.warnings] == ["alerts[1].startsAt"]
    assert lives(known) == {ticket("09:00"): (at("09:00"), None)}


def test_an_alert_of_the_future_is_named_and_the_others_are_read() -> None:
    known = desk()
    (outcome,) = known.outcomes(
        group(alert("09:00"), alert("09:00", startsAt="2027-01-01T00:00:00Z", fingerprint="f2"))
    )
    assert outcome.state is HookState.KEPT
    assert "ahead of now" in str(outcome.reason)
    assert lives(known) == {ticket("09:00"): (at("09:00"), None)}


@pytest.mark.parametrize("fingerprint", ["x" * 201, "a\nb", "", None, 7.5])
def test_an_alert_whose_fingerprint_is_no_name_is_known_by_its_labels(fingerprint: object) -> None:
    requests = [
        group(alert("09:00") | {"fingerprint": fingerprint}),
        group(alert("10:00", "10:00") | {"fingerprint": fingerprint}),
    ]
    assert list(lives(after(desk(), requests)).values()) == [(at("09:00"), at("10:00"))]


CLOCK = st.integers(0, 5).map(lambda n: f"09:0{n}")
ALERTS = st.builds(alert, CLOCK, st.none() | CLOCK, st.sampled_from(["f1", "f2"]))


@settings(max_examples=40, deadline=None)
@given(alerts=st.lists(ALERTS, min_size=1, max_size=7), data=st.data())
def test_any_order_and_repetition_end_in_the_same_tickets(
    alerts: list[dict[str, Any]], data: st.DataObject
) -> None:
    requests = [group(each) for each in alerts]
    shuffled = data.draw(st.permutations(requests))
    again = data.draw(st.lists(st.sampled_from(requests), max_size=3))
    one = after(desk(outages=True), requests)
    other = after(desk(outages=True), [*shuffled, *again], data.draw(st.integers(1, 4)))
    assert one.facts == other.facts
    tickets = [name for name in lives(one) if not name.startswith("service:")]
    assert one.life(tickets, [at("12:00")]) == other.life(tickets, [at("12:00")])


@settings(max_examples=40, deadline=None)
@given(alerts=st.lists(ALERTS, min_size=1, max_size=7))
def test_episodes_of_a_fingerprint_never_overlap(alerts: list[dict[str, Any]]) -> None:
    known = lives(after(desk(), [group(*alerts)]))
    for fingerprint in ("f1", "f2"):
        spans = sorted(
            (created or 0, solved)
            for name, (created, solved) in known.items()
            if name.startswith(f"{fingerprint}-")
        )
        assert all(created for created, _ in spans)
        for (_, ended), (begun, _) in pairwise(spans):
            assert ended is not None
            assert ended <= begun
