"""What Chatwoot's deliveries mean beyond the story: who wrote, what changed, deliveries that overlap."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.systems.chatwoot import ADAPTER
from tests.intake.desk import after, desk_of, source_of
from tests.intake.sample import samples, sent

STORY = samples("chatwoot")
MESSAGE: dict[str, Any] = STORY["04_agent_reply"].body
CHANGED: dict[str, Any] = STORY["02_priority_changed"].body
USER = MESSAGE["sender"]


def _reading(body: dict[str, Any], **said: Any) -> Reading:
    return ADAPTER.reading(sent(body), source_of(ADAPTER, **said))


def _message(**changed: Any) -> Reading:
    return _reading({**MESSAGE, **changed})


def _change(name: str, before: Any, now: Any, **content: Any) -> Reading:
    attributes = [{name: {"previous_value": before, "current_value": now}}]
    return _reading({**CHANGED, "changed_attributes": attributes, **content})


def _kinds(reading: Reading) -> list[str]:
    return [str(event.type) for event in reading.events]


@pytest.mark.parametrize(
    ("changed", "kinds", "automatic"),
    [
        ({}, ["agent.replied"], None),
        ({"message_type": 1}, ["agent.replied"], None),
        ({"message_type": "incoming", "sender": {"email": "e@c.example"}}, ["customer.replied"], None),
        ({"message_type": 0, "sender": None}, ["customer.replied"], None),
        ({"private": True}, ["note.added"], None),
        ({"sender": {"id": 3, "type": "agent_bot"}}, ["agent.replied"], True),
        ({"sender": None}, ["agent.replied"], True),
        ({"sender": {"id": 3, "email": "m@h.example"}}, ["agent.replied"], None),
        ({"sender": USER, "content_attributes": {"automation_rule_id": 4}}, ["agent.replied"], True),
    ],
)
def test_a_message_is_what_type_and_sender_make_it(
    changed: dict[str, Any], kinds: list[str], automatic: bool | None
) -> None:
    reading = _message(**changed)
    assert _kinds(reading) == kinds
    assert reading.events[0].data.get("automatic") == automatic


@pytest.mark.parametrize("sort", ["activity", "template", 2, 3])
def test_activities_and_templates_are_no_messages(sort: str | int) -> None:
    reading = _message(message_type=sort)
    assert (reading.events, reading.warnings) == ((), ())
    assert reading.ignored is not None


def test_the_opening_message_may_be_stored_in_the_next_second() -> None:
    body = STORY["01b_first_message"].body
    assert _reading({**body, "created_at": "2026-03-02T09:00:01.900Z"}).events == ()
    assert _kinds(_reading({**body, "created_at": "2026-03-02T09:00:09Z"})) == ["customer.replied"]


def test_a_conversation_that_an_agent_begins_is_the_desks() -> None:
    body = STORY["01_created"].body
    (created,) = _reading({**body, "messages": [{"message_type": 1}]}).events
    assert created.data["author"] == "agent"


def test_one_change_told_by_two_deliveries_is_told_once() -> None:
    changed = STORY["05_status_snoozed"].body
    desk = after(
        desk_of(ADAPTER), [sent(changed), sent({**changed, "event": "conversation_updated"}), sent(changed)]
    )
    assert [event.data for event in desk.log.values()] == [{"status": "pending"}]


def test_with_the_bot_is_open() -> None:
    assert _change("status", "resolved", "pending").events[0].data == {"status": "open"}


def test_what_was_taken_away_is_empty() -> None:
    meta = {**CHANGED["meta"], "assignee": None, "team": None}
    assert _change("assignee_id", 10, None, meta=meta).events[0].data == {"assignee": None}
    assert _change("team_id", 4, None, meta=meta).events[0].data == {"group": None}
    assert _change("priority", "high", None, priority=None).events[0].data == {"priority": None}


def test_attributes_of_no_clock_mean_nothing() -> None:
    reading = _change("waiting_since", 1, 2)
    assert (reading.events, reading.ignored) == ((), "no changed attribute concerns a clock")


def test_a_touch_without_changes_means_nothing() -> None:
    assert _reading({**CHANGED, "changed_attributes": None}).ignored is not None


def test_a_group_has_the_queue_that_the_desk_gave_it() -> None:
    body = STORY["03_assigned"].body
    (event,) = _reading(body, queues={"second line": "servers"}).events
    assert event.data["queue"] == "servers"


def test_rules_see_labels_that_are_new_and_fields_that_changed() -> None:
    rules = [
        {"when": {"tag": "checkout"}, "then": "call.registered"},
        {"when": {"tag": "vip"}, "then": "intervention.started"},
        {"when": {"field": "custom_attributes.step", "value": "up"}, "then": "service.restored"},
    ]
    labels = _reading(STORY["10_labels_changed"].body, rules=rules)
    assert _kinds(labels) == ["ticket.updated", "intervention.started"]
    attributes = [{"custom_attributes": {"previous_value": {}, "current_value": {"step": "up"}}}]
    body = {**CHANGED, "changed_attributes": attributes, "custom_attributes": {"step": "up"}}
    assert _kinds(_reading(body, rules=rules)) == ["service.restored"]


@pytest.mark.parametrize("event", ["contact_created", "webwidget_triggered", "message_updated"])
def test_events_of_no_clock_mean_nothing(event: str) -> None:
    assert _reading({**MESSAGE, "event": event}).ignored == f"{event} concerns no clock"


def test_words_that_are_not_mapped_are_warnings() -> None:
    assert _reading({"event": "conversation_exploded"}).warnings == (
        "event 'conversation_exploded' of chatwoot is not mapped",
    )
    assert _change("status", "open", "waiting").warnings == ("status 'waiting' of chatwoot is not mapped",)
    assert _message(message_type="telegram").warnings == (
        "message type 'telegram' of chatwoot is not mapped",
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "message_created"},
        {**MESSAGE, "created_at": None},
        {**MESSAGE, "id": None},
        {**CHANGED, "updated_at": None, "last_activity_at": None},
        {"event": "conversation_created", "id": 4},
    ],
)
def test_a_body_without_event_id_or_instant_is_unreadable(body: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        _reading(body)
