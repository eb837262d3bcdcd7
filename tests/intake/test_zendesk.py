"""Zendesk's event subscriptions: every composed delivery, a ticket's whole life, and what goes wrong with it."""

import copy
from itertools import permutations
from random import Random
from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.systems.zendesk.subscription import ADAPTER
from app.intake.systems.zendesk.vocabulary import MEANINGLESS
from app.sla.event import Event
from app.sla.span import SECOND
from tests.intake.desk import Desk, Known, after, desk_of
from tests.intake.sample import INFORMAL, Sample, assert_changes, instant_of, samples, sent

SAMPLES = samples("zendesk")
RULES: list[dict[str, Any]] = [
    {"when": {"tag": "intervention_started"}, "then": "intervention.started"},
    {"when": {"note": "#restored"}, "then": "service.restored"},
    {"when": {"field": "custom_fields.SLA step", "value": "progress"}, "then": "progress.reported"},
    {"when": {"field": "via.channel", "value": "voice"}, "then": "call.registered"},
    {"when": {"status": "HOLD"}, "then": "note.added"},
]
TICKET = "5158"
LIFE = [name for name in SAMPLES if name[:2] not in ("14", "15")]
"""The deliveries of one life; merged and deleted are two other ends of it."""


def desk() -> Desk:
    return desk_of(ADAPTER, rules=RULES[:1])


def ruled(*rules: dict[str, Any]) -> Desk:
    return desk_of(ADAPTER, rules=list(rules))


def body(name: str, **changed: Any) -> dict[str, Any]:
    """The body of a composed delivery with other values at dotted places."""
    content = copy.deepcopy(SAMPLES[name].body)
    for path, value in changed.items():
        *above, last = path.split("__")
        inner = content
        for step in above:
            inner = inner[step]
        inner[last] = value
    return content


def recorded(name: str, desk: Desk | None = None, **changed: Any) -> list[Event]:
    return (desk or ruled()).receive(sent(body(name, **changed)))


