"""Source files with expressions: what can be said in them, and how a fault in one is named."""

import json
from typing import Any

import pytest

from app.intake.challenge import Answer
from app.intake.expressions.adapter import ADAPTER, adapter_of
from app.intake.expressions.query import NoExpression, Query
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.intake.source_file import SourceFault, parse_sources
from tests.intake.sample import compact, instant_of

RECEIVED_AT = instant_of("2026-03-02T12:00:00Z")

READ: dict[str, Any] = {
    "ticket": "id",
    "time": "at",
    "type": "what",
    "types": {"opened": "ticket.created", "said": "reply", "done": ["service.restored", "status:solved"]},
}
BODY = {"id": 7, "at": "2026-03-02T10:00:00Z", "what": "opened"}


def _source(read: dict[str, Any], **said: Any) -> Source:
    table = {"scheme": "token", "read": read, **said}
    return parse_sources({"sources": {"ours": table}}, "d", {"expression": ADAPTER})["ours"]


def _sent(body: Any, **headers: str) -> InboundRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return InboundRequest.of(named, compact(body).encode(), RECEIVED_AT)


def _reading(read: dict[str, Any], body: Any, said: dict[str, Any] | None = None, **headers: str) -> Reading:
    source = _source(read, **(said or {}))
    return adapter_of(source).reading(_sent(body, **headers), source)


def _kinds(reading: Reading) -> list[str]:
    return [str(event.type) for event in reading.events]


def _faults(read: Any, **said: Any) -> list[str]:
    with pytest.raises(SourceFault) as refused:
        _source(read, **said)
    return [str(fault) for fault in refused.value.faults]


def test_a_type_may_stand_for_several_facts() -> None:
    reading = _reading(READ, {**BODY, "what": "done"})
    assert _kinds(reading) == ["service.restored", "status.changed"]
    assert [event.at for event in reading.events] == [instant_of("2026-03-02T10:00:00Z")] * 2
    assert reading.events[1].data == {"status": "solved"}


def test_types_may_come_as_a_list_of_which_the_empty_ones_do_not_count() -> None:
    read = READ | {"type": "[what == 'opened' && 'opened', closed && 'done', nothing]"}
    assert _kinds(_reading(read, {**BODY, "closed": True})) == [
        "ticket.created",
        "service.restored",
        "status.changed",
    ]


def test_types_are_compared_without_case() -> None:
    assert _kinds(_reading(READ, {**BODY, "what": "OPENED"})) == ["ticket.created"]


def test_an_unknown_type_is_a_warning_unless_the_file_says_what_anything_else_is() -> None:
    reading = _reading(READ, {**BODY, "what": "poked"})
    assert (reading.events, reading.warnings) == ((), ("type 'poked' of ours is not mapped",))
    ignoring = READ | {"types": {**READ["types"], "*": "ignore"}}
    assert _reading(ignoring, {**BODY, "what": "poked"}).ignored == "it reports no event"


@pytest.mark.parametrize(
    ("who", "kind", "automatic"),
    [
        ("end-user", "customer.replied", None),
        ("agent", "agent.replied", None),
        ("robot", "agent.replied", True),
    ],
)
def test_a_reply_is_that_of_the_actor(who: str, kind: str, automatic: bool | None) -> None:
    read = READ | {"actor": "who", "actors": {"End-User": "customer", "robot": "system"}, "text": "words"}
    (event,) = _reading(read, {**BODY, "what": "said", "who": who, "words": "<p>Hi</p>"}).events
    assert (event.type, event.data.get("automatic"), event.data["text"]) == (kind, automatic, "Hi")


def test_a_reply_of_nobody_known_is_a_warning() -> None:
    read, said = READ | {"actor": "who"}, {**BODY, "what": "said"}
    somebody = _reading(read, {**said, "who": "Somebody"})
    assert (somebody.events, somebody.warnings) == ((), ("actor 'somebody' of ours is not mapped",))
    assert _reading(read, said).warnings == ("actor '' of ours is not mapped",)


def test_each_entry_of_a_list_is_read_by_itself() -> None:
    read = READ | {"each": "them", "ticket": "join('-', [_body.prefix, to_string(id)])"}
    body = {"prefix": "A", "them": [{**BODY, "id": 1}, {**BODY, "id": 2}, "no object"]}
    with pytest.raises(Unreadable, match="no instant"):
        _reading(read, body | {"them": [{"id": 1, "what": "opened"}]})
    reading = _reading(read, body)
    assert [event.subject for event in reading.events] == ["A-1", "A-2"]


def test_a_body_without_the_list_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"read\.each: there is no list"):
        _reading(READ | {"each": "them"}, BODY)


