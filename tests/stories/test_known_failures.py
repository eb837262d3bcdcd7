"""What timers elsewhere got wrong: pauses that are late, closings that forgive, replies that come after the end."""

from datetime import timedelta

import pytest

from app.sla.agreement.agreement import Agreement
from app.sla.calendar import Calendar
from app.sla.reason import Reason, ReasonCode
from tests.stories.story import Story, written

DESK = Calendar.parse({"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:30"]}}, name="acme/desk")
CALENDARS = {"acme/desk": DESK}


def promise(lines: str = "", *, target: str = "4h", calendar: str = "acme/desk") -> Agreement:
    """One commitment of a small desk, with further lines of its table."""
    return written(
        f"""
        desk = "acme"
        time_zone = "Europe/Paris"
        [[commitments]]
        id = "promise"
        kind = "guarantee"
        target = "{target}"
        calendar = "{calendar}"
        {lines or RESTORE}
        """,
        CALENDARS,
    )


RESTORE = """
measure = "gtr"
starts_on = ["ticket.created"]
stops_on = ["service.restored", "status:solved", "status:closed"]
pauses_while = ["pending"]
"""
RESPONSE = """
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
pauses_while = ["pending"]
"""
NEXT_REPLY = """
measure = "next-reply"
cycle = "next_reply"
starts_on = ["customer.replied"]
stops_on = ["agent.replied"]
"""


def test_a_paused_clock_never_becomes_late() -> None:
    story = Story(promise()).created("2026-03-02 10:00").status("2026-03-02 13:59", "pending")
    judged = story.at("2026-06-01 10:00")
    assert (judged.clock("promise").state, judged.clock("promise").breached) == ("paused", None)
    assert judged.recorded("promise", "breached", "warned") == []


def test_a_clock_that_is_used_up_at_the_instant_of_the_pause_is_due_at_the_resume() -> None:
    story = Story(promise()).created("2026-03-02 10:00").status("2026-03-02 14:00", "pending")
    assert story.at("2026-03-04 10:00").clock("promise").breached is None
    story.status("2026-03-04 11:00", "open")
    assert story.at("2026-03-04 11:00").clock("promise").due == "2026-03-04 11:00"
    assert story.at("2026-03-04 11:01").clock("promise").breached == "2026-03-04 11:00"


def test_leaving_a_pause_straight_to_solved_keeps_the_pause() -> None:
    story = (
        Story(promise())
        .created("2026-03-02 10:00")
        .status("2026-03-02 12:00", "pending")
        .status("2026-03-04 12:00", "solved")
    )
    clock = story.at("2026-03-05 10:00").clock("promise")
    assert (clock.state, clock.met, clock.counted) == ("stopped", True, timedelta(hours=2))


@pytest.mark.parametrize(
    "lines", [RESTORE, RESPONSE, NEXT_REPLY], ids=["restoration", "response", "next reply"]
)
@pytest.mark.parametrize("status", ["solved", "closed"])
def test_closing_never_erases_a_breach(lines: str, status: str) -> None:
    story = (
        Story(promise(lines))
        .created("2026-03-02 10:00")
        .customer("2026-03-02 10:00")
        .status("2026-03-02 15:00", status)
        .status("2026-03-03 10:00", "closed")
    )
    judged = story.at("2026-03-04 10:00")
    assert (judged.clock("promise").breached, judged.clock("promise").met) == ("2026-03-02 14:00", False)
    assert judged.recorded("promise", "breached") == [("breached", "2026-03-02 14:00")]


def test_a_late_first_reply_followed_by_a_solve_is_still_a_miss() -> None:
    story = (
        Story(promise(RESPONSE))
        .created("2026-03-02 10:00")
        .reply("2026-03-02 14:30")
        .status("2026-03-02 14:31", "solved")
    )
    clock = story.at("2026-03-03 10:00").clock("promise")
    assert (clock.state, clock.met, clock.breached) == ("stopped", False, "2026-03-02 14:00")


def test_a_solve_in_time_without_a_reply_is_no_response_and_no_miss() -> None:
    story = Story(promise(RESPONSE)).created("2026-03-02 10:00").status("2026-03-02 11:00", "solved")
    clock = story.at("2026-03-05 10:00").clock("promise")
    assert (clock.state, clock.met) == ("cancelled", None)
    assert clock.view.cause == Reason(ReasonCode.SHUT_WITHOUT_REPLY, "solved")


def solved() -> Story:
    return (
        Story(promise(NEXT_REPLY))
        .created("2026-03-02 09:00")
        .customer("2026-03-02 09:30")
        .reply("2026-03-02 10:00")
        .status("2026-03-02 10:00", "solved")
        .customer("2026-03-02 12:00", text="thanks")
    )


def test_a_customers_thanks_after_a_solve_starts_no_next_reply_clock() -> None:
    judged = solved().at("2026-03-04 12:00")
    assert [clock.state for clock in judged.clocks("promise")] == ["stopped"]
    assert judged.status == "solved"


