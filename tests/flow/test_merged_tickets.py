"""What happens in a ticket that was merged counts in the ticket into which it went: clocks, queue, answers."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from app.flow.judge.receive import Incoming
from tests.service import ROOT, Service, created, event

NEXT_REPLY = """
[[commitments]]
id = "next-reply"
kind = "guarantee"
cycle = "next_reply"
starts_on = ["customer.replied"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "haisoft/tickets"
"""
DAY = "2026-03-02T"
MERGED = event("m", "ticket.merged", "B", f"{DAY}09:30:00+00:00", into="A")
ANSWERED = event("r", "agent.replied", "A", f"{DAY}10:00:00+00:00", author="agent")
ASKED = event("q", "customer.replied", "B", f"{DAY}14:00:00+00:00", author="customer")
EXCLUSION: dict[str, Any] = {
    "from": f"{DAY}09:30:00Z",
    "to": f"{DAY}14:00:00Z",
    "author": "lead",
    "reason": "the line was cut",
}
LIFE = (
    created("A", f"{DAY}09:00:00+00:00", customer="jansen", title="Mail is down"),
    created("B", f"{DAY}09:10:00+00:00", customer="rossi", title="No mail"),
    MERGED,
    ANSWERED,
    ASKED,
)


@pytest.fixture
def later(service: Service) -> Service:
    """The desk with a commitment about further replies, at half past two."""
    service.apply_agreement("haisoft", (ROOT / "agreements" / "haisoft.toml").read_text() + NEXT_REPLY)
    service.clock.set(f"{DAY}14:30:00+00:00")
    return service


def _next_reply(service: Service, ticket: str) -> list[tuple[str, str | None]]:
    clocks = service.view("haisoft", ticket)["clocks"]
    return [(c["state"], c["started_at"]) for c in clocks if c["commitment"] == "next-reply"]


def test_a_customers_message_in_a_merged_ticket_opens_the_next_reply_of_its_target(later: Service) -> None:
    later.push(*LIFE)
    assert _next_reply(later, "A") == [("running", "2026-03-02T14:00:00Z")]
    assert _next_reply(later, "B") == []


def test_and_the_target_waits_in_its_queue_from_that_message_on(later: Service) -> None:
    later.push(*LIFE)
    place = later.view("haisoft", "A")["queue"]
    assert (place["joined_at"], place["position"]) == ("2026-03-02T14:00:00Z", 1)
    assert later.view("haisoft", "B")["queue"] is None


def test_both_tickets_show_where_it_counts(later: Service) -> None:
    later.push(*LIFE)
    source, target = later.view("haisoft", "B"), later.view("haisoft", "A")
    assert (source["merged_into"], source["merged_from"]) == ("A", [])
    assert (target["merged_into"], target["merged_from"]) == (None, ["B"])


def test_every_order_of_arrival_gives_the_same_clocks_and_place(later: Service) -> None:
    for number, order in enumerate(permutations(LIFE)):
        names = {"A": f"A{number}", "B": f"B{number}"}
        for one in order:
            later.push(_renamed(one, names, str(number)))
        assert _next_reply(later, names["A"]) == [("running", "2026-03-02T14:00:00Z")], order
        place = later.view("haisoft", names["A"])["queue"]
        assert place["joined_at"] == "2026-03-02T14:00:00Z", order


def _renamed(one: Incoming, names: Mapping[str, str], mark: str) -> Incoming:
    """The same fact of another pair of tickets, of a customer of their own."""
    data = dict(one.event.data)
    if "into" in data:
        data["into"] = names[str(data["into"])]
    if "customer" in data:
        data["customer"] = f"{data['customer']} {mark}"
    renamed = replace(one.event, id=f"{mark}-{one.event.id}", subject=names[one.event.subject], data=data)
    return Incoming.of(one.desk, renamed)


def test_a_merge_that_is_withdrawn_gives_the_message_back_to_its_own_ticket(later: Service) -> None:
    later.push(*LIFE)
    later.push(event("w", "event.withdrawn", "B", f"{DAY}14:20:00+00:00", id="m", author="lead", reason="no"))
    assert _next_reply(later, "A") == []
    assert later.view("haisoft", "A")["queue"] is None
    source = later.view("haisoft", "B")
    assert (source["merged_into"], source["queue"]["joined_at"]) == (None, "2026-03-02T09:10:00Z")
    assert _next_reply(later, "B") == [("running", "2026-03-02T14:00:00Z")]


def test_a_reply_in_the_merged_ticket_answers_the_target(later: Service) -> None:
    later.push(*LIFE, event("r2", "agent.replied", "B", f"{DAY}14:10:00+00:00", author="agent"))
    assert _next_reply(later, "A") == [("stopped", "2026-03-02T14:00:00Z")]
    assert later.view("haisoft", "A")["queue"] is None


def test_a_chain_of_merges_leads_to_its_end(later: Service) -> None:
    later.push(
        created("C", f"{DAY}08:50:00+00:00", customer="c", title="All is down"),
        event("cr", "agent.replied", "C", f"{DAY}09:05:00+00:00", author="agent"),
        *LIFE,
        event("m2", "ticket.merged", "A", f"{DAY}11:00:00+00:00", into="C"),
    )
    assert _next_reply(later, "C") == [("running", "2026-03-02T14:00:00Z")]
    assert _next_reply(later, "A") == []
    assert later.view("haisoft", "C")["queue"]["joined_at"] == "2026-03-02T14:00:00Z"
    assert later.view("haisoft", "A")["merged_into"] == "C"


def test_a_late_fact_of_the_source_is_the_cause_of_what_it_changes_in_the_target(later: Service) -> None:
    later.push(*LIFE[:3])
    later.push(event("x", "exclusion.granted", "B", f"{DAY}14:00:00+00:00", **EXCLUSION))
    moved = later.signals("clock.breach_retracted")
    assert [(s["ticket"], s["cause_detail"]["ref"]) for s in moved] == [("A", "x")]


def test_as_of_an_earlier_instant_the_target_waits_as_it_was_known_then(later: Service) -> None:
    later.push(*LIFE)
    later.clock.forward(hours=1)
    later.push(event("r2", "agent.replied", "B", f"{DAY}14:10:00+00:00", author="agent"))
    then = later.view("haisoft", "A", as_of=f"{DAY}14:45:00+00:00")
    assert then["queue"]["joined_at"] == "2026-03-02T14:00:00Z"
    assert later.view("haisoft", "A")["queue"] is None


def test_a_duplicate_of_the_target_moves_it_though_only_its_source_wrote(service: Service) -> None:
    service.clock.set(f"{DAY}14:30:00+00:00")
    service.push(*(Incoming.of("webxtra", one.event) for one in LIFE))
    assert service.view("webxtra", "A")["queue"]["joined_at"] == "2026-03-02T14:00:00Z"
    service.push(
        created("N", f"{DAY}14:20:00+00:00", desk="webxtra", customer="jansen", title="Re: mail is down")
    )
    place = service.view("webxtra", "A")["queue"]
    assert (place["joined_at"], place["moves"][-1]["cause"]) == ("2026-03-02T14:20:00Z", "duplicate")


def test_a_merge_that_is_void_is_void_too_when_only_a_duplicate_of_the_ticket_is_evaluated(
    service: Service,
) -> None:
    service.clock.set(f"{DAY}14:30:00+00:00")
    about = {"desk": "webxtra", "customer": "jansen", "title": "Mail is down"}
    service.push(
        created("X", f"{DAY}09:00:00+00:00", **about),
        event("m", "ticket.merged", "X", f"{DAY}09:30:00+00:00", desk="webxtra", into="unheard-of"),
    )
    assert service.view("webxtra", "X")["queue"]["joined_at"] == "2026-03-02T09:00:00Z"
    service.push(created("Y", f"{DAY}10:00:00+00:00", **about))
    service.push(event("n", "note.added", "Y", f"{DAY}10:30:00+00:00", desk="webxtra", author="agent"))
    assert service.view("webxtra", "X")["queue"]["joined_at"] == "2026-03-02T10:00:00Z"
