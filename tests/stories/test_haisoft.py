"""HaiSoft: 10:00-12:00 and 14:00-17:00 every day of the week, Europe/Paris."""

from datetime import timedelta

import pytest

from tests.stories.story import Story

# -- ticket-response ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "due"),
    [
        ("2026-03-06 15:30", "2026-03-07 10:30"),  # Friday afternoon: Saturday is worked
        ("2026-03-06 11:00", "2026-03-06 15:00"),  # over lunch
        ("2026-03-06 03:00", "2026-03-06 12:00"),  # at night: an exact fit is due at closing time
        ("2026-03-07 16:00", "2026-03-08 11:00"),  # Saturday into Sunday
        ("2026-07-14 10:30", "2026-07-14 14:30"),  # 14 July is worked
        ("2026-03-28 16:30", "2026-03-29 11:30"),  # over the night in which summer time begins
    ],
)
def test_a_first_response_is_due_after_two_hours_of_the_ticket_desk(created: str, due: str) -> None:
    clock = Story("haisoft").created(created, service="dedicated").at(created).clock("ticket-response")
    assert (clock.state, clock.started, clock.due) == ("running", created, due)


def test_the_hours_are_those_of_french_civil_time_in_summer_too() -> None:
    story = Story("haisoft").created("2026-07-06T06:00:00+00:00")
    assert story.at("2026-07-06 09:00").clock("ticket-response").view.due_at == story.instant(
        "2026-07-06T10:00Z"
    )


def test_the_first_public_reply_of_a_person_stops_it() -> None:
    story = (
        Story("haisoft")
        .created("2026-03-06 10:00")
        .reply("2026-03-06 10:01", automatic=True)
        .note("2026-03-06 10:30")
        .reply("2026-03-06 11:00")
        .reply("2026-03-06 15:00")
    )
    assert story.at("2026-03-06 10:45").clock("ticket-response").state == "running"
    clock = story.at("2026-03-06 18:00").clock("ticket-response")
    assert (clock.state, clock.stopped, clock.met) == ("stopped", "2026-03-06 11:00", True)
    assert clock.counted == timedelta(hours=1)


def test_a_reply_at_the_due_instant_is_in_time_and_one_after_it_is_late() -> None:
    in_time = Story("haisoft").created("2026-03-06 10:00").reply("2026-03-06 12:00")
    late = Story("haisoft").created("2026-03-06 10:00").reply("2026-03-06 12:00:00.000001")
    assert in_time.at("2026-03-06 18:00").clock("ticket-response").met is True
    clock = late.at("2026-03-06 18:00").clock("ticket-response")
    assert (clock.met, clock.breached) == (False, "2026-03-06 12:00")


def test_a_missed_response_is_a_breach_at_its_due_instant() -> None:
    story = Story("haisoft").created("2026-03-06 15:30")
    assert story.at("2026-03-07 10:30").clock("ticket-response").breached is None
    judged = story.at("2026-03-07 10:31")
    assert judged.clock("ticket-response").breached == "2026-03-07 10:30"
    assert judged.recorded("ticket-response", "warned", "breached") == [
        ("warned", "2026-03-06 17:00"),
        ("breached", "2026-03-07 10:30"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"channel": "phone"}, "calls"),
        ({"channel": "Monitoring"}, "monitoring"),
        ({"author": "agent"}, "no customer"),
    ],
)
def test_only_a_ticket_that_a_customer_wrote_has_a_response_clock(data: dict[str, str], words: str) -> None:
    judged = Story("haisoft").created("2026-03-06 10:00", **data).at("2026-03-06 10:00")
    assert "ticket-response" not in judged.names
    assert words in judged.reasons["ticket-response"]


def test_a_ticket_about_another_service_has_no_clock_and_the_reason() -> None:
    judged = (
        Story("haisoft")
        .created("2026-03-06 10:00", service="shared", category="hardware")
        .fact("anomaly.detected", "2026-03-06 10:05")
        .at("2026-03-06 12:00")
    )
    assert judged.names == set()
    assert set(judged.reasons) == {"ticket-response", "monitoring-intervention", "hardware-replacement"}
    assert all("dedicated or virtual" in reason for reason in judged.reasons.values())


@pytest.mark.parametrize("service", ["Dedicated", "virtual", None, ""])
def test_a_ticket_about_a_server_or_about_nothing_named_is_covered(service: str | None) -> None:
    judged = Story("haisoft").created("2026-03-06 10:00", service=service).at("2026-03-06 10:00")
    assert judged.names == {"ticket-response"}
    assert judged.reasons == {}


# -- monitoring-intervention -------------------------------------------------------------------------------------------


def alert(at: str = "2026-03-08 03:00") -> Story:
    story = Story("haisoft").created(at, channel="monitoring", author="system", service="dedicated")
    return story.fact("anomaly.detected", at, author="system")


def test_monitoring_itself_starts_the_clock_and_an_intervention_stops_it_at_any_hour() -> None:
    story = alert().fact("intervention.started", "2026-03-08 03:40")
    running = story.at("2026-03-08 03:10").clock("monitoring-intervention")
    assert (running.state, running.due) == ("running", "2026-03-08 04:00")
    clock = story.at("2026-03-08 12:00").clock("monitoring-intervention")
    assert (clock.state, clock.stopped, clock.met) == ("stopped", "2026-03-08 03:40", True)


