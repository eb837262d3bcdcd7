"""Jira's webhooks: every composed delivery, a whole life, Server beside Cloud."""

import copy
from itertools import permutations
from random import Random
from typing import Any

import pytest

from app.intake.mapping.events import Unreadable
from app.intake.systems.jira.issue import ADAPTER
from app.sla.event import Event
from tests.intake.desk import Desk, Known, after, desk_of
from tests.intake.sample import Sample, assert_changes, instant_of, samples, sent

SAMPLES = samples("jira")
TICKET = "SUP-1042"
BY_LABEL = {"when": {"tag": "intervention-started"}, "then": "intervention.started"}
LIFE = [name for name in SAMPLES if name != "15_deleted"]


def desk(**said: Any) -> Desk:
    return desk_of(ADAPTER, rules=[BY_LABEL], **said)


def body(name: str, **changed: Any) -> dict[str, Any]:
    """The body of a composed delivery with other values at paths written with double underscores."""
    content = copy.deepcopy(SAMPLES[name].body)
    for path, value in changed.items():
        *above, last = path.split("__")
        inner = content
        for step in above:
            inner = inner[step]
        inner[last] = value
    return content


def recorded(name: str, here: Desk | None = None, **changed: Any) -> list[Event]:
    return (here or desk()).receive(sent(body(name, **changed)))


def item(field: str, old: str | None, new: str | None, **more: Any) -> dict[str, Any]:
    """A delivery with one change of one field."""
    return {
        "items": [{"field": field, "fromString": old, "toString": new, "from": None, "to": None, **more}],
        "id": "7",
    }


