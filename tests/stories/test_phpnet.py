"""PHPNET: Monday-Friday 09:00-19:00, Saturday and Sunday 09:00-18:00, Europe/Paris; the call starts the clock."""

from datetime import timedelta

import pytest

from tests.stories.story import Story, shipped


def ticket(at: str = "2026-03-05 16:00", **fields: object) -> Story:
    """A ticket of level example-1: GTI 4 h, GTR 8 h."""
    return Story("phpnet").created(
        at, **{"kind": "intervention", "category": "software", "level": "example-1"} | fields
    )


# -- both the ticket and the call --------------------------------------------------------------------------------------


def test_a_ticket_alone_awaits_its_call() -> None:
    clock = ticket().at("2026-03-05 16:30").clock("gti")
    assert (clock.state, clock.awaiting, clock.started, clock.due) == (
        "awaiting",
        ("call.registered",),
        None,
        None,
    )


def test_a_wait_for_the_call_of_more_than_an_hour_is_warned_of() -> None:
    story = ticket()
    assert story.at("2026-03-05 17:00").recorded("gti") == []
    assert story.at("2026-03-05 17:01").recorded("gti") == [("warned", "2026-03-05 17:00")]


def test_a_call_in_time_leaves_no_warning_of_the_wait() -> None:
    story = ticket().fact("call.registered", "2026-03-05 16:20")
    assert story.at("2026-03-05 17:30").recorded("gti") == [("started", "2026-03-05 16:20")]


@pytest.mark.parametrize(
    ("created", "called", "started"),
    [
        ("2026-03-05 16:00", "2026-03-05 16:30", "2026-03-05 16:30"),
        ("2026-03-05 16:30", "2026-03-05 16:00", "2026-03-05 16:30"),
    ],
)
def test_the_clock_starts_at_the_later_of_ticket_and_call(created: str, called: str, started: str) -> None:
    clock = ticket(created).fact("call.registered", called).at("2026-03-05 17:00").clock("gti")
    assert (clock.started, clock.due) == (started, "2026-03-06 10:30")  # 2.5 h today, 1.5 h on Friday


def test_a_monitoring_alert_starts_nothing() -> None:
    judged = ticket(category="network").fact("anomaly.detected", "2026-03-05 16:10").at("2026-03-05 17:00")
    assert judged.names == {"gtr"}
    assert judged.clock("gtr").state == "awaiting"


@pytest.mark.parametrize(
    ("called", "due"),
    [
        ("2026-03-07 17:00", "2026-03-08 12:00"),  # Saturday to 18:00, Sunday from 9:00
        ("2026-03-08 17:00", "2026-03-09 12:00"),
        ("2026-07-14 09:00", "2026-07-14 13:00"),  # 14 July is worked
        ("2026-03-05 15:00", "2026-03-05 19:00"),  # an exact fit
        ("2026-03-28 16:00", "2026-03-29 11:00"),  # over the night in which summer time begins
    ],
)
def test_delays_count_in_the_hours_of_the_desk(called: str, due: str) -> None:
    assert ticket(called).fact("call.registered", called).at(called).clock("gti").due == due


# -- gti ---------------------------------------------------------------------------------------------------------------


def test_only_a_confirmed_intervention_stops_the_gti() -> None:
    story = ticket("2026-03-05 10:00").fact("call.registered", "2026-03-05 10:00")
    story.updated("2026-03-05 10:10", assignee="marc").reply("2026-03-05 10:20")
    assert story.at("2026-03-05 11:00").clock("gti").state == "running"
    clock = story.fact("intervention.started", "2026-03-05 13:59").at("2026-03-05 18:00").clock("gti")
    assert (clock.stopped, clock.met) == ("2026-03-05 13:59", True)


def test_an_intervention_that_began_before_the_call_stops_the_gti_at_its_start() -> None:
    story = (
        ticket("2026-03-05 10:00")
        .fact("intervention.started", "2026-03-05 10:30")
        .fact("call.registered", "2026-03-05 11:00")
    )
    clock = story.at("2026-03-05 12:00").clock("gti")
    assert (clock.state, clock.started, clock.stopped, clock.met) == (
        "stopped",
        "2026-03-05 11:00",
        "2026-03-05 11:00",
        True,
    )


def test_a_late_intervention_is_a_breach_of_the_gti() -> None:
    story = (
        ticket("2026-03-05 10:00")
        .fact("call.registered", "2026-03-05 10:00")
        .fact("intervention.started", "2026-03-05 14:01")
    )
    assert story.at("2026-03-05 18:00").recorded("gti", "breached") == [("breached", "2026-03-05 14:00")]


