"""What a new calendar or agreement changes, for whom, and what it would change."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.flow.agreement.desk_files import (
    DeskFile,
    FaultyFiles,
    calendars_beside,
    check_files,
    desk_file,
    document_of,
    read_files,
)
from app.flow.agreement.effects import Change
from app.sla.clock.evaluation import AppliesTo
from app.store.engine.database import Database
from tests.service import ROOT, Service, created

AGREEMENT = """
desk = "own"
name = "Own"
[[commitments]]
id = "reply"
label = "Reply"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "4h"
calendar = "own/desk"
"""
CALENDAR = """
[calendars.desk]
time_zone = "Europe/Paris"
hours = { mon-fri = ["09:00-17:00"] }
"""


def agreement(text: str = AGREEMENT) -> DeskFile:
    return desk_file("agreements/own.toml", "own", text)


def calendar(text: str = CALENDAR) -> DeskFile:
    return desk_file("calendars/own.toml", "own", text)


@pytest.fixture
def own(service: Service) -> Service:
    service.apply(calendar(), agreement())
    service.push(created("4711", "2026-03-02T09:00:00+01:00", desk="own"))
    return service


def due_at(service: Service) -> str:
    return service.clock_of("own", "4711", "reply")["due_at"]


def test_unchanged_files_make_no_new_version(own: Service) -> None:
    laid_out_otherwise = (
        AGREEMENT.replace("\n\n", "\n")
        .replace('name = "Own"\n', "")
        .replace('desk = "own"\n', 'name = "Own"\ndesk = "own"  # the same\n')
    )
    assert own.apply(calendar(), agreement(laid_out_otherwise), to=AppliesTo.OPEN) == []


def test_a_version_for_new_tickets_leaves_the_open_ones(own: Service) -> None:
    own.clock.set("2026-03-02T10:00:00+01:00")
    (applied,) = own.apply(agreement(AGREEMENT.replace("4h", "2h")))
    assert (applied.desk, applied.number) == ("own", 2)
    own.sweeper.sweep_now()
    assert due_at(own) == "2026-03-02T12:00:00Z"
    own.push(created("4712", "2026-03-02T10:00:00+01:00", desk="own", customer="B"))
    assert own.clock_of("own", "4712", "reply")["due_at"] == "2026-03-02T11:00:00Z"


def test_a_version_for_open_tickets_judges_them_anew_and_tells_the_moved_date(own: Service) -> None:
    own.clock.set("2026-03-02T10:00:00+01:00")
    (applied,) = own.apply(agreement(AGREEMENT.replace("4h", "2h")), to=AppliesTo.OPEN)
    assert applied.tickets == 1
    assert own.sweeper.sweep_now() == 1
    assert due_at(own) == "2026-03-02T10:00:00Z"
    (moved,) = own.signals("clock.due_changed")
    assert (moved["old_due_at"], moved["new_due_at"]) == ("2026-03-02T12:00:00Z", "2026-03-02T10:00:00Z")
    assert moved["cause"] == "version 2 of the agreement"


def test_as_of_before_a_version_it_was_not_known(own: Service) -> None:
    own.clock.set("2026-03-02T10:00:00+01:00")
    own.apply(agreement(AGREEMENT.replace("4h", "2h")), to=AppliesTo.OPEN)
    own.sweeper.sweep_now()
    clock = own.clock_of("own", "4711", "reply", as_of="2026-03-02T09:59:59+01:00")
    assert clock["due_at"] == "2026-03-02T12:00:00Z"


def test_a_changed_calendar_makes_a_version_of_every_desk_that_counts_by_it(own: Service) -> None:
    borrower = AGREEMENT.replace('desk = "own"', 'desk = "borrower"')
    own.apply(desk_file("agreements/borrower.toml", "borrower", borrower))
    applied = own.apply(calendar(CALENDAR.replace("17:00", "18:00")))
    assert [(one.desk, one.number) for one in applied] == [("borrower", 2), ("own", 2)]


def test_a_preview_tells_what_would_change_and_changes_nothing(own: Service) -> None:
    own.clock.set("2026-03-02T10:00:00+01:00")
    files = [agreement(AGREEMENT.replace("4h", "2h"))]
    before = own.rows("SELECT * FROM desk_version"), own.rows("SELECT * FROM ticket")
    run = own.preview(*files, to=AppliesTo.OPEN)
    hour = 3_600_000_000
    assert run.effects.changes == [
        Change("own", "4711", "reply", 1, own.clock.now + 3 * hour, own.clock.now + hour)
    ]
    assert (own.rows("SELECT * FROM desk_version"), own.rows("SELECT * FROM ticket")) == before


def test_processes_that_apply_at_once_make_a_version_each(own: Service) -> None:
    with Database(own.settings, own.clock) as other, ThreadPoolExecutor(2) as pool:
        both = own, Service(own.settings, other, own.clock)
        for n in range(1, 11):
            files = [agreement(AGREEMENT.replace('"4h"', f'"{10 * n + k}h"')) for k in range(2)]
            made = list(pool.map(Service.apply, both, files))
            assert sorted(one.number for applied in made for one in applied) == [2 * n, 2 * n + 1]


def test_a_calendar_that_spoils_anothers_agreement_is_refused_with_its_name(own: Service) -> None:
    borrower = AGREEMENT.replace('desk = "own"', 'desk = "borrower"')
    own.apply(desk_file("agreements/borrower.toml", "borrower", borrower))
    with pytest.raises(FaultyFiles) as refused:
        own.apply(calendar(CALENDAR.replace("desk", "night")))
    assert [(each.path, each.fault.place) for each in refused.value.faults] == [
        ("calendars/own.toml", f"the agreement of {desk}: commitments.reply.calendar")
        for desk in ("borrower", "own")
    ]


def test_a_faulty_file_is_refused_with_its_line_and_nothing_is_applied(own: Service) -> None:
    with pytest.raises(FaultyFiles) as refused:
        own.apply(
            calendar(CALENDAR.replace("17:00", "18:00")), agreement(AGREEMENT.replace('"4h"', '"4 parsecs"'))
        )
    (fault,) = refused.value.faults
    assert (fault.path, fault.line) == ("agreements/own.toml", 11)
    assert own.rows("SELECT count(*) FROM desk_version WHERE desk = 'own'") == [(1,)]


def test_the_shipped_files_have_no_fault() -> None:
    files = read_files([ROOT / "calendars", ROOT / "agreements"])
    assert len(files) == 10
    check_files(files)


def test_an_agreement_alone_is_checked_by_the_calendars_beside_it() -> None:
    files = read_files([ROOT / "agreements" / "phpnet.toml"])
    check_files(files, calendars_beside(files))
    with pytest.raises(FaultyFiles, match="phpnet"):
        check_files(files)


@pytest.mark.parametrize("part", ["a", '"a"', "'a' "])
def test_a_key_of_very_many_parts_is_refused_before_it_is_parsed(part: str) -> None:
    """The parser of the standard library would take gigabytes for a hundred kilobytes of it."""
    with pytest.raises(ValueError, match="at line 2"):
        document_of(f"name = 'x'\n[{'.'.join([part] * 50_000)}]\n")
    assert document_of(f"{'.'.join([part] * 32)} = 1\ntext = 'a sentence. Another one. {'. ' * 50}'")


def test_what_is_no_toml_is_refused_with_its_place(tmp_path: object) -> None:
    path = ROOT / "pyproject.tom"
    with pytest.raises(FaultyFiles, match=r"pyproject\.tom: file: No such file"):
        read_files([path])