# Where the reading is another than the composed expectation, and why.
READ_OTHERWISE: dict[str, dict[str, Any]] = {
    # Priorities are in our words, for one agreement to serve desks of several systems.
    "01_created": {"priority": "normal"},
    "02_priority_changed": {"priority": "high"},
    # All labels that the issue has now, for the agreement to match on.
    "10_labels_changed": {"tags": ["checkout", "intervention-started"]},
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
def test_a_composed_delivery_says_what_it_is_said_to_mean(sample: Sample) -> None:
    assert_changes(desk().receive(sample.delivery), sample, READ_OTHERWISE)


def life(order: list[str], times: int = 1) -> Known:
    return after(desk(), [SAMPLES[name].delivery for name in order for _ in range(times)]).known(TICKET)


def test_any_order_and_any_repetition_of_a_life_ends_the_same() -> None:
    as_it_was, dice = life(LIFE), Random(5)
    assert (as_it_was.status, as_it_was.flags) == ("closed", ())
    for _ in range(25):
        assert life(dice.sample(LIFE, len(LIFE)), times=dice.choice([1, 2, 3])) == as_it_was


def test_a_created_issue_says_who_where_and_what() -> None:
    (event,) = recorded("01_created")
    assert event.data == {
        "title": "Checkout returns 502 since this morning",
        "customer": "Emily Adams",
        "organisation": "Example Foods GmbH",
        "kind": "[system] incident",
        "priority": "normal",
        "status": "open",
        "tags": [],
        "url": "https://example.atlassian.net/browse/SUP-1042",
        "author": "customer",
    }


def test_an_issue_that_an_agent_creates_for_a_customer_is_the_agents() -> None:
    (event,) = recorded("01_created", issue__fields__creator={"accountId": "5b10a2-marco"})
    assert event.data["author"] == "agent"


@pytest.mark.parametrize(
    ("person", "kind"),
    [
        ({"accountId": "qm:1", "accountType": "customer"}, "customer.replied"),
        ({"accountId": "5b10", "accountType": "atlassian"}, "agent.replied"),
        ({"accountId": "5b10"}, "agent.replied"),
        ({"name": "emily", "key": "emily"}, "agent.replied"),
    ],
)
def test_who_wrote_is_told_by_the_kind_of_account(person: dict[str, str], kind: str) -> None:
    assert [e.type for e in recorded("07_customer_reply", comment__author=person)] == [kind]


def test_an_app_writes_automatically() -> None:
    (event,) = recorded("04_agent_reply", comment__author={"accountId": "x", "accountType": "app"})
    assert (event.type, event.human) == ("agent.replied", False)


def test_where_a_desk_lists_its_agents_everybody_else_is_a_customer() -> None:
    listed = desk(agents=["5b10a2-marco"])
    assert [e.type for e in recorded("04_agent_reply", listed)] == ["agent.replied"]
    stranger = {"accountId": "5b10-nina", "accountType": "atlassian"}
    assert [
        e.type for e in recorded("04_agent_reply", listed, comment__id="9", comment__author=stranger)
    ] == ["customer.replied"]


@pytest.mark.parametrize(
    "hidden",
    [
        {"jsdPublic": False},
        {"jsdPublic": None, "visibility": {"type": "role", "value": "Agents"}},
        {"jsdPublic": None, "properties": [{"key": "sd.public.comment", "value": {"internal": True}}]},
    ],
)
def test_a_comment_that_customers_do_not_see_is_a_note(hidden: dict[str, Any]) -> None:
    comment = body("04_agent_reply")["comment"] | hidden
    assert [e.type for e in recorded("04_agent_reply", comment=comment)] == ["note.added"]


def test_a_note_with_the_desks_marker_is_a_fact() -> None:
    ruled = desk_of(ADAPTER, rules=[{"when": {"note": "#restored"}, "then": "service.restored"}])
    events = recorded("06_internal_note", ruled, comment__body="#restored node replaced")
    assert [e.type for e in events] == ["note.added", "service.restored"]


# -- Server ---------------------------------------------------------------------------------------------------------

SERVER_AUTHOR = {"name": "marco", "key": "marco", "displayName": "Marco Rossi"}
SERVER_COMMENT = {
    "self": "https://jira.example.com/rest/api/2/issue/20400/comment/10082",
    "id": "10082",
    "author": SERVER_AUTHOR,
    "body": "Looking into it.",
    "created": "2026-03-02T09:12:30.000+0000",
}
SERVER_ALONE = {"timestamp": 1772442750350, "webhookEvent": "comment_created", "comment": SERVER_COMMENT}


def with_issue() -> dict[str, Any]:
    """The same comment as a Server tells it a second time, with the issue."""
    told_again = body("02_priority_changed")
    del told_again["changelog"]
    return told_again | {"issue_event_type_name": "issue_commented", "comment": SERVER_COMMENT}


def test_a_servers_comment_counts_once_where_it_names_the_issue() -> None:
    here = desk()
    assert here.reading(sent(SERVER_ALONE)).ignored
    assert [e.type for e in here.receive(sent(with_issue()))] == ["agent.replied"]


def test_where_tickets_are_named_by_number_both_tell_of_one_comment() -> None:
    here = desk(subject="id")
    alone, again = here.receive(sent(SERVER_ALONE)), here.receive(sent(with_issue()))
    assert [(e.type, e.subject) for e in alone] == [("agent.replied", "20400")]
    assert again == []


def test_the_reporter_of_a_servers_issue_is_its_customer() -> None:
    commented = with_issue()
    commented["issue"]["fields"]["reporter"] = SERVER_AUTHOR
    assert [e.type for e in desk().receive(sent(commented))] == ["customer.replied"]


EMILY = body("07_customer_reply")["comment"]["author"]
MARCO = body("04_agent_reply")["comment"]["author"]


def with_transition(person: dict[str, Any] = MARCO, **comment: Any) -> dict[str, Any]:
    """A comment that is written on the screen of a transition: `jira:issue_updated` has `comment` beside `changelog`.
    Atlassian's page on webhooks lists both as keys of the callback of an issue event."""
    written = body("04_agent_reply")["comment"] | {"author": person} | comment
    return body("05_status_pending") | {"comment": written, "issue_event_type_name": "issue_generic"}


def alone(person: dict[str, Any] = MARCO) -> dict[str, Any]:
    return body("04_agent_reply", comment__author=person)


@pytest.mark.parametrize(
    "order", [["with", "alone"], ["alone", "with"], ["with"], ["with", "alone", "alone"]]
)
@pytest.mark.parametrize(
    ("person", "kind"),
    [(MARCO, "agent.replied"), (EMILY, "customer.replied")],
)
def test_a_comment_with_a_transition_counts_once(order: list[str], person: Any, kind: str) -> None:
    requests = {"with": sent(with_transition(person)), "alone": sent(alone(person))}
    here = after(desk(), [requests[name] for name in order])
    assert [(fact[0], fact[3].get("status")) for fact in here.facts] == [
        (kind, None),
        ("status.changed", "pending"),
    ]


@pytest.mark.parametrize("order", [["with", "alone"], ["alone", "with"]])
def test_a_reporters_comment_with_a_transition_is_a_customers_in_either_order(order: list[str]) -> None:
    nina = {"accountId": "5b10-nina", "accountType": "atlassian", "displayName": "Nina"}
    changed = with_transition(nina)
    changed["issue"]["fields"]["reporter"] = nina
    requests = {"with": sent(changed), "alone": sent(alone(nina))}
    here = after(desk(), [requests[name] for name in order])
    assert [fact[0] for fact in here.facts] == ["customer.replied", "status.changed"]


def test_a_servers_comment_with_a_transition_counts_too() -> None:
    changed = body("05_status_pending") | {"comment": SERVER_COMMENT}
    assert [e.type for e in desk().receive(sent(changed))] == ["status.changed", "agent.replied"]


@pytest.mark.parametrize("kind", ["issue_comment_edited", "issue_comment_deleted"])
def test_an_older_comment_that_was_edited_or_deleted_is_no_new_one(kind: str) -> None:
    edited = with_issue() | {"issue_event_type_name": kind, "comment": SERVER_COMMENT | {"body": "Edited."}}
    assert after(desk(), [sent(with_issue()), sent(edited)]).facts[0][3]["text"] == "Looking into it."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        # The keys of Atlassian's page "Workflow Post Function": no event is named.
        (
            {"transition": {"transitionName": "Resolve", "to_status": "Done"}, "issue": {"key": "SUP-1"}},
            "workflow",
        ),
        ({"issue": {"key": "SUP-1", "fields": {}}}, "automation rule"),
        # "Issue data (Automation format)" of the action "Send web request".
        ({"self": "https://x", "id": 1, "key": "SUP-1", "changelog": {}, "fields": {}}, "automation rule"),
        ({}, "not a webhook of Jira"),
    ],
)
def test_a_body_without_an_event_says_what_to_use_instead(content: dict[str, Any], said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        desk().reading(sent(content))
    assert caught.value.place == "webhookEvent"
    assert said in caught.value.reason
    assert "Settings > System > WebHooks" in caught.value.reason


def updated(minute: int, status: str, changelog: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An update at that minute after nine, with the issue's fields as of then."""
    written = body("08_status_open", changelog=changelog, timestamp=1772442000350 + minute * 60_000)
    written["issue"]["fields"] |= {
        "status": {"name": status},
        "updated": f"2026-03-02T09:{minute:02}:00.000+0000",
        **fields,
    }
    return written


PRIORITY = item("priority", "Medium", "High")


def test_the_status_of_an_issue_counts_where_the_changelog_does_not_name_it() -> None:
    requests = [
        SAMPLES["01_created"].delivery,
        sent(updated(10, "Waiting for customer", item("status", "Open", "Waiting for customer"))),
        sent(updated(20, "Waiting for support", PRIORITY)),
    ]
    for order in permutations(requests):
        here = after(desk(), order)
        assert here.known(TICKET).status == "open"
        assert here.known(TICKET, instant_of("2026-03-02T09:15:00+00:00")).status == "pending"


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"assignee": {"displayName": "Nina"}}, "assignee", "Nina"),
        ({"labels": ["vip"]}, "tags", ["vip"]),
        ({"priority": {"name": "Highest"}}, "priority", "urgent"),
        ({"customfield_10050": {"value": "Night"}}, "group", "Night"),
    ],
)
def test_any_field_of_an_issue_counts_where_the_changelog_does_not_name_it(
    fields: dict[str, Any], name: str, value: Any
) -> None:
    update = updated(20, "Waiting for support", item("summary", "a", "b"), **fields)
    here = after(desk(group_field="customfield_10050"), [SAMPLES["01_created"].delivery, sent(update)])
    assert here.known(TICKET).fields[name] == value


