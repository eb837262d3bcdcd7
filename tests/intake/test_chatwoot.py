"""What Chatwoot's deliveries mean beyond the story: who wrote, what changed, deliveries that overlap."""

from itertools import permutations
from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.systems.chatwoot import ADAPTER
from tests.intake.desk import AT, after, desk_of, source_of
from tests.intake.sample import instant_of, samples, sent

STORY = samples("chatwoot")
MESSAGE: dict[str, Any] = STORY["04_agent_reply"].body
CREATED: dict[str, Any] = STORY["01_created"].body
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


FIRST = {"message_type": 1, "sender_type": "User", "created_at": 1772442001}
"""`messages` holds one element, the last message of the conversation when the job runs (`push_messages` of Chatwoot's
`app/presenters/conversations/event_data_presenter.rb`), in the form of `Message#push_event_data`."""


def test_a_conversation_that_an_agent_begins_is_the_desks() -> None:
    (created,) = _reading({**CREATED, "messages": [FIRST]}).events
    assert created.data["author"] == "agent"


@pytest.mark.parametrize(
    "last",
    [
        {"message_type": 1, "sender_type": "AgentBot"},
        {"message_type": 1, "sender_type": "AgentBot", "created_at": 1772442001},
        {"message_type": 1, "sender_type": "User"},
        {"message_type": 1, "sender_type": "User", "created_at": 1772442600},
        {"message_type": "outgoing", "sender": {"type": "agent_bot"}, "created_at": 1772442000},
        {"message_type": 3, "sender_type": None, "created_at": 1772442000},
        None,
        "text",
    ],
)
def test_the_last_message_of_a_conversation_is_not_taken_for_the_one_that_opened_it(last: Any) -> None:
    (created,) = _reading({**CREATED, "messages": [last]}).events
    assert "author" not in created.data


def test_a_second_creation_with_an_agents_reply_leaves_the_clock_running() -> None:
    reply = {"message_type": 1, "sender_type": "User", "created_at": 1772442600}
    later = {**CREATED, "messages": [reply], "updated_at": 1772442600.5, "priority": "urgent"}
    for order in ([CREATED, later], [later, CREATED]):
        desk = after(desk_of(ADAPTER), [sent(body) for body in order])
        known = desk.known("42", instant_of("2026-03-02T09:15:00+00:00"))
        assert known.fields["author"] == "customer"
        assert known.fields["priority"] == "urgent"
        assert [c.state for c in known.clocks if c.commitment == "response"] == ["running"]
        assert desk.known("42", instant_of("2026-03-02T09:09:00+00:00")).fields.get("priority") is None


def test_a_creation_that_is_read_late_has_its_state_as_of_the_body() -> None:
    late = {**CREATED, "updated_at": 1772442600.5, "status": "snoozed", "labels": ["vip"]}
    events = _reading(late).events
    assert _kinds(_reading(late)) == ["ticket.created", "status.changed", "ticket.updated"]
    assert "status" not in events[0].data
    assert [event.at for event in events[1:]] == [1772442600_500000] * 2


def _body(seconds: float, status: str, changed: dict[str, Any] | None, **content: Any) -> dict[str, Any]:
    """A conversation as of so many seconds after the opening."""
    names = {
        name: {"previous_value": None, "current_value": value} for name, value in (changed or {}).items()
    }
    return {
        **CREATED,
        "event": "conversation_updated",
        "updated_at": 1772442000 + seconds,
        "status": status,
        "changed_attributes": [{name: change} for name, change in names.items()] or None,
        **content,
    }


def test_the_status_of_a_body_counts_where_the_changes_do_not_name_it() -> None:
    marco = {**CREATED["meta"], "assignee": {"email": "marco@helpdesk.example"}}
    requests = [
        sent(CREATED),
        sent(_body(600, "snoozed", {"status": "snoozed"}, event="conversation_status_changed")),
        sent(_body(1200, "open", {"assignee_id": 10}, meta=marco)),
    ]
    for order in permutations(requests):
        desk = after(desk_of(ADAPTER), order)
        assert desk.known("42", AT).status == "open"
        assert desk.known("42", instant_of("2026-03-02T09:15:00+00:00")).status == "pending"
        states = {clock.commitment: str(clock.state) for clock in desk.known("42", AT).clocks}
        assert states["response"] != "paused"


@pytest.mark.parametrize(
    ("content", "field", "value"),
    [
        ({"priority": "urgent"}, "priority", "urgent"),
        ({"labels": ["vip"]}, "tags", ["vip"]),
        ({"meta": {**CREATED["meta"], "team": {"name": "Night"}}}, "group", "Night"),
        ({"meta": {**CREATED["meta"], "assignee": {"name": "Nina"}}}, "assignee", "Nina"),
    ],
)
def test_any_field_of_a_body_counts_where_the_changes_do_not_name_it(
    content: dict[str, Any], field: str, value: Any
) -> None:
    desk = after(desk_of(ADAPTER), [sent(CREATED), sent(_body(600, "open", None, **content))])
    assert desk.known("42").fields[field] == value


def test_the_conversation_of_a_message_is_a_state_too() -> None:
    lost = _body(600, "snoozed", {"status": "snoozed"})
    reply = {**MESSAGE, "conversation": {**_body(1200, "open", None), "event": None}}
    desk = after(desk_of(ADAPTER), [sent(CREATED), sent(lost), sent(reply)])
    assert desk.known("42").status == "open"


def test_a_body_that_is_built_late_does_not_date_the_change_later() -> None:
    # `changed_attributes` are the previous changes of the record, with `updated_at` among them.
    solved = _body(1200, "open", {"status": "resolved", "updated_at": "2026-03-02T09:10:00.000Z"})
    desk = after(
        desk_of(ADAPTER), [sent(CREATED), sent(solved), sent(_body(1200, "open", {"status": "open"}))]
    )
    assert desk.known("42", instant_of("2026-03-02T09:15:00+00:00")).status == "solved"
    assert desk.known("42").status == "open"


def test_a_customers_message_in_a_snoozed_conversation_opens_it_whatever_its_body_still_says() -> None:
    snoozed = _body(600, "snoozed", {"status": "snoozed"})
    wrote = STORY["07_customer_reply"].body
    wrote = {**wrote, "conversation": {**wrote["conversation"], "status": "snoozed"}}
    assert after(desk_of(ADAPTER), [sent(CREATED), sent(snoozed), sent(wrote)]).known("42").status == "open"


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
    assert (reading.events, len(reading.snapshots)) == ((), 1)
    undated = _change("waiting_since", 1, 2, updated_at=None)
    assert (undated.events, undated.ignored) == ((), "no changed attribute concerns a clock")


def test_a_touch_without_changes_means_nothing_but_its_state() -> None:
    reading = _reading({**CHANGED, "changed_attributes": None})
    assert (reading.events, len(reading.snapshots)) == ((), 1)


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
