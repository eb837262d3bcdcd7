"""Simulations: laws over random tickets, drafts and single changes, targets, the best hour, credits, and their rows."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileKind, desk_file
from app.flow.importing.counts import verdict_of
from app.flow.judge.receive import Incoming
from app.flow.query.serialize import instant_text
from app.flow.simulation.changes import changed
from app.flow.simulation.documents import document_of, question_of
from app.flow.simulation.draft import Draft, Question, sides_of
from app.flow.simulation.simulation import Simulation
from app.flow.simulation.targets import quantile, written_target
from app.sla.agreement.file import parse_agreement
from app.sla.agreement.version import AppliesTo, Version
from app.sla.calendar import parse_calendars
from app.sla.clock.evaluation import Evaluation, evaluate
from app.sla.event import Event
from app.sla.span import DAY, HOUR, MINUTE, Micros, Span
from app.store.engine.database import Connection
from app.store.tickets import ledger
from tests.credit_office import CreditOffice
from tests.servers.databases import SqliteDatabases
from tests.service import Service, at, created, event

CALENDARS = """[calendars.desk]
time_zone = "Europe/Paris"
hours = { mon-fri = ["09:00-17:00"] }
holidays = { country = "FR" }
"""
AGREEMENT = """desk = "law"
name = "Law"
time_zone = "Europe/Paris"

[[commitments]]
id = "reply"
kind = "guarantee"
measure = "reply"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "4h"
calendar = "law/desk"

[[commitments]]
id = "fix"
kind = "objective"
measure = "fix"
starts_on = ["ticket.created"]
stops_on = ["status:solved"]
pauses_while = ["pending"]
target = "3 working days"
calendar = "law/desk"
"""
START, END = "2026-03-02T00:00:00+01:00", "2026-03-30T00:00:00+02:00"
SPAN = Span(at(START), at(END))


@dataclass
class Simulated:
    """A result and its flips."""

    result: dict[str, Any]
    flips: list[dict[str, Any]]

    def counts(self, commitment: str, side: str) -> dict[str, int]:
        return self.result["commitments"][commitment][side]


def simulated(
    service: Service,
    changes: Mapping[str, Any] | None = None,
    *,
    desk: str = "law",
    span: Span = SPAN,
    flips_max: int = 1000,
    **given: Any,
) -> Simulated:
    """What a simulation comes to, by the question that the process of a simulation would get."""
    draft = Draft(changes=changes or {}, **given)
    question = question_of(document_of(Question(desk, span, service.database.now(), draft)))
    catalogue = service.catalogue

    def start(conn: Connection) -> Simulation:
        return Simulation.of(conn, question, sides_of(conn, catalogue, question), flips_max)

    run, flips = service.database.read_now(start), list[dict[str, Any]]()
    while not run.is_done:
        flips += service.database.read_now(lambda conn: run.step(conn, catalogue))
    assert run.progress == 1
    return Simulated(run.result(), flips)


def files(agreement: str = AGREEMENT, calendars: str = CALENDARS) -> tuple[DeskFile, DeskFile]:
    return desk_file("calendars/law.toml", "law", calendars), desk_file("law.toml", "law", agreement)


@pytest.fixture(scope="module")
def databases(sqlite_databases: SqliteDatabases) -> SqliteDatabases:
    """One kind: what is read is the log, which tests/store holds to one answer. tests/web runs a simulation on both."""
    return sqlite_databases


@pytest.fixture
def law(service: Service) -> Service:
    """A desk of a test's own, in force before its first ticket."""
    service.clock.set("2026-03-01T00:00:00+01:00")
    service.apply(*files())
    service.clock.set(END)
    return service


def recorded(name: str, opened: Micros, replied: Micros | None) -> list[Incoming]:
    """The events of a ticket."""
    found = [created(name, instant_text(opened), desk="law")]
    if replied is not None:
        found.append(event(f"{name}-reply", "agent.replied", name, instant_text(replied), desk="law"))
    return found


def ticket(service: Service, name: str, opened: Micros, replied: Micros | None) -> None:
    service.push(*recorded(name, opened, replied))