@pytest.mark.parametrize(
    ("target", "into"),
    [("T2", "T2"), (2, "2"), ("\b", None), ("T\n2", None), ("T" * 300, None), (["T2"], None)],
)
def test_a_ticket_that_is_named_beside_is_a_name_or_none(target: Any, into: str | None) -> None:
    read = READ | {"types": {"merged": "ticket.merged"}, "data": {"into": "to", "ticket": "to"}}
    (event,) = _reading(read, {**BODY, "what": "merged", "to": target}).events
    assert (event.data.get("into"), event.data.get("ticket")) == (into, into)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("5f0c", Answer(b"5f0c", "text/plain")),
        ({"token": "5f0c"}, Answer(b'{"token": "5f0c"}', "application/json")),
        (10**30, Answer(b"1000000000000000000000000000000", "application/json")),
        ("\ud800", Answer(b"?", "text/plain")),
        ("", None),
        (None, None),
    ],
)
def test_a_challenge_is_answered_as_the_file_says(asked: Any, answer: Answer | None) -> None:
    adapter = adapter_of(_source(READ | {"challenge": "ask"}))
    delivery = InboundRequest.of({}, json.dumps({"ask": asked}).encode(), RECEIVED_AT)
    assert adapter.challenge(delivery) == answer
    assert adapter.challenge(_sent(BODY)) is None
    assert adapter_of(_source(READ)).challenge(delivery) is None


def test_an_expression_of_a_challenge_that_does_not_fit_is_named() -> None:
    adapter = adapter_of(_source(READ | {"challenge": "lower(ask)"}))
    with pytest.raises(Unreadable, match=r"read\.challenge"):
        adapter.challenge(_sent({"ask": 7}))


def test_headers_that_the_file_names_can_be_asked_for() -> None:
    read = READ | {"headers": ["X-Kind"], "type": '_headers."x-kind"'}
    assert _kinds(_reading(read, BODY, x_kind="opened")) == ["ticket.created"]
    assert adapter_of(_source(read)).headers == ("webhook-id", "x-kind")
    unnamed = READ | {"type": '_headers."x-kind"'}
    assert _reading(unnamed, BODY, x_kind="opened").events == ()


def test_a_body_that_is_no_object_can_be_asked_for() -> None:
    read = READ | {"ticket": "_item[0]", "time": "_item[1]", "type": "_item[2]"}
    assert _kinds(_reading(read, [7, "2026-03-02T10:00:00Z", "opened"])) == ["ticket.created"]


def test_without_a_time_the_instant_of_arrival_is_taken() -> None:
    read = {key: value for key, value in READ.items() if key != "time"}
    assert _reading(read, BODY).events[0].at == RECEIVED_AT


def test_a_local_time_is_read_in_the_zone_of_the_source() -> None:
    body = {**BODY, "at": "2026-03-02 11:00:00"}
    with pytest.raises(Unreadable, match="without an offset"):
        _reading(READ, body)
    event = _reading(READ, body, {"time_zone": "Europe/Paris"}).events[0]
    assert event.at == instant_of("2026-03-02T10:00:00Z")


def test_a_missing_ticket_is_unreadable_only_where_something_is_told() -> None:
    with pytest.raises(Unreadable, match=r"sources\.ours\.read\.ticket"):
        _reading(READ, {**BODY, "id": None})
    pinging = READ | {"types": {"ping": "ignore"}}
    assert _reading(pinging, {"what": "ping"}).ignored is not None


def test_words_of_the_file_become_ours_and_unknown_ones_are_left_out() -> None:
    read = READ | {"status": "state", "fields": {"priority": "urgency", "title": "name", "group": "team"}}
    said = {
        "statuses": {"At work": "open"},
        "priorities": {"P1": "urgent"},
        "queues": {"Second line": "servers"},
    }
    body = {**BODY, "state": "at work", "urgency": "p1", "name": "502", "team": "second line"}
    (event,) = _reading(read, body, said).events
    assert event.data == {
        "status": "open",
        "priority": "urgent",
        "title": "502",
        "group": "second line",
        "queue": "servers",
    }
    unknown = _reading(read, {**body, "state": "?", "urgency": "!"}, said)
    assert set(unknown.events[0].data) == {"title", "group", "queue"}
    assert unknown.warnings == (
        "priority '!' of ours is not mapped",
        "status '?' of ours is not mapped",
    )


def test_a_dropped_status_means_nothing() -> None:
    reading = _reading(READ | {"status": "state"}, {**BODY, "state": "Spam"}, {"statuses": {"spam": "drop"}})
    assert (reading.events, reading.ignored) == ((), "a ticket of status 'Spam'")


