"""Holidays belong to a version: a newer package moves no due date until its holidays are put into force."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.flow.agreement.apply import Applied
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, desk_file
from app.flow.agreement.effects import Change
from app.flow.agreement.holidays import (
    newer_holidays,
    store_missing_holidays,
)
from app.flow.agreement.plan import Proposal, plans
from app.flow.process.invariants import Verdict, run_checks
from app.flow.query import serialize, tickets
from app.sla.calendar.days_file import MOST_SETS
from app.sla.calendar.holiday_package import package_version
from app.sla.clock.evaluation import AppliesTo
from app.store.contracts.catalogue import without_holidays
from app.store.engine.database import Connection, Database
from tests.service import Service, at, created
from tests.sla.newer_holidays import NEWER, NewerHolidays

AGREEMENT = """
desk = "own"
[[commitments]]
id = "reply"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "4h"
calendar = "own/desk"
"""
CALENDAR = """
[calendars.desk]
time_zone = "Europe/Amsterdam"
hours = { mon-fri = ["09:00-17:00"] }
holidays = { country = "NL" }
"""
CREATED = "2026-05-04T16:00:00+02:00"
DUE = "2026-05-05T10:00:00Z"
DUE_AFTER_LIBERATION_DAY = "2026-05-06T10:00:00Z"
ADDED = f"{NEWER}: NL 2026-05-05 added: Liberation Day"


def agreement(text: str = AGREEMENT) -> DeskFile:
    return desk_file("agreements/own.toml", "own", text)


def calendar(text: str = CALENDAR) -> DeskFile:
    return desk_file("calendars/own.toml", "own", text)


@pytest.fixture
def own(service: Service) -> Service:
    service.clock.set("2026-05-04T16:30:00+02:00")
    service.apply(calendar(), agreement())
    service.push(created("4711", CREATED, desk="own"))
    return service


@pytest.fixture
def upgraded(own: Service) -> Service:
    """The same database, later, in a process with a newer package."""
    own.clock.forward(minutes=10)
    return Service(own.settings, own.database, own.clock, NewerHolidays())


def due_at(service: Service) -> str:
    return service.clock_of("own", "4711", "reply")["due_at"]


def refresh(service: Service, to: AppliesTo = AppliesTo.OPEN) -> list[Applied]:
    return service.apply(to=to, refresh=["own"])


def test_a_newer_package_moves_no_due_date(upgraded: Service) -> None:
    upgraded.push(created("4712", CREATED, desk="own", customer="B"))
    assert due_at(upgraded) == DUE
    assert upgraded.clock_of("own", "4712", "reply")["due_at"] == DUE
    checks = upgraded.database.read_now(
        lambda conn: list(run_checks(conn, upgraded.catalogue, upgraded.clock.now))
    )
    assert [check for check in checks if check.verdict is Verdict.FAULT] == []


def test_the_doctor_names_the_day(upgraded: Service) -> None:
    (check,) = upgraded.database.read_now(
        lambda conn: [
            check
            for check in run_checks(conn, upgraded.catalogue, upgraded.clock.now)
            if check.name == "the stored holidays are those of the installed package"
        ]
    )
    assert check.verdict is Verdict.WARNING
    assert check.detail.startswith(f"own: {ADDED}")


def test_the_package_that_they_were_taken_from_differs_in_nothing(own: Service) -> None:
    assert own.database.read_now(lambda conn: newer_holidays(conn, own.catalogue, own.clock.now)) == {}
    assert refresh(own) == []


def test_a_preview_lists_what_a_refresh_would_move_and_writes_nothing(upgraded: Service) -> None:
    before = upgraded.rows("SELECT * FROM desk_version")
    run = upgraded.preview(to=AppliesTo.OPEN, refresh=["own"])
    assert run.effects.changes == [Change("own", "4711", "reply", 1, at(DUE), at(DUE_AFTER_LIBERATION_DAY))]
    assert upgraded.rows("SELECT * FROM desk_version") == before


def test_a_refresh_moves_the_due_date_and_its_version_states_why(upgraded: Service) -> None:
    (applied,) = refresh(upgraded)
    assert (applied.desk, applied.number) == ("own", 2)
    upgraded.sweeper.sweep_now()
    assert due_at(upgraded) == DUE_AFTER_LIBERATION_DAY
    (version,) = upgraded.database.read_now(lambda conn: upgraded.catalogue.recorded(conn, "own"))[1:]
    assert str(version.note).startswith(ADDED)
    (moved,) = upgraded.signals("clock.due_changed")
    assert (moved["new_due_at"], moved["cause"]) == (DUE_AFTER_LIBERATION_DAY, "version 2 of the agreement")


def test_an_explanation_names_the_version_that_the_day_was_taken_from(upgraded: Service) -> None:
    def sources() -> set[str]:
        answer = upgraded.database.read_now(
            lambda conn: tickets.ticket_answer(
                conn, upgraded.catalogue, "own", "4711", now=upgraded.clock.now
            )
        )
        spans = serialize.explanation(tickets.explanation(answer, "reply"))["spans"]
        return {span["source"] for span in spans if span["source"]}

    upgraded.clock.set("2026-05-06T16:00:00+02:00")
    assert sources() == set()
    refresh(upgraded)
    assert sources() == {f"NL public, {NEWER}"}


def test_a_refresh_for_the_rest_of_open_tickets_moves_what_is_ahead(upgraded: Service) -> None:
    refresh(upgraded, AppliesTo.REST)
    upgraded.sweeper.sweep_now()
    assert due_at(upgraded) == DUE_AFTER_LIBERATION_DAY


def test_a_refresh_for_new_tickets_leaves_the_open_ones(upgraded: Service) -> None:
    refresh(upgraded, AppliesTo.NEW)
    upgraded.push(created("4712", "2026-05-04T16:40:00+02:00", desk="own", customer="B"))
    assert due_at(upgraded) == DUE
    assert upgraded.clock_of("own", "4712", "reply")["due_at"] == "2026-05-06T10:40:00Z"


def test_a_new_agreement_keeps_the_holidays_of_its_calendars(upgraded: Service) -> None:
    upgraded.apply(agreement(AGREEMENT.replace("4h", "3h")), to=AppliesTo.OPEN)
    upgraded.sweeper.sweep_now()
    assert due_at(upgraded) == "2026-05-05T09:00:00Z"


def test_an_unchanged_calendar_file_keeps_its_holidays(upgraded: Service) -> None:
    upgraded.apply(calendar(), agreement(AGREEMENT.replace("4h", "3h")), to=AppliesTo.OPEN)
    upgraded.sweeper.sweep_now()
    assert due_at(upgraded) == "2026-05-05T09:00:00Z"


def test_a_changed_calendar_file_takes_the_installed_holidays_and_states_it(upgraded: Service) -> None:
    (applied,) = upgraded.apply(calendar(CALENDAR.replace("17:00", "18:00")), to=AppliesTo.OPEN)
    assert str(applied.note).startswith(ADDED)
    upgraded.sweeper.sweep_now()
    assert due_at(upgraded) == "2026-05-06T09:00:00Z"


def test_a_refresh_makes_a_version_of_every_desk_that_counts_by_these_calendars(upgraded: Service) -> None:
    upgraded.apply(
        desk_file(
            "agreements/borrower.toml", "borrower", AGREEMENT.replace('desk = "own"', 'desk = "borrower"')
        )
    )
    assert [(one.desk, one.number) for one in refresh(upgraded)] == [("borrower", 2), ("own", 2)]


def test_a_file_names_at_most_twenty_sets_of_holidays(own: Service) -> None:
    table = '[calendars.c{0}]\ntime_zone = "UTC"\nhours = {{}}\nholidays = {{ country = "US", subdivision = "{0}" }}\n'
    states = [
        "AL",
        "AK",
        "AZ",
        "AR",
        "CA",
        "CO",
        "CT",
        "DE",
        "FL",
        "GA",
        "HI",
        "ID",
        "IL",
        "IN",
        "IA",
        "KS",
        "KY",
        "LA",
        "ME",
        "MD",
        "MA",
    ]
    assert len(states) == MOST_SETS + 1
    file = desk_file("calendars/us.toml", "us", "".join(map(table.format, states)))
    with pytest.raises(FaultyFiles, match="calendars: 21 different sets of holidays"):
        own.database.read_now(lambda conn: plans(conn, own.clock.now, own.catalogue, Proposal([file])))


# -- versions of the release before ----------------------------------------------------------------------------------


def forget_holidays(conn: Connection, *_: object) -> None:
    """As the release before wrote the versions."""
    conn.exec_driver_sql("UPDATE desk_version SET holidays = NULL")


def test_versions_without_holidays_get_them_once_when_a_process_starts(own: Service) -> None:
    written = own.rows("SELECT desk, number, holidays FROM desk_version ORDER BY desk, number")
    own.database.write_now(forget_holidays)
    assert store_missing_holidays(own.database, own.catalogue) == len(written)
    assert own.rows("SELECT desk, number, holidays FROM desk_version ORDER BY desk, number") == written
    assert store_missing_holidays(own.database, own.catalogue) == 0


def test_until_then_they_count_by_the_installed_package(own: Service) -> None:
    own.database.write_now(forget_holidays)
    service = Service(own.settings, own.database, own.clock)
    assert due_at(service) == DUE


def test_a_package_that_is_newer_at_the_next_start_moves_nothing(own: Service) -> None:
    own.database.write_now(forget_holidays)
    store_missing_holidays(own.database, own.catalogue)
    upgraded = Service(own.settings, own.database, own.clock, NewerHolidays())
    assert store_missing_holidays(upgraded.database, upgraded.catalogue) == 0
    assert due_at(upgraded) == DUE


def test_of_processes_that_start_at_once_the_first_ones_holidays_stay(own: Service) -> None:
    own.database.write_now(forget_holidays)
    with Database(own.settings, own.clock) as other, ThreadPoolExecutor(2) as pool:
        # Both as they start, with nothing cached: what `own` has read is from before its holidays were forgotten.
        both = (
            Service(own.settings, own.database, own.clock),
            Service(own.settings, other, own.clock, NewerHolidays()),
        )
        list(pool.map(lambda each: store_missing_holidays(each.database, each.catalogue), both))
        assert own.database.read_now(without_holidays) == []
        versions = {
            stored.version(holiday_set)
            for each in both
            for version in each.database.read_now(
                lambda conn, each=each: each.catalogue.recorded(conn, "own")
            )
            for stored in version.documents.holidays.values()
            for holiday_set in stored.sets
        }
    assert len(versions) == 1
    assert versions <= {package_version(), NEWER}


RECURRING = """
[calendars.desk]
time_zone = "Europe/Amsterdam"
hours = { mon-fri = ["09:00-17:00"] }