def test_a_customers_comment_reopens_though_its_issue_still_waits_for_the_customer() -> None:
    pending = updated(10, "Waiting for customer", item("status", "Open", "Waiting for customer"))
    wrote = updated(20, "Waiting for customer", {}) | {
        "comment": SERVER_COMMENT | {"id": "9", "author": EMILY}
    }
    wrote["comment"]["created"] = "2026-03-02T09:20:00.000+0000"
    here = after(desk(), [SAMPLES["01_created"].delivery, sent(pending), sent(wrote)])
    assert here.known(TICKET).status == "open"


def test_a_server_names_fields_and_no_field_ids() -> None:
    assert [e.data for e in recorded("08_status_open", changelog=item("status", "Open", "Resolved"))] == [
        {"status": "solved"}
    ]


# -- changes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changelog", "data"),
    [
        (item("summary", "a", "b"), {"title": "b"}),
        (item("assignee", "Marco", None), {"assignee": None}),
        (item("issuetype", "Task", "Incident"), {"kind": "incident"}),
        (item("priority", "High", None), {"priority": None}),
        (item("labels", "a b", ""), {"tags": []}),
        (
            item("Organizations", None, "ACME", fieldId="customfield_10002"),
            {"organisation": "Example Foods GmbH"},
        ),
    ],
)
def test_a_change_of_a_field_is_an_update(changelog: dict[str, Any], data: dict[str, Any]) -> None:
    (event,) = recorded("08_status_open", changelog=changelog)
    assert (event.type, event.data) == ("ticket.updated", data)