def test_an_intervention_after_the_hour_is_a_breach() -> None:
    clock = (
        alert()
        .fact("intervention.started", "2026-03-08 04:01")
        .at("2026-03-08 05:00")
        .clock("monitoring-intervention")
    )
    assert (clock.breached, clock.met) == ("2026-03-08 04:00", False)


def test_a_ticket_without_an_anomaly_has_no_monitoring_clock() -> None:
    assert (
        "monitoring-intervention"
        not in Story("haisoft").created("2026-03-06 10:00").at("2026-03-06 18:00").names
    )


@pytest.mark.parametrize("restored", ["service.restored", "outage.ended"])
def test_an_anomaly_that_is_over_before_anyone_began_cancels_the_clock(restored: str) -> None:
    clock = alert().fact(restored, "2026-03-08 03:20").at("2026-03-08 09:00").clock("monitoring-intervention")
    assert (clock.state, clock.met, clock.breached) == ("cancelled", None, None)


def test_an_anomaly_that_is_over_only_after_the_hour_was_late_all_the_same() -> None:
    clock = (
        alert()
        .fact("service.restored", "2026-03-08 04:20")
        .at("2026-03-08 09:00")
        .clock("monitoring-intervention")
    )
    assert (clock.met, clock.breached) == (False, "2026-03-08 04:00")


def test_a_second_anomaly_joins_an_open_clock_and_opens_a_new_one_after_that() -> None:
    story = (
        alert()
        .fact("anomaly.detected", "2026-03-08 03:10")
        .fact("service.restored", "2026-03-08 03:20")
        .fact("anomaly.detected", "2026-03-08 05:00")
        .fact("intervention.started", "2026-03-08 05:30")
        .fact("anomaly.detected", "2026-03-08 07:00")
    )
    clocks = story.at("2026-03-08 07:30").clocks("monitoring-intervention")
    assert [(c.state, c.started) for c in clocks] == [
        ("cancelled", "2026-03-08 03:00"),
        ("stopped", "2026-03-08 05:00"),
        ("running", "2026-03-08 07:00"),
    ]


# -- hardware-replacement ----------------------------------------------------------------------------------------------


def broken_disk() -> Story:
    return Story("haisoft").created("2026-03-06 09:00", service="dedicated", category="hardware")


def test_a_hardware_ticket_awaits_an_alert_or_a_reading() -> None:
    clock = broken_disk().at("2026-03-06 09:30").clock("hardware-replacement")
    assert (clock.state, clock.due) == ("awaiting", None)
    assert set(clock.awaiting[0].split("|")) == {"anomaly.detected", "request.read"}


@pytest.mark.parametrize("kind", ["anomaly.detected", "request.read"])
def test_the_first_of_alert_and_reading_starts_the_four_hours(kind: str) -> None:
    story = broken_disk().fact(kind, "2026-03-06 11:30").fact("anomaly.detected", "2026-03-06 11:50")
    clock = story.at("2026-03-06 12:30").clock("hardware-replacement")
    assert (clock.started, clock.due) == ("2026-03-06 11:30", "2026-03-06 15:30")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("agent.replied", {"author": "agent"}),
        ("note.added", {"author": "agent"}),
        ("status.changed", {"status": "open"}),
        ("ticket.updated", {"assignee": "nora"}),
        ("intervention.started", {}),
    ],
)
def test_the_first_act_of_a_person_of_the_desk_shows_the_reading(kind: str, data: dict[str, str]) -> None:
    clock = (
        broken_disk()
        .fact(kind, "2026-03-06 10:10", **data)
        .at("2026-03-06 10:30")
        .clock("hardware-replacement")
    )
    assert (clock.state, clock.started) == ("running", "2026-03-06 10:10")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("agent.replied", {"author": "agent", "automatic": True}),
        ("agent.replied", {"author": "system"}),
        ("customer.replied", {"author": "customer"}),
        ("ticket.updated", {"title": "disk"}),
    ],
)
def test_an_automatic_act_or_the_customers_own_is_no_reading(kind: str, data: dict[str, object]) -> None:
    clock = (
        broken_disk()
        .fact(kind, "2026-03-06 10:10", **data)
        .at("2026-03-06 10:30")
        .clock("hardware-replacement")
    )
    assert clock.state == "awaiting"


@pytest.mark.parametrize("stop", ["part.replaced", "service.restored", "outage.ended"])
def test_a_replaced_part_stops_it_or_a_restored_service_at_the_latest(stop: str) -> None:
    story = broken_disk().fact("request.read", "2026-03-06 11:00").fact(stop, "2026-03-06 14:59")
    clock = story.at("2026-03-06 18:00").clock("hardware-replacement")
    assert (clock.stopped, clock.met) == ("2026-03-06 14:59", True)


def test_a_replacement_at_night_counts_in_real_time() -> None:
    story = (
        broken_disk().fact("anomaly.detected", "2026-03-06 22:00").fact("part.replaced", "2026-03-07 02:01")
    )
    clock = story.at("2026-03-07 09:00").clock("hardware-replacement")
    assert (clock.breached, clock.met) == ("2026-03-07 02:00", False)


def test_only_hardware_tickets_have_it() -> None:
    judged = (
        Story("haisoft")
        .created("2026-03-06 09:00", category="billing")
        .reply("2026-03-06 10:00")
        .at("2026-03-06 12:00")
    )
    assert judged.names == {"ticket-response"}
    assert judged.reasons == {}