def record(service: Service, seed: int) -> None:
    """Tickets of a month: answered soon, late or never, some paused, some solved, some in the closed hours."""
    chance, events = random.Random(seed), list[Incoming]()
    for number in range(20):
        name = f"t{number}"
        opened = SPAN.start + chance.randrange(26 * DAY)
        replied = opened + chance.choice([MINUTE, 3 * HOUR, 5 * HOUR, 30 * HOUR, 90 * HOUR])
        events += recorded(name, opened, chance.choice([replied, replied, None]))
        for step, status in enumerate(chance.choice([["pending", "open", "solved"], ["solved"], []])):
            moment = opened + (step + 1) * chance.randrange(40 * HOUR)
            if moment < SPAN.end:
                time = instant_text(moment)
                events.append(
                    event(f"{name}-{step}", "status.changed", name, time, desk="law", status=status)
                )
    service.push(*events)


def fresh(log: list[Event], agreement: str = AGREEMENT, calendars: str = CALENDARS) -> Evaluation:
    """An evaluation that shares nothing with a simulation but the core."""
    calendar_file, agreement_file = files(agreement, calendars)
    read = parse_calendars(calendar_file.document, desk="law")
    version = Version(1, parse_agreement(agreement_file.document, calendars=read), 0)
    return evaluate(log, [version], SPAN.end)


DRAFTS = [
    ({"commitments.reply.target": "8h"}, ('"4h"', '"8h"'), None),
    ({"commitments.fix.target": "1 working day"}, ('"3 working days"', '"1 working day"'), None),
    ({"calendars.desk.hours.sat": ["09:00-12:00"]}, None, ("hours = {", 'hours = { sat = ["09:00-12:00"],')),
    (
        {"commitments.reply.target": "2h", "holidays.add.2026-03-10": "Move"},
        ('"4h"', '"2h"'),
        ('"FR"', '"FR", add = { "2026-03-10" = "Move" }'),
    ),
]


def test_a_flip_is_what_fresh_evaluations_say_and_the_counts_differ_by_the_flips(law: Service) -> None:
    record(law, 1)
    logs = law.database.read_now(lambda conn: ledger.logs(conn, "law", [f"t{n}" for n in range(20)]))
    flipped = 0
    for changes, in_agreement, in_calendars in DRAFTS:
        found = simulated(law, changes)
        texts = (
            AGREEMENT.replace(*in_agreement) if in_agreement else AGREEMENT,
            CALENDARS.replace(*in_calendars) if in_calendars else CALENDARS,
        )
        assert texts != (AGREEMENT, CALENDARS)
        expected: dict[tuple[str, str], tuple[str, str]] = {}
        for name, log in logs.items():
            before, after = (
                {view.commitment: verdict_of(view) for view in evaluation.clocks}
                for evaluation in (fresh(log), fresh(log, *texts))
            )
            both = {key: (before[key], after[key]) for key in before}
            expected |= {(name, key): pair for key, pair in both.items() if pair[0] != pair[1]}
        assert {
            (each["ticket"], each["commitment"]): (each["before"]["verdict"], each["after"]["verdict"])
            for each in found.flips
        } == {key: pair for key, pair in expected.items() if {"met", "missed"} & set(pair)}
        for commitment in ("reply", "fix"):
            for verdict in ("met", "missed"):
                own = [each for each in found.flips if each["commitment"] == commitment]
                gained = sum(each["after"]["verdict"] == verdict for each in own)
                lost = sum(each["before"]["verdict"] == verdict for each in own)
                sides = [found.counts(commitment, side)[verdict] for side in ("before", "after")]
                assert sides[1] - sides[0] == gained - lost
        flipped += len(found.flips)
    assert flipped


def test_the_present_agreement_changes_nothing(law: Service) -> None:
    record(law, 3)
    same = desk_file("draft.toml", "law", AGREEMENT)
    for found in (
        simulated(law),
        simulated(law, {"commitments.reply.target": "4h"}),
        simulated(law, files=[same]),
    ):
        assert found.flips == []
        assert found.result["tickets"] == 20
        for sides in found.result["commitments"].values():
            assert sides["before"] == sides["after"]


def test_each_ticket_is_judged_by_its_own_version_and_a_draft_judges_all(law: Service) -> None:
    law.clock.set("2026-03-10T00:00:00+01:00")
    law.apply(desk_file("law.toml", "law", AGREEMENT.replace('"4h"', '"1h"')), to=AppliesTo.NEW)
    law.clock.set(END)
    monday, second = at("2026-03-02T10:00:00+01:00"), at("2026-03-16T10:00:00+01:00")
    ticket(law, "old", monday, monday + 2 * HOUR)
    ticket(law, "new", second, second + 2 * HOUR)
    assert simulated(law).flips == []
    assert simulated(law).counts("reply", "before")["met"] == 1
    (flip,) = simulated(law, {"commitments.fix.target": "2 working days"}).flips
    assert (flip["ticket"], flip["before"]["target"], flip["after"]["target"]) == ("old", "4h", "1h")


