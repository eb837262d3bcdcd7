"""ClameHost: two hours to restore, seven days to claim, 48 hours to answer; real time, Europe/Rome."""

from datetime import timedelta

import pytest

from tests.stories.story import Story


def outage(at: str = "2026-03-07 23:00") -> Story:
    return (
        Story("clamehost")
        .created("2026-03-07 23:10", title="Sito irraggiungibile")
        .fact("outage.started", at)
    )


# -- restoration -------------------------------------------------------------------------------------------------------


def test_the_two_hours_run_from_the_outage_and_not_from_the_ticket() -> None:
    clock = outage().at("2026-03-07 23:30").clock("restoration")
    assert (clock.started, clock.due) == ("2026-03-07 23:00", "2026-03-08 01:00")


@pytest.mark.parametrize("stop", ["service.restored", "outage.ended"])
def test_a_restored_service_stops_it(stop: str) -> None:
    clock = outage().fact(stop, "2026-03-08 00:59").at("2026-03-08 09:00").clock("restoration")
    assert (clock.state, clock.met) == ("stopped", True)


def test_the_earlier_of_restored_and_ended_counts() -> None:
    story = outage().fact("outage.ended", "2026-03-08 00:50").fact("service.restored", "2026-03-08 01:20")
    assert story.at("2026-03-08 09:00").clock("restoration").stopped == "2026-03-08 00:50"


def test_a_restoration_after_two_hours_is_a_breach() -> None:
    clock = (
        outage().fact("service.restored", "2026-03-08 01:00:01").at("2026-03-08 09:00").clock("restoration")
    )
    assert (clock.met, clock.breached) == (False, "2026-03-08 01:00")


def test_a_ticket_without_an_outage_has_no_restoration_clock() -> None:
    assert Story("clamehost").created("2026-03-07 23:10").at("2026-03-08 09:00").names == set()


def test_urgent_work_that_a_person_excludes_is_not_counted() -> None:
    story = outage().excluded(
        "2026-03-07 23:20",
        "2026-03-07 23:30",
        "2026-03-08 00:30",
        by="Anna",
        reason="attività urgente",
        commitments=("restoration",),
    )
    assert story.at("2026-03-08 00:00").clock("restoration").state == "paused"
    clock = story.at("2026-03-08 00:45").clock("restoration")
    assert (clock.due, clock.counted) == ("2026-03-08 02:00", timedelta(minutes=45))


def test_an_exclusion_holds_for_its_span_whenever_it_was_granted() -> None:
    story = outage().excluded(
        "2026-03-08 08:00", "2026-03-07 23:30", "2026-03-08 00:30", by="Anna", reason="urgente"
    )
    assert story.at("2026-03-08 00:00").clock("restoration").state == "paused"
    assert story.at("2026-03-08 00:45").clock("restoration").due == "2026-03-08 02:00"


def test_an_exclusion_granted_afterwards_takes_the_breach_back() -> None:
    story = outage().fact("service.restored", "2026-03-08 01:30")
    assert story.at("2026-03-08 09:00").clock("restoration").breached == "2026-03-08 01:00"
    story.excluded(
        "2026-03-08 08:00", "2026-03-08 00:00", "2026-03-08 01:00", by="Anna", reason="script del cliente"
    )
    clock = story.at("2026-03-08 09:00").clock("restoration")
    assert (clock.breached, clock.met) == (None, True)


# -- claim-filing ------------------------------------------------------------------------------------------------------


def test_the_customer_has_seven_days_from_the_verification() -> None:
    story = outage().fact("outage.verified", "2026-03-09 15:00")
    clock = story.at("2026-03-10 09:00").clock("claim-filing")
    assert (clock.view.kind, clock.started, clock.due) == ("customer", "2026-03-09 15:00", "2026-03-17 00:00")


def test_seven_days_over_the_beginning_of_summer_time_end_at_midnight_all_the_same() -> None:
    clock = outage().fact("outage.verified", "2026-03-27 15:00").at("2026-03-28 09:00").clock("claim-filing")
    assert clock.due == "2026-04-04 00:00"
    assert clock.view.target_length == timedelta(days=7, hours=8) // timedelta(
        microseconds=1
    )  # 9 h to midnight, less 1


def test_a_claim_in_time_meets_it() -> None:
    story = outage().fact("outage.verified", "2026-03-09 15:00").fact("claim.filed", "2026-03-16 23:59")
    assert story.at("2026-03-20 09:00").clock("claim-filing").met is True


def test_a_deadline_of_the_customer_lapses_and_is_no_breach_of_the_desk() -> None:
    judged = outage().fact("outage.verified", "2026-03-09 15:00").at("2026-03-20 09:00")
    assert judged.recorded("claim-filing", "lapsed", "breached", "missed") == [("lapsed", "2026-03-17 00:00")]


# -- claim-answer ------------------------------------------------------------------------------------------------------


def claim(at: str = "2026-03-13 18:00") -> Story:
    return Story("clamehost").created(at, kind="Claim", title="Richiesta di credito")


def test_a_ticket_of_kind_claim_is_a_claim_with_48_hours() -> None:
    clock = claim().at("2026-03-13 18:00").clock("claim-answer")
    assert (clock.started, clock.due, clock.target) == ("2026-03-13 18:00", "2026-03-15 18:00", "48h")


def test_another_ticket_is_none() -> None:
    assert (
        Story("clamehost").created("2026-03-13 18:00", kind="question").at("2026-03-14 18:00").names == set()
    )


@pytest.mark.parametrize("stop", ["claim.answered", "agent.replied"])
def test_the_answer_or_the_first_human_public_reply_stops_it(stop: str) -> None:
    story = claim().reply("2026-03-13 18:01", automatic=True).fact(stop, "2026-03-15 18:00")
    clock = story.at("2026-03-20 09:00").clock("claim-answer")
    assert (clock.stopped, clock.met) == ("2026-03-15 18:00", True)


def test_a_late_claim_still_gets_its_answer_in_48_hours() -> None:
    story = outage().fact("outage.verified", "2026-03-09 15:00").fact("claim.filed", "2026-03-25 10:00")
    judged = story.at("2026-03-25 11:00")
    assert judged.clock("claim-filing").met is False
    assert (judged.clock("claim-answer").state, judged.clock("claim-answer").due) == (
        "running",
        "2026-03-27 10:00",
    )


def test_an_unanswered_claim_is_a_breach_and_a_second_one_joins_it() -> None:
    story = claim().fact("claim.filed", "2026-03-14 10:00")
    judged = story.at("2026-03-16 09:00")
    assert len(judged.clocks("claim-answer")) == 1
    assert judged.recorded("claim-answer", "breached") == [("breached", "2026-03-15 18:00")]


def test_a_claim_after_the_answer_has_48_hours_of_its_own() -> None:
    story = claim().fact("claim.answered", "2026-03-14 10:00").fact("claim.filed", "2026-03-20 09:00")
    clocks = story.at("2026-03-20 10:00").clocks("claim-answer")
    assert [(c.state, c.due) for c in clocks] == [
        ("stopped", "2026-03-15 18:00"),
        ("running", "2026-03-22 09:00"),
    ]
