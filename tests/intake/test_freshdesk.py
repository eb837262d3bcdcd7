"""What Freshdesk's deliveries mean beyond the story: its odd events, its own simple body, facts typed into a rule."""

from dataclasses import replace
from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.intake.systems.freshdesk import ADAPTER, TEMPLATE
from app.sla.span import HOUR, MINUTE, SECOND
from tests.intake.desk import after, desk_of, source_of
from tests.intake.sample import samples, sent

STORY = samples("freshdesk")
BODY: dict[str, Any] = STORY["04_agent_reply"].body


def _reading(said: dict[str, Any] | None = None, **changed: Any) -> Reading:
    return ADAPTER.reading(sent({**BODY, **changed}), source_of(ADAPTER, **(said or {})))


def _kinds(reading: Reading) -> list[str]:
    return [str(event.type) for event in reading.events]


@pytest.mark.parametrize(
    ("event", "actor", "kinds"),
    [
        ("{reply_sent:sent}", "requester", ["customer.replied"]),
        ("{reply_sent:sent}", "agent", ["agent.replied"]),
        ("{note_type:public}", "agent", ["agent.replied"]),
        ("{note_type:public}", "Requester", ["customer.replied"]),
        ("{note_type:private}", "agent", ["note.added"]),
        ("{ticket_action:created}", "requester", []),
        ("{status:{from:4,to:6}}", "agent", []),
        ("{ group_id : {from:,to:42} }", "agent", []),
        ("{something_new:{from:a,to:{b:c}}}", "agent", []),
    ],
)
def test_a_message_is_what_event_and_actor_make_it(event: str, actor: str, kinds: list[str]) -> None:
    assert _kinds(_reading(triggered_event=event, actor=actor)) == kinds


def test_a_desk_may_leave_its_public_notes_out_of_the_replies() -> None:
    notes = {"public_notes_are_replies": False}
    assert _kinds(_reading(notes, triggered_event="{note_type:public}", actor="agent")) == ["note.added"]
    assert _kinds(_reading(notes, triggered_event="{note_type:public}", actor="requester")) == [
        "customer.replied"
    ]
    assert _kinds(_reading(notes, triggered_event="{reply_sent:sent}", actor="agent")) == ["agent.replied"]


def test_a_reply_of_the_system_is_automatic() -> None:
    (event,) = _reading(actor="system").events
    assert (event.type, event.data["automatic"]) == ("agent.replied", True)


def test_a_rule_without_an_actor_is_a_warning_and_no_reply() -> None:
    reading = _reading(actor="")
    assert (reading.events, reading.warnings) == ((), ("actor '' of freshdesk is not mapped",))


def test_the_text_of_a_reply_is_without_its_markup() -> None:
    reading = _reading(actor="requester", latest_public_comment="<div>See <b>req-1</b></div>")
    assert reading.events[0].data["text"] == "See req-1"


def test_a_delivery_is_dated_by_its_arrival_unless_the_template_has_an_instant() -> None:
    delivery = sent(BODY)
    assert ADAPTER.reading(delivery, source_of(ADAPTER)).snapshots[0].at == delivery.received_at
    dated = _reading(occurred_at="2026-03-02T09:12:30Z")
    assert dated.snapshots[0].at == dated.events[0].at == sent(BODY, at="2026-03-02T09:12:30Z").received_at


def test_the_simple_body_of_freshdesk_itself_is_read_too() -> None:
    body = {
        "triggered_event": "{status:{from:4,to:6}}",
        "ticket_id": 11,
        "ticket_subject": "502",
        "ticket_status": "Waiting on Customer",
        "ticket_priority": "Low",
        "requester_email": "emily@customer.example",
    }
    (snapshot,) = ADAPTER.reading(sent({"freshdesk_webhook": body}), source_of(ADAPTER)).snapshots
    assert {name: snapshot.state[name] for name in ("title", "status", "priority", "customer")} == {
        "title": "502",
        "status": "pending",
        "priority": "low",
        "customer": "emily@customer.example",
    }
    assert "group" not in snapshot.state