def test_only_tickets_created_within_the_span_count_and_only_what_was_received_by_then(law: Service) -> None:
    ticket(law, "before", SPAN.start - 1, None)
    ticket(law, "first", SPAN.start, None)
    ticket(law, "last", SPAN.end - 1, None)
    ticket(law, "after", SPAN.end, None)
    assert simulated(law).counts("reply", "after")["clocks"] == 2
    span = Span(at("2026-03-02T09:00:00+01:00"), at("2026-03-02T12:00:00+01:00"))
    ticket(law, "answered-later", span.start, span.end + HOUR)
    found = simulated(law, {"commitments.reply.target": "2h"}, span=span)
    assert found.flips[0]["before"]["verdict"] == "running"
    assert found.flips[0]["after"]["verdict"] == "missed"


def test_flips_beyond_the_limit_are_counted_and_not_listed(law: Service) -> None:
    opened = at("2026-03-02T10:00:00+01:00")
    law.push(*(each for n in range(3) for each in recorded(f"t{n}", opened, opened + 5 * HOUR)))
    found = simulated(law, {"commitments.reply.target": "8h"}, flips_max=2)
    assert (len(found.flips), found.result["flips_in_all"]) == (2, 3)
    before, after = found.flips[0]["before"], found.flips[0]["after"]
    assert before["due_at"] == "2026-03-02T13:00:00Z"
    assert after["met"]
    assert before["explanation"] == (
        "4h in law/desk, started 2026-03-02T10:00:00+01:00, due 2026-03-02T14:00:00+01:00, "
        "stopped 2026-03-02T15:00:00+01:00, 5h counted, late by 1h."
    )


def test_a_clock_that_a_draft_takes_away_flips_with_the_reason(law: Service) -> None:
    opened = at("2026-03-02T10:00:00+01:00")
    ticket(law, "t1", opened, opened + HOUR)
    (flip,) = simulated(law, {"commitments.reply.applies_to": {"plan": ["gold"]}}).flips
    assert flip["after"]["verdict"] == "absent"
    assert flip["after"]["met"] is None
    assert flip["after"]["explanation"].startswith("No such clock")


# -- single changes --------------------------------------------------------------------------------------------------

CALENDAR_DOCUMENT = files()[0].document
AGREEMENT_DOCUMENT = files()[1].document


@pytest.mark.parametrize(
    ("key", "value", "path", "expected"),
    [
        ("commitments.fix.target", "2h", ("commitments", 1, "target"), "2h"),
        ("commitments.0.target", "2h", ("commitments", 0, "target"), "2h"),
        ("commitments.fix.pauses_while", None, ("commitments", 1, "pauses_while"), None),
        ("levels.gold.reply", "1h", ("levels", "gold", "reply"), "1h"),
        ("contracts.'C.1'.level", "gold", ("contracts", "C.1", "level"), "gold"),
        ("calendars.desk.hours.sat", [], ("calendars", "desk", "hours", "sat"), []),
        ("holidays.add.2026-12-24", "Eve", ("calendars", "desk", "holidays", "add", "2026-12-24"), "Eve"),
        ("holidays.remove.2026-05-01", "", ("calendars", "desk", "holidays", "remove"), ["2026-05-01"]),
        (
            "calendars.desk.holidays.remove.2026-05-01",
            True,
            ("calendars", "desk", "holidays", "remove"),
            ["2026-05-01"],
        ),
        ("holidays.country", None, ("calendars", "desk", "holidays", "country"), None),
    ],
)
def test_a_single_change_sets_or_removes_one_key(
    key: str, value: Any, path: tuple[str | int, ...], expected: Any
) -> None:
    made = changed(AGREEMENT_DOCUMENT, CALENDAR_DOCUMENT, {key: value})
    assert made.faults == ()
    found: Any = made.calendars if path[0] == "calendars" else made.agreement
    assert (made.calendars is None) == (path[0] != "calendars")
    for step in path[:-1]:
        found = found[step]
    assert (found.get(path[-1]) if isinstance(found, dict) else found[path[-1]]) == expected
    # The stored documents stay as they are.
    assert (files()[1].document, files()[0].document) == (AGREEMENT_DOCUMENT, CALENDAR_DOCUMENT)


