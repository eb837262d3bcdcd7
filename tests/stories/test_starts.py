"""What a clock may start on besides events: a status, a date of the ticket, an assignment."""

from datetime import timedelta
from itertools import permutations

import pytest

from app.flow.query.reasons import text
from app.intake.cloudevents import Faulty, read_event
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import AgreementFault
from app.sla.calendar import Calendar
from app.sla.clock.signals import signals
from tests.stories.story import Story, written

DESK = Calendar.parse({"time_zone": "Europe/Paris", "hours": {"mon-fri": ["08:00-18:00"]}}, name="acme/desk")
MONDAY, TUESDAY = "2026-03-02", "2026-03-03"


def agreement(lines: str) -> Agreement:
    document = f"""
        desk = "acme"
        time_zone = "Europe/Paris"
        [[commitments]]
        id = "it"
        kind = "guarantee"
        target = "2h"
        calendar = "acme/desk"
        {lines}
        """
    return written(document, {"acme/desk": DESK})


def seen(story: Story, at: str) -> list[tuple[str, str | None]]:
    return [(c.state, c.started) for c in story.at(at).clocks("it")]


# -- a status ----------------------------------------------------------------------------------------------------------

OPENED = 'starts_on = ["status:open"]\nstops_on = ["agent.replied"]\n'


