"""What the hooks of WHMCS mean beyond the story, and that the PHP file tells of the hooks that are read."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.intake.systems.whmcs import ADAPTER
from tests.intake.desk import after, desk_of, source_of
from tests.intake.sample import samples, sent

STORY = samples("whmcs")
ROW: dict[str, Any] = STORY["04_agent_reply_answered"].body["ticket"]
PHP = Path(__file__).resolve().parents[2] / "integrations" / "whmcs" / "slatimer.php"


def _sent(hook: str, given: dict[str, Any], row: dict[str, Any] | None = ROW) -> InboundRequest:
    body = {"hook": hook, "occurred_at": "2026-03-02T12:00:00.5Z", "vars": given, "ticket": row}
    return sent(body, {"webhook-id": "msg_1"})


def _reading(
    hook: str, given: dict[str, Any], row: dict[str, Any] | None = ROW, said: dict[str, Any] | None = None
) -> Reading:
    return ADAPTER.reading(_sent(hook, given, row), source_of(ADAPTER, **(said or {})))


def _told(reading: Reading) -> list[tuple[str, str]]:
    return [(str(event.type), event.subject) for event in reading.events]


def test_a_ticket_that_an_admin_opens_is_the_desks() -> None:
    (created,) = ADAPTER.reading(STORY["01b_created_by_admin"].delivery, source_of(ADAPTER)).events
    assert (created.type, created.data["author"]) == ("ticket.created", "agent")


def test_a_new_ticket_has_the_fields_of_its_row() -> None:
    row = ROW | {
        "status": "Open",
        "client_group": "Managed",
        "email": "",
        "client_email": "c@customer.example",
    }
    said = {"queues": {"Technical Support": "servers"}}
    (created,) = _reading("TicketOpen", {"ticketid": 4021, "priority": "High"}, row, said).events
    assert created.data == {
        "title": "Checkout returns 502 since this morning",
        "customer": "c@customer.example",
        "organisation": "Example Foods GmbH",
        "plan": "Managed",
        "status": "open",
        "priority": "high",
        "group": "Technical Support",
        "queue": "servers",
        "author": "customer",
    }


def test_a_ticket_without_its_row_is_read_from_the_variables() -> None:
    assert _told(_reading("TicketOpen", {"ticketid": "5", "subject": "Hi"}, None)) == [
        ("ticket.created", "5")
    ]
    assert _told(_reading("TicketDelete", {"ticketId": 5}, None)) == [("ticket.deleted", "5")]


def test_what_changed_comes_from_the_variables_and_not_from_a_row_read_too_early() -> None:
    (event,) = _reading("TicketStatusChange", {"ticketid": 1, "status": "On Hold"}, ROW).events
    assert event.data == {"status": "on_hold"}
    (event,) = _reading("TicketDepartmentChange", {"ticketid": 1, "deptname": "Billing"}, ROW).events
    assert event.data == {"group": "Billing"}


def test_a_flag_that_is_taken_away_leaves_nobody() -> None:
    (event,) = _reading("TicketFlagged", {"ticketid": 1, "adminid": 0, "adminname": ""}).events
    assert event.data == {"assignee": None}


def test_a_split_makes_a_ticket_of_its_own() -> None:
    reading = _reading("TicketSplit", {"originalTicketId": 1, "newTicketID": 2}, ROW | {"id": 2})
    assert _told(reading) == [("ticket.created", "2")]


def test_a_subject_change_is_a_new_title() -> None:
    (event,) = _reading("TicketSubjectChange", {"ticketid": 1, "subject": "Solved?"}).events
    assert event.data == {"title": "Solved?"}


def test_closing_tells_once_though_two_hooks_say_it() -> None:
    story = [STORY["01_created"], STORY["11_closed_hook"], STORY["11b_closed_status_change"]]
    desk = after(desk_of(ADAPTER), [sample.delivery for sample in story])
    assert [e.data for e in desk.log.values() if e.type == "status.changed"] == [{"status": "solved"}]


def test_a_status_of_the_desk_is_a_warning_until_it_is_mapped() -> None:
    given = {"ticketid": 1, "status": "Escalated"}
    assert _reading("TicketStatusChange", given).warnings == ("status 'Escalated' of whmcs is not mapped",)
    said = {"statuses": {"Escalated": "on_hold"}}
    assert _reading("TicketStatusChange", given, said=said).events[0].data == {"status": "on_hold"}


@pytest.mark.parametrize(
    ("hook", "given", "when"),
    [
        ("TicketStatusChange", {"status": "In Progress"}, {"status": "in progress"}),
        ("TicketAdminReply", {"status": "In Progress", "replyid": 3}, {"status": "In Progress"}),
        ("TicketAddNote", {"message": "#started now"}, {"note": "#started"}),
        ("TicketPriorityChange", {"priority": "High"}, {"field": "priority", "value": "high"}),
        ("TicketDepartmentChange", {"deptname": "Ops"}, {"field": "deptname", "value": "Ops"}),
        ("TicketFlagged", {"adminname": "Marco"}, {"field": "adminname"}),
    ],
)
def test_rules_see_what_a_hook_changes(hook: str, given: dict[str, Any], when: dict[str, str]) -> None:
    said = {"rules": [{"when": when, "then": "intervention.started"}]}
    events = _reading(hook, {"ticketid": 1, **given}, said=said).events
    assert [event.type for event in events].count("intervention.started") == 1


def test_a_hook_that_is_not_known_is_a_warning() -> None:
    assert _reading("TicketFoo", {"ticketid": 1}).warnings == ("hook 'TicketFoo' of whmcs is not mapped",)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"hook": "TicketClose", "vars": {"ticketid": 1}},
        {"hook": "TicketClose", "occurred_at": "2026-03-02 10:00:00", "vars": {"ticketid": 1}},
        {"hook": "TicketClose", "occurred_at": "2026-03-02T10:00:00Z", "vars": {}},
        {"hook": "TicketMerge", "occurred_at": "2026-03-02T10:00:00Z", "vars": {"mergedTicketIds": [1]}},
    ],
)
def test_a_body_without_hook_instant_or_ticket_is_unreadable(body: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        ADAPTER.reading(sent(body), source_of(ADAPTER))


def _hooks_of_the_file() -> set[str]:
    listed = re.search(r"const HOOKS = \[(.*?)\];", PHP.read_text(), re.DOTALL)
    assert listed is not None
    return set(re.findall(r"'(\w+)' => '\w+'", listed[1]))


def test_the_php_file_tells_of_the_hooks_that_are_read() -> None:
    assert _hooks_of_the_file() == set(ADAPTER.events_to_tick)


def test_the_php_file_is_filled_in_where_the_template_says() -> None:
    written = PHP.read_text()
    assert ADAPTER.template is not None
    for name in ("URL", "SECRET"):
        assert f"const {name} = '';" in written
        assert f"const {name} = '<{name}>';" in ADAPTER.template