def test_a_day_that_was_added_is_removed_from_those_added() -> None:
    changes = {"holidays.add.2026-03-10": "Move", "holidays.remove.2026-03-10": ""}
    made = changed(AGREEMENT_DOCUMENT, CALENDAR_DOCUMENT, changes)
    assert made.calendars is not None
    assert made.calendars["calendars"]["desk"]["holidays"] == {"country": "FR", "add": {}}


@pytest.mark.parametrize(
    ("hours", "key", "value", "expected"),
    [
        (
            {"mon-fri": ["09:00-19:00"], "sat-sun": ["09:00-18:00"]},
            "sat",
            [],
            {"mon-fri": ["09:00-19:00"], "sun": ["09:00-18:00"], "sat": []},
        ),
        ({"mon-sun": ["09:00-18:00"]}, "wed", None, {"mon,tue,thu,fri,sat,sun": ["09:00-18:00"]}),
        ({"mon-fri": [], "sat": []}, "mon-sat", ["10:00-12:00"], {"mon-sat": ["10:00-12:00"]}),
        ({"fri-mon": ["09:00-18:00"]}, "sat", [], {"fri,sun,mon": ["09:00-18:00"], "sat": []}),
    ],
)
def test_hours_of_one_weekday_take_it_out_of_the_range_that_named_it(
    hours: dict[str, Any], key: str, value: Any, expected: dict[str, Any]
) -> None:
    document = {"calendars": {"desk": {"time_zone": "UTC", "hours": hours}}}
    made = changed(None, document, {f"calendars.desk.hours.{key}": value})
    assert made.calendars is not None
    assert made.calendars["calendars"]["desk"]["hours"] == expected


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("", "it is not a path of keys"),
        ("commitments..target", "it is not a path of keys"),
        ("commitments.gtx.target", "there is no 'gtx' in commitments"),
        ("commitments.fix", "commitments is a list of tables"),
        ("commitments.fix.target.hours", "commitments.fix.target is a value and has no keys"),
        ("holidays", "it names no key of the holidays"),
    ],
)
def test_a_change_that_cannot_be_made_is_named_with_the_remedy(key: str, wrong: str) -> None:
    (fault,) = changed(AGREEMENT_DOCUMENT, CALENDAR_DOCUMENT, {key: "x"}).faults
    assert (fault.place, fault.wrong) == (key, wrong)
    assert fault.right
    assert changed(None, None, {key: "x"}).faults


def test_every_fault_of_a_draft_is_named_at_once(law: Service) -> None:
    changes = {
        "commitments.gtx.target": "1h",
        "commitments.fix.targt": "1h",
        "commitments.reply.target": "8x",
    }
    with pytest.raises(FaultyFiles) as refused:
        simulated(law, changes)
    assert [each.fault.place for each in refused.value.faults] == [
        "commitments.gtx.target",
        "commitments.reply.target",
        "commitments.fix.targt",
    ]
    with pytest.raises(FaultyFiles, match="is not the desk of this address"):
        simulated(law, files=[DeskFile("a", "law", FileKind.AGREEMENT, {"desk": "other"}, "")])
    with pytest.raises(FaultyContracts):
        simulated(law, contracts=[("first", {"id": "C-1"})])


# -- targets, the best hour, money -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "cases", "share", "expected"),
    [
        ([], 0, 90, None),
        ([], 1, 90, None),
        ([7], 1, 99, 7),
        (list(range(1, 11)), 10, 90, 9),
        (list(range(1, 11)), 10, 95, 10),
        (list(range(1, 10)), 10, 90, 9),
        (list(range(1, 10)), 10, 95, None),
    ],
)
def test_a_share_of_the_cases_does_not_exceed_its_quantile(
    lengths: list[Micros], cases: int, share: int, expected: Micros | None
) -> None:
    assert quantile(lengths, cases, share) == expected


@pytest.mark.parametrize(
    ("length", "in_days", "expected"),
    [
        (1, False, "1m"),
        (HOUR, False, "1h"),
        (6 * HOUR + 11 * MINUTE + 1, False, "6h12m"),
        (DAY, True, "1 day"),
        (DAY + 1, True, "2 days"),
    ],
)
def test_a_target_is_rounded_up(length: Micros, in_days: bool, expected: str) -> None:
    assert written_target(length, in_days=in_days) == expected


