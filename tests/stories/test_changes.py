"""What a clock does when its ticket or its agreement changes mid-way: priority, level, category, reopen, versions."""

import pytest

from app.sla.calendar import Calendar
from app.sla.clock.evaluation import AppliesTo, Version, evaluate
from tests.stories.story import Judged, Story, written

CALENDARS = {
    "acme/desk": Calendar.parse(
        {"time_zone": "Europe/Paris", "hours": {"mon-fri": ["09:00-17:30"]}, "years": [2025, 2027]},
        name="acme/desk",
    ),
    "acme/long": Calendar.parse(
        {"time_zone": "Europe/Paris", "hours": {"mon-sun": ["08:00-20:00"]}}, name="acme/long"
    ),
}
HEAD = 'desk = "acme"\ntime_zone = "Europe/Paris"\n'


def desk(lines: str, *, head: str = "") -> Story:
    return Story(written(HEAD + head + lines, CALENDARS))


def by_priority(on_change: str) -> str:
    return f"""
    [[commitments]]
    id = "restore"
    kind = "guarantee"
    measure = "gtr"
    starts_on = ["ticket.created"]
    stops_on = ["service.restored", "status:solved", "status:closed"]
    pauses_while = ["pending"]
    target = {{ by = "priority", urgent = "2h", days = "3 working days", else = "6h" }}
    calendar = "acme/desk"
    warn_at = ["50%"]
    on_change = "{on_change}"
    """


@pytest.mark.parametrize(
    ("on_change", "due"),
    [("carry", "2026-03-02 11:00"), ("from_start", "2026-03-02 11:00"), ("reset", "2026-03-02 12:30")],
)
def test_a_shorter_target_counts_on_from_what_counted_or_from_the_change(on_change: str, due: str) -> None:
    story = desk(by_priority(on_change)).created("2026-03-02 09:00")
    story.updated("2026-03-02 10:30", priority="urgent")
    assert story.at("2026-03-02 10:30").clock("restore").due == due


@pytest.mark.parametrize("on_change", ["carry", "from_start"])
def test_a_target_already_used_up_is_due_at_the_change_and_never_earlier(on_change: str) -> None:
    story = desk(by_priority(on_change)).created("2026-03-02 09:00")
    story.updated("2026-03-02 13:00", priority="urgent")
    assert story.at("2026-03-02 13:00").clock("restore").breached is None
    assert story.at("2026-03-02 13:01").clock("restore").breached == "2026-03-02 13:00"


def test_a_target_used_up_by_a_change_in_a_pause_is_due_at_the_resume() -> None:
    story = desk(by_priority("carry")).created("2026-03-02 09:00").status("2026-03-02 12:00", "pending")
    story.updated("2026-03-02 13:00", priority="urgent").status("2026-03-02 15:00", "open")
    assert story.at("2026-03-02 15:00").clock("restore").due == "2026-03-02 15:00"


def test_a_change_to_working_days_takes_its_length_from_the_unchanged_start() -> None:
    story = desk(by_priority("carry")).created("2026-03-02 10:00")
    story.updated("2026-03-03 11:00", priority="days")
    assert story.at("2026-03-03 11:00").clock("restore").due == "2026-03-05 17:30"


def test_a_later_change_never_removes_an_earlier_breach_and_the_cycle_gives_no_second_one() -> None:
    story = desk(by_priority("carry")).created("2026-03-02 09:00", priority="urgent")
    story.updated("2026-03-02 12:00", priority="normal")
    clock = story.at("2026-03-04 12:00").clock("restore")
    assert (clock.breached, clock.due) == ("2026-03-02 11:00", "2026-03-02 15:00")
    assert story.at("2026-03-04 12:00").recorded("restore", "breached") == [("breached", "2026-03-02 11:00")]


def test_after_a_breach_a_pause_moves_the_due_date_no_more() -> None:
    story = desk(by_priority("carry")).created("2026-03-02 09:00", priority="urgent")
    story.status("2026-03-02 12:00", "pending")
    paused = story.at("2026-03-02 13:00").clock("restore")
    assert (paused.due, paused.due_if_resumed, paused.breached) == (
        None,
        "2026-03-02 11:00",
        "2026-03-02 11:00",
    )
    story.status("2026-03-02 14:00", "open")
    assert story.at("2026-03-02 14:30").clock("restore").due == "2026-03-02 11:00"


