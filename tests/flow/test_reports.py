"""Reports of clocks: what is stored equals a fresh evaluation, and a figure equals the sum of what it leads to."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.flow.judge.receive import Incoming
from app.flow.process.retention import Retention
from app.flow.query.queue_reports import queue_report, steps_behind
from app.flow.query.report_scope import Answer, Asked, NamesAreOff
from app.flow.query.reports import (
    ReportKind,
    clock_report,
    clocks_behind,
    reported_clocks,
)
from app.flow.query.tickets import answers
from app.sla.budget import TooExpensive
from app.sla.calendar.zone import zone
from app.sla.event import Event
from app.sla.report.clock_report import ReportRow
from app.sla.report.cut import By, cut, pieces
from app.sla.report.measure import Cell, Measure, ReportedClock, Value, cells_of
from app.sla.report.queue_report import QueueStep
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros, Span
from app.store.engine.database import Connection
from app.store.tickets import clocks, reports
from tests.service import Service, at, created, event

MARCH = Span(at("2026-03-01T00:00:00+01:00"), at("2026-04-01T00:00:00+02:00"))
BEGIN = at("2026-03-02T08:00:00+01:00")
SPLITS: Sequence[tuple[str, ...]] = ((), ("commitment",), ("priority", "assignee"), ("queue", "commitment"))

RICH = """
desk = "rich"
time_zone = "Europe/Paris"
{reports}
[[commitments]]
id = "response"
label = "First response"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
pauses_while = ["pending"]
target = {{ by = "priority", high = "2h", low = "9h" }}
calendar = "haisoft/tickets"

[[commitments]]
id = "reply"
label = "Next reply"
kind = "objective"
measure = "next_reply"
starts_on = ["customer.replied"]
stops_on = ["agent.replied"]
pauses_while = ["pending", "on_hold"]
target = "90m"
calendar = "always"
cycle = "next_reply"

