"""Our template in a Zendesk trigger: a snapshot and a word that says why it was sent."""

import json
from random import Random
from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.source_file import SourceFault
from app.intake.systems.zendesk import trigger
from app.intake.systems.zendesk.trigger import ADAPTER, TEMPLATE, WORDS
from app.sla.event import Event
from tests.intake.desk import Desk, Known, after, desk_of
from tests.intake.sample import Sample, instant_of, samples, sent

SAMPLES = samples(
    "zendesk_trigger", order=["created", "agent_reply_pending", "customer_reply_open", "solved"]
)
TICKET = "5158"


def body(name: str, **changed: Any) -> dict[str, Any]:
    return {**SAMPLES[name].body, **changed}


def recorded(name: str, desk: Desk | None = None, **changed: Any) -> list[Event]:
    return (desk or desk_of(ADAPTER)).receive(sent(body(name, **changed)))


def test_each_delivery_of_a_life_says_what_it_is_said_to_mean() -> None:
    here = desk_of(ADAPTER)
    for sample in SAMPLES.values():
        events = sorted(here.receive(sample.delivery), key=lambda event: event.type)
        assert [e.type for e in events] == [expected["type"] for expected in sample.expect], sample.name
        for event, expected in zip(events, sample.expect, strict=True):
            assert (event.subject, event.at) == (expected["subject"], instant_of(expected["time"]))
            assert expected.get("data", {}).items() <= event.data.items()


def life(order: list[Sample]) -> Known:
    return after(desk_of(ADAPTER), [sample.delivery for sample in order]).known(TICKET)


def test_any_order_and_any_repetition_of_a_life_ends_the_same() -> None:
    as_it_was, dice = life(list(SAMPLES.values())), Random(3)
    assert as_it_was.status == "solved"
    assert as_it_was.fields["tags"] == ["checkout", "vip"]
    for _ in range(25):
        order = [*SAMPLES.values(), *dice.choices(list(SAMPLES.values()), k=3)]
        dice.shuffle(order)
        assert life(order) == as_it_was


def test_the_first_snapshot_is_the_creation_by_whoever_acted() -> None:
    (by_customer,) = recorded("created")
    assert (by_customer.data["author"], by_customer.data["customer"]) == (
        "customer",
        "emily.adams@customer.example",
    )
    (by_agent,) = recorded("created", actor_role="Agent", actor_email="marco.rossi@helpdesk.example")
    assert by_agent.data["author"] == "agent"


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("public_comment", ["agent.replied", "ticket.created"]),
        ("private_comment", ["note.added", "ticket.created"]),
        ("ticket_updated", ["ticket.created"]),
    ],
)
def test_the_word_tells_a_message_from_a_change(word: str, kinds: list[str]) -> None:
    events = recorded("solved", event=word, comment_public="", created_at="2026-03-02T13:30:00Z")
    assert sorted(e.type for e in events) == kinds


def test_a_word_that_no_trigger_of_ours_sends_is_named_and_the_state_is_taken() -> None:
    reading = desk_of(ADAPTER).reading(sent(body("solved", event="ticket_solved")))
    assert reading.warnings == ("event 'ticket_solved' of zendesk-trigger is not mapped",)
    assert len(reading.snapshots) == 1


def test_quotes_in_a_title_break_the_json_but_not_the_reading() -> None:
    filled = json.dumps(body("created"), indent=2)
    broken = filled.replace("Checkout returns 502 since this morning", 'Checkout says "502 {bad}", again')
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    delivery = sent({})
    (event,) = desk_of(ADAPTER).receive(
        type(delivery)(delivery.headers, broken.encode(), delivery.received_at)
    )
    assert event.data["title"] == 'Checkout says "502 {bad}", again'
    assert event.data["status"] == "new"


def test_a_body_that_is_not_our_template_is_unreadable() -> None:
    delivery = sent({})
    for raw in (b"ticket 5158 changed", b"{", b'"ticket_id": 5158'):
        with pytest.raises(Unreadable):
            desk_of(ADAPTER).receive(type(delivery)(delivery.headers, raw, delivery.received_at))


@pytest.mark.parametrize("missing", ["ticket_id", "updated_at"])
def test_a_template_without_what_it_needs_is_unreadable(missing: str) -> None:
    with pytest.raises(Unreadable, match=missing):
        desk_of(ADAPTER).receive(sent({**body("solved"), missing: ""}))


def test_words_of_another_language_are_the_desks_to_map() -> None:
    german = {"status": "Wartend", "actor_role": "Endbenutzer", "actor_email": "cc@customer.example"}
    unmapped = desk_of(ADAPTER).reading(sent(body("customer_reply_open", **german)))
    assert [e.type for e in unmapped.events] == []
    assert unmapped.warnings == (
        "role 'Endbenutzer' of zendesk-trigger is not mapped",
        "status 'Wartend' of zendesk-trigger is not mapped",
    )
    mapped = desk_of(ADAPTER, statuses={"Wartend": "pending"}, roles={"Endbenutzer": "customer"})
    reading = mapped.reading(sent(body("customer_reply_open", **german)))
    assert ([e.type for e in reading.events], reading.warnings) == (["customer.replied"], ())
    assert reading.snapshots[0].state["status"] == "pending"


def test_a_role_is_a_customer_or_an_agent() -> None:
    with pytest.raises(SourceFault, match="Endbenutzer"):
        desk_of(ADAPTER, roles={"Endbenutzer": "boss"})


def test_what_nobody_did_is_automatic() -> None:
    (event, *_) = recorded("agent_reply_pending", actor_role="", actor_email="")
    assert (event.type, event.human) == ("agent.replied", False)


def test_an_empty_placeholder_is_an_empty_field_and_a_missing_one_says_nothing() -> None:
    without = {key: value for key, value in body("solved").items() if key != "group"}
    empty = desk_of(ADAPTER).reading(sent({**without, "assignee": ""})).snapshots[0].state
    assert empty["assignee"] is None
    assert "group" not in empty


def test_a_tag_newly_there_is_what_the_desk_says_it_is() -> None:
    rule = {"when": {"tag": "vip"}, "then": "intervention.started"}
    here = desk_of(ADAPTER, rules=[rule])
    here.receive(sent(body("created", tags="checkout")))
    assert "intervention.started" in [e.type for e in recorded("agent_reply_pending", here)]
    assert "intervention.started" not in [e.type for e in recorded("customer_reply_open", here)]


def test_a_ticket_of_a_dropped_status_is_ignored() -> None:
    assert (
        desk_of(ADAPTER).reading(sent(body("solved", status="Deleted"))).ignored
        == "status Deleted is dropped"
    )


def test_a_delivery_is_told_from_its_repetition_by_its_invocation() -> None:
    assert ADAPTER.idempotency_key(SAMPLES["solved"].delivery) == "7CD59CCEF31B5A958EF0FCEFBD"
    assert ADAPTER.idempotency_key(sent({})) is None


def test_the_template_names_all_four_words_and_is_json() -> None:
    template = json.loads(TEMPLATE)
    assert all(word in template["event"] for word in WORDS)
    assert {"ticket_id", "updated_at", "status"} <= template.keys()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('  "subject" : "a "b": c" , ', ("subject", 'a "b": c')),
        ('"subject": ""', ("subject", "")),
        ('"subject": "', None),
        ('"sub ject": "a"', None),
        ("{", None),
    ],
)
def test_a_line_of_the_template_is_its_name_and_what_stands_between_the_outer_quotes(
    line: str, expected: tuple[str, str] | None
) -> None:
    assert trigger._entry(line) == expected