def test_a_snapshot_is_shown_where_its_expression_finds_something() -> None:
    read = {"ticket": "id", "time": "at", "snapshot": "state", "status": "state", "created": "born"}
    body = {"id": 7, "at": "2026-03-02T10:00:00Z", "born": "2026-03-02T09:00:00Z", "state": "open"}
    (snapshot,) = _reading(read, body).snapshots
    assert (snapshot.state["status"], snapshot.created_at) == ("open", instant_of("2026-03-02T09:00:00Z"))
    assert _reading(read, body | {"state": None}).snapshots == ()


def test_rules_see_a_status_a_note_and_what_a_snapshot_changed() -> None:
    rules = [
        {"when": {"status": "repairing"}, "then": "intervention.started"},
        {"when": {"note": "#up"}, "then": "service.restored"},
    ]
    read = READ | {
        "status": "state",
        "text": "words",
        "types": {"note": "note.added", "set": "status.changed"},
    }
    said = {"statuses": {"repairing": "open"}, "rules": rules}
    set_to = _reading(read, {**BODY, "what": "set", "state": "Repairing"}, said)
    assert _kinds(set_to) == ["status.changed", "intervention.started"]
    noted = _reading(read, {**BODY, "what": "note", "words": "#UP again"}, said)
    assert _kinds(noted) == ["note.added", "service.restored"]


def test_an_id_of_their_own_names_the_fact() -> None:
    read = READ | {"id": "event"}
    assert _reading(read, {**BODY, "event": "e9"}).events[0].id == "ours:7:e9:ticket.created"


def test_deliveries_are_told_apart_by_the_id_that_the_file_names() -> None:
    named = adapter_of(_source(READ | {"delivery_id": "event.id"}))
    assert named.idempotency_key(_sent({"event": {"id": 5}})) == "5"
    assert adapter_of(_source(READ)).idempotency_key(_sent({}, webhook_id="msg_1")) == "msg_1"


def test_an_expression_that_does_not_fit_a_body_leaves_it_unread() -> None:
    read = READ | {"type": "join('/', [what, other])"}
    with pytest.raises(Unreadable, match=r"sources\.ours\.read\.type: .* does not fit"):
        _reading(read, BODY)


def test_functions_that_ticket_systems_call_for_are_there() -> None:
    body = {"list": '["a","b"]', "word": "ÄB", "tags": ",x,y"}
    assert Query.of("p", "from_json(list)[1]").find(body) == "b"
    assert Query.of("p", "from_json(word)").find(body) is None
    assert Query.of("p", "lower(word)").find(body) == "äb"
    assert Query.of("p", "split(',', tags)").find(body) == ["x", "y"]
    assert Query.of("p", "split(',', absent)").find(body) == []


@pytest.mark.parametrize("text", ["ticket..id", "unknown(id)", "[?", "a" * 4001, "'open"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(NoExpression):
        Query.of("p", text)


def test_all_faults_of_a_file_come_at_once_with_their_keys() -> None:
    faults = _faults(
        {
            "ticket": "ticket..id",
            "tpye": "event",
            "snapshot": True,
            "types": {"a": "ticket.createt", "b": 7},
            "fields": {"titel": "x"},
            "actors": {"x": "boss"},
        }
    )
    places = [fault.partition(":")[0] for fault in faults]
    assert places == [
        "sources.ours.read.ticket",
        "sources.ours.read.fields.titel",
        "sources.ours.read.types.a",
        "sources.ours.read.types.b",
        "sources.ours.read.actors.x",
        "sources.ours.read.types",
        "sources.ours.read.tpye",
    ]
    assert 'Did you mean "ticket.created"?' in faults[2]
    assert 'Did you mean "type"?' in faults[-1]


def test_a_source_must_say_how_it_is_signed_and_what_it_tells() -> None:
    assert _faults({"ticket": "id"}) == [
        'sources.ours.read.type: it is missing. Write type = "event", or snapshot = true.'
    ]
    with pytest.raises(SourceFault) as refused:
        parse_sources({"sources": {"ours": {"read": {"type": "x"}}}}, "d", {"expression": ADAPTER})
    places = [fault.place for fault in refused.value.faults]
    assert places == ["sources.ours.scheme", "sources.ours.read.ticket"]


def test_without_a_file_nothing_can_be_read() -> None:
    with pytest.raises(Unreadable, match="no file describes"):
        ADAPTER.reading(_sent(BODY), ADAPTER.plain_source("d"))


@pytest.mark.parametrize(
    "expression",
    [
        "[@,@]" + "|[@,@][]" * 60,
        "join('', [@,@])" + "|join('', [@,@])" * 60,
        "[*].[" + ",".join("@" * 1500) + "]",
    ],
)
def test_an_expression_that_multiplies_what_it_finds_is_unreadable(expression: str) -> None:
    query = Query.of("sources.ours.read.ticket", expression)
    body = "xxxxxxxxxx" if "join" in expression else [1] * 1000
    with pytest.raises(Unreadable, match="too many steps"):
        query.find(body)