def test_a_moved_deadline_warns_again_only_for_a_new_target() -> None:
    story = desk(by_priority("carry")).created("2026-03-02 09:00")
    story.status("2026-03-02 13:00", "pending").status("2026-03-02 14:00", "open")
    story.updated("2026-03-02 15:00", priority="days")
    recorded = story.at("2026-03-05 09:00").recorded("restore", "warned")
    assert recorded == [("warned", "2026-03-02 12:00"), ("warned", "2026-03-04 10:00")], (
        "half of 34 open hours, an hour of pause"
    )


REPEATS = """
[[commitments]]
id = "restore"
kind = "guarantee"
measure = "gtr"
starts_on = ["ticket.created"]
stops_on = ["service.restored", "status:solved", "status:closed"]
target = "4h"
calendar = "acme/desk"
on_reopen = "{}"
"""


def test_a_resumed_clock_goes_on_without_the_stretch_while_it_was_stopped() -> None:
    story = desk(REPEATS.format("resume")).created("2026-03-02 09:00")
    story.status("2026-03-02 11:00", "solved").status("2026-03-03 09:00", "open")
    assert story.at("2026-03-03 09:30").clock("restore").due == "2026-03-03 11:00"


def test_a_restarted_clock_is_a_new_cycle_beside_the_old_one() -> None:
    story = desk(REPEATS.format("restart")).created("2026-03-02 09:00")
    story.status("2026-03-02 11:00", "solved").status("2026-03-03 09:00", "open")
    first, second = story.at("2026-03-03 09:30").clocks("restore")
    assert (first.met, second.started, second.due) == (True, "2026-03-03 09:00", "2026-03-03 13:00")


def test_an_ignored_reopen_leaves_the_clock_stopped() -> None:
    story = desk(REPEATS.format("ignore")).created("2026-03-02 09:00")
    story.status("2026-03-02 11:00", "solved").status("2026-03-03 09:00", "open")
    assert story.at("2026-03-09 09:30").clock("restore").met is True


def test_a_status_other_than_new_open_or_pending_is_no_reopen() -> None:
    story = desk(REPEATS.format("resume")).created("2026-03-02 09:00")
    story.status("2026-03-02 11:00", "solved").status("2026-03-03 09:00", "on_hold")
    assert story.at("2026-03-03 09:30").clock("restore").state == "stopped"


RESPONSE = """
[[commitments]]
id = "response"
kind = "guarantee"
measure = "response"
except = { category = ["spam"] }
except_reason = "no promise for advertisements"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "4h"
calendar = "acme/desk"
"""


def test_a_response_ended_by_a_solve_comes_back_with_its_counted_time_when_reopened() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00").status("2026-03-02 11:00", "solved")
    assert story.at("2026-03-02 12:00").clock("response").state == "cancelled"
    story.status("2026-03-03 09:00", "open")
    clock = story.at("2026-03-03 09:00").clock("response")
    assert (clock.state, clock.due) == ("running", "2026-03-03 11:00")


def test_a_reply_while_solved_answers_the_clock_that_a_reopen_brings_back() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00").status("2026-03-02 10:00", "solved")
    story.reply("2026-03-02 10:30").status("2026-03-03 09:00", "open")
    assert story.at("2026-03-03 10:00").clock("response").met is True


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_a_reply_and_a_solve_of_one_instant_are_an_answer_whichever_id_sorts_first(
    ids: tuple[str, str],
) -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00")
    story.fact("agent.replied", "2026-03-02 10:00", event_id=ids[0], author="agent")
    story.fact("status.changed", "2026-03-02 10:00", event_id=ids[1], status="solved")
    judged = story.at("2026-03-02 11:00")
    assert (judged.clock("response").state, judged.clock("response").met) == ("stopped", True)
    assert judged.recorded("response") == [("started", "2026-03-02 09:00"), ("stopped", "2026-03-02 10:00")]