[[commitments]]
id = "solution"
label = "Solved"
kind = "guarantee"
measure = "gtr"
starts_on = ["ticket.created"]
stops_on = ["status:solved", "status:closed"]
pauses_while = ["pending"]
target = {{ by = "priority", high = "1 day", low = "5 days" }}
calendar = "always"
applies_to = {{ priority = ["high"] }}
"""
"""An agreement under which clocks are late for every cause."""


def march(desk: str = "haisoft", **given: Any) -> Asked:
    return Asked(desk, MARCH, at("2026-06-01T00:00:00+02:00"), **given)


def report(service: Service, kind: ReportKind, asked: Asked) -> Answer:
    return service.database.read_now(
        lambda conn: clock_report(conn, service.catalogue, service.settings, kind, asked)
    )


def behind(service: Service, measure: Measure, asked: Asked, **wanted: Value) -> list[ReportedClock]:
    """Every page of the clocks behind a figure."""
    found: list[ReportedClock] = []
    cursor: str | None = None
    while True:
        part, cursor = service.database.read_now(
            lambda conn, cursor=cursor: clocks_behind(
                conn, service.catalogue, service.settings, measure, asked, wanted, cursor, 3
            )
        )
        found += part
        if cursor is None:
            return found


def history(chance: random.Random, desk: str, tickets: int) -> list[tuple[Micros, Incoming]]:
    """What happens to some tickets over four weeks, each event with the instant at which it is pushed."""
    happened: list[tuple[Micros, Incoming]] = []
    for number in range(tickets):
        name = f"t{number}"
        start = BEGIN + chance.randrange(28) * DAY + chance.randrange(10 * 60) * MINUTE
        born: dict[str, Any] = {
            "title": name,
            "customer": chance.choice(("ACME", "")),
            "priority": chance.choice(("low", "high")),
            "level": chance.choice(("example-1", "example-2", "example-24-7")),
            "plan": "managed",
            "category": chance.choice(("hardware", "software")),
            "service": "dedicated",
        }
        happened += _pushed(chance, Event(f"{name}-0", "ticket.created", name, start, born, 0), desk)
        for step in range(chance.randrange(6)):
            start += chance.randrange(1, 30 * 60) * MINUTE
            kind, data = chance.choice(
                (
                    ("agent.replied", {"author": "agent", "text": "We look."}),
                    ("customer.replied", {"author": "customer", "text": "And now?"}),
                    ("status.changed", {"status": chance.choice(("pending", "open", "solved", "closed"))}),
                    ("ticket.updated", {"priority": chance.choice(("low", "high"))}),
                    ("ticket.updated", {"assignee": chance.choice(("Ann", "Bob", ""))}),
                    ("ticket.merged", {"into": f"t{chance.randrange(tickets)}"}),
                )
            )
            happened += _pushed(chance, Event(f"{name}-{step + 1}", kind, name, start, data, step + 1), desk)
    return sorted(happened, key=lambda each: (each[0], each[1].event.id))


def _pushed(chance: random.Random, happened: Event, desk: str) -> Iterator[tuple[Micros, Incoming]]:
    """An event as it is pushed: at once, or days late."""
    late = chance.choice((0, 0, 0, 5 * HOUR, 3 * DAY))
    yield happened.at + late, Incoming.of(desk, happened)


def live(service: Service, happened: Sequence[tuple[Micros, Incoming]], until: Micros) -> None:
    """Let time pass up to an instant: events arrive, and the sweep runs."""
    for instant, incoming in happened:
        if instant < until:
            service.clock.now = instant
            service.sweeper.sweep_now()
            service.push(incoming, deliver=False)
    service.clock.now = until
    service.sweeper.sweep_now()


def fresh(service: Service, desk: str) -> list[ReportedClock]:
    """The clocks of all tickets, evaluated now."""

    def find(conn: Connection) -> list[ReportedClock]:
        names = clocks.all_tickets(conn, desk)
        found = answers(conn, service.catalogue, desk, names, now=service.clock.now, placed=False)
        return [each for name, answer in found.items() for each in reported_clocks(name, answer.evaluation)]

    return service.database.read_now(find)


def summed(cells: Sequence[Cell]) -> Counter[tuple[object, ...]]:
    total: Counter[tuple[object, ...]] = Counter()
    for *of, count in cells:
        total[tuple(of)] += count
    return total


@pytest.mark.parametrize(("desk", "seed"), [("haisoft", 1), ("rich", 2)])
def test_stored_figures_equal_those_of_fresh_evaluations(service: Service, desk: str, seed: int) -> None:
    service.apply_agreement("rich", RICH.format(reports=""))
    live(service, history(random.Random(seed), desk, 25), at("2026-04-20T00:00:00+02:00"))
    evaluated = fresh(service, desk)
    parts = pieces(zone("Europe/Paris"), cut(zone("Europe/Paris"), MARCH, By.WEEK, 99))
    counted = 0
    for measure in Measure:
        for splits in SPLITS:
            stored = service.database.read_now(
                lambda conn, measure=measure, splits=splits: reports.cells(
                    conn, desk, measure, parts, splits, 10_000
                )
            )
            assert summed(stored) == summed(cells_of(evaluated, measure, parts, splits))
            counted += len(stored)
    assert counted > 100


@pytest.mark.parametrize("as_of", [None, at("2026-03-25T12:00:00+01:00")])
def test_every_figure_equals_the_number_of_clocks_that_it_leads_to(
    service: Service, as_of: Micros | None
) -> None:
    live(service, history(random.Random(3), "haisoft", 25), at("2026-04-20T00:00:00+02:00"))
    asked = march(splits=("priority",), as_of=as_of)

    def count(row: ReportRow, measure: Measure, **wanted: Value) -> int:
        split = dict(zip(asked.splits, row.split, strict=True))
        return len(behind(service, measure, asked, **split, kind=row.about["kind"], **wanted))

    for row in report(service, ReportKind.ATTAINMENT, asked).report.rows:
        for outcome in ("met", "missed", "excluded"):
            assert count(row, Measure.OUTCOMES, outcome=outcome) == row.figures[outcome]
    for row in report(service, ReportKind.USAGE, asked).report.rows:
        counts = tuple(count(row, Measure.SHARES, tenth=tenth) for tenth in range(11))
        assert counts == row.figures["tenths"]
    for row in report(service, ReportKind.HEATMAP, asked).report.rows[:20]:
        hour = (int(row.about["weekday"] or 0) - 1) * 24 + int(row.about["hour"] or 0)
        assert count(row, Measure.STARTS, hour_of_week=hour) == row.figures["starts"]
        assert count(row, Measure.LATE_HOURS, hour_of_week=hour) == row.figures["breaches"]
    rows = report(service, ReportKind.BREACHES, asked).report.rows
    assert rows
    for row in rows:
        of = {str(row.about["breakdown"]): row.about["value"]}
        assert count(row, Measure.BREACHES, **of) == row.figures["breaches"]


def test_a_report_as_of_an_instant_is_the_one_that_was_made_then(service: Service) -> None:
    happened = history(random.Random(4), "haisoft", 20)
    then, later = at("2026-03-20T17:00:00+01:00"), at("2026-04-20T00:00:00+02:00")
    whole = march(by=By.WEEK, splits=("commitment",))
    # Tickets that were evaluated before a span for the last time have nothing in it.
    asked = (whole, replace(whole, span=Span(at("2026-03-16T00:00:00+01:00"), MARCH.end)))
    live(service, happened, then)
    made = {(kind, each): report(service, kind, each) for kind in ReportKind for each in asked}
    live(service, [each for each in happened if each[0] >= then], later)
    for (kind, each), answer in made.items():
        again = report(service, kind, replace(each, as_of=then))
        assert (again.report, again.periods) == (answer.report, answer.periods)
        assert answer.report.rows
        assert report(service, kind, each).report != answer.report


def test_a_report_of_one_value_has_the_rows_that_a_split_by_it_has(service: Service) -> None:
    """Of every field and of none, stored, kept and evaluated again."""
    live(service, history(random.Random(11), "haisoft", 14), at("2026-04-20T00:00:00+02:00"))
    counted = 0
    for name, value in (("priority", "high"), ("assignee", None), ("commitment", "gtr-hardware")):
        for kind in ReportKind:
            for as_of in (None, at("2026-05-01T00:00:00+02:00")):
                asked = march(by=By.WEEK, as_of=as_of)
                split = report(service, kind, replace(asked, splits=(name,))).report
                only = report(service, kind, replace(asked, only=((name, value),))).report
                wanted = {_about(row): row.figures for row in split.rows if row.split == (value,)}
                found = {_about(row): row.figures for row in only.rows if _is_counted(row)}
                assert found == {about: figures for about, figures in wanted.items() if about in found}
                assert wanted.keys() == found.keys()
                counted += len(found)
    assert counted > 20


def _about(row: ReportRow) -> tuple[Value, ...]:
    return (row.period, *row.about.values())


def _is_counted(row: ReportRow) -> bool:
    """Whether a row counts anything: without a split there are rows of nothing."""
    return any(isinstance(each, int) and each for each in row.figures.values())


def test_a_desk_without_names_has_no_figure_by_assignee(service: Service) -> None:
    service.apply_agreement("rich", RICH.format(reports="[reports]\nnames = false"))
    live(service, history(random.Random(5), "rich", 8), at("2026-04-20T00:00:00+02:00"))
    rows = report(service, ReportKind.BREACHES, march("rich")).report.rows
    assert {row.about["breakdown"] for row in rows} == {"cause", "first_pause", "hour"}
    with pytest.raises(NamesAreOff):
        report(service, ReportKind.ATTAINMENT, march("rich", splits=("assignee",)))
    with pytest.raises(NamesAreOff):
        report(service, ReportKind.ATTAINMENT, march("rich", only=(("assignee", "Ann"),)))
    with pytest.raises(NamesAreOff):
        behind(service, Measure.OUTCOMES, march("rich"), assignee="Ann")


def test_a_report_that_counts_too_much_is_refused_with_the_limit(service: Service) -> None:
    live(service, history(random.Random(6), "haisoft", 5), at("2026-04-20T00:00:00+02:00"))
    early = at("2026-04-01T00:00:00+02:00")
    for limit, asked in {
        "report_rows_max": march(by=By.DAY),
        "report_periods_max": march(by=By.DAY),
        "report_as_of_tickets_max": march(as_of=early),
    }.items():
        few = service.settings.model_copy(update={limit: 2})
        with pytest.raises(TooExpensive, match=f"SLATIMER_{limit.upper()}"):
            service.database.read_now(
                lambda conn, few=few, asked=asked: clock_report(
                    conn, service.catalogue, few, ReportKind.ATTAINMENT, asked
                )
            )


def test_a_late_fact_moves_a_clock_from_one_period_to_another(service: Service) -> None:
    service.push(created("1", "2026-03-02T09:00:00+01:00", level="bronze"))
    service.clock.set("2026-03-31T12:00:00+02:00")
    service.sweeper.sweep_now()
    service.push(event("r", "agent.replied", "1", "2026-03-31T12:00:00+02:00", author="agent"))
    asked = march(splits=("commitment",), by=By.DAY)
    before = report(service, ReportKind.ATTAINMENT, asked).report
    service.push(event("early", "agent.replied", "1", "2026-03-02T10:00:00+01:00", author="agent"))
    after = report(service, ReportKind.ATTAINMENT, asked).report
    periods = {(row.split, row.period) for row in before.rows} - {
        (row.split, row.period) for row in after.rows
    }
    assert (("ticket-response",), 30) in periods
    assert (("ticket-response",), 1) in {(row.split, row.period) for row in after.rows}


@pytest.mark.parametrize("known", ["NULL", "revision - 1"])
def test_clocks_that_a_release_without_reports_has_evaluated_are_completed(
    service: Service, known: str
) -> None:
    live(service, history(random.Random(7), "haisoft", 12), at("2026-04-20T00:00:00+02:00"))
    asked = march(splits=("commitment",), by=By.WEEK)
    whole = {kind: report(service, kind, asked) for kind in ReportKind}

    def forget(conn: Connection, _: Micros) -> None:
        """As such a release leaves the rows, new ones or raised."""
        columns = "started_at = NULL, ended_at = NULL, counted = 7, target_length = NULL, late_cause = NULL"
        conn.exec_driver_sql(f"UPDATE clock SET {columns}")
        conn.exec_driver_sql(f"UPDATE ticket SET reported_revision = {known}")

    service.database.write_now(forget)
    assert report(service, ReportKind.ATTAINMENT, asked).incomplete == 12
    signals, revisions = (
        service.signals(),
        service.rows("SELECT ticket, revision FROM ticket ORDER BY ticket"),
    )
    retention = Retention(service.database, service.assessor, service.settings)
    assert retention.apply_now().reported == 12
    assert {kind: report(service, kind, asked) for kind in ReportKind} == whole
    assert (service.signals(), service.rows("SELECT ticket, revision FROM ticket ORDER BY ticket")) == (
        signals,
        revisions,
    )
    assert retention.apply_now().reported == 0


# -- queues ----------------------------------------------------------------------------------------------------------


def queues(service: Service, asked: Asked) -> Answer:
    return service.database.read_now(
        lambda conn: queue_report(conn, service.catalogue, service.settings, asked)
    )


def all_steps(service: Service, asked: Asked, **wanted: str | None) -> list[QueueStep]:
    """Every page of the steps behind a figure."""
    found: list[QueueStep] = []
    cursor: str | None = None
    while True:
        part, cursor = service.database.read_now(
            lambda conn, cursor=cursor: steps_behind(
                conn, service.catalogue, service.settings, asked, wanted, cursor, 7
            )
        )
        found += part
        if cursor is None:
            return found


def test_the_report_of_queues_as_of_an_instant_is_the_one_that_was_made_then(service: Service) -> None:
    happened = history(random.Random(8), "webxtra", 20)
    then, later = at("2026-03-20T17:00:00+01:00"), at("2026-04-20T00:00:00+02:00")
    live(service, happened, then)
    asked = march("webxtra", by=By.WEEK, splits=("priority",))
    # What is open then is known up to then: the rate is by the open hours so far.
    spans = (MARCH, Span(at("2026-03-16T00:00:00+01:00"), MARCH.end))
    made = {span: queues(service, replace(asked, now=then, span=span)) for span in spans}
    live(service, [each for each in happened if each[0] >= then], later)
    for span, answer in made.items():
        again = queues(service, replace(asked, as_of=then, span=span))
        assert (again.report, again.periods) == (answer.report, answer.periods)
        assert answer.report.rows
        assert queues(service, replace(asked, span=span)).report != answer.report


def test_every_figure_of_queues_equals_the_number_of_steps_that_it_leads_to(service: Service) -> None:
    live(service, history(random.Random(9), "webxtra", 20), at("2026-04-20T00:00:00+02:00"))
    asked = march("webxtra", splits=("priority",))
    rows = queues(service, asked).report.rows
    assert rows
    for row in rows:
        of = {"queue": str(row.about["queue"]), "priority": row.split[0]}
        left = all_steps(service, asked, **of, step="left")
        waited = sum(step.waited or 0 for step in left)
        assert (len(left), waited // SECOND) == (row.figures["waits"], row.figures["waited_seconds"])
        for step in ("joined", "moved", "left"):
            causes = row.figures[step]
            assert isinstance(causes, Mapping)
            for cause, count in causes.items():
                assert len(all_steps(service, asked, **of, step=step, cause=cause)) == count
