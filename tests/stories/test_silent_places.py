"""What the texts of agreements say nothing about, and had to be decided: each decision as it shows."""

from datetime import timedelta

import pytest

from app.flow.query.reasons import text
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import AppliesTo, Version
from app.sla.calendar import Calendar
from app.sla.clock.evaluation import evaluate
from tests.stories.story import Story, written

DESK = Calendar.parse({"time_zone": "UTC", "hours": {"mon-fri": ["08:00-18:00"]}}, name="acme/desk")


def agreement(lines: str) -> Agreement:
    document = f"""
        desk = "acme"
        [[commitments]]
        id = "it"
        kind = "guarantee"
        calendar = "acme/desk"
        {lines}
        """
    return written(document, {"acme/desk": DESK})


RESPONSE = """
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
"""
NEXT_REPLY = """
cycle = "next_reply"
starts_on = ["ticket.created", "customer.replied"]
stops_on = ["agent.replied"]
target = "2h"
"""
CLAIM = """
cycle = "claim"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
"""
REPORT = """
cycle = "progress"
starts_on = ["ticket.created"]
stops_on = ["progress.reported"]
ends_on = ["ENDS"]
target = "2h"
"""
BY_PRIORITY = """
measure = "gtr"
starts_on = ["ticket.created"]
stops_on = ["service.restored"]
pauses_while = ["pending"]
target = { by = "priority", high = "1h", else = "4h" }
"""
MONDAY = "2026-03-02"


# -- an answer while the ticket is shut ------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [RESPONSE, NEXT_REPLY, CLAIM], ids=["once", "next reply", "claim"])
def test_an_answer_after_the_closing_stops_the_clock_at_the_answer(lines: str) -> None:
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 10:00", "closed")
    story.reply(f"{MONDAY} 15:00")
    clock = story.at(f"{MONDAY} 16:00").clock("it")
    assert (clock.state, clock.stopped, clock.met) == ("stopped", f"{MONDAY} 15:00", True)
    assert (clock.counted, clock.due) == (timedelta(hours=1), f"{MONDAY} 16:00")
    before = story.at(f"{MONDAY} 14:00").clock("it")
    assert (before.state, before.met) == ("cancelled", None)


@pytest.mark.parametrize("lines", [RESPONSE, NEXT_REPLY, CLAIM], ids=["once", "next reply", "claim"])
def test_a_reopening_after_that_answer_brings_nothing_back(lines: str) -> None:
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 10:00", "closed")
    story.reply(f"{MONDAY} 15:00").status(f"{MONDAY} 16:00", "open")
    judged = story.at(f"{MONDAY} 17:00")
    assert [(c.state, c.stopped) for c in judged.clocks("it")] == [("stopped", f"{MONDAY} 15:00")]
    assert judged.recorded("it", "reopened") == []


@pytest.mark.parametrize("lines", [RESPONSE, NEXT_REPLY], ids=["once", "next reply"])
def test_a_breach_before_the_closing_stays_with_that_answer(lines: str) -> None:
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 12:00", "closed")
    clock = story.reply(f"{MONDAY} 15:00").at(f"{MONDAY} 16:00").clock("it")
    assert (clock.state, clock.breached, clock.met, clock.due) == (
        "stopped",
        f"{MONDAY} 11:00",
        False,
        f"{MONDAY} 11:00",
    )


