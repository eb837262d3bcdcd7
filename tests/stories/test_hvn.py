"""HVN: Monday-Friday 08:00-17:30 but Vietnamese holidays, Asia/Ho_Chi_Minh; claims and their written settlement."""

import pytest

from tests.stories.story import Story


def claim(at: str) -> Story:
    return Story("hvn").created(at, kind="claim")


# -- claim-answer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-02-10 09:00", "2026-03-10 17:30"),  # over Tet 2026
        ("2027-01-29 09:00", "2027-02-26 17:30"),  # over Tet 2027, computed by rule
        (
            "2026-04-20 23:30",
            "2026-05-14 17:30",
        ),  # over Hung Kings' day (observed Monday 27 April), 30 April and 1 May
        (
            "2026-08-24 10:00",
            "2026-09-17 17:30",
        ),  # over the swapped Monday 31 August; Saturday 22 August is not worked
    ],
)
def test_a_settlement_is_due_at_the_close_of_the_fifteenth_working_day(received: str, due: str) -> None:
    clock = claim(received).at(received).clock("claim-answer")
    assert (clock.started, clock.due) == (received, due)


def test_only_the_written_settlement_stops_it() -> None:
    story = claim("2026-02-10 09:00").reply("2026-02-11 09:00").note("2026-02-12 09:00")
    assert story.at("2026-02-13 09:00").clock("claim-answer").state == "running"
    clock = story.fact("claim.answered", "2026-03-10 17:30").at("2026-03-11 09:00").clock("claim-answer")
    assert (clock.state, clock.met) == ("stopped", True)


def test_a_settlement_after_the_fifteenth_day_is_a_breach() -> None:
    clock = (
        claim("2026-02-10 09:00")
        .fact("claim.answered", "2026-03-10 18:00")
        .at("2026-03-11 09:00")
        .clock("claim-answer")
    )
    assert (clock.met, clock.breached) == (False, "2026-03-10 17:30")


def test_a_claim_received_by_mail_is_a_claim_on_any_ticket() -> None:
    story = Story("hvn").created("2026-02-09 09:00").fact("claim.filed", "2026-02-10 09:00")
    assert story.at("2026-02-10 10:00").clock("claim-answer").due == "2026-03-10 17:30"


def test_a_claim_sent_back_unsatisfied_is_a_new_one_with_its_own_fifteen_days() -> None:
    story = (
        claim("2026-02-10 09:00")
        .fact("claim.answered", "2026-03-02 09:00")
        .fact("claim.filed", "2026-03-04 10:00")
    )
    clocks = story.at("2026-03-05 09:00").clocks("claim-answer")
    assert [(c.state, c.due) for c in clocks] == [
        ("stopped", "2026-03-10 17:30"),
        ("running", "2026-03-25 17:30"),
    ]


def test_a_mere_thanks_after_the_settlement_is_no_claim() -> None:
    story = (
        claim("2026-02-10 09:00")
        .fact("claim.answered", "2026-03-02 09:00")
        .customer("2026-03-04 10:00", text="cảm ơn")
    )
    assert [c.state for c in story.at("2026-04-05 09:00").clocks("claim-answer")] == ["stopped"]


# -- claim-filing ------------------------------------------------------------------------------------------------------


def incident(at: str = "2026-11-30 14:00") -> Story:
    return Story("hvn").created(at).fact("outage.started", at)


def test_the_customer_has_three_months_from_the_day_of_the_incident() -> None:
    clock = incident().at("2026-12-01 09:00").clock("claim-filing")
    assert (clock.view.kind, clock.due) == (
        "customer",
        "2027-03-01 00:00",
    )  # to the end of February's last day


def test_a_claim_on_the_last_day_is_taken_in() -> None:
    judged = incident().fact("claim.filed", "2027-02-28 23:00").at("2027-03-01 09:00")
    assert judged.clock("claim-filing").met is True
    assert judged.clock("claim-answer").state == "running"


def test_a_claim_filed_late_lapses_and_starts_no_answer_clock_with_the_reason() -> None:
    judged = incident().fact("claim.filed", "2027-03-01 09:00").at("2027-03-02 09:00")
    assert judged.recorded("claim-filing", "lapsed") == [("lapsed", "2027-03-01 00:00")]
    assert "claim-answer" not in judged.names
    assert "three months" in judged.reasons["claim-answer"]


def test_the_three_months_bind_a_claim_sent_back_too() -> None:
    story = (
        incident()
        .fact("claim.filed", "2027-02-20 09:00")
        .fact("claim.answered", "2027-02-25 09:00")
        .fact("claim.filed", "2027-03-02 09:00")
    )
    judged = story.at("2027-03-03 09:00")
    assert [c.state for c in judged.clocks("claim-answer")] == ["stopped"]
    assert "three months" in judged.reasons["claim-answer"]


@pytest.mark.parametrize(
    ("incident_at", "taken_in"), [("2026-11-30 14:00", False), ("2026-12-05 14:00", True)]
)
def test_a_claim_ticket_is_judged_by_the_incident_that_it_is_about(incident_at: str, taken_in: bool) -> None:
    judged = claim("2027-03-02 09:00").fact("outage.started", incident_at).at("2027-03-02 10:00")
    assert judged.clock("claim-filing").met is taken_in
    assert ("claim-answer" in judged.names) is taken_in
    assert ("claim-answer" in judged.reasons) is not taken_in


def test_a_claim_whose_incident_is_not_known_is_taken_in() -> None:
    assert claim("2026-02-10 09:00").at("2026-02-10 09:00").reasons == {}