def test_what_ceases_to_apply_is_cancelled_and_says_why_and_what_applies_again_counts_from_its_start() -> (
    None
):
    story = desk(RESPONSE).created("2026-03-02 09:00").updated("2026-03-02 10:00", category="spam")
    gone = story.at("2026-03-02 10:30")
    assert gone.clock("response").state == "cancelled"
    assert gone.reasons == {"response": "no promise for advertisements"}
    story.updated("2026-03-02 11:00", category="question")
    back = story.at("2026-03-02 11:30")
    assert (back.clock("response").started, back.clock("response").due) == (
        "2026-03-02 09:00",
        "2026-03-02 13:00",
    )
    assert back.reasons == {}


def test_an_answer_while_a_commitment_does_not_apply_is_told_only_when_it_applies_again() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00").updated("2026-03-02 10:00", category="spam")
    story.reply("2026-03-02 10:30")
    gone = story.at("2026-03-02 10:45")
    assert (gone.clock("response").state, gone.clock("response").met) == ("cancelled", None)
    assert gone.recorded("response") == [("started", "2026-03-02 09:00"), ("cancelled", "2026-03-02 10:00")]
    story.updated("2026-03-02 11:00", category="question")
    back = story.at("2026-03-02 11:30")
    assert (back.clock("response").state, back.clock("response").met) == ("stopped", True)
    assert ("stopped", "2026-03-02 10:30") in back.recorded("response")


def test_what_starts_to_apply_late_is_due_at_the_change_at_the_earliest() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00", category="spam")
    assert story.at("2026-03-03 09:30").names == set()
    story.updated("2026-03-03 10:00", category="question")
    assert story.at("2026-03-03 10:00").clock("response").due == "2026-03-03 10:00"


def test_what_starts_to_apply_after_its_answer_was_in_time() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00", category="spam").reply("2026-03-03 09:30")
    story.updated("2026-03-03 10:00", category="question")
    clock = story.at("2026-03-03 11:00").clock("response")
    assert (clock.state, clock.met, clock.breached) == ("stopped", True, None)


def test_a_year_that_the_calendar_does_not_cover_leaves_the_due_date_open_and_fails_nothing_else() -> None:
    other = RESPONSE.replace('"response"', '"second"', 1).replace("acme/desk", "acme/long")
    story = desk(RESPONSE + other).created("2028-03-02 09:00")
    judged = story.at("2028-03-02 10:00")
    assert judged.clock("response").due is None
    assert judged.flags == ("calendar_uncovered:response",)
    assert judged.clock("second").due == "2028-03-02 13:00"


def test_a_ticket_whose_creation_was_never_seen_awaits_it() -> None:
    story = desk(RESPONSE).reply("2026-03-02 10:00")
    judged = story.at("2026-03-02 10:00")
    assert judged.clock("response").awaiting == ("ticket.created",)
    assert "creation_unknown" in judged.flags
    story.created("2026-03-02 09:00")
    assert story.at("2026-03-02 11:00").clock("response").met is True


def test_of_two_creations_the_earlier_counts() -> None:
    story = desk(RESPONSE).created("2026-03-02 10:00").created("2026-03-02 09:00")
    assert story.at("2026-03-02 11:00").clock("response").started == "2026-03-02 09:00"


def test_a_deleted_ticket_owes_nothing_more() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00").fact("ticket.deleted", "2026-03-02 10:00")
    clock = story.at("2026-03-05 09:00").clock("response")
    assert (clock.state, clock.met) == ("cancelled", None)


def test_overlapping_exclusions_count_once_and_a_breach_inside_them_vanishes() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00")
    assert story.at("2026-03-02 15:00").clock("response").breached == "2026-03-02 13:00"
    for number, (start, end) in enumerate([("10:00", "12:00"), ("11:00", "13:00")]):
        story.excluded(
            f"2026-03-02 14:0{number}",
            f"2026-03-02 {start}",
            f"2026-03-02 {end}",
            by="Eva",
            reason="power cut",
        )
    clock = story.at("2026-03-02 15:00").clock("response")
    assert (clock.breached, clock.due) == (None, "2026-03-02 16:00")


def versions(story: Story, later: str, applies_to: AppliesTo, applied: str) -> list[Version]:
    new = written(HEAD + later, CALENDARS)
    return [Version(1, story.agreement, 0), Version(2, new, story.instant(applied), applies_to)]


def judged(
    story: Story, later: str, applies_to: AppliesTo, at: str, applied: str = "2026-03-02 12:00"
) -> Judged:
    evaluation = evaluate(story.events, versions(story, later, applies_to, applied), story.instant(at))
    return Judged(evaluation, story.zone)