def test_a_status_without_a_label_is_taken_from_the_event() -> None:
    reading = _reading(triggered_event="{status:{from:2,to:7}}", status=None)
    assert reading.snapshots[0].state["status"] == "on_hold"


def test_a_status_of_the_account_is_a_warning_until_it_is_mapped() -> None:
    unknown = _reading(status="At the workshop")
    assert unknown.warnings == ("status 'At the workshop' of freshdesk is not mapped",)
    assert "status" not in unknown.snapshots[0].state
    mapped = _reading({"statuses": {"at the workshop": "on_hold"}}, status="At the workshop")
    assert (mapped.warnings, mapped.snapshots[0].state["status"]) == ((), "on_hold")


def test_a_dropped_status_means_nothing() -> None:
    assert _reading({"statuses": {"spam": "drop"}}, status="Spam").ignored == "a ticket of status 'Spam'"


def test_a_fact_typed_into_a_rule_is_that_fact() -> None:
    reading = _reading(triggered_event="{tags:x}", event="intervention.started")
    assert [(event.type, event.data["author"]) for event in reading.events] == [
        ("intervention.started", "agent")
    ]
    assert _reading(event="lunch").warnings == ("event 'lunch' of freshdesk is not mapped",)


def test_rules_see_the_tag_and_the_channel_of_the_ticket() -> None:
    rules = [
        {"when": {"tag": "up"}, "then": "service.restored"},
        {"when": {"field": "channel", "value": "phone"}, "then": "call.registered"},
    ]
    desk = desk_of(ADAPTER, rules=rules)
    created = replace(STORY["01_created"].delivery, received_at=HOUR)
    assert [e.type for e in desk.receive(created)] == ["ticket.created"]
    called = InboundRequest.of({}, created.body.replace(b'"Email"', b'"Phone"'), HOUR + MINUTE)
    assert [e.type for e in desk.receive(called)] == ["ticket.updated", "call.registered"]
    tagged = InboundRequest.of({}, called.body.replace(b'"checkout"', b'"checkout, up"'), HOUR + 2 * MINUTE)
    assert sorted(e.type for e in desk.receive(tagged)) == ["service.restored", "ticket.updated"]


def test_the_same_change_made_twice_is_told_apart_from_a_delivery_that_is_repeated() -> None:
    delivery = replace(STORY["05_status_pending"].delivery, received_at=HOUR)
    again, later = replace(delivery, received_at=HOUR + SECOND), replace(delivery, received_at=2 * HOUR)
    assert ADAPTER.idempotency_key(delivery) == ADAPTER.idempotency_key(again)
    assert ADAPTER.idempotency_key(delivery) != ADAPTER.idempotency_key(later)
    assert {e.type for e in after(desk_of(ADAPTER), [delivery, later]).log.values()} == {
        "ticket.created",
        "status.changed",
    }


@pytest.mark.parametrize(
    "changed", [{"ticket_id": ""}, {"triggered_event": "status changed"}, {"triggered_event": "{"}]
)
def test_what_our_template_would_not_send_is_unreadable(changed: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        _reading(None, **changed)


def test_the_template_has_every_key_of_the_samples() -> None:
    assert all(f'"{key}"' in TEMPLATE for key in BODY)


@pytest.mark.parametrize("event", ["{ status : { from : 2 , to : 7 } }", "{status:{from:2, to: 7}}"])
def test_spaces_in_a_rules_event_change_nothing(event: str) -> None:
    assert _reading(triggered_event=event, status=None) == _reading(
        triggered_event="{status:{from:2,to:7}}", status=None
    )


@pytest.mark.parametrize("event", ["{a:" + " " * 15_000, "{" * 15_000, "{:x}", "{a b:c}"])
def test_a_broken_event_of_a_rule_is_unreadable(event: str) -> None:
    with pytest.raises(Unreadable):
        _reading(triggered_event=event)
