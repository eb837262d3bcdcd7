"""What GLPI's deliveries mean beyond the story: kinds of items, who speaks, what has no date, what is no ticket."""

from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, Stale, verify
from app.intake.source_file import SourceFault
from app.intake.systems.glpi import ADAPTER
from app.sla.span import DAY, SECOND
from tests.intake.desk import after, desk_of, source_of
from tests.intake.sample import instant_of, pretty_php, samples, sent

STORY = samples("glpi", pretty_php)
FOLLOWUP: dict[str, Any] = STORY["04_agent_followup"].body
TASK: dict[str, Any] = STORY["06b_task_intervention"].body
TICKET: dict[str, Any] = STORY["03_assigned"].body
RAISED = {"X-GLPI-timestamp": "1772442750"}


def _kinds(delivery: InboundRequest, **said: Any) -> list[str]:
    return [str(event.type) for event in ADAPTER.reading(delivery, source_of(ADAPTER, **said)).events]


def _followup(user: Any, team: list[dict[str, Any]] | None = None, **item: Any) -> InboundRequest:
    parent = FOLLOWUP["parent_item"] if team is None else FOLLOWUP["parent_item"] | {"team": team}
    body = FOLLOWUP | {"item": FOLLOWUP["item"] | {"user": user} | item, "parent_item": parent}
    return sent(body, RAISED)


@pytest.mark.parametrize(
    ("private", "said", "kind"),
    [
        (False, {}, "note.added"),
        (False, {"public_notes_are_replies": True}, "agent.replied"),
        ("0", {"public_notes_are_replies": True}, "agent.replied"),
        (True, {"public_notes_are_replies": True}, "note.added"),
    ],
)
def test_a_desk_may_count_its_public_tasks_as_replies(private: Any, said: dict[str, Any], kind: str) -> None:
    task = TASK | {"item": TASK["item"] | {"is_private": private}}
    assert _kinds(sent(task, RAISED), **said) == [kind]


@pytest.mark.parametrize("name", STORY)
def test_the_kind_of_an_item_is_seen_without_a_header(name: str) -> None:
    delivery = STORY[name].delivery
    bare = {key: value for key, value in delivery.headers.items() if not key.startswith("x-sla")}
    source = source_of(ADAPTER)
    named = ADAPTER.reading(delivery, source)
    assert ADAPTER.reading(InboundRequest(bare, delivery.body, delivery.received_at), source) == named


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"id": 21, "name": "emily.adams"}, "customer.replied"),
        ({"id": "21"}, "customer.replied"),
        ({"id": 7, "name": "marco.rossi"}, "agent.replied"),
        ({"id": 99, "name": "a.colleague"}, "agent.replied"),
    ],
)
def test_the_team_of_the_ticket_tells_who_speaks(user: Any, kind: str) -> None:
    assert _kinds(_followup(user)) == [kind]


REQUESTER = {"id": 21, "name": "emily.adams", "type": "User", "role": "requester"}


@pytest.mark.parametrize(
    ("user", "team"),
    [
        (None, None),
        ({"id": 21}, []),
        ({"id": 30}, [REQUESTER, {"id": 30, "name": "o", "type": "User", "role": "observer"}]),
        ({"id": 31}, [{"id": 5, "name": "Shops", "type": "Group", "role": "requester"}]),
    ],
)
def test_an_author_of_no_known_side_stops_no_clock_and_is_a_warning(user: Any, team: Any) -> None:
    reading = ADAPTER.reading(_followup(user, team), source_of(ADAPTER))
    assert [str(event.type) for event in reading.events] == ["note.added"]
    assert reading.warnings == ("author 'without a name' of glpi is not mapped",)


def test_the_desk_may_say_who_an_unknown_author_is() -> None:
    assert _kinds(_followup(None), unknown_author="agent") == ["agent.replied"]
    assert _kinds(_followup(None), unknown_author="customer") == ["customer.replied"]
    with pytest.raises(SourceFault, match=r"unknown_author: 'agnet' is not known"):
        source_of(ADAPTER, unknown_author="agnet")


def test_one_who_asks_and_is_assigned_acts_for_the_desk() -> None:
    team = [REQUESTER, REQUESTER | {"role": "assigned"}]
    assert _kinds(_followup({"id": 21}, team)) == ["agent.replied"]


def test_a_followup_by_phone_registers_a_call() -> None:
    delivery = _followup({"id": 21}, request_type={"id": 3, "name": "Telefon"})
    assert _kinds(delivery) == ["call.registered", "customer.replied"]


def test_a_ticket_opened_by_phone_registers_a_call_once() -> None:
    item = TICKET["item"] | {"request_type": {"id": 3, "name": "Téléphone"}}
    source = source_of(ADAPTER)
    opened = ADAPTER.reading(sent({"item": item, "event": "new"}), source)
    assert [(str(e.type), e.at) for e in opened.events] == [
        ("call.registered", instant_of("2026-03-02T09:00:00+00:00"))
    ]
    assert opened.snapshots[0].state["channel"] == "phone"
    assert ADAPTER.reading(sent({"item": item, "event": "update"}), source).events == ()