def test_unless_it_reopens_the_ticket() -> None:
    clocks = solved().status("2026-03-02 12:00", "open").at("2026-03-02 12:30").clocks("promise")
    assert [(c.state, c.due) for c in clocks] == [
        ("stopped", "2026-03-02 13:30"),
        ("running", "2026-03-02 16:00"),
    ]


def test_a_second_message_never_moves_the_next_reply_clock() -> None:
    story = Story(promise(NEXT_REPLY)).created("2026-03-02 09:00")
    story.customer("2026-03-02 09:30").customer("2026-03-02 12:00").customer(
        "2026-03-02 12:05", automatic=True
    )
    clocks = story.at("2026-03-02 12:30").clocks("promise")
    assert [(c.started, c.due) for c in clocks] == [("2026-03-02 09:30", "2026-03-02 13:30")]


# -- pauses of day targets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resumed", "due"),
    [
        (None, "2026-03-05 17:30"),  # Monday 10:00 + 3 working days: Thursday 17:30
        ("2026-03-02 13:00", "2026-03-06 11:00"),  # paused for two hours: Friday 11:00
        ("2026-03-04 11:00", "2026-03-09 17:30"),  # paused for two days: Monday 17:30
    ],
)
def test_a_target_of_working_days_is_a_length_from_its_start_on(resumed: str | None, due: str) -> None:
    story = Story(promise(target="3 working days")).created("2026-03-02 10:00")
    if resumed is not None:
        story.status("2026-03-02 11:00", "pending").status(resumed, "open")
    assert story.at("2026-03-05 12:00").clock("promise").due == due


def test_a_pause_outside_opening_hours_changes_nothing() -> None:
    story = Story(promise()).created("2026-03-02 16:00")
    before = story.at("2026-03-03 10:00").clock("promise").due
    story.status("2026-03-02 18:00", "pending").status("2026-03-03 08:00", "open")
    assert story.at("2026-03-03 10:00").clock("promise").due == before == "2026-03-03 11:30"


def test_a_target_of_days_keeps_its_pauses_in_real_time() -> None:
    story = Story(promise(target="7 days", calendar="always")).created("2026-03-02 10:00")
    story.status("2026-03-02 11:00", "pending").status("2026-03-02 13:00", "open")
    assert story.at("2026-03-03 12:00").clock("promise").due == "2026-03-10 02:00"


# -- facts that come late or are taken back ----------------------------------------------------------------------------


def test_the_order_in_which_facts_are_told_and_repeated_changes_nothing() -> None:
    story = (
        Story(promise())
        .created("2026-03-02 10:00")
        .status("2026-03-02 11:00", "pending")
        .customer("2026-03-02 12:00")
        .fact("service.restored", "2026-03-02 14:00")
    )
    straight = story.at("2026-03-03 10:00").evaluation
    story.events = [*reversed(story.events), *story.events]
    turned = story.at("2026-03-03 10:00").evaluation
    assert (turned.clocks, turned.transitions) == (straight.clocks, straight.transitions)
    assert straight.clocks[0].met is True


def test_a_reply_entered_in_error_and_withdrawn_never_happened() -> None:
    story = Story(promise(RESPONSE)).created("2026-03-02 10:00").reply("2026-03-02 11:00", event_id="wrong")
    assert story.at("2026-03-03 10:00").clock("promise").met is True
    story.withdrawn("2026-03-02 16:00", "wrong")
    assert story.at("2026-03-03 10:00").clock("promise").breached == "2026-03-02 14:00"


def test_a_merge_cancels_the_source_and_gives_the_target_the_earlier_start() -> None:
    source = Story(promise(RESPONSE), ticket="T0").created("2026-03-02 10:00")
    target = Story(promise(RESPONSE)).created("2026-03-02 12:00").takes_in(source, "2026-03-02 13:00")
    clock = target.at("2026-03-02 13:30").clock("promise")
    assert (clock.started, clock.due) == ("2026-03-02 10:00", "2026-03-02 14:00")
    gone = source.fact("ticket.merged", "2026-03-02 13:00", into="T1").at("2026-03-02 13:30").clock("promise")
    assert (gone.state, gone.breached) == ("cancelled", None)


def test_a_merge_that_makes_the_target_late_is_due_at_the_merge() -> None:
    source = (
        Story(promise(RESPONSE), ticket="T0")
        .created("2026-03-02 10:00")
        .status("2026-03-02 13:30", "pending")
    )
    target = Story(promise(RESPONSE)).created("2026-03-03 09:00").takes_in(source, "2026-03-03 12:00")
    clock = target.at("2026-03-03 12:30").clock(
        "promise"
    )  # 3.5 hours there and 3 here: 4 were used up at 9:30
    assert (clock.started, clock.breached) == ("2026-03-02 10:00", "2026-03-03 12:00")


def test_one_wait_is_not_missed_twice_by_a_merge() -> None:
    source = Story(promise(RESPONSE), ticket="T0").created("2026-03-02 10:00")
    target = Story(promise(RESPONSE)).created("2026-03-03 09:00").takes_in(source, "2026-03-03 09:10")
    clock = target.at("2026-03-03 10:00").clock("promise")
    assert (clock.breached, clock.due) == (None, "2026-03-03 13:00")