def test_the_target_of_a_share_keeps_that_share(law: Service) -> None:
    opened = [at("2026-03-03T09:00:00+01:00") + number * 10 * MINUTE for number in range(20)]
    tickets = (recorded(f"t{n}", each, each + (n + 1) * 11 * MINUTE) for n, each in enumerate(opened))
    law.push(*(event for events in tickets for event in events))
    targets = simulated(law).result["targets"]["reply"]
    assert set(targets["weekdays"]) <= {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert sum(each["cases"] for each in targets["weekdays"].values()) == targets["cases"]
    for share, met in ((90, 18), (95, 19), (99, 20)):
        found = simulated(law, {"commitments.reply.target": targets[f"p{share}"]}).counts("reply", "after")
        assert (found["met"], found["clocks"]) == (met, 20)


def test_the_best_hour_is_the_closed_one_in_which_an_answer_saves_most(law: Service) -> None:
    # Two clocks run over Friday's evening and are missed on Monday; one over Tuesday's.
    for name, opened in (
        ("a", "2026-03-06T16:30:00"),
        ("b", "2026-03-13T16:00:00"),
        ("c", "2026-03-17T16:50:00"),
    ):
        ticket(law, name, at(f"{opened}+01:00"), at(f"{opened}+01:00") + 5 * DAY)
    ticket(law, "met", at("2026-03-03T10:00:00+01:00"), at("2026-03-03T11:00:00+01:00"))
    lenient: dict[str, Any] = {"commitments.fix.target": "100 working days"}
    best = simulated(law, lenient).result["best_hour"]
    assert best == {
        "calendar": "law/desk",
        "weekday": "fri",
        "from": "17:00",
        "to": "18:00",
        "saved": 2,
        "missed": 3,
    }
    # An answer at the beginning of that hour is in time, also with the hour opened.
    opened = lenient | {"calendars.desk.hours": {"mon-thu": ["09:00-17:00"], "fri": ["09:00-18:00"]}}
    assert simulated(law, opened).counts("reply", "after")["missed"] == 3
    for name, on in (("a", "2026-03-06"), ("b", "2026-03-13")):
        law.push(event(f"{name}-hour", "agent.replied", name, f"{on}T17:00:00+01:00", desk="law"))
    assert simulated(law, opened).counts("reply", "after")["missed"] == 1


def test_no_hour_is_best_where_nothing_was_missed(law: Service) -> None:
    ticket(law, "met", at("2026-03-03T10:00:00+01:00"), at("2026-03-03T11:00:00+01:00"))
    assert simulated(law, {"commitments.fix.target": "100 working days"}).result["best_hour"] is None


def test_credits_of_the_span_are_summed_on_both_sides(service: Service) -> None:
    office = CreditOffice(service, "phpnet", "Europe/Paris")
    office.contract("C-1", level="example-2")
    for name, on in (("late", "2026-11-03"), ("earlier", "2026-10-06")):
        office.fact("ticket.created", name, f"{on} 10:00", customer="C-1", category="software")
        office.fact("call.registered", name, f"{on} 10:00")
    office.sweep("2026-11-05 18:30")
    november = Span(at("2026-11-01T00:00:00+01:00"), at("2026-11-05T18:00:00+01:00"))
    found = simulated(service, {"levels.example-2.gti": "200h"}, desk="phpnet", span=november)
    (money,) = found.result["credits"]
    assert Decimal(money["before"]) > 0
    assert Decimal(money["after"]) == 0
    longer = simulated(service, {}, desk="phpnet", span=Span(at("2026-10-01T00:00:00+02:00"), november.end))
    assert Decimal(longer.result["credits"][0]["before"]) == 2 * Decimal(money["before"])
    terms = {"id": "C-1", "customer": "C-1", "level": "example-2", "valid_from": "2026-01-01"}
    terms |= {"fee": {"amount": "1000.00", "per": "month"}, "currency": "EUR"}
    dearer = simulated(service, desk="phpnet", span=november, contracts=[("draft", terms)])
    assert Decimal(dearer.result["credits"][0]["after"]) == 500
    assert dearer.flips == []
    # A single change of a stored contract is one of its terms, not of the agreement file, which it stands above.
    changes: dict[str, Any] = {"contracts.c-1.fee.amount": "1000.00"}
    assert simulated(service, changes, desk="phpnet", span=november).result == dearer.result
    for wrong, place in (
        ({"contracts.C-1.fee.per": "week"}, "fee.per"),
        ({"contracts.C-1": {}}, "contracts.C-1"),
    ):
        with pytest.raises(FaultyContracts) as refused:
            simulated(service, wrong, desk="phpnet", span=november)
        assert [(above, fault.place) for above, fault in refused.value.faults] == [("/changes", place)]