def test_while_the_desk_waits_for_the_client_the_clock_stands_still() -> None:
    story = (
        ticket("2026-03-05 10:00")
        .fact("call.registered", "2026-03-05 10:00")
        .status("2026-03-05 11:00", "pending")
        .customer("2026-03-05 15:00", text="the password is ...")
    )
    paused = story.at("2026-03-05 14:30").clock("gti")
    assert (paused.state, paused.due, paused.due_if_resumed) == ("paused", None, "2026-03-05 17:30")
    clock = story.at("2026-03-05 16:00").clock("gti")
    assert (clock.state, clock.due, clock.remaining) == ("running", "2026-03-05 18:00", timedelta(hours=2))


# -- gtr ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("category", ["hardware", "Network"])
def test_hardware_and_network_have_the_gtr_and_no_gti(category: str) -> None:
    judged = (
        ticket("2026-03-05 10:00", category=category)
        .fact("call.registered", "2026-03-05 10:05")
        .at("2026-03-05 11:00")
    )
    assert judged.names == {"gtr"}
    assert (judged.clock("gtr").due, judged.clock("gtr").target) == ("2026-03-05 18:05", "8h")


@pytest.mark.parametrize("stop", ["service.restored", "outage.ended", "status:solved", "status:closed"])
def test_the_gtr_stops_when_the_server_is_available_again(stop: str) -> None:
    story = ticket("2026-03-05 10:00", category="network").fact("call.registered", "2026-03-05 10:00")
    if stop.startswith("status:"):
        story.status("2026-03-05 12:00", stop.removeprefix("status:"))
    else:
        story.fact(stop, "2026-03-05 12:00")
    clock = story.at("2026-03-05 18:00").clock("gtr")
    assert (clock.stopped, clock.met) == ("2026-03-05 12:00", True)


def test_a_gtr_solved_before_the_call_stops_at_its_start() -> None:
    story = ticket("2026-03-05 10:00", category="network").status("2026-03-05 10:30", "solved")
    assert story.at("2026-03-05 10:45").clock("gtr").state == "awaiting"
    clock = story.fact("call.registered", "2026-03-05 11:00").at("2026-03-05 12:00").clock("gtr")
    assert (clock.state, clock.started, clock.stopped, clock.met) == (
        "stopped",
        "2026-03-05 11:00",
        "2026-03-05 11:00",
        True,
    )


def test_a_ticket_closed_before_the_call_ends_the_wait() -> None:
    story = ticket("2026-03-05 10:00").status("2026-03-05 10:30", "closed")
    judged = story.at("2026-03-06 10:00")
    assert judged.clock("gti").state == "cancelled"
    assert judged.recorded("gti", "warned", "breached") == []


def test_a_reopened_gtr_goes_on_without_the_stretch_while_it_was_stopped() -> None:
    story = (
        ticket("2026-03-05 10:00", category="network")
        .fact("call.registered", "2026-03-05 10:00")
        .status("2026-03-05 12:00", "solved")
        .status("2026-03-06 10:00", "open")
    )
    clock = story.at("2026-03-06 11:00").clock("gtr")
    assert (clock.state, clock.counted, clock.due) == ("running", timedelta(hours=3), "2026-03-06 16:00")


# -- levels, contracts, scope ------------------------------------------------------------------------------------------


def test_the_level_gives_the_figure_and_perhaps_the_hours() -> None:
    story = ticket("2026-03-05 23:00", level="Example-24-7").fact("call.registered", "2026-03-05 23:00")
    clock = story.at("2026-03-05 23:30").clock("gti")
    assert (clock.due, clock.target, clock.view.calendar) == ("2026-03-06 00:00", "1h", "always")


@pytest.mark.parametrize(("level", "reason"), [(None, "no level"), ("platinum", "unknown level 'platinum'")])
def test_a_ticket_without_a_known_level_has_no_clock_and_the_reason(level: str | None, reason: str) -> None:
    judged = ticket(level=level).fact("call.registered", "2026-03-05 16:00").at("2026-03-05 17:00")
    assert judged.names == set()
    assert judged.reasons == {"gti": reason}


def test_a_contract_overrides_its_level() -> None:
    agreement = shipped("phpnet", contracts={"C-17": {"gti": "30m", "calendar": "always"}})
    story = Story(agreement).created(
        "2026-03-05 22:00", category="software", level="example-1", contract="C-17"
    )
    clock = story.fact("call.registered", "2026-03-05 22:00").at("2026-03-05 22:10").clock("gti")
    assert (clock.due, clock.target) == ("2026-03-05 22:30", "30m")


