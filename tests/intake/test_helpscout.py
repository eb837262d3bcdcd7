"""What Help Scout's deliveries mean beyond the story: who wrote is the event's name, and dates are put together."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.request import InboundRequest
from app.intake.systems.helpscout import ADAPTER
from tests.intake.desk import after, desk_of, source_of
from tests.intake.sample import instant_of, samples, sent

STORY = samples("helpscout")
BODY: dict[str, Any] = STORY["created"].body
WAITING = "customerWaitingSince"


def _sent(event: str, **changed: Any) -> InboundRequest:
    return sent(BODY | changed, {"X-HelpScout-Event": event})


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("convo.customer.reply.created", ["customer.replied"]),
        ("convo.agent.reply.created", ["agent.replied"]),
        ("convo.note.created", ["note.added"]),
        ("convo.status", []),
        ("convo.merged", []),
    ],
)
def test_the_name_of_the_event_tells_who_wrote(event: str, kinds: list[str]) -> None:
    reading = ADAPTER.reading(_sent(event), source_of(ADAPTER))
    assert [str(e.type) for e in reading.events] == kinds
    assert reading.warnings == ()


def test_threads_that_come_along_tell_more_than_the_name() -> None:
    threads = [
        {"id": 2, "type": "reply", "state": "published", "createdAt": "2026-03-02T09:12:29Z", "body": "Hm."},
        {"id": 1, "type": "customer", "state": "published", "createdAt": "2026-03-02T09:00:00Z"},
    ]
    delivery = _sent("convo.agent.reply.created", _embedded={"threads": threads})
    (reply,) = ADAPTER.reading(delivery, source_of(ADAPTER)).events
    assert reply.at == instant_of("2026-03-02T09:12:29+00:00")
    assert reply.data == {"author": "agent", "text": "Hm."}


def test_a_customers_message_after_the_last_work_is_dated_by_the_wait() -> None:
    delivery = _sent(
        "convo.customer.reply.created",
        userUpdatedAt="2026-03-02T09:12:30Z",
        customerWaitingSince={"time": "2026-03-02T10:05:45Z", "latestReplyFrom": "customer"},
    )
    reading = ADAPTER.reading(delivery, source_of(ADAPTER))
    assert reading.events[0].at == reading.snapshots[0].at == instant_of("2026-03-02T10:05:45+00:00")


def test_two_messages_of_one_instant_are_two() -> None:
    desk = after(desk_of(ADAPTER), [_sent("convo.customer.reply.created", threads=n) for n in (4, 5, 5)])
    assert [str(e.type) for e in desk.log.values()].count("customer.replied") == 2


def test_a_tag_is_a_fact_when_it_appears_and_not_while_it_stays() -> None:
    rules = [{"when": {"tag": "Restored"}, "then": "service.restored"}]
    desk = after(desk_of(ADAPTER, rules=rules), [_sent("convo.created")])
    tagged = [{"id": 1, "tag": "restored"}]
    first = desk.receive(_sent("convo.tags", tags=tagged, userUpdatedAt="2026-03-02T11:00:00Z"))
    assert [str(e.type) for e in first] == ["ticket.updated", "service.restored"]
    assert desk.receive(_sent("convo.status", tags=tagged, userUpdatedAt="2026-03-02T11:30:00Z")) == []


def test_a_deletion_without_a_date_is_marked() -> None:
    deleted = STORY["deleted"].delivery
    (event,) = ADAPTER.reading(deleted, source_of(ADAPTER)).events
    assert (event.at, event.data) == (deleted.received_at, {"time_uncertain": True})


def test_a_customer_without_an_address_is_a_number() -> None:
    (snapshot,) = ADAPTER.reading(
        _sent("convo.status", primaryCustomer={"id": 238604}, assignee=None), source_of(ADAPTER)
    ).snapshots
    assert (snapshot.state["customer"], snapshot.state["assignee"]) == ("238604", None)


def test_the_same_body_under_another_event_is_another_delivery() -> None:
    assert ADAPTER.idempotency_key(_sent("convo.status")) != ADAPTER.idempotency_key(_sent("convo.tags"))


def test_an_event_of_another_kind_means_nothing() -> None:
    reading = ADAPTER.reading(_sent("satisfaction.ratings"), source_of(ADAPTER))
    assert reading.ignored == "the event 'satisfaction.ratings' concerns no conversation"


@pytest.mark.parametrize("body", [{}, {"id": 7001}, {"_links": {"self": {"href": "x"}}}, []])
def test_a_notification_without_a_conversation_is_kept_unread(body: Any) -> None:
    with pytest.raises(Unreadable):
        ADAPTER.reading(sent(body, {"X-HelpScout-Event": "convo.status"}), source_of(ADAPTER))