def test_a_clock_starts_when_the_ticket_takes_the_status() -> None:
    story = Story(agreement(OPENED)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 10:00", "open")
    assert seen(story, f"{MONDAY} 09:30") == []
    assert seen(story, f"{MONDAY} 10:30") == [("running", f"{MONDAY} 10:00")]
    assert story.at(f"{MONDAY} 10:30").clock("it").due == f"{MONDAY} 12:00"


def test_a_ticket_that_is_created_with_the_status_starts_it_at_once() -> None:
    story = Story(agreement(OPENED)).created(f"{MONDAY} 09:00", status="open")
    assert seen(story, f"{MONDAY} 09:30") == [("running", f"{MONDAY} 09:00")]


def test_the_customers_message_that_ends_pending_is_taking_the_status() -> None:
    story = Story(agreement(OPENED)).created(f"{MONDAY} 09:00", status="pending").customer(f"{MONDAY} 11:00")
    assert seen(story, f"{MONDAY} 11:30") == [("running", f"{MONDAY} 11:00")]


def test_a_status_may_be_one_of_several_starts_and_the_lacking_one_is_named() -> None:
    lines = (
        'starts_on = ["ticket.created", ["status:open", "call.registered"]]\nstops_on = ["agent.replied"]\n'
    )
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00")
    assert story.at(f"{MONDAY} 09:30").clock("it").awaiting == ("call.registered|status:open",)
    story.status(f"{MONDAY} 10:00", "open")
    assert seen(story, f"{MONDAY} 10:30") == [("running", f"{MONDAY} 10:00")]


@pytest.mark.parametrize(
    ("rule", "clocks"),
    [
        ("ignore", [("stopped", f"{MONDAY} 09:00")]),
        ("resume", [("running", f"{MONDAY} 09:00")]),
        ("restart", [("stopped", f"{MONDAY} 09:00"), ("running", f"{MONDAY} 12:00")]),
    ],
)
def test_taking_the_status_again_by_a_reopening_is_a_matter_of_on_reopen(
    rule: str, clocks: list[tuple[str, str]]
) -> None:
    lines = f'starts_on = ["status:open"]\nstops_on = ["status:solved"]\non_reopen = "{rule}"\n'
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00", status="open")
    story.status(f"{MONDAY} 10:00", "solved").status(f"{MONDAY} 12:00", "open")
    assert seen(story, f"{MONDAY} 12:30") == clocks


def test_each_time_the_ticket_takes_the_status_a_cycle_may_open() -> None:
    lines = 'cycle = "claim"\nstarts_on = ["status:open"]\nstops_on = ["agent.replied"]\n'
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00", status="open").reply(f"{MONDAY} 09:30")
    story.note(f"{MONDAY} 09:40").status(f"{MONDAY} 10:00", "pending").status(f"{MONDAY} 11:00", "open")
    assert seen(story, f"{MONDAY} 11:30") == [
        ("stopped", f"{MONDAY} 09:00"),
        ("running", f"{MONDAY} 11:00"),
    ]


# -- a date of the ticket ----------------------------------------------------------------------------------------------

DATED = 'starts_on = ["field:requested_date"]\nstops_on = ["service.restored"]\n'


def test_a_clock_awaits_the_date_and_starts_when_it_comes() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00", requested_date=TUESDAY)
    before = story.at(f"{MONDAY} 10:00")
    assert (before.clock("it").state, before.clock("it").awaiting) == ("awaiting", ("field:requested_date",))
    assert before.evaluation.next_at == story.instant(f"{TUESDAY} 00:00") + 1
    clock = story.at(f"{TUESDAY} 09:00").clock("it")
    assert (clock.started, clock.due) == (f"{TUESDAY} 00:00", f"{TUESDAY} 10:00")
    started = next(t for t in story.at(f"{TUESDAY} 09:00").evaluation.transitions if t.kind == "started")
    assert started.cause is not None
    assert text(started.cause) == f"requested_date {TUESDAY}"


def test_an_instant_is_taken_to_the_microsecond() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00", requested_date="2026-03-02T14:00:00+00:00")
    assert story.at(f"{MONDAY} 15:30").clock("it").started == f"{MONDAY} 15:00"


def test_a_date_that_is_past_starts_it_with_the_event_that_names_it() -> None:
    story = (
        Story(agreement(DATED)).created(f"{MONDAY} 09:00").updated(f"{MONDAY} 11:00", requested_date=MONDAY)
    )
    clock = story.at(f"{MONDAY} 11:30").clock("it")
    assert (clock.started, clock.due) == (f"{MONDAY} 11:00", f"{MONDAY} 13:00")


def test_a_date_that_is_moved_before_it_comes_moves_the_start() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00", requested_date=TUESDAY)
    story.updated(f"{MONDAY} 16:00", requested_date="2026-03-05")
    assert story.at(f"{TUESDAY} 12:00").clock("it").state == "awaiting"
    assert story.at("2026-03-05 09:00").clock("it").started == "2026-03-05 00:00"


def test_a_date_that_is_taken_away_before_it_comes_starts_nothing() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00", requested_date=TUESDAY)
    story.updated(f"{MONDAY} 16:00", requested_date=None)
    assert story.at("2026-03-10 12:00").clock("it").state == "awaiting"


def test_a_date_that_is_moved_after_it_has_come_moves_nothing() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00", requested_date=TUESDAY)
    story.updated(f"{TUESDAY} 09:00", requested_date="2026-03-06")
    assert story.at(f"{TUESDAY} 11:00").clock("it").breached == f"{TUESDAY} 10:00"


def test_unless_the_event_that_set_it_is_withdrawn() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00")
    story.updated(f"{MONDAY} 10:00", requested_date=TUESDAY, event_id="wrong")
    story.withdrawn(f"{TUESDAY} 11:00", "wrong")
    assert story.at(f"{TUESDAY} 12:00").clocks("it") == []


def test_a_date_and_an_event_are_both_needed() -> None:
    lines = 'starts_on = ["call.registered", "field:requested_date"]\nstops_on = ["service.restored"]\n'
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00", requested_date=TUESDAY)
    story.fact("call.registered", f"{MONDAY} 10:00")
    assert story.at(f"{MONDAY} 11:00").clock("it").awaiting == ("field:requested_date",)
    assert story.at(f"{TUESDAY} 09:00").clock("it").started == f"{TUESDAY} 00:00"


def test_what_is_no_date_is_flagged_and_starts_nothing() -> None:
    story = Story(agreement(DATED)).created(f"{MONDAY} 09:00", requested_date="soon")
    judged = story.at(f"{MONDAY} 10:00")
    assert judged.flags == ("unreadable_date:requested_date",)
    assert judged.clock("it").state == "awaiting"


def test_a_day_target_counts_from_the_date() -> None:
    lines = DATED + 'target = "3 working days"\n'
    story = Story(
        written(
            f"""
            desk = "acme"
            time_zone = "Europe/Paris"
            [[commitments]]
            id = "it"
            kind = "guarantee"
            calendar = "acme/desk"
            {lines}
            """,
            {"acme/desk": DESK},
        )
    ).created("2026-02-20 09:00", requested_date=MONDAY)
    assert story.at(f"{TUESDAY} 12:00").clock("it").due == "2026-03-05 18:00"


# -- an assignment -----------------------------------------------------------------------------------------------------

ASSIGNED = 'cycle = "assignment"\nstops_on = ["agent.replied"]\nends_on = ["service.restored"]\n'


def assigned() -> Story:
    """Ann from nine, Ben from ten."""
    story = Story(agreement(ASSIGNED)).created(f"{MONDAY} 09:00", assignee="Ann")
    return story.updated(f"{MONDAY} 10:00", assignee="Ben")


def test_each_assignment_opens_a_cycle_and_ends_the_former_neither_met_nor_missed() -> None:
    clocks = assigned().at(f"{MONDAY} 10:30").clocks("it")
    assert [(c.state, c.started, c.due, c.met) for c in clocks] == [
        ("cancelled", f"{MONDAY} 09:00", None, None),
        ("running", f"{MONDAY} 10:00", f"{MONDAY} 12:00", None),
    ]
    assert clocks[0].view.cause is not None
    assert text(clocks[0].view.cause) == "reassigned to Ben"


def test_a_breach_before_the_next_assignment_stays() -> None:
    story = Story(agreement(ASSIGNED)).created(f"{MONDAY} 09:00", assignee="Ann")
    first = story.updated(f"{MONDAY} 12:00", assignee="Ben").at(f"{MONDAY} 12:30").clocks("it")[0]
    assert (first.state, first.met, first.breached) == ("cancelled", False, f"{MONDAY} 11:00")


def test_the_same_assignee_again_is_no_assignment() -> None:
    story = assigned().updated(f"{MONDAY} 11:00", assignee="ben", priority="high")
    assert len(story.at(f"{MONDAY} 11:30").clocks("it")) == 2


def test_who_is_released_ends_the_cycle() -> None:
    clocks = assigned().updated(f"{MONDAY} 11:00", assignee=None).at(f"{MONDAY} 15:00").clocks("it")
    assert [(c.state, c.met) for c in clocks] == [("cancelled", None), ("cancelled", None)]
    assert clocks[1].view.cause is not None
    assert text(clocks[1].view.cause) == "no assignee any more"


def test_a_stop_event_meets_the_cycle_and_the_next_assignment_opens_another() -> None:
    story = assigned().reply(f"{MONDAY} 11:00").updated(f"{MONDAY} 13:00", assignee="Ann")
    clocks = story.at(f"{MONDAY} 13:30").clocks("it")
    assert [(c.state, c.met) for c in clocks] == [("cancelled", None), ("stopped", True), ("running", None)]


def test_a_change_of_group_is_none_unless_the_file_says_so() -> None:
    by_group = ASSIGNED + 'starts_on = ["field:group"]\n'
    for lines, count in ((ASSIGNED, 1), (by_group, 2)):
        story = Story(agreement(lines)).created(f"{MONDAY} 09:00", assignee="Ann", group="first")
        story.updated(f"{MONDAY} 10:00", group="second")
        assert len(story.at(f"{MONDAY} 10:30").clocks("it")) == count


def test_two_assignments_of_one_instant_open_one_cycle() -> None:
    story = assigned().updated(f"{MONDAY} 10:00", assignee="Cid")
    clocks = story.at(f"{MONDAY} 10:30").clocks("it")
    assert [(c.state, c.started) for c in clocks] == [
        ("cancelled", f"{MONDAY} 09:00"),
        ("running", f"{MONDAY} 10:00"),
    ]


def test_who_is_assigned_while_the_ticket_is_shut_begins_with_the_reopening() -> None:
    story = assigned().status(f"{MONDAY} 11:00", "closed").updated(f"{MONDAY} 12:00", assignee="Cid")
    assert [c.state for c in story.at(f"{MONDAY} 12:30").clocks("it")] == ["cancelled", "cancelled"]
    story.status(f"{MONDAY} 13:00", "open")
    assert story.at(f"{MONDAY} 13:30").clock("it").started == f"{MONDAY} 13:00"
    assert len(story.at(f"{MONDAY} 13:30").clocks("it")) == 3


def test_closing_and_reopening_continues_the_cycle_of_the_same_assignee() -> None:
    story = assigned().status(f"{MONDAY} 11:00", "closed").status(f"{MONDAY} 12:00", "open")
    clock = story.at(f"{MONDAY} 12:30").clock("it")
    assert (clock.state, clock.counted, clock.due) == ("running", timedelta(hours=1.5), f"{MONDAY} 13:00")


def test_any_order_of_arrival_gives_the_same_cycles_and_signals() -> None:
    story = assigned().reply(f"{MONDAY} 10:45").updated(f"{MONDAY} 11:00", assignee=None)
    found = set[object]()
    for order in permutations(story.events):
        story.events = [*order, *order[:2]]
        evaluation = story.at(f"{MONDAY} 14:00").evaluation
        found.add((evaluation.clocks, len(signals([], {}, evaluation, revision=1))))
    assert len(found) == 1


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "place", "right"),
    [
        ('starts_on = ["solved"]', "starts_on[0]", 'Write "status:solved".'),
        ('starts_on = [["ticket.created", "status:opne"]]', "starts_on[0][1]", 'Did you mean "status:open"?'),
        ('starts_on = ["requested_date"]', "starts_on[0]", 'Write "field:requested_date".'),
        ('starts_on = ["field:title"]', "starts_on[0]", "Did you mean"),
        ('cycle = "claim"\nstarts_on = ["field:requested_date"]', "starts_on[0]", 'Write cycle = "once"'),
        ('cycle = "next_reply"\nstarts_on = ["status:open"]', "starts_on[0]", "customer.replied"),
        ('cycle = "assignment"\nstarts_on = ["ticket.created"]', "starts_on", "field:assignee"),
        (
            'cycle = "assignment"\nstarts_on = ["field:assignee", "field:group"]',
            "starts_on",
            "field:group",
        ),
    ],
)
def test_a_start_that_cannot_be_is_refused_with_the_place_and_the_remedy(
    lines: str, place: str, right: str
) -> None:
    with pytest.raises(AgreementFault) as refused:
        agreement(lines + '\nstops_on = ["agent.replied"]')
    (found,) = refused.value.faults
    assert found.place == f"commitments.it.{place}"
    assert right in found.right


def test_the_first_assignment_may_start_a_clock_that_runs_once() -> None:
    lines = 'starts_on = ["field:assignee"]\nstops_on = ["agent.replied"]\n'
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00").updated(f"{MONDAY} 10:00", assignee="Ann")
    story.updated(f"{MONDAY} 11:00", assignee="Ben")
    assert seen(story, f"{MONDAY} 11:30") == [("running", f"{MONDAY} 10:00")]


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("2026-03-06", True),
        ("2026-03-06T10:00:00+01:00", True),
        ("2026-02-30", False),
        ("2026-03-06T10:00:00", False),
        ("tomorrow", False),
        (20260306, False),
    ],
)
def test_a_pushed_date_is_a_date_or_an_instant_with_an_offset(value: object, good: bool) -> None:
    event = {
        "specversion": "1.0",
        "id": "e",
        "source": "acme",
        "type": "ticket.updated",
        "subject": "T1",
        "time": "2026-03-02T09:00:00Z",
        "data": {"requested_date": value},
    }
    found = read_event(event, max_text=1000)
    assert isinstance(found, Faulty) is not good
    if isinstance(found, Faulty):
        assert found.place == "/data/requested_date"