[calendars.desk.holidays]
country = "NL"
add = { "1 day after Liberation Day" = "bridge day" }
"""


def test_days_counted_from_a_holiday_stay_those_of_the_version(service: Service) -> None:
    service.clock.set("2026-05-05T16:30:00+02:00")
    service.apply(desk_file("own.toml", "own", RECURRING), agreement())
    service.push(created("4711", "2026-05-05T16:30:00+02:00", desk="own"))
    due = due_at(service)
    # A newer package has Liberation Day in 2026 too: it and the day after it would be closed.
    newer = Service(service.settings, service.database, service.clock, NewerHolidays())
    assert due_at(newer) == due == "2026-05-06T10:30:00Z"
    assert refresh(newer) != []
    assert due_at(newer) == "2026-05-07T11:00:00Z"


def test_doctor_lists_calendars_that_have_lapsed(service: Service) -> None:
    service.clock.set("2026-05-04T16:30:00+02:00")
    lapsed = RECURRING.replace("1 day after Liberation Day", "2025-12-24")
    service.apply(desk_file("own.toml", "own", lapsed), agreement())
    (check,) = service.database.read_now(
        lambda conn: [
            check
            for check in run_checks(conn, service.catalogue, service.clock.now)
            if check.name == "no calendar has lapsed"
        ]
    )
    assert check.verdict is Verdict.WARNING
    assert check.detail.startswith("own: calendars.desk.holidays.add: the last date is 2025-12-24")