# Where the reading is another than the composed expectation, and why.
READ_OTHERWISE: dict[str, dict[str, Any]] = {
    # NEW is a status of ours as well; both are open to every clock.
    "01_created": {"status": "new", "title": "Checkout returns 502 since this morning"},
    # The event holds all tags that the ticket has now, for the agreement to match on.
    "10_tags_changed": {"tags": ["checkout", "intervention_started"]},
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
def test_a_composed_delivery_says_what_it_is_said_to_mean(sample: Sample) -> None:
    assert_changes(desk().receive(sample.delivery), sample, READ_OTHERWISE, INFORMAL | {"subject"})


def life(order: list[str], times: int = 1) -> Known:
    deliveries = [SAMPLES[name].delivery for name in order for _ in range(times)]
    return after(desk(), deliveries).known(TICKET)


def test_a_life_ends_as_it_was() -> None:
    known = life(LIFE)
    assert (known.status, known.fields["priority"], known.fields["assignee"]) == (
        "closed",
        "high",
        "8447388090494",
    )
    assert known.flags == ()
    stops = {clock.commitment: clock.stopped_at for clock in known.clocks if clock.cycle == 1}
    assert (stops["response"] or 0) // SECOND == instant_of("2026-03-02T09:12:30+00:00") // SECOND
    assert (stops["gti"] or 0) // SECOND == instant_of("2026-03-02T11:02:00+00:00") // SECOND


def test_any_order_and_any_repetition_of_a_life_ends_the_same() -> None:
    as_it_was, dice = life(LIFE), Random(7)
    for _ in range(25):
        order = dice.sample(LIFE, len(LIFE))
        assert life(order, times=dice.choice([1, 2, 3])) == as_it_was
    assert life(LIFE[::-1]) == as_it_was


def test_a_reply_and_the_status_that_it_brought_count_in_either_order() -> None:
    pair = ["04_agent_reply", "05_status_pending"]
    one, other = (life(["01_created", *order]) for order in permutations(pair))
    assert one == other
    assert one.status == "pending"


def test_a_reply_that_solves_the_ticket_is_a_reply_first() -> None:
    time = body("04_agent_reply")["time"]
    told_here = ruled()
    for name in ("01_created", "04_agent_reply"):
        told_here.receive(SAMPLES[name].delivery)
    told_here.receive(sent(body("11_solved", time=time)))
    response = next(c for c in told_here.known(TICKET).clocks if c.commitment == "response")
    assert (response.state.value, response.met) == ("stopped", True)


@pytest.mark.parametrize(
    ("detail", "name", "value"),
    [
        ({"status": "PENDING"}, "status", "pending"),
        ({"priority": "URGENT"}, "priority", "urgent"),
        ({"assignee_id": 77}, "assignee", "77"),
        ({"group_id": "88"}, "group", "88"),
        ({"tags": ["vip"]}, "tags", ["vip"]),
    ],
)
def test_what_the_ticket_says_counts_where_no_change_names_it(
    detail: dict[str, Any], name: str, value: Any
) -> None:
    # `detail` is the ticket; its `updated_at` is cut to the second (developer.zendesk.com, "Ticket events").
    later = body("04_agent_reply", time="2026-03-02T09:30:00.5Z", id="later", event__comment__id="9")
    later["detail"] |= {"status": "OPEN", "updated_at": "2026-03-02T09:30:00Z", **detail}
    for order in permutations(
        [SAMPLES["01_created"].delivery, SAMPLES["02_priority_changed"].delivery, sent(later)]
    ):
        known = after(desk(), order).known(TICKET)
        assert (known.status if name == "status" else known.fields[name]) == value


def test_a_ticket_as_it_was_before_a_change_does_not_undo_the_change() -> None:
    stale = body("05_status_pending", detail__status="OPEN")
    other = body("04_agent_reply", detail__status="OPEN")
    for order in permutations([SAMPLES["01_created"].delivery, sent(stale), sent(other)]):
        assert after(desk(), order).known(TICKET).status == "pending"


@pytest.mark.parametrize("status", ["OPEN", "Open", "open", " open "])
def test_words_are_read_in_any_case(status: str) -> None:
    assert [e.data for e in recorded("08_status_open", event__current=status)] == [{"status": "open"}]


def test_an_unknown_status_moves_nothing_and_is_named() -> None:
    reading = ruled().reading(sent(body("08_status_open", event__current="SLUMBERING")))
    assert reading.events == ()
    assert reading.warnings == ("status 'SLUMBERING' of zendesk is not mapped",)


def test_a_mapped_status_is_the_desks_to_choose() -> None:
    mapped = desk_of(ADAPTER, statuses={"SLUMBERING": "on_hold"})
    assert recorded("08_status_open", mapped, event__current="SLUMBERING")[0].data == {"status": "on_hold"}


def test_a_ticket_of_a_dropped_status_is_ignored_but_for_its_end() -> None:
    reading = ruled().reading(sent(body("08_status_open", detail__status="DELETED")))
    assert (reading.events, reading.ignored) == ((), "status DELETED is dropped")
    assert [e.type for e in recorded("15_soft_deleted", detail__status="DELETED")] == ["ticket.deleted"]


def test_the_first_message_sent_again_as_a_comment_is_no_reply() -> None:
    time = body("01_created")["time"]
    reading = ruled().reading(
        sent(
            body("07_customer_reply", time=time, event__comment__author__id=9001, detail__submitter_id="9001")
        )
    )
    assert (reading.events, len(reading.snapshots)) == ((), 1)


def test_a_staff_member_who_asks_is_a_customer() -> None:
    events = recorded("04_agent_reply", detail__requester_id="8447388090494")
    assert [e.type for e in events] == ["customer.replied"]


def test_a_message_of_zendesk_itself_is_automatic() -> None:
    (event,) = recorded("04_agent_reply", event__comment__author={"id": -1, "is_staff": True})
    assert (event.type, event.human) == ("agent.replied", False)


def test_a_comment_made_private_was_no_reply() -> None:
    told_here = after(ruled(), [SAMPLES["01_created"].delivery, SAMPLES["04_agent_reply"].delivery])
    made_private = body("04_agent_reply", type="zen:event-type:ticket.comment_made_private", id="x-1")
    told_here.receive(sent(made_private))
    response = next(c for c in told_here.known(TICKET).clocks if c.commitment == "response")
    assert response.stopped_at is None
    assert told_here.known(TICKET).flags == ()


def test_a_note_with_the_desks_marker_is_a_fact() -> None:
    events = recorded(
        "06_internal_note", ruled(RULES[1]), event__comment__body="<p>#Restored, node replaced</p>"
    )
    assert [e.type for e in events] == ["note.added", "service.restored"]


def test_a_public_message_never_fires_a_rule() -> None:
    events = recorded("07_customer_reply", ruled(RULES[1]), event__comment__body="#restored please")
    assert [e.type for e in events] == ["customer.replied"]


def test_a_custom_field_is_seen_by_its_title_and_by_its_id() -> None:
    change = {"current": "Progress", "previous": None, "field": {"id": 11, "title": "SLA step"}}
    kind = "zen:event-type:ticket.custom_field_changed"
    by_id = {"when": {"field": "custom_fields.11", "value": "progress"}, "then": "part.replaced"}
    events = recorded("08_status_open", ruled(RULES[2], by_id), type=kind, event=change)
    assert [e.type for e in events] == ["progress.reported", "part.replaced"]


def test_a_call_is_registered_by_its_channel() -> None:
    events = recorded("01_created", ruled(RULES[3]), detail__via={"channel": "voice"})
    assert [(e.type, e.data.get("channel")) for e in events] == [
        ("ticket.created", "phone"),
        ("call.registered", None),
    ]


def test_a_ticket_that_an_agent_opens_for_a_customer_is_the_agents() -> None:
    (event,) = recorded("01_created", detail__submitter_id="8447388090494")
    assert event.data["author"] == "agent"


def test_a_group_leads_to_the_desks_queue() -> None:
    queued = desk_of(ADAPTER, queues={"8447320466430": "servers"})
    (event,) = recorded("03b_group_changed", queued)
    assert event.data == {"group": "8447320466430", "queue": "servers"}


@pytest.mark.parametrize(
    ("kind", "field", "current", "means"),
    [
        ("organization_changed", "organisation", 77, "77"),
        ("requester_changed", "customer", "9002", "9002"),
        ("subject_changed", "title", "New title", "New title"),
        ("type_changed", "kind", "PROBLEM", "problem"),
        ("agent_assignment_changed", "assignee", "", None),
        ("priority_changed", "priority", None, None),
    ],
)
def test_a_change_of_a_field_is_an_update(kind: str, field: str, current: object, means: object) -> None:
    (event,) = recorded("08_status_open", type=f"zen:event-type:ticket.{kind}", event={"current": current})
    assert (event.type, event.data) == ("ticket.updated", {field: means})


def test_a_restored_ticket_was_not_deleted() -> None:
    told_here = after(ruled(), [SAMPLES["01_created"].delivery, SAMPLES["15_soft_deleted"].delivery])
    assert told_here.known(TICKET).ended_by is not None
    told_here.receive(sent(body("15_soft_deleted", type="zen:event-type:ticket.undeleted", id="x-2")))
    assert told_here.known(TICKET).ended_by is None


@pytest.mark.parametrize("kind", ["permanently_deleted", "marked_as_spam"])
def test_spam_and_what_is_gone_for_good_are_deleted(kind: str) -> None:
    assert [e.type for e in recorded("15_soft_deleted", type=f"zen:event-type:ticket.{kind}")] == [
        "ticket.deleted"
    ]


@pytest.mark.parametrize("kind", sorted(MEANINGLESS))
def test_what_concerns_no_clock_is_ignored_without_a_warning(kind: str) -> None:
    reading = ruled().reading(sent(body("08_status_open", type=f"zen:event-type:ticket.{kind}")))
    assert (reading.events, reading.warnings) == ((), ())
    assert reading.ignored


def test_an_event_that_zendesk_has_yet_to_invent_is_named() -> None:
    reading = ruled().reading(sent(body("08_status_open", type="zen:event-type:ticket.teleported")))
    assert reading.warnings == ("type 'ticket.teleported' of zendesk is not mapped",)


def test_events_about_others_than_tickets_are_ignored() -> None:
    reading = ruled().reading(sent(body("08_status_open", type="zen:event-type:user.created")))
    assert reading.ignored == "user.created is not about a ticket"
    assert reading.warnings == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": None},
        {"detail__id": None, "subject": ""},
        {"time": "soon", "detail__updated_at": None},
    ],
)
def test_a_delivery_without_what_it_needs_is_unreadable(changed: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        recorded("08_status_open", **changed)


def test_a_merge_that_names_no_target_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="target_ticket_id"):
        recorded("14_merged", event={})


def test_an_id_is_the_same_as_number_and_as_text() -> None:
    as_number, as_text = (recorded("05_status_pending", detail__id=value) for value in (5158, "5158"))
    assert [e.id for e in as_number] == [e.id for e in as_text]


def test_a_delivery_is_told_from_its_repetition_by_the_events_id() -> None:
    ids = {ADAPTER.idempotency_key(sample.delivery) for sample in SAMPLES.values()}
    assert len(ids) == len(SAMPLES)
    assert ADAPTER.idempotency_key(sent([])) is None
