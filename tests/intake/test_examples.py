"""Systems without an adapter, read by the shipped examples of source files: as said, in any order, repeated, signed."""

import json
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.intake.adapter import Adapter
from app.intake.challenge import Answer
from app.intake.expressions.adapter import ADAPTER, adapter_of
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, verify
from app.intake.source_file import parse_sources
from tests.intake.desk import Desk
from tests.intake.laws import brought_by_repetition, order_and_repetition_play_no_part
from tests.intake.sample import LEFT_OUT, Sample, compact, instant_of, recorded, samples

EXAMPLES = Path(__file__).resolve().parents[2] / "sources" / "examples"


class System(NamedTuple):
    """A system, its tickets, and its story in order."""

    name: str
    tickets: tuple[str, ...]
    story: dict[str, Sample]

    def desk(self) -> Desk:
        text = (EXAMPLES / f"{self.name}.toml").read_text()
        document = tomllib.loads(text)
        source = parse_sources(document, "d", {"expression": ADAPTER})[self.name]
        return Desk(adapter_of(source), document, source)

    def deliveries(self) -> list[InboundRequest]:
        return [sample.delivery for sample in self.story.values()]


SYSTEMS = {
    system.name: system
    for system in (
        System(
            "osticket",
            ("912",),
            samples(
                "osticket", order=("created", "agent_response", "note", "customer_message", "status_closed")
            ),
        ),
        System(
            "frappe_helpdesk",
            ("1187",),
            samples(
                "frappe_helpdesk",
                json.dumps,
                order=(
                    "created",
                    "agent_reply",
                    "status_replied",
                    "internal_comment",
                    "customer_reply",
                    "resolved",
                ),
            ),
        ),
        System(
            "servicenow",
            ("INC0010112",),
            samples(
                "servicenow",
                order=(
                    "created",
                    "agent_comment",
                    "on_hold_awaiting_caller",
                    "work_note",
                    "caller_comment_reopens_progress",
                    "resolved",
                ),
            ),
        ),
        System("odoo", ("77",), samples("odoo", order=("created", "in_progress", "solved"))),
        System(
            "intercom",
            ("21322009097", "215472629311235"),
            samples(
                "intercom",
                order=(
                    "user_created",
                    "admin_replied",
                    "admin_noted",
                    "user_replied",
                    "admin_snoozed",
                    "admin_closed",
                    "admin_opened",
                    "ticket_state_updated",
                ),
            ),
        ),
        System(
            "front",
            ("cnv_55c8c149",),
            samples("front", order=("inbound", "outbound", "comment", "archive", "reopen")),
        ),
        System(
            "gorgias",
            ("448812",),
            samples(
                "gorgias",
                order=(
                    "ticket-created",
                    "ticket-message-created_agent",
                    "ticket-message-created",
                    "ticket-updated_agent",
                ),
            ),
        ),
    )
}

BY_SYSTEM = pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))
SIGNS = ("osticket", "frappe_helpdesk", "intercom", "front")
"""Systems whose samples carry a signature."""


def _wanted(adapter: Adapter, desk: Desk, expected: dict[str, Any]) -> dict[str, Any]:
    wanted = {key: value for key, value in expected.items() if key not in LEFT_OUT}
    if "priority" in wanted:
        wanted["priority"] = desk.source.priorities[str(wanted["priority"]).casefold()]
    return wanted


def test_every_example_has_its_story_here() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.toml")) == sorted(SYSTEMS)


@BY_SYSTEM
def test_each_delivery_says_what_it_is_said_to_mean(system: System) -> None:
    desk = system.desk()
    for name, sample in system.story.items():
        warnings, events = desk.reading(sample.delivery).warnings, desk.receive(sample.delivery)
        expected = sorted((one["type"], one["subject"], instant_of(one["time"])) for one in sample.expect)
        assert recorded(events) == expected, name
        for one in sample.expect:
            (event,) = [event for event in events if event.type == one["type"]]
            wanted = _wanted(desk.adapter, desk, one.get("data", {}))
            assert {key: event.data.get(key) for key in wanted} == wanted, name
        assert warnings == ()


@BY_SYSTEM
def test_every_delivery_once_more_brings_nothing(system: System) -> None:
    assert brought_by_repetition(system) == []


@BY_SYSTEM
def test_any_order_and_any_repetition_end_in_the_same_life(system: System) -> None:
    order_and_repetition_play_no_part(system, 20)


@pytest.mark.parametrize("name", SIGNS)
def test_samples_are_signed_as_the_example_says_and_one_changed_byte_is_refused(name: str) -> None:
    system = SYSTEMS[name]
    scheme = SCHEMES[system.desk().source.scheme or ""]
    for sample in system.story.values():
        headers, body = dict(sample.delivery.headers), sample.delivery.body
        now = instant_of(max(one["time"] for one in sample.expect))
        assert verify(scheme, sample.delivery, ["d3Jvbmc=", sample.secret], now)
        signature = headers[scheme.header]
        forged = {**headers, scheme.header: signature[:-3] + chr(ord(signature[-3]) ^ 1) + signature[-2:]}
        for changed in (InboundRequest(headers, body[:-2] + b" }", 0), InboundRequest(forged, body, 0)):
            with pytest.raises(BadSignature):
                verify(scheme, changed, [sample.secret], now)