def test_a_change_of_level_keeps_the_time_that_has_counted() -> None:
    story = (
        ticket("2026-03-05 10:00")
        .fact("call.registered", "2026-03-05 10:00")
        .updated("2026-03-05 11:00", level="example-2")
    )
    clock = story.at("2026-03-05 11:30").clock("gti")
    assert (clock.due, clock.target, clock.counted) == ("2026-03-05 12:00", "2h", timedelta(minutes=90))


def test_a_request_out_of_scope_carries_no_delay_and_says_so() -> None:
    judged = (
        ticket(category="Out-of-scope").fact("call.registered", "2026-03-05 16:00").at("2026-03-06 17:00")
    )
    assert judged.names == set()
    assert set(judged.reasons) == {"gti", "gtr"}
    assert all("out of scope" in reason for reason in judged.reasons.values())


@pytest.mark.parametrize(
    ("kind", "clocks"), [(None, {"gti"}), ("Intervention", {"gti"}), ("question", set[str]())]
)
def test_only_an_intervention_ticket_has_a_delay_and_no_kind_is_taken_for_one(
    kind: str | None, clocks: set[str]
) -> None:
    assert ticket(kind=kind).at("2026-03-05 17:00").names == clocks


# -- progress-update ---------------------------------------------------------------------------------------------------


def intervention(**fields: object) -> Story:
    return (
        ticket("2026-03-05 10:00", **fields)
        .fact("call.registered", "2026-03-05 10:00")
        .fact("intervention.started", "2026-03-05 11:00")
    )


def test_no_report_is_owed_before_the_intervention() -> None:
    assert "progress-update" not in ticket().at("2026-03-05 17:00").names


@pytest.mark.parametrize("report", ["progress.reported", "agent.replied"])
def test_the_first_report_is_due_an_hour_after_the_beginning_and_each_next_an_hour_after_the_last(
    report: str,
) -> None:
    story = intervention().fact(report, "2026-03-05 11:40")
    clocks = story.at("2026-03-05 12:00").clocks("progress-update")
    assert [(c.state, c.due, c.met) for c in clocks] == [
        ("stopped", "2026-03-05 12:00", True),
        ("running", "2026-03-05 12:40", None),
    ]


def test_a_missing_report_is_a_missed_objective() -> None:
    recorded = (
        intervention()
        .fact("progress.reported", "2026-03-05 12:30")
        .at("2026-03-05 13:00")
        .recorded("progress-update", "missed", "breached")
    )
    assert recorded == [("missed", "2026-03-05 12:00")]


@pytest.mark.parametrize("end", ["service.restored", "status:solved", "status:closed"])
def test_the_end_of_the_intervention_cancels_the_report_that_is_not_due_yet(end: str) -> None:
    story = intervention()
    if end.startswith("status:"):
        story.status("2026-03-05 11:50", end.removeprefix("status:"))
    else:
        story.fact(end, "2026-03-05 11:50")
    clock = story.at("2026-03-05 18:00").clock("progress-update")
    assert (clock.state, clock.met, clock.breached) == ("cancelled", None, None)


def test_a_report_that_was_late_when_the_intervention_ended_stays_missed() -> None:
    clock = (
        intervention()
        .fact("service.restored", "2026-03-05 12:10")
        .at("2026-03-05 18:00")
        .clock("progress-update")
    )
    assert (clock.met, clock.breached) == (False, "2026-03-05 12:00")


def test_reports_count_in_the_calendar_of_the_tickets_gti() -> None:
    by_day = intervention().fact("progress.reported", "2026-03-05 18:30").at("2026-03-05 18:45")
    assert by_day.clock("progress-update").due == "2026-03-06 09:30"
    around_the_clock = intervention(level="example-24-7").fact("progress.reported", "2026-03-05 18:30")
    assert around_the_clock.at("2026-03-05 18:45").clock("progress-update").due == "2026-03-05 19:30"


def test_a_ticket_without_a_category_says_that_neither_guarantee_can_be_chosen_yet() -> None:
    judged = (
        Story("phpnet")
        .created("2026-03-02 10:00", kind="intervention", level="example-1")
        .at("2026-03-02 10:30")
    )
    assert {"gti", "gtr"} <= set(judged.reasons)
    assert judged.names == set()