def test_a_task_is_a_note_until_a_rule_says_more() -> None:
    assert _kinds(sent(TASK, RAISED)) == ["note.added"]
    rules = [{"when": {"field": "task.category", "value": "3"}, "then": "intervention.started"}]
    assert _kinds(sent(TASK, RAISED), rules=rules) == ["note.added", "intervention.started"]
    other = TASK | {"item": TASK["item"] | {"category": {"id": 4, "name": "Shopping"}}}
    assert _kinds(sent(other, RAISED), rules=rules) == ["note.added"]


def test_what_bears_no_date_happened_when_it_was_raised() -> None:
    (reply,) = ADAPTER.reading(STORY["10_solution"].delivery, source_of(ADAPTER)).events
    assert reply.at == instant_of("2026-03-02T13:30:00+00:00")


@pytest.mark.parametrize(
    "body",
    [
        FOLLOWUP | {"event": "update"},
        FOLLOWUP | {"item": FOLLOWUP["item"] | {"itemtype": "Change"}},
        {
            "item": {"id": 5, "tickets_id": 310, "submission_date": "2026-03-02T10:00:00+00:00"},
            "event": "new",
        },
        {"item": {"id": 9, "name": "A change", "status": {"id": 1}}, "event": "new"},
    ],
)
def test_an_edit_and_what_is_no_ticket_mean_nothing(body: Any) -> None:
    reading = ADAPTER.reading(sent(body, RAISED), source_of(ADAPTER))
    assert reading.ignored is not None
    assert (reading.events, reading.snapshots) == ((), ())


def test_a_ticket_in_the_bin_is_deleted() -> None:
    assert _kinds(sent(TICKET | {"item": TICKET["item"] | {"is_deleted": True}})) == ["ticket.deleted"]


def test_a_status_is_read_by_number_unless_the_desk_names_it() -> None:
    pending = sent(TICKET | {"item": TICKET["item"] | {"status": {"id": 4, "name": "En attente"}}})
    (snapshot,) = ADAPTER.reading(pending, source_of(ADAPTER)).snapshots
    assert snapshot.state["status"] == "pending"
    (held,) = ADAPTER.reading(pending, source_of(ADAPTER, statuses={"En attente": "on_hold"})).snapshots
    assert held.state["status"] == "on_hold"


def test_an_unknown_status_is_named_and_left_out() -> None:
    approval = sent(TICKET | {"item": TICKET["item"] | {"status": {"id": 10, "name": "Approval"}}})
    reading = ADAPTER.reading(approval, source_of(ADAPTER))
    assert reading.warnings == ("status '10' of glpi is not mapped",)
    assert "status" not in reading.snapshots[0].state


def test_two_changes_of_one_second_stand_as_they_were_raised() -> None:
    open_, pending = TICKET, TICKET | {"item": TICKET["item"] | {"status": {"id": 4, "name": "Pending"}}}
    first, second = (
        sent(body, {"X-GLPI-timestamp": str(1772442360 + n)}) for n, body in enumerate([open_, pending])
    )
    assert after(desk_of(ADAPTER), [first, second]).known("310").status == "pending"
    assert after(desk_of(ADAPTER), [second, first]).known("310").status == "pending"


def test_the_first_of_several_assigned_is_the_assignee_in_whatever_order_they_come() -> None:
    team = [{"id": n, "name": f"t{n}", "type": "User", "role": "assigned"} for n in (9, 7, 8)]
    (snapshot,) = ADAPTER.reading(
        sent(TICKET | {"item": TICKET["item"] | {"team": team}}), source_of(ADAPTER)
    ).snapshots
    assert snapshot.state["assignee"] == "t7"


@pytest.mark.parametrize("body", [{}, {"item": []}, {"item": {"status": 1, "request_type": 1}}, [1], None])
def test_another_payload_is_kept_unread(body: Any) -> None:
    with pytest.raises(Unreadable):
        ADAPTER.reading(sent(body), source_of(ADAPTER))


def test_a_local_time_is_read_in_the_zone_of_the_source() -> None:
    local = sent(TICKET | {"item": TICKET["item"] | {"date_mod": "2026-03-02 10:06:00"}})
    with pytest.raises(Unreadable, match="date_mod"):
        ADAPTER.reading(local, source_of(ADAPTER))
    (snapshot,) = ADAPTER.reading(local, source_of(ADAPTER, time_zone="Europe/Paris")).snapshots
    assert snapshot.at == instant_of("2026-03-02T09:06:00+00:00")


def test_a_delivery_may_be_hours_late_and_its_time_is_signed() -> None:
    sample, scheme = STORY["01_created"], SCHEMES["glpi"]
    raised_at = 1772442000 * SECOND
    assert verify(scheme, sample.delivery, [sample.secret], raised_at + DAY).at == raised_at
    with pytest.raises(Stale):
        verify(scheme, sample.delivery, [sample.secret], raised_at + 30 * DAY)
    later = InboundRequest(
        {**sample.delivery.headers, "x-glpi-timestamp": "1772442001"}, sample.delivery.body, 0
    )
    with pytest.raises(BadSignature):
        verify(scheme, later, [sample.secret], raised_at)
