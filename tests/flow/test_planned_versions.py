"""Versions that come into force ahead: in force then without anyone's help, withdrawn, planned anew, refused."""

from datetime import date

import pytest

from app.flow.agreement.apply import NotPlanned, withdraw_planned
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, desk_file
from app.flow.agreement.effective import Unplannable
from app.sla.clock.evaluation import AppliesTo
from app.store.contracts.stored_version import StoredVersion, VersionState, states_at
from tests.flow.test_apply import AGREEMENT, CALENDAR
from tests.service import Service, at, created, event

BEGINS = "2026-03-02T11:00:00+01:00"
"""When the planned versions begin: two hours into the opening hours of the Monday on which the ticket was created."""
EIGHT_HOURS_DUE = "2026-03-02T16:00:00Z"
ONE_HOUR_DUE = "2026-03-02T09:00:00Z"


def agreement(target: str = "4h") -> DeskFile:
    return desk_file("agreements/own.toml", "own", AGREEMENT.replace('"4h"', f'"{target}"'))


def calendar(hours: str = "09:00-17:00") -> DeskFile:
    return desk_file("calendars/own.toml", "own", CALENDAR.replace("09:00-17:00", hours))


@pytest.fixture
def own(service: Service) -> Service:
    service.apply(calendar(), agreement())
    service.push(created("1", "2026-03-02T09:00:00+01:00", desk="own"))
    service.clock.forward(minutes=10)
    return service


def due_at(service: Service, ticket: str = "1", **when: str) -> str:
    return service.clock_of("own", ticket, "reply", **when)["due_at"]


def plan(service: Service, *files: DeskFile, to: AppliesTo = AppliesTo.OPEN, begins: str = BEGINS) -> int:
    (applied,) = service.apply(*files, to=to, effective_from=at(begins))
    assert applied.effective_from == at(begins)
    return applied.number


def versions(service: Service) -> dict[int, VersionState]:
    return states_at(stored(service), service.clock.now)


def stored(service: Service) -> tuple[StoredVersion, ...]:
    return service.database.read_now(lambda conn: service.catalogue.recorded(conn, "own"))


def test_a_planned_version_is_in_force_then_and_not_before(own: Service) -> None:
    assert plan(own, agreement("1h")) == 2
    own.sweeper.sweep_now()
    assert versions(own) == {1: VersionState.IN_FORCE, 2: VersionState.PLANNED}
    assert due_at(own) == "2026-03-02T12:00:00Z"
    own.clock.set(BEGINS)
    assert own.sweeper.sweep_now() == 1
    assert versions(own) == {1: VersionState.REPLACED, 2: VersionState.IN_FORCE}
    assert due_at(own) == ONE_HOUR_DUE
    (breach,) = own.signals("clock.breached")
    assert (breach["at"], breach["detected_at"]) == (ONE_HOUR_DUE, "2026-03-02T10:00:00Z")


def test_a_ticket_that_is_evaluated_in_between_is_evaluated_again_when_the_version_begins(
    own: Service,
) -> None:
    plan(own, agreement("8h"))
    own.push(event("note", "note.added", "1", "2026-03-02T09:05:00+01:00", desk="own", author="agent"))
    own.push(created("2", "2026-03-02T09:05:00+01:00", desk="own", customer="B"))
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    moved = own.signals("clock.due_changed")
    assert {signal["ticket"] for signal in moved} == {"1", "2"}
    assert {signal["cause"] for signal in moved} == {"version 2 of the agreement"}


def test_a_service_that_was_down_when_the_version_began_finds_it_later(own: Service) -> None:
    plan(own, agreement("8h"))
    own.clock.set("2026-03-02T15:00:00+01:00")
    again = Service(own.settings, own.database, own.clock)
    again.sweeper.sweep_now()
    assert [signal["new_due_at"] for signal in again.signals("clock.due_changed")] == [EIGHT_HOURS_DUE]