def test_an_automatic_answer_after_the_closing_answers_nothing() -> None:
    story = Story(agreement(NEXT_REPLY)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 10:00", "closed")
    story.reply(f"{MONDAY} 15:00", automatic=True).status(f"{MONDAY} 16:00", "open")
    assert story.at(f"{MONDAY} 16:30").clock("it").state == "running"


def test_a_report_after_the_closing_stops_its_cycle_and_a_reopening_owes_the_next() -> None:
    lines = REPORT.replace("ENDS", "service.restored")
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 10:00", "closed")
    story.fact("progress.reported", f"{MONDAY} 11:00").status(f"{MONDAY} 12:00", "open")
    clocks = story.at(f"{MONDAY} 12:30").clocks("it")
    assert [(c.state, c.started, c.due) for c in clocks] == [
        ("stopped", f"{MONDAY} 09:00", f"{MONDAY} 12:00"),
        ("running", f"{MONDAY} 11:00", f"{MONDAY} 14:00"),
    ]


# -- a new target after a breach -------------------------------------------------------------------------------------


def late() -> Story:
    """Breached at ten under one hour; four hours from half past eleven on."""
    story = Story(agreement(BY_PRIORITY)).created(f"{MONDAY} 09:00", priority="high")
    return story.updated(f"{MONDAY} 11:30", priority="low")


def test_after_a_breach_a_new_target_gives_a_deadline_that_pauses_move() -> None:
    assert late().at(f"{MONDAY} 12:00").clock("it").due == f"{MONDAY} 13:00"
    story = late().status(f"{MONDAY} 12:00", "pending").status(f"{MONDAY} 13:00", "open")
    clock = story.at(f"{MONDAY} 13:30").clock("it")
    assert (clock.due, clock.breached, clock.met) == (f"{MONDAY} 14:00", f"{MONDAY} 10:00", False)


def test_and_the_new_deadline_breaches_no_more() -> None:
    assert late().at(f"{MONDAY} 17:00").recorded("it", "breached") == [("breached", f"{MONDAY} 10:00")]


def test_without_a_new_target_a_pause_moves_no_deadline_that_has_passed() -> None:
    story = Story(agreement(BY_PRIORITY)).created(f"{MONDAY} 09:00", priority="high")
    story.status(f"{MONDAY} 12:00", "pending").status(f"{MONDAY} 13:00", "open")
    assert story.at(f"{MONDAY} 13:30").clock("it").due == f"{MONDAY} 10:00"


# -- a stop in a pause -----------------------------------------------------------------------------------------------


def test_a_clock_that_is_stopped_while_paused_is_due_as_if_it_had_gone_on_then() -> None:
    story = Story(agreement(BY_PRIORITY)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 10:00", "pending")
    clock = story.fact("service.restored", f"{MONDAY} 14:00").at(f"{MONDAY} 15:00").clock("it")
    assert (clock.state, clock.met, clock.due) == ("stopped", True, f"{MONDAY} 17:00")


# -- what ends_on ended ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["status:solved", "service.restored"])
def test_what_ends_on_ended_is_not_brought_back_by_a_reopening(end: str) -> None:
    story = Story(agreement(REPORT.replace("ENDS", end))).created(f"{MONDAY} 09:00")
    story.fact("service.restored", f"{MONDAY} 10:00").status(f"{MONDAY} 10:00", "solved")
    story.status(f"{MONDAY} 11:00", "open")
    judged = story.at(f"{MONDAY} 16:00")
    assert [(c.state, c.met) for c in judged.clocks("it")] == [("cancelled", None)]


def test_what_only_the_closing_ended_is_brought_back() -> None:
    story = Story(agreement(REPORT.replace("ENDS", "service.restored"))).created(f"{MONDAY} 09:00")
    story.status(f"{MONDAY} 10:00", "closed").status(f"{MONDAY} 11:00", "open")
    assert story.at(f"{MONDAY} 11:30").clock("it").due == f"{MONDAY} 12:00"


# -- cycles of one instant -------------------------------------------------------------------------------------------


def test_a_report_and_a_reply_of_one_instant_open_one_cycle() -> None:
    lines = REPORT.replace("ENDS", "service.restored").replace(
        '["progress.reported"]', '["progress.reported", "agent.replied"]'
    )
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00")
    story.fact("progress.reported", f"{MONDAY} 10:00").reply(f"{MONDAY} 10:00")
    clocks = story.at(f"{MONDAY} 10:30").clocks("it")
    assert [(c.state, c.started) for c in clocks] == [
        ("stopped", f"{MONDAY} 09:00"),
        ("running", f"{MONDAY} 10:00"),
    ]
    assert len({c.view.cycle_id for c in clocks}) == 2


@pytest.mark.parametrize("lines", [NEXT_REPLY, CLAIM.replace("ticket.created", "customer.replied")])
def test_a_message_an_answer_and_a_message_of_one_instant_leave_one_open_cycle(lines: str) -> None:
    story = Story(agreement(lines)).created(f"{MONDAY} 09:00", author="agent")
    story.customer(f"{MONDAY} 10:00").reply(f"{MONDAY} 10:00").customer(f"{MONDAY} 10:00")
    assert [c.state for c in story.at(f"{MONDAY} 10:30").clocks("it")] == ["running"]


# -- versions --------------------------------------------------------------------------------------------------------


def other() -> Agreement:
    """A version without the commitment `it`."""
    return written(
        """
        desk = "acme"
        [[commitments]]
        id = "else"
        kind = "guarantee"
        starts_on = ["service.restored"]
        stops_on = ["agent.replied"]
        target = "2h"
        calendar = "acme/desk"
        """,
        {"acme/desk": DESK},
    )


def at_rest(story: Story, at: str, *applied: tuple[str, Agreement]) -> list[tuple[str, str | None]]:
    versions = [Version(1, story.agreement, 0)]
    versions += [
        Version(number, each, story.instant(since), AppliesTo.REST)
        for number, (since, each) in enumerate(applied, start=2)
    ]
    found = evaluate(story.events, versions, story.instant(at))
    return [
        (str(c.state), None if c.cause is None else text(c.cause))
        for c in found.clocks
        if c.commitment == "it"
    ]


def test_a_commitment_that_a_version_dropped_opens_no_further_cycle() -> None:
    story = Story(agreement(NEXT_REPLY)).created(f"{MONDAY} 09:00", author="agent")
    story.customer(f"{MONDAY} 09:30").reply(f"{MONDAY} 10:00").customer(f"{MONDAY} 12:00")
    assert len(at_rest(story, f"{MONDAY} 12:30")) == 2
    assert at_rest(story, f"{MONDAY} 12:30", (f"{MONDAY} 11:00", other())) == [("stopped", "T1-03")]


def test_a_dropped_clock_keeps_its_cause_whatever_happens_later() -> None:
    story = Story(agreement(NEXT_REPLY)).created(f"{MONDAY} 09:00").reply(f"{MONDAY} 12:00")
    story.status(f"{MONDAY} 13:00", "closed").status(f"{MONDAY} 14:00", "open")
    dropped = at_rest(story, f"{MONDAY} 15:00", (f"{MONDAY} 10:00", other()))
    assert dropped == [("cancelled", "no longer promised")]


def test_a_commitment_that_a_later_version_has_again_is_judged_by_what_happened_meanwhile() -> None:
    story = (
        Story(agreement(NEXT_REPLY)).created(f"{MONDAY} 09:00", author="agent").customer(f"{MONDAY} 11:30")
    )
    again = ((f"{MONDAY} 11:00", other()), (f"{MONDAY} 12:00", story.agreement))
    assert at_rest(story, f"{MONDAY} 11:45", *again) == []
    assert at_rest(story, f"{MONDAY} 12:30", *again) == [("running", None)]


def test_a_ticket_that_had_ended_before_a_version_is_not_judged_by_it_at_an_earlier_instant() -> None:
    story = Story(agreement(RESPONSE)).created(f"{MONDAY} 09:00").status(f"{MONDAY} 12:00", "closed")
    shorter = agreement(RESPONSE.replace("2h", "30m"))
    versions = [
        Version(1, story.agreement, 0),
        Version(2, shorter, story.instant(f"{MONDAY} 15:00"), AppliesTo.OPEN),
    ]
    clock = evaluate(story.events, versions, story.instant(f"{MONDAY} 10:00")).clocks[0]
    assert (clock.target, clock.breached_at) == ("2h", None)