SHORTER = RESPONSE.replace('target = "4h"', 'target = "2h"')


@pytest.mark.parametrize(
    ("applies_to", "due"),
    [
        (AppliesTo.NEW, "2026-03-02 14:00"),
        (AppliesTo.OPEN, "2026-03-02 12:00"),
        (AppliesTo.REST, "2026-03-02 12:00"),
    ],
)
def test_a_new_version_judges_new_tickets_or_open_ones_anew_or_the_rest_of_their_lives(
    applies_to: AppliesTo, due: str
) -> None:
    story = desk(RESPONSE).created("2026-03-02 10:00")
    assert judged(story, SHORTER, applies_to, "2026-03-02 12:00").clock("response").due == due


def test_a_version_for_the_rest_is_never_due_before_it_came_and_one_for_open_tickets_may_be() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00")
    rest = judged(story, SHORTER, AppliesTo.REST, "2026-03-02 12:30").clock("response")
    anew = judged(story, SHORTER, AppliesTo.OPEN, "2026-03-02 12:30").clock("response")
    assert (rest.breached, anew.breached) == ("2026-03-02 12:00", "2026-03-02 11:00")


def test_a_version_never_judges_closed_tickets_again_but_a_late_fact_does() -> None:
    story = (
        desk(RESPONSE)
        .created("2026-03-02 09:00")
        .reply("2026-03-02 11:30")
        .status("2026-03-02 11:45", "closed")
    )
    assert judged(story, SHORTER, AppliesTo.OPEN, "2026-03-03 09:00").clock("response").met is True
    story.withdrawn("2026-03-03 09:00", "T1-02")
    assert judged(story, SHORTER, AppliesTo.OPEN, "2026-03-03 09:00").clock("response").state == "cancelled"


def test_a_ticket_born_after_a_version_is_judged_by_it() -> None:
    story = desk(RESPONSE).created("2026-03-03 10:00")
    assert (
        judged(story, SHORTER, AppliesTo.NEW, "2026-03-03 10:00").clock("response").due == "2026-03-03 12:00"
    )


def test_a_promise_that_comes_with_a_version_for_the_rest_applies_from_then_and_one_that_goes_is_cancelled() -> (
    None
):
    story = desk(RESPONSE).created("2026-03-02 09:00")
    later = REPEATS.format("resume").replace('target = "4h"', 'target = "2h"')
    seen = judged(story, later, AppliesTo.REST, "2026-03-02 12:30")
    assert seen.clock("response").state == "cancelled"
    assert (seen.clock("restore").started, seen.clock("restore").due) == (
        "2026-03-02 09:00",
        "2026-03-02 12:00",
    )


def test_an_exclusion_granted_after_a_version_counts_for_the_promise_that_came_with_it() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00")
    story.excluded("2026-03-02 15:00", "2026-03-02 09:30", "2026-03-02 11:30", by="Eva", reason="power cut")
    later = REPEATS.format("resume")
    clock = judged(story, later, AppliesTo.REST, "2026-03-02 15:30").clock("restore")
    assert (clock.started, clock.due) == ("2026-03-02 09:00", "2026-03-02 15:00")


FILED = """
[[commitments]]
id = "filing"
kind = "customer"
measure = "filing"
starts_on = ["outage.verified"]
stops_on = ["claim.filed"]
target = "4h"
calendar = "acme/desk"

[[commitments]]
id = "answer"
kind = "guarantee"
measure = "answer"
cycle = "claim"
starts_on = ["claim.filed"]
stops_on = ["claim.answered"]
target = "8h"
calendar = "acme/desk"
not_after = { commitment = "filing", reason = "filed too late" }
"""


def test_a_deadline_that_comes_with_a_version_refuses_no_claim_that_was_filed_before_it() -> None:
    story = desk(RESPONSE).created("2026-03-02 09:00")
    story.fact("outage.verified", "2026-03-02 09:30").fact("claim.filed", "2026-03-02 14:00")
    seen = judged(story, FILED, AppliesTo.REST, "2026-03-02 16:30", applied="2026-03-02 16:00")
    assert {"filing", "answer"} <= seen.names
    assert seen.reasons == {}