def test_a_version_for_new_tickets_judges_those_created_from_then_on(own: Service) -> None:
    plan(own, agreement("1h"), to=AppliesTo.NEW)
    own.clock.set("2026-03-02T12:00:00+01:00")
    own.push(created("2", "2026-03-02T10:59:59+01:00", desk="own", customer="B"))
    own.push(created("3", BEGINS, desk="own", customer="C"))
    assert due_at(own, "2") == "2026-03-02T13:59:59Z"
    assert due_at(own, "3") == "2026-03-02T11:00:00Z"


def test_the_rest_of_a_life_is_counted_from_when_the_version_begins(own: Service) -> None:
    plan(own, calendar("09:00-12:00"), to=AppliesTo.REST)
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    # Two hours by then, one until 12:00, and the fourth on Tuesday.
    assert due_at(own) == "2026-03-03T09:00:00Z"


def test_an_instant_ahead_is_answered_by_the_version_that_will_be_in_force(own: Service) -> None:
    plan(own, agreement("8h"))
    assert due_at(own, at="2026-03-02T10:59:59+01:00") == "2026-03-02T12:00:00Z"
    assert due_at(own, at=BEGINS) == EIGHT_HOURS_DUE


def test_as_of_an_instant_the_versions_that_had_begun_count(own: Service) -> None:
    plan(own, agreement("8h"))
    own.clock.set("2026-03-02T12:00:00+01:00")
    own.sweeper.sweep_now()
    assert due_at(own, as_of="2026-03-02T10:59:59+01:00") == "2026-03-02T12:00:00Z"
    assert due_at(own, as_of=BEGINS) == EIGHT_HOURS_DUE


def test_a_date_is_its_midnight_in_the_zone_of_the_desk(own: Service) -> None:
    (applied,) = own.apply(agreement("8h"), effective_from=date(2026, 3, 5))
    assert applied.effective_from == at("2026-03-05T00:00:00+01:00")


@pytest.mark.parametrize("begins", [at("2026-03-02T09:10:00+01:00"), date(2026, 3, 2)])
def test_what_is_not_ahead_is_refused_with_the_remedy(own: Service, begins: int | date) -> None:
    with pytest.raises(Unplannable, match="Leave it out to put this into force now"):
        own.apply(agreement("8h"), effective_from=begins)
    assert list(versions(own)) == [1]


def test_the_first_version_of_a_desk_cannot_be_planned(service: Service) -> None:
    with pytest.raises(Unplannable, match="first version"):
        service.apply(calendar(), agreement(), effective_from=at(BEGINS))


def withdraw(service: Service, number: int) -> None:
    service.database.write_now(lambda conn, now: withdraw_planned(conn, now, service.assessor, "own", number))


def test_a_withdrawn_version_never_comes_into_force(own: Service) -> None:
    plan(own, agreement("8h"))
    withdraw(own, 2)
    assert versions(own) == {1: VersionState.IN_FORCE, 2: VersionState.WITHDRAWN}
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    assert due_at(own) == "2026-03-02T12:00:00Z"
    assert own.signals("clock.due_changed") == []


def test_another_process_knows_of_the_withdrawal(own: Service) -> None:
    plan(own, agreement("8h"))
    other = Service(own.settings, own.database, own.clock)
    assert versions(other)[2] is VersionState.PLANNED
    withdraw(own, 2)
    assert versions(other)[2] is VersionState.WITHDRAWN


def test_a_version_that_is_in_force_cannot_be_withdrawn(own: Service) -> None:
    plan(own, agreement("8h"))
    own.clock.set(BEGINS)
    with pytest.raises(NotPlanned, match="Apply the former text as a new version"):
        withdraw(own, 2)


