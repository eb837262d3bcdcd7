"""Merged tickets: the customer sees one conversation, so what happens in either counts in the one that is left."""

from itertools import permutations

from app.sla.calendar import Calendar
from app.sla.event import Event
from app.sla.merge import Absorbed
from tests.stories.story import Story, written

DESK = Calendar.parse({"time_zone": "UTC", "hours": {"mon-fri": ["08:00-18:00"]}}, name="acme/desk")
AGREEMENT = written(
    """
    desk = "acme"
    [[commitments]]
    id = "next"
    kind = "guarantee"
    cycle = "next_reply"
    starts_on = ["customer.replied"]
    stops_on = ["agent.replied"]
    target = "2h"
    calendar = "acme/desk"
    [[commitments]]
    id = "repair"
    kind = "guarantee"
    measure = "gtr"
    starts_on = ["ticket.created"]
    stops_on = ["service.restored", "status:solved", "status:closed"]
    pauses_while = ["pending"]
    target = "4h"
    calendar = "acme/desk"
    [[commitments]]
    id = "report"
    kind = "objective"
    cycle = "progress"
    starts_on = ["intervention.started"]
    stops_on = ["progress.reported"]
    ends_on = ["service.restored"]
    target = "1h"
    calendar = "acme/desk"
    [[commitments]]
    id = "claim"
    kind = "guarantee"
    cycle = "claim"
    starts_on = ["claim.filed"]
    stops_on = ["claim.answered"]
    target = "3h"
    calendar = "acme/desk"
    """,
    {"acme/desk": DESK},
)


def story(ticket: str, created: str) -> Story:
    return Story(AGREEMENT, ticket=ticket).created(created, status="open")


def merged() -> tuple[Story, Story]:
    """A, open since nine, and B, which goes into A at half past nine."""
    return story("A", "2026-03-02 09:00"), story("B", "2026-03-02 09:10")


def test_a_message_in_the_source_opens_the_targets_next_reply() -> None:
    a, b = merged()
    a.reply("2026-03-02 10:00")
    b.customer("2026-03-02 11:00")
    clock = a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 11:30").clock("next")
    assert (clock.state, clock.started, clock.due) == ("running", "2026-03-02 11:00", "2026-03-02 13:00")


def test_a_message_before_the_merge_is_the_sources_own() -> None:
    a, b = merged()
    a.customer("2026-03-02 09:05").reply("2026-03-02 09:20")
    b.customer("2026-03-02 09:15").reply("2026-03-02 09:25")
    assert len(a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 11:30").clocks("next")) == 1


def test_a_persons_reply_in_the_source_answers_and_an_automatic_one_does_not() -> None:
    a, b = merged()
    b.customer("2026-03-02 11:00").reply("2026-03-02 11:05", automatic=True).reply("2026-03-02 11:40")
    clock = a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 12:00").clock("next")
    assert (clock.state, clock.stopped, clock.met) == ("stopped", "2026-03-02 11:40", True)


def test_reports_and_claims_in_the_source_are_the_targets() -> None:
    a, b = merged()
    a.fact("intervention.started", "2026-03-02 09:20")
    b.fact("progress.reported", "2026-03-02 10:00").fact("claim.filed", "2026-03-02 10:10")
    judged = a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 10:30")
    assert [(c.state, c.started) for c in judged.clocks("report")] == [
        ("stopped", "2026-03-02 09:20"),
        ("running", "2026-03-02 10:00"),
    ]
    assert judged.clock("claim").started == "2026-03-02 10:10"


def test_the_sources_status_and_fields_stay_its_own() -> None:
    a, b = merged()
    b.status("2026-03-02 09:31", "closed").updated("2026-03-02 09:32", title="merged", priority="low")
    judged = a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 10:00")
    assert (judged.status, judged.clock("repair").state) == ("open", "running")
    assert "priority" not in judged.evaluation.ticket.fields


def test_the_customers_message_in_the_source_ends_the_targets_pending() -> None:
    a, b = merged()
    a.status("2026-03-02 09:40", "pending")
    b.customer("2026-03-02 10:00")
    assert a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 10:30").clock("repair").state == "running"


def test_of_an_exclusion_in_the_source_the_part_after_the_merge_counts() -> None:
    a, b = merged()
    b.excluded("2026-03-02 12:00", "2026-03-02 09:15", "2026-03-02 10:30", by="lead", reason="no access")
    clock = a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 11:00").clock("repair")
    assert clock.due == "2026-03-02 14:00"  # 09:00 + 4 h + the hour from the merge to 10:30


def test_what_was_excluded_from_the_sources_wait_is_not_taken_over_with_it() -> None:
    a, b = story("A", "2026-03-02 10:00"), story("B", "2026-03-02 09:00")
    b.excluded("2026-03-02 12:00", "2026-03-02 09:10", "2026-03-02 09:40", by="lead", reason="no access")
    clock = a.takes_in(b, "2026-03-02 10:30").at("2026-03-02 11:00").clock("repair")
    assert (clock.started, clock.due) == ("2026-03-02 09:00", "2026-03-02 13:30")


def test_a_ticket_merged_into_a_merged_one_goes_straight_on_to_the_end_of_the_chain() -> None:
    c, a, b = story("C", "2026-03-02 10:00"), story("A", "2026-03-02 09:30"), story("B", "2026-03-02 09:00")
    b.customer("2026-03-02 12:00")
    a.takes_in(b, "2026-03-02 11:30")
    merge = Event("A-merge", "ticket.merged", "A", a.instant("2026-03-02 11:00"), {"into": "C"})
    c.absorbed.append(Absorbed("A", merge, (*a.events, merge), tuple(a.absorbed)))
    assert c.at("2026-03-02 11:15").clock("repair").started == "2026-03-02 09:30"
    judged = c.at("2026-03-02 12:30")
    assert judged.clock("repair").started == "2026-03-02 09:00"
    assert judged.clock("next").started == "2026-03-02 12:00"


def test_any_order_of_the_sources_facts_gives_the_same_clocks() -> None:
    b = merged()[1]
    b.customer("2026-03-02 11:00").reply("2026-03-02 11:30").customer("2026-03-02 12:00")
    seen = set[object]()
    for order in permutations(b.events):
        turned, source = story("A", "2026-03-02 09:00"), story("B", "2026-03-02 09:10")
        source.events = [*order, *order[:1]]
        turned.takes_in(source, "2026-03-02 09:30")
        seen.add(turned.at("2026-03-02 12:30").evaluation.clocks)
    assert len(seen) == 1


def test_what_came_before_the_target_was_created_is_not_its_own() -> None:
    a, b = story("A", "2026-03-02 10:00"), story("B", "2026-03-02 09:00")
    b.customer("2026-03-02 09:45")
    judged = a.takes_in(b, "2026-03-02 09:30").at("2026-03-02 10:30")
    assert judged.clocks("next") == []