@pytest.mark.parametrize("name", ["servicenow", "gorgias"])
def test_a_body_signed_as_the_example_says_is_taken(name: str) -> None:
    system = SYSTEMS[name]
    scheme = SCHEMES[system.desk().source.scheme or ""]
    sample = next(iter(system.story.values()))
    now = instant_of("2026-03-02T09:00:00Z")
    headers = scheme.sign(sample.secret, sample.delivery.body, now, "msg_1")
    assert verify(scheme, InboundRequest.of(headers, sample.delivery.body, now), [sample.secret], now)
    with pytest.raises(BadSignature):
        verify(scheme, InboundRequest.of(headers, sample.delivery.body, now), ["whsec_YW5vdGhlcg=="], now)


def test_the_secret_of_odoo_stands_in_the_address() -> None:
    sample = next(iter(SYSTEMS["odoo"].story.values()))
    scheme = SCHEMES[SYSTEMS["odoo"].desk().source.scheme or ""]
    asked = InboundRequest.of({}, sample.delivery.body, 0, f"secret={sample.secret}")
    assert verify(scheme, asked, [sample.secret], 0)
    with pytest.raises(BadSignature):
        verify(scheme, InboundRequest.of({}, sample.delivery.body, 0, "secret=another"), [sample.secret], 0)


def _read(name: str, sample: str, **changed: Any) -> list[str]:
    system = SYSTEMS[name]
    body = {**system.story[sample].body, **changed}
    delivery = InboundRequest.of({}, compact(body).encode(), instant_of("2026-03-02T12:00:00Z"))
    reading = system.desk().reading(delivery)
    return [*map(str, (event.type for event in reading.events)), *reading.warnings]


def test_the_first_message_of_an_osticket_ticket_is_its_creation_alone() -> None:
    ticket = SYSTEMS["osticket"].story["customer_message"].body["ticket"]
    entry = SYSTEMS["osticket"].story["customer_message"].body["entry"]
    opening = {**entry, "created": ticket["created"]}
    assert _read("osticket", "customer_message") == ["customer.replied"]
    assert _read("osticket", "customer_message", entry=opening) == []


def test_a_save_of_an_osticket_ticket_that_changes_no_status_says_nothing() -> None:
    assert _read("osticket", "status_closed", dirty={"lastupdate": "2026-03-02"}) == []


def test_a_merged_ticket_of_frappe_goes_into_the_other() -> None:
    assert _read("frappe_helpdesk", "resolved", merged_with="1190") == ["ticket.merged"]


def test_an_assignment_with_a_text_is_a_reply_of_intercom() -> None:
    assert _read("intercom", "admin_replied", topic="conversation.admin.assigned") == ["agent.replied"]


def test_an_event_of_front_is_read_alike_in_the_wrapping_of_an_applications_webhook() -> None:
    desk = SYSTEMS["front"].desk()
    for sample in SYSTEMS["front"].story.values():
        wrapped = {"type": "any", "authorization": {"id": "cmp_1"}, "payload": sample.body}
        delivery = InboundRequest.of(sample.delivery.headers, compact(wrapped).encode(), 0)
        assert desk.reading(delivery) == desk.reading(sample.delivery)
        assert (
            desk.adapter.idempotency_key(delivery)
            == desk.adapter.idempotency_key(sample.delivery)
            is not None
        )


def test_front_reads_back_what_it_asks_with_when_a_webhook_is_saved() -> None:
    adapter = SYSTEMS["front"].desk().adapter
    body = compact({"type": "sync", "authorization": {"id": "cmp_1"}}).encode()
    asked = InboundRequest.of({"X-Front-Challenge": "5f0c1b"}, body, 0)
    assert adapter.challenge(asked) == Answer(b'{"challenge": "5f0c1b"}', "application/json")
    assert adapter.challenge(InboundRequest.of({}, body, 0)) is None
    assert adapter.reading(InboundRequest.of({}, body, 0), SYSTEMS["front"].desk().source).ignored


def test_a_call_in_front_is_a_registered_call() -> None:
    assert _read("front", "comment", type="call_started") == ["call.registered"]
    assert _read("front", "comment", type="mention") == []


def test_a_topic_that_an_example_does_not_name_is_a_warning() -> None:
    assert _read("intercom", "admin_noted", topic="conversation.rating.added") == [
        "type 'conversation.rating.added' of intercom is not mapped"
    ]
    assert _read("intercom", "admin_noted", topic="ping", data={"item": {"type": "ping"}}) == []