def test_a_change_now_reaches_into_a_version_planned_with_the_file_as_it_was(own: Service) -> None:
    plan(own, agreement("8h"))
    now, anew = own.apply(calendar("09:00-18:00"), to=AppliesTo.OPEN)
    assert (now.number, now.effective_from) == (3, None)
    assert (anew.number, anew.effective_from, anew.replaces, anew.applies_to) == (
        4,
        at(BEGINS),
        (2,),
        AppliesTo.OPEN,
    )
    assert versions(own) == {
        1: VersionState.REPLACED,
        2: VersionState.REPLACED,
        3: VersionState.IN_FORCE,
        4: VersionState.PLANNED,
    }
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    version = stored(own)[3]
    assert "8h" in str(version.documents.agreement_text)
    assert "18:00" in str(version.documents.calendars_text)


def test_a_change_now_leaves_a_version_planned_with_another_text_of_the_file(own: Service) -> None:
    plan(own, agreement("8h"))
    (now,) = own.apply(agreement("2h"), to=AppliesTo.OPEN)
    assert (now.number, now.replaces) == (3, ())
    own.sweeper.sweep_now()
    assert due_at(own) == "2026-03-02T10:00:00Z"
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    assert due_at(own) == EIGHT_HOURS_DUE


def test_a_change_that_does_not_fit_a_planned_version_is_refused_with_its_number(own: Service) -> None:
    plan(own, agreement("8h"))
    night = desk_file("calendars/own.toml", "own", CALENDAR.replace("calendars.desk", "calendars.night"))
    current = desk_file("agreements/own.toml", "own", AGREEMENT.replace("own/desk", "own/night"))
    with pytest.raises(FaultyFiles, match="planned from 2026-03-02T10:00:00Z as version 2"):
        own.apply(night, current)


def test_a_second_version_of_one_instant_has_the_changes_of_both(own: Service) -> None:
    plan(own, agreement("8h"))
    (second,) = own.apply(calendar("09:00-18:00"), to=AppliesTo.OPEN, effective_from=at(BEGINS))
    assert second.replaces == (2,)
    version = stored(own)[2]
    assert "8h" in str(version.documents.agreement_text)
    assert "18:00" in str(version.documents.calendars_text)


def test_a_second_version_of_one_instant_for_other_tickets_is_refused(own: Service) -> None:
    plan(own, agreement("8h"))
    with pytest.raises(
        Unplannable, match="version 2, which is planned for the same instant, is for open tickets"
    ):
        own.apply(calendar("09:00-18:00"), effective_from=at(BEGINS))


def test_versions_planned_in_any_order_begin_in_the_order_of_their_instants(own: Service) -> None:
    plan(own, agreement("8h"), begins="2026-03-02T12:00:00+01:00")
    plan(own, agreement("6h"), begins=BEGINS)
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    assert due_at(own) == "2026-03-02T14:00:00Z"
    own.clock.set("2026-03-02T12:00:00+01:00")
    own.sweeper.sweep_now()
    assert due_at(own) == EIGHT_HOURS_DUE


def test_unchanged_files_plan_nothing(own: Service) -> None:
    assert own.apply(calendar(), agreement(), effective_from=at(BEGINS)) == []


def test_each_version_is_signalled_once_when_it_is_stored(own: Service) -> None:
    before = len(own.signals("agreement.applied", "calendar.applied"))
    own.apply(agreement("8h"), to=AppliesTo.OPEN, effective_from=at(BEGINS), author_note="the new contract")
    own.clock.set(BEGINS)
    own.sweeper.sweep_now()
    (signal,) = own.signals("agreement.applied", "calendar.applied")[before:]
    assert signal["kind"] == "agreement.applied"
    assert (signal["ticket"], signal["subject"], signal["at"]) == (None, None, "2026-03-02T08:10:00Z")
    assert {name: signal[name] for name in ("number", "effective_from", "applies_to", "who", "note")} == {
        "number": 2,
        "effective_from": "2026-03-02T10:00:00Z",
        "applies_to": "open",
        "who": "service",
        "note": "the new contract",
    }
