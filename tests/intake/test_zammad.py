"""What Zammad's deliveries mean beyond the story: articles of every kind, states that end a ticket, odd payloads."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.request import InboundRequest
from app.intake.systems.zammad import ADAPTER
from app.sla.event import Event
from tests.intake.desk import AT, after, desk_of, source_of
from tests.intake.sample import instant_of, samples, sent

STORY = samples("zammad")
TICKET: dict[str, Any] = STORY["03_assigned"].body["ticket"]
ARTICLE: dict[str, Any] = STORY["04_agent_reply_pending"].body["article"]


def _sent(ticket: dict[str, Any] | None = None, article: dict[str, Any] | None = None) -> InboundRequest:
    return sent({"ticket": TICKET | (ticket or {}), "article": article})


def _told(article: dict[str, Any], ticket: dict[str, Any] | None = None, **said: Any) -> list[Event]:
    delivery = _sent({"article_ids": [104, 200], **(ticket or {})}, ARTICLE | {"id": 200} | article)
    return list(ADAPTER.reading(delivery, source_of(ADAPTER, **said)).events)


def _kinds(events: list[Event]) -> list[str]:
    return [str(event.type) for event in events]


@pytest.mark.parametrize(
    ("article", "kinds"),
    [
        ({"sender": "Customer"}, ["customer.replied"]),
        ({"sender": "Agent"}, ["agent.replied"]),
        ({"sender": "Agent", "internal": True}, ["note.added"]),
        ({"sender": "Customer", "internal": True}, ["note.added"]),
        ({"sender": "Agent", "type": "note", "internal": False}, ["note.added"]),
        ({"sender": "Customer", "type": "note", "internal": False}, ["customer.replied"]),
        ({"sender": "Customer", "type": "note", "internal": "false"}, ["customer.replied"]),
        ({"sender": "Customer", "type": "note", "internal": True}, ["note.added"]),
        ({"sender": "Customer", "type": None, "internal": None}, ["customer.replied"]),
        ({"sender": "Agent", "type": "phone"}, ["call.registered", "agent.replied"]),
        ({"sender": "Customer", "type": "phone"}, ["call.registered", "customer.replied"]),
        ({"sender": "Agent", "type": "phone", "internal": True}, ["note.added"]),
        ({"sender": "System"}, []),
        ({"sender": {"id": 1, "name": "Agent"}, "type": {"name": "web"}}, ["agent.replied"]),
    ],
)
def test_an_article_is_what_its_sender_and_type_make_it(article: dict[str, Any], kinds: list[str]) -> None:
    assert _kinds(_told(article)) == kinds


@pytest.mark.parametrize(
    "sort",
    # `db/seeds/ticket_article_types.rb` of Zammad; all but `note` are communication.
    [
        "email",
        "sms",
        "chat",
        "fax",
        "web",
        "telegram personal-message",
        "whatsapp message",
        "facebook feed post",
    ],
)
@pytest.mark.parametrize(("sender", "kind"), [("Customer", "customer.replied"), ("Agent", "agent.replied")])
def test_a_public_article_of_any_type_of_communication_is_a_message(
    sort: str, sender: str, kind: str
) -> None:
    assert _kinds(_told({"sender": sender, "type": sort})) == [kind]


@pytest.mark.parametrize(
    ("article", "kinds"),
    [
        ({"internal": False}, ["agent.replied"]),
        ({"internal": True}, ["note.added"]),
        ({"internal": False, "sender": "System"}, []),
    ],
)
def test_a_desk_may_count_its_public_notes_as_replies(article: dict[str, Any], kinds: list[str]) -> None:
    note = {"sender": "Agent", "type": "note"} | article
    assert _kinds(_told(note, public_notes_are_replies=True)) == kinds
    if kinds == ["agent.replied"]:
        assert _kinds(_told(note, public_notes_are_replies=False)) == ["note.added"]


def test_a_note_that_a_portal_writes_for_a_customer_starts_the_next_reply() -> None:
    note = ARTICLE | {
        "id": 200,
        "sender": "Customer",
        "type": "note",
        "created_at": "2026-03-02T09:30:00.000Z",
    }
    ticket = {"article_ids": [104, 200], "updated_at": "2026-03-02T09:30:00.000Z", "state": "open"}
    desk = after(desk_of(ADAPTER), [STORY["01_created"].delivery, _sent(ticket, note)])
    states = {clock.commitment: str(clock.state) for clock in desk.known("81", AT).clocks}
    assert states["next"] == "running"


def test_a_call_is_the_customers_whoever_typed_it() -> None:
    call, reply = _told({"sender": "Customer", "type": "phone"})
    assert call.data == {"author": "customer", "reference": "article 200"}
    assert reply.data["author"] == "customer"


def test_the_first_article_is_the_creation_and_no_reply() -> None:
    assert _told({"id": 104, "sender": "Customer"}) == []
    assert _told({"id": 104, "sender": "Customer"}, {"article_ids": None, "article_count": 1}) == []


def test_a_ticket_that_begins_with_a_call_registers_it() -> None:
    assert _kinds(_told({"id": 104, "sender": "Customer", "type": "phone"})) == ["call.registered"]


def test_an_answer_by_a_machine_is_automatic() -> None:
    (reply,) = _told({"sender": "Customer", "preferences": {"is-auto-response": True}})
    assert reply.data["automatic"] is True
    assert not reply.human


def test_html_is_read_as_text() -> None:
    (reply,) = _told({"content_type": "text/html", "body": "<p>One &amp; two</p><p>three</p>"})
    assert reply.data["text"] == "One & two\nthree"


def test_a_marker_in_a_note_is_a_fact_and_in_a_customers_mail_is_none() -> None:
    rules = [{"when": {"note": "#restored"}, "then": "service.restored"}]
    marked = {"body": "#restored, node is back"}
    assert _kinds(_told(marked | {"internal": True}, rules=rules)) == ["note.added", "service.restored"]
    assert _kinds(_told(marked | {"sender": "Customer"}, rules=rules)) == ["customer.replied"]


@pytest.mark.parametrize("article", [None, {}, [], "", {"id": None}])
def test_a_change_without_an_article_is_read(article: Any) -> None:
    reading = ADAPTER.reading(sent({"ticket": TICKET, "article": article}), source_of(ADAPTER))
    assert (reading.events, len(reading.snapshots), reading.warnings) == ((), 1, ())


def test_a_sender_that_nobody_knows_is_named() -> None:
    reading = ADAPTER.reading(_sent({}, ARTICLE | {"sender": "Robot"}), source_of(ADAPTER))
    assert reading.events == ()
    assert reading.warnings == ("sender 'robot' of zammad is not mapped",)


def test_an_unknown_state_leaves_the_clocks_alone_and_is_named() -> None:
    desk = after(desk_of(ADAPTER), [STORY["01_created"].delivery, STORY["04_agent_reply_pending"].delivery])
    before = desk.known("81")
    unknown = _sent({"state": "waiting for vendor", "updated_at": "2026-03-02T09:30:00.000Z"})
    assert desk.reading(unknown).warnings == ("status 'waiting for vendor' of zammad is not mapped",)
    desk.receive(unknown)
    assert desk.known("81").status == "pending"
    assert desk.known("81").clocks == before.clocks


def test_a_state_of_the_desks_own_is_mapped_in_its_file() -> None:
    source = source_of(ADAPTER, statuses={"Waiting for Vendor": "on_hold"}, priorities={"4 top": "urgent"})
    delivery = _sent({"state": "waiting for vendor", "priority": {"name": "4 top"}})
    (snapshot,) = ADAPTER.reading(delivery, source).snapshots
    assert (snapshot.state["status"], snapshot.state["priority"]) == ("on_hold", "urgent")


def test_a_group_leads_to_its_queue() -> None:
    source = source_of(ADAPTER, queues={"second line": "infrastructure"})
    (snapshot,) = ADAPTER.reading(_sent(), source).snapshots
    assert (snapshot.state["group"], snapshot.state["queue"]) == ("Second line", "infrastructure")
    (elsewhere,) = ADAPTER.reading(_sent({"group": {"name": "Sales"}}), source).snapshots
    assert elsewhere.state["queue"] is None


def test_the_owner_of_what_nobody_owns_is_nobody() -> None:
    (snapshot,) = ADAPTER.reading(STORY["01_created"].delivery, source_of(ADAPTER)).snapshots
    assert snapshot.state["assignee"] is None


def test_no_clock_runs_on_in_a_merged_ticket() -> None:
    desk = after(desk_of(ADAPTER), [STORY["01_created"].delivery, STORY["14_merged"].delivery])
    states = {clock.commitment: str(clock.state) for clock in desk.known("81").clocks}
    assert states == {"response": "cancelled", "gti": "cancelled", "gtr": "cancelled"}


def test_a_removed_ticket_is_deleted() -> None:
    reading = ADAPTER.reading(_sent({"state": "removed"}), source_of(ADAPTER))
    assert _kinds(list(reading.events)) == ["ticket.deleted"]
    assert reading.events[0].at == instant_of("2026-03-02T09:06:00+00:00")


def test_a_state_that_the_desk_drops_means_nothing() -> None:
    reading = ADAPTER.reading(_sent({"state": "spam"}), source_of(ADAPTER, statuses={"spam": "drop"}))
    assert (reading.ignored, reading.snapshots) == ("a ticket in state 'spam'", ())


def test_a_ticket_opened_by_an_agent_waits_for_no_answer() -> None:
    desk = after(desk_of(ADAPTER), [_sent({"create_article_sender": "Agent"})])
    assert desk.evaluation("81", AT).ticket.fields["author"] == "agent"


@pytest.mark.parametrize(
    "body",
    [
        {"event": "custom"},
        [],
        "text",
        None,
        {"ticket": {"id": 81}},
        {"ticket": {"id": 81, "updated_at": "soon"}},
    ],
)
def test_another_payload_is_kept_unread(body: Any) -> None:
    with pytest.raises(Unreadable):
        ADAPTER.reading(sent(body), source_of(ADAPTER))


def test_a_retry_bears_the_id_of_the_first_attempt() -> None:
    assert ADAPTER.idempotency_key(STORY["01_created"].delivery) == "76723bbb-396a-538a-bbb3-6eb47283ed87"
    assert ADAPTER.idempotency_key(_sent()) is None