def test_fields_that_no_clock_looks_at_are_ignored() -> None:
    reading = desk().reading(sent(body("08_status_open", changelog=item("description", "a", "b"))))
    assert (reading.events, len(reading.snapshots), reading.warnings) == ((), 1, ())
    bare = desk().reading(sent({"webhookEvent": "jira:issue_updated", "issue": {"key": "SUP-1"}}))
    assert bare.ignored == "no field that a clock looks at has changed"


def test_a_field_of_the_desks_own_is_seen_by_its_id_and_by_its_name() -> None:
    rules = [
        {"when": {"field": "customfield_10060", "value": "restored"}, "then": "service.restored"},
        {"when": {"field": "SLA step"}, "then": "progress.reported"},
    ]
    ruled = desk_of(ADAPTER, rules=rules)
    events = recorded(
        "08_status_open", ruled, changelog=item("SLA step", None, "Restored", fieldId="customfield_10060")
    )
    assert [e.type for e in events] == ["service.restored", "progress.reported"]


def test_a_field_that_a_new_issue_has_already_is_seen() -> None:
    ruled = desk_of(
        ADAPTER, rules=[{"when": {"field": "customfield_10010.requestType.name"}, "then": "request.read"}]
    )
    assert [e.type for e in recorded("01_created", ruled)] == ["ticket.created", "request.read"]


def test_a_status_may_be_mapped_by_its_number() -> None:
    numbered = desk(statuses={"10101": "on_hold"})
    changelog = item("status", "Open", "Warten auf Kunde", to="10101")
    assert [e.data for e in recorded("05_status_pending", numbered, changelog=changelog)] == [
        {"status": "on_hold"}
    ]


def test_an_unknown_status_moves_nothing_and_is_named() -> None:
    reading = desk().reading(sent(body("05_status_pending", changelog=item("status", "Open", "In Review"))))
    assert (reading.events, reading.warnings) == ((), ("status 'In Review' of jira is not mapped",))


def test_an_issue_of_a_dropped_status_is_ignored() -> None:
    assert (
        desk(statuses={"Waiting for customer": "drop"}).reading(SAMPLES["05_status_pending"].delivery).ignored
    )


def test_an_issue_that_moves_is_named_where_keys_are_tickets() -> None:
    moved = sent(body("08_status_open", changelog=item("Key", "SUP-1042", "OPS-9")))
    assert "OPS-9" in desk().reading(moved).warnings[0]
    assert desk(subject="id").reading(moved).warnings == ()


def test_a_queue_is_that_of_the_group_else_of_the_project() -> None:
    by_project = desk(queues={"SUP": "servers"})
    assert recorded("01_created", by_project)[0].data["queue"] == "servers"
    by_group = desk(queues={"SUP": "servers", "night": "night"}, group_field="customfield_10050")
    (event,) = recorded("01_created", by_group, issue__fields__customfield_10050={"value": "Night"})
    assert (event.data["group"], event.data["queue"]) == ("Night", "night")


def test_a_rule_fires_on_the_label_that_is_new_only() -> None:
    labels = item("labels", "checkout intervention-started", "checkout intervention-started vip")
    assert [e.type for e in recorded("10_labels_changed", changelog=labels)] == ["ticket.updated"]


@pytest.mark.parametrize(
    "kind",
    ["comment_deleted", "comment_updated", "worklog_created", "jira:version_released", "sprint_started"],
)
def test_what_concerns_no_clock_is_ignored_without_a_warning(kind: str) -> None:
    reading = desk().reading(sent({"webhookEvent": kind, "timestamp": 1}))
    assert (reading.events, reading.warnings) == ((), ())
    assert reading.ignored


def test_an_event_that_jira_has_yet_to_invent_is_named() -> None:
    reading = desk().reading(sent(body("08_status_open", webhookEvent="jira:issue_dreamt")))
    assert reading.warnings == ("event 'issue_dreamt' of jira is not mapped",)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("08_status_open", {"webhookEvent": None}),
        ("08_status_open", {"issue": {}}),
        ("08_status_open", {"timestamp": None, "issue__fields": {}}),
        ("04_agent_reply", {"comment__id": None}),
        ("15_deleted", {"issue": None}),
    ],
)
def test_a_delivery_without_what_it_needs_is_unreadable(name: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        recorded(name, **changed)


def test_a_delivery_is_told_from_its_repetition_by_its_identifier() -> None:
    ids = {ADAPTER.idempotency_key(sample.delivery) for sample in SAMPLES.values()}
    assert len(ids) == len(SAMPLES)
    assert ADAPTER.idempotency_key(sent({})) is None
