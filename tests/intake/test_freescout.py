"""What FreeScout says beyond the story: threads, spam and drafts, custom fields, the end of a conversation."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.request import InboundRequest
from app.intake.systems.freescout import ADAPTER
from tests.intake.desk import after, desk_of, source_of
from tests.intake.sample import instant_of, samples, sent

STORY = samples("freescout")
BODY: dict[str, Any] = STORY["07_customer_reply"].body
CREATED: dict[str, Any] = STORY["01_created"].body


def _sent(event: str | None, body: dict[str, Any] | None = None, **changed: Any) -> InboundRequest:
    headers = {} if event is None else {"X-FreeScout-Event": event}
    return sent((BODY if body is None else body) | changed, headers)


def _with_threads(*threads: dict[str, Any]) -> dict[str, Any]:
    """The conversation with these threads, newest first, each like the first of the story."""
    like = BODY["_embedded"]["threads"][0]
    return {"_embedded": {"threads": [like | thread for thread in threads]}}


def _kinds(delivery: InboundRequest, **said: Any) -> list[str]:
    return [str(event.type) for event in ADAPTER.reading(delivery, source_of(ADAPTER, **said)).events]


def test_a_reply_whose_delivery_was_lost_comes_in_with_the_next() -> None:
    desk = desk_of(ADAPTER)
    for name, sample in STORY.items():
        if name not in ("04_agent_reply", "05_status_pending"):
            desk.receive(sample.delivery)
    lost = instant_of("2026-03-02T09:12:30+00:00")
    assert [str(e.type) for e in desk.log.values() if e.at == lost] == ["agent.replied"]
    (response,) = [c for c in desk.known("36").clocks if c.commitment == "response"]
    assert response.stopped_at == lost


def test_the_thread_that_opens_the_conversation_is_no_reply() -> None:
    assert _kinds(STORY["01_created"].delivery) == []


def test_a_list_of_threads_that_was_cut_has_no_opening() -> None:
    cut = _with_threads({"id": 92, "createdAt": "2026-03-02T10:05:45Z"})
    assert _kinds(_sent("convo.customer.reply.created", **cut)) == ["customer.replied"]


@pytest.mark.parametrize(
    ("thread", "kinds"),
    [
        ({"type": "note"}, ["note.added"]),
        ({"type": "message"}, ["agent.replied"]),
        ({"type": "lineitem"}, []),
        ({"type": "message", "state": "draft"}, []),
        ({"type": "message", "createdAt": None}, []),
        ({"type": "message", "id": None}, []),
    ],
)
def test_only_a_published_message_is_told(thread: dict[str, Any], kinds: list[str]) -> None:
    assert _kinds(_sent("convo.status", **_with_threads(thread))) == kinds


def test_a_message_that_was_edited_starts_and_stops_nothing_anew() -> None:
    desk = after(desk_of(ADAPTER), [sample.delivery for sample in STORY.values()][:6])
    before = desk.known("36").clocks
    threads = [dict(thread) for thread in BODY["_embedded"]["threads"]]
    threads[0]["body"] = "Here it is: req-7782, sorry."
    edited = _sent("convo.status", updatedAt="2026-03-02T10:06:00Z", _embedded={"threads": threads})
    assert [str(event.type) for event in desk.receive(edited)] == ["customer.replied"]
    assert desk.known("36").clocks == before


def test_spam_from_the_start_means_nothing() -> None:
    reading = ADAPTER.reading(_sent("convo.created", CREATED, status="spam"), source_of(ADAPTER))
    assert (reading.ignored, reading.snapshots) == ("a conversation of status 'spam'", ())


def test_no_promise_runs_on_for_what_turned_out_to_be_spam_and_it_can_come_back() -> None:
    desk = after(desk_of(ADAPTER), [STORY["01_created"].delivery])
    desk.receive(_sent("convo.status", CREATED, status="spam", updatedAt="2026-03-02T09:05:00Z"))
    assert desk.known("36").status == "closed"
    assert {str(clock.state) for clock in desk.known("36").clocks} <= {"cancelled", "stopped"}
    desk.receive(_sent("convo.status", CREATED, updatedAt="2026-03-02T09:07:00Z"))
    response = desk.known("36", instant_of("2026-03-02T09:08:00Z")).clocks[0]
    assert (response.commitment, str(response.state)) == ("response", "running")


@pytest.mark.parametrize("state", ["draft", "deleted"])
def test_a_draft_means_nothing(state: str) -> None:
    reading = ADAPTER.reading(_sent("convo.status", state=state), source_of(ADAPTER))
    assert reading.ignored == f"the conversation is in state {state!r}"
    assert reading.events == ()


def test_a_deletion_for_ever_of_the_same_instant_is_the_same_end() -> None:
    (binned,) = ADAPTER.reading(_sent("convo.deleted"), source_of(ADAPTER)).events
    (gone,) = ADAPTER.reading(_sent("convo.deleted_forever", state="deleted"), source_of(ADAPTER)).events
    assert binned == gone
    assert (str(binned.type), binned.at) == ("ticket.deleted", instant_of("2026-03-02T10:05:45+00:00"))


def test_the_priority_is_a_custom_field_that_the_desk_names() -> None:
    fields = [{"id": 4, "name": "Urgency Level", "value": "1", "text": "Burning"}]
    source = source_of(ADAPTER, priority_field="urgency level", priorities={"burning": "urgent"})
    (snapshot,) = ADAPTER.reading(_sent("convo.status", customFields=fields), source).snapshots
    assert snapshot.state["priority"] == "urgent"
    unmapped = ADAPTER.reading(
        _sent("convo.status", customFields=fields), source_of(ADAPTER, priority_field="Urgency Level")
    )
    assert unmapped.warnings == ("priority 'Burning' of freescout is not mapped",)


def test_a_rule_sees_a_custom_field_change() -> None:
    rules = [{"when": {"field": "custom_fields.next_step", "value": "Restored"}, "then": "service.restored"}]
    desk = after(desk_of(ADAPTER, rules=rules), [STORY["01_created"].delivery])
    chosen = [{"id": 2, "name": "Next step", "value": "4", "text": "Restored"}]
    later = _sent("convo.status", CREATED, updatedAt="2026-03-02T09:05:00Z", customFields=chosen)
    assert [str(event.type) for event in desk.receive(later)] == ["service.restored"]


def test_a_conversation_by_phone_registers_a_call() -> None:
    called = _sent("convo.created", CREATED, type="phone")
    (call,) = ADAPTER.reading(called, source_of(ADAPTER)).events
    assert (str(call.type), call.at) == ("call.registered", instant_of("2026-03-02T09:00:00+00:00"))


def test_another_mailbox_is_another_group() -> None:
    desk = after(desk_of(ADAPTER, queues={"mailbox 2": "dedicated"}), [STORY["01_created"].delivery])
    moved = _sent("convo.moved", CREATED, updatedAt="2026-03-02T16:45:00Z", mailboxId=2)
    (event,) = desk.receive(moved)
    assert event.data == {"group": "mailbox 2", "queue": "dedicated"}


def test_an_event_of_another_kind_means_nothing() -> None:
    reading = ADAPTER.reading(_sent("customer.updated"), source_of(ADAPTER))
    assert reading.ignored == "the event 'customer.updated' concerns no conversation"


@pytest.mark.parametrize("event", ["convo.starred", None])
def test_an_event_that_nobody_knows_is_named_and_its_conversation_read(event: str | None) -> None:
    reading = ADAPTER.reading(_sent(event), source_of(ADAPTER))
    assert reading.warnings == (f"event {event or ''!r} of freescout is not mapped",)
    assert len(reading.snapshots) == 1


def test_the_same_body_under_another_event_is_another_delivery() -> None:
    reply, status = STORY["04_agent_reply"].delivery, STORY["05_status_pending"].delivery
    assert reply.body == status.body
    assert ADAPTER.idempotency_key(reply) != ADAPTER.idempotency_key(status)
    assert ADAPTER.idempotency_key(reply) == ADAPTER.idempotency_key(
        InboundRequest(reply.headers, reply.body, 0)
    )


@pytest.mark.parametrize("body", [{}, [], None, {"id": 36}, {"id": 36, "updatedAt": "soon"}])
def test_another_payload_is_kept_unread(body: Any) -> None:
    with pytest.raises(Unreadable):
        ADAPTER.reading(sent(body, {"X-FreeScout-Event": "convo.status"}), source_of(ADAPTER))
