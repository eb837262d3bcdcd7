"""Web://Xtra: Monday-Friday 09:00-17:30 but Dutch national holidays, Europe/Amsterdam. Objectives, but for managed."""

import pytest

from tests.stories.story import Story, shipped

# -- response ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "due"),
    [
        ("2026-04-02 10:00", "2026-04-09 17:30"),  # over Good Friday and Easter Monday
        ("2026-04-24 23:00", "2026-04-30 17:30"),  # over King's Day
        ("2026-05-01 10:00", "2026-05-06 17:30"),  # 5 May 2026 is worked
        ("2026-03-06 18:00", "2026-03-11 17:30"),  # the day of receipt never counts:
        ("2026-03-07 12:00", "2026-03-11 17:30"),  # Friday evening, Saturday
        ("2026-03-08 12:00", "2026-03-11 17:30"),  # and Sunday all give Wednesday
    ],
)
def test_a_response_is_due_at_the_close_of_the_third_working_day(created: str, due: str) -> None:
    judged = Story("webxtra").created(created, plan="basic").at(created)
    assert judged.clock("response").due == due
    assert judged.names == {"response"}


def test_a_missed_response_is_a_missed_objective_and_no_breach() -> None:
    judged = Story("webxtra").created("2026-04-02 10:00").at("2026-04-10 09:00")
    assert judged.recorded("response", "missed", "breached") == [("missed", "2026-04-09 17:30")]
    assert (judged.clock("response").breached, judged.clock("response").view.kind) == (
        "2026-04-09 17:30",
        "objective",
    )


def test_a_reply_after_closing_time_on_the_last_day_is_late_though_no_open_time_has_passed() -> None:
    clock = (
        Story("webxtra")
        .created("2026-04-02 10:00")
        .reply("2026-04-09 20:00")
        .at("2026-04-10 09:00")
        .clock("response")
    )
    assert (clock.met, clock.breached, clock.stopped) == (False, "2026-04-09 17:30", "2026-04-09 20:00")


def test_waiting_for_the_customer_pauses_nothing() -> None:
    story = Story("webxtra").created("2026-04-02 10:00").status("2026-04-02 12:00", "pending")
    clock = story.at("2026-04-07 12:00").clock("response")
    assert (clock.state, clock.due) == ("running", "2026-04-09 17:30")


def test_a_further_message_of_the_customer_never_moves_the_clock() -> None:
    clock = (
        Story("webxtra")
        .created("2026-04-02 10:00")
        .customer("2026-04-07 10:00")
        .at("2026-04-07 12:00")
        .clock("response")
    )
    assert (clock.started, clock.due) == ("2026-04-02 10:00", "2026-04-09 17:30")


def test_a_first_response_ignores_a_reopen() -> None:
    story = (
        Story("webxtra")
        .created("2026-04-02 10:00")
        .reply("2026-04-02 11:00")
        .status("2026-04-02 11:00", "solved")
        .status("2026-04-20 11:00", "open")
    )
    clocks = story.at("2026-04-21 12:00").clocks("response")
    assert [(c.state, c.stopped, c.met) for c in clocks] == [("stopped", "2026-04-02 11:00", True)]


@pytest.mark.parametrize(("category", "words"), [("client-setup", "mail and FTP"), ("scripts", "PHP")])
@pytest.mark.parametrize("plan", ["basic", "managed"])
def test_what_is_not_included_has_no_response_clock_and_the_reason(
    category: str, words: str, plan: str
) -> None:
    judged = Story("webxtra").created("2026-04-02 10:00", category=category, plan=plan).at("2026-04-02 10:00")
    assert judged.names == set()
    assert words in judged.reasons["response"]
    assert ("managed-response" in judged.reasons) is (plan == "managed")


# -- administrative-response -------------------------------------------------------------------------------------------


def test_an_administrative_question_has_seven_days_to_midnight_and_no_other_objective() -> None:
    judged = Story("webxtra").created("2026-12-23 10:00", category="Administrative").at("2026-12-23 10:00")
    assert judged.names == {"administrative-response"}
    assert judged.reasons == {}
    assert judged.clock("administrative-response").due == "2026-12-31 00:00"


def test_an_administrative_miss_is_an_objective_too() -> None:
    judged = Story("webxtra").created("2026-12-23 10:00", category="administrative").at("2027-01-04 10:00")
    assert judged.recorded("administrative-response", "missed", "breached") == [
        ("missed", "2026-12-31 00:00")
    ]


def test_a_ticket_that_turns_out_to_be_administrative_changes_its_clock() -> None:
    story = (
        Story("webxtra").created("2026-04-02 10:00").updated("2026-04-02 12:00", category="administrative")
    )
    judged = story.at("2026-04-02 13:00")
    assert judged.clock("response").state == "cancelled"
    assert (judged.clock("administrative-response").started, judged.clock("administrative-response").due) == (
        "2026-04-02 10:00",
        "2026-04-10 00:00",
    )


# -- managed-response --------------------------------------------------------------------------------------------------

CONTRACTS = {
    "C-1": {"managed-response": "4h"},
    "C-24": {"managed-response": "1h", "calendar": "always"},
}
WITH_CONTRACTS = shipped("webxtra", contracts=CONTRACTS)


def test_a_managed_customer_without_a_contract_value_has_no_guarantee_and_the_reason() -> None:
    judged = (
        Story("webxtra").created("2026-04-02 10:00", plan="managed", contract="C-1").at("2026-04-02 10:00")
    )
    assert judged.names == {"response"}
    assert judged.reasons == {"managed-response": "no contract value for managed-response"}


def test_a_managed_contract_counts_in_the_hours_of_the_desk_beside_the_objective() -> None:
    story = Story(WITH_CONTRACTS).created("2026-04-02 16:00", plan="managed", contract="C-1")
    judged = story.at("2026-04-02 16:00")
    assert judged.names == {"response", "managed-response"}
    assert (
        judged.clock("managed-response").due == "2026-04-07 11:30"
    )  # 1.5 h today, Easter between, 2.5 h on Tuesday


def test_a_managed_contract_may_name_hours_of_its_own() -> None:
    story = Story(WITH_CONTRACTS).created("2026-04-04 23:00", plan="managed", contract="c-24")
    judged = story.at("2026-04-05 12:00")
    assert judged.clock("managed-response").due == "2026-04-05 00:00"
    assert judged.recorded("managed-response", "missed", "breached") == [("breached", "2026-04-05 00:00")]
    assert judged.clock("response").due == "2026-04-09 17:30"


def test_other_customers_hear_nothing_of_the_managed_guarantee() -> None:
    judged = (
        Story(WITH_CONTRACTS).created("2026-04-02 10:00", plan="basic", contract="C-1").at("2026-04-02 10:00")
    )
    assert (judged.names, judged.reasons) == ({"response"}, {})


# -- the (sub)domain ---------------------------------------------------------------------------------------------------


def test_a_ticket_that_names_no_domain_is_flagged_until_it_does() -> None:
    story = Story("webxtra").created("2026-04-02 10:00", title="My site is slow")
    assert "domain_missing" in story.at("2026-04-02 11:00").flags
    assert (
        "domain_missing"
        not in story.updated("2026-04-02 12:00", domain="example.nl").at("2026-04-02 13:00").flags
    )
