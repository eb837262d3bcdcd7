"""One ticket's life through the systems that send snapshots: as said, in any order, repeated, and signed.

Every delivery of a system is taken in the order of the story, in any other, and more than once; what is known of the
ticket and its clocks must be the same at every instant of the story.
"""

from typing import Any, NamedTuple

import pytest

from app.intake.adapter import Adapter
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES, BadSignature, verify
from app.intake.systems.freescout import ADAPTER as FREESCOUT
from app.intake.systems.glpi import ADAPTER as GLPI
from app.intake.systems.helpscout import ADAPTER as HELPSCOUT
from app.intake.systems.zammad import ADAPTER as ZAMMAD
from tests.intake.desk import Desk, desk_of
from tests.intake.laws import (
    a_story_with_gaps_ends_the_same_in_any_order,
    brought_by_repetition,
    order_and_repetition_play_no_part,
)
from tests.intake.sample import (
    PENDING_AGAIN,
    Otherwise,
    Sample,
    compact,
    holds,
    meant,
    pretty_php,
    recorded,
    samples,
    sent,
)


class System(NamedTuple):
    """A system, its story, what its desk said of it, and where we read otherwise than a sample says."""

    adapter: Adapter
    tickets: tuple[str, ...]
    story: dict[str, Sample]
    said: dict[str, Any]
    otherwise: dict[str, Otherwise]

    def desk(self) -> Desk:
        return desk_of(self.adapter, **self.said)

    def deliveries(self) -> list[InboundRequest]:
        return [sample.delivery for sample in self.story.values()]


def _rule(then: str, **when: str) -> dict[str, Any]:
    return {"when": when, "then": then}


SYSTEMS = {
    "zammad": System(
        ZAMMAD,
        ("81",),
        samples("zammad"),
        {
            "rules": [
                _rule("intervention.started", note="node pay-3"),
                _rule("service.restored", status="pending close"),
                _rule("request.read", field="priority.name", value="3 high"),
            ]
        },
        {
            "02_priority_changed": Otherwise("a rule sees it", besides=("request.read",)),
            "06_internal_note": Otherwise(
                PENDING_AGAIN.why + "; and a rule sees the note",
                besides=("status.changed", "intervention.started"),
            ),
            "13_pending_close": Otherwise("a rule sees the state", besides=("service.restored",)),
        },
    ),
    "glpi": System(
        GLPI,
        ("310",),
        samples("glpi", pretty_php),
        {
            "rules": [
                _rule("intervention.started", field="task.category", value="Intervention"),
                _rule("service.restored", status="Solved"),
            ]
        },
        {
            "06b_task_intervention": Otherwise("a task is a note as well", besides=("note.added",)),
            "11_solved": Otherwise("a rule sees the status", besides=("service.restored",)),
        },
    ),
    "freescout": System(
        FREESCOUT,
        ("36",),
        samples("freescout"),
        {"rules": [_rule("intervention.started", note="node")]},
        {
            "06_internal_note": Otherwise(
                PENDING_AGAIN.why + "; and a rule sees the note",
                besides=("status.changed", "intervention.started"),
            ),
            "11_solved": Otherwise(
                "the body holds a reply of an agent that no other delivery told of",
                besides=("agent.replied",),
            ),
            "13_moved": Otherwise(
                "the body still names mailbox 1, so nothing in it has changed", without=("ticket.updated",)
            ),
        },
    ),
    "helpscout": System(
        HELPSCOUT,
        ("7001",),
        samples(
            "helpscout",
            order=("created", "agent_reply", "note", "customer_reply", "tags", "solved", "deleted"),
        ),
        {"rules": [_rule("intervention.started", tag="checkout")]},
        {
            "note": PENDING_AGAIN,
            "tags": Otherwise("a rule sees the tag", besides=("intervention.started",)),
            "solved": Otherwise("this body no longer has the tag", besides=("ticket.updated",)),
            "deleted": Otherwise(
                "the body has no date, so that of receipt stands in", without=("ticket.deleted",)
            ),
        },
    ),
}

BY_SYSTEM = pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))


@BY_SYSTEM
def test_each_delivery_says_what_it_is_said_to_mean(system: System) -> None:
    desk = system.desk()
    for name, sample in system.story.items():
        events = desk.receive(sample.delivery)
        if name == "deleted":
            events = [event for event in events if event.at != sample.delivery.received_at]
        assert recorded(events) == meant(sample, system.otherwise.get(name)), name
        assert holds(sample, system.adapter, events), name
        assert desk.reading(sample.delivery).warnings == ()


@BY_SYSTEM
def test_every_delivery_once_more_brings_nothing(system: System) -> None:
    assert brought_by_repetition(system) == []


@BY_SYSTEM
def test_any_order_and_any_repetition_end_in_the_same_life(system: System) -> None:
    order_and_repetition_play_no_part(system, 20)


@BY_SYSTEM
def test_a_story_with_gaps_ends_the_same_in_any_order(system: System) -> None:
    a_story_with_gaps_ends_the_same_in_any_order(system, 20)


@BY_SYSTEM
def test_every_sample_is_signed_as_the_system_signs(system: System) -> None:
    scheme = SCHEMES[system.adapter.schemes[0]]
    for sample in system.story.values():
        signed = verify(scheme, sample.delivery, ["retired", sample.secret], sample.delivery.received_at)
        assert (signed.at is not None) == (system.adapter is GLPI)


@BY_SYSTEM
def test_one_byte_changed_in_body_or_signature_is_refused(system: System) -> None:
    scheme = SCHEMES[system.adapter.schemes[0]]
    sample = next(iter(system.story.values()))
    body, headers = sample.delivery.body, dict(sample.delivery.headers)
    signature = headers[scheme.header]
    for place in {0, len(body) // 2, len(body) - 1}:
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(BadSignature):
            verify(scheme, InboundRequest(headers, changed, 0), [sample.secret], sample.delivery.received_at)
    for place in range(len(signature)):
        other = signature[:place] + chr(ord(signature[place]) ^ 1) + signature[place + 1 :]
        forged = InboundRequest({**headers, scheme.header: other}, body, 0)
        with pytest.raises(BadSignature):
            verify(scheme, forged, [sample.secret], sample.delivery.received_at)


@BY_SYSTEM
def test_a_secret_of_another_connection_is_refused(system: System) -> None:
    scheme = SCHEMES[system.adapter.schemes[0]]
    sample = next(iter(system.story.values()))
    with pytest.raises(BadSignature):
        verify(scheme, sample.delivery, ["another"], sample.delivery.received_at)


@BY_SYSTEM
def test_a_connection_test_means_nothing(system: System) -> None:
    reading = system.desk().reading(sent({"slatimer": "connection test"}))
    assert (reading.ignored, reading.events, reading.snapshots) == ("a connection test", (), ())


def test_bodies_are_written_as_they_were_signed() -> None:
    assert compact({"a": ["é/"]}) == '{"a":["é/"]}'
    assert pretty_php({"a": "é/"}) == '{\n    "a": "\\u00e9\\/"\n}'
