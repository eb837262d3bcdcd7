"""Events of a delivery are named in the source's own words; a body that cannot be read says where."""

from dataclasses import replace

import pytest

from app.intake.adapter import TEST_BODY, Adapter
from app.intake.adapters import ADAPTERS
from app.intake.data_fields import MAX_NAME
from app.intake.mapping.events import Unreadable, event_id, happened, withdrawal
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.intake.systems.jira import issue
from app.intake.systems.zendesk import subscription, trigger
from app.sla.event import Event, EventType
from app.sla.span import DAY
from tests.intake.sample import samples

AT = 1_772_442_000_000_000


def created(**data: str) -> Event:
    return happened("jira", "SUP-1", EventType.TICKET_CREATED, AT, "created", data)


def test_an_event_is_named_after_its_system_its_ticket_and_its_key() -> None:
    event = created(title="Down")
    assert (event.id, event.subject, event.at) == ("jira:SUP-1:created", "SUP-1", AT)


@pytest.mark.parametrize("ticket", [None, "", "x" * 300, "a\nb"])
def test_an_event_without_a_ticket_is_unreadable(ticket: str | None) -> None:
    with pytest.raises(Unreadable):
        happened("jira", ticket, EventType.AGENT_REPLIED, AT, "comment:1")


def test_an_id_that_is_too_long_keeps_its_beginning_and_stays_its_own() -> None:
    long, other = event_id("zammad", "x" * 400), event_id("zammad", "x" * 399 + "y")
    assert len(long) == len(other) == MAX_NAME
    assert long != other
    assert long.startswith("zammad:xxx")
    assert event_id("zammad", "a\nb").isprintable()


def test_one_event_has_one_withdrawal_however_often_it_is_said() -> None:
    event = created(title="Down")
    assert withdrawal(event, "a reason").id == withdrawal(event, "another").id
    assert withdrawal(event, "a reason").at == AT
    assert withdrawal(event, "a reason").data["id"] == event.id


@pytest.mark.parametrize(
    "adapter", [subscription.ADAPTER, trigger.ADAPTER, issue.ADAPTER], ids=lambda adapter: adapter.system
)
def test_a_delivery_says_the_same_whenever_it_comes(adapter: Adapter) -> None:
    source = adapter.plain_source("d")
    for sample in samples(adapter.system.replace("-", "_")).values():
        early, late = (replace(sample.delivery, received_at=at) for at in (AT, AT + 365 * DAY))
        assert adapter.reading(early, source) == adapter.reading(late, source)


def test_a_connection_test_means_nothing_to_any_system() -> None:
    for adapter in ADAPTERS.values():
        reading = adapter.reading(InboundRequest.of({}, TEST_BODY, AT), adapter.plain_source("d"))
        assert reading == Reading(ignored="a connection test")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\xff",
        b'{"a": NaN}',
        b"[" * 100_000,
        b"1" * 100_000,
        b'{"a": "\\ud800"',
        b"{'a': 1}",
    ],
)
def test_a_body_that_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        InboundRequest.of({}, body, AT).json()
    assert caught.value.reason


def test_a_body_that_is_no_json_says_where() -> None:
    with pytest.raises(Unreadable) as caught:
        InboundRequest.of({}, b'{"a": 1,\n "b" 2}', AT).json()
    assert caught.value.place == "line 2, column 6"


def test_a_line_break_within_a_text_is_let_pass() -> None:
    assert InboundRequest.of({}, b'{"a": "one\ntwo"}', AT).json() == {"a": "one\ntwo"}


def test_header_names_are_found_in_any_case_and_empty_ones_are_absent() -> None:
    delivery = InboundRequest.of({"X-Hub-Signature": " a ", "X-Empty": " "}, b"", AT)
    assert delivery.header("x-hub-signature") == "a"
    assert delivery.header("x-empty") is None
    assert delivery.header("x-none") is None


def test_half_an_emoji_in_a_system_s_text_is_named_and_the_rest_is_read() -> None:
    body = b'{"event": {"id": "E1", "event_type": "incident.triggered", "occurred_at": "2026-03-02T09:00:00Z", "data": '
    body += b'{"id": "P1", "title": "Down \\ud83d", "teams": [{"summary": "\\udc00 Ops \\ud83d\\ude00"}], "a/b": "c"}}}'
    reading = ADAPTERS["pagerduty"].reading(
        InboundRequest.of({}, body, AT), ADAPTERS["pagerduty"].plain_source("d")
    )
    assert [event.data["title"] for event in reading.events] == ["Down ?"]
    assert reading.warnings == (
        "/event/data/title, /event/data/teams/0/summary: held half of a surrogate pair, which is replaced by ?",
    )


def test_whole_emojis_and_backslashes_before_a_u_are_no_halves() -> None:
    whole = InboundRequest.of({}, b'{"a": "\\ud83d\\ude00", "b": "\\\\ud83d"}', AT)
    assert whole.half_characters() == ()


def test_as_many_places_are_named_as_find_the_cause() -> None:
    assert len(InboundRequest.of({}, b"[" + b'"\\ud83d",' * 500 + b"1]", AT).half_characters()) == 10
