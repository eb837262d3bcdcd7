"""Kept figures of reports: with and without them the answers are the same, whatever becomes known late."""

import random
from collections.abc import Iterator

import pytest

from app.flow.judge.receive import Incoming
from app.flow.query.queue_reports import queue_report
from app.flow.query.report_scope import Answer, Asked
from app.flow.query.reports import ReportKind, clock_report
from app.sla.clock.evaluation import AppliesTo
from app.sla.event import Event
from app.sla.report.cut import By
from app.sla.span import DAY, HOUR, MINUTE, Micros, Span
from app.store.engine.database import Connection
from app.store.tickets import kept_figures
from app.store.tickets.report_days import KEPT_AFTER
from tests.flow.test_reports import BEGIN, MARCH, RICH, history, live
from tests.service import Service, at, created, event

END = at("2026-04-20T00:00:00+02:00")
SHAPES = ((By.WEEK, ()), (By.MONTH, ("commitment",)), (By.DAY, ("priority", "assignee")))
QUEUES = "queues"


def asked_now(service: Service, desk: str, by: By | None, splits: tuple[str, ...] = ()) -> Asked:
    return Asked(desk, MARCH, service.clock.now, by, splits)


def made(service: Service, kind: str, asked: Asked, *, kept: bool = True) -> Answer:
    """A report, whose figures are kept afterwards; or one that counts everything again."""
    settings = service.settings if kept else service.settings.model_copy(update={"report_kept_max": 0})

    def read(conn: Connection) -> Answer:
        if kind == QUEUES:
            return queue_report(conn, service.catalogue, settings, asked)
        return clock_report(conn, service.catalogue, settings, ReportKind(kind), asked)

    found = service.database.read_now(read)
    service.database.write_now(
        lambda conn, now: kept_figures.keep(conn, now, found.to_keep, service.settings.report_kept_max)
    )
    return found


def every_report(service: Service, desk: str) -> Iterator[tuple[str, Asked]]:
    for by, splits in SHAPES:
        for kind in (*ReportKind, QUEUES):
            wanted = tuple(split for split in splits if kind != QUEUES or split != "commitment")
            yield kind, asked_now(service, desk, by, wanted)


def check(service: Service, desk: str) -> int:
    """Compare every report with one that counts again. Returns how many periods were taken from kept figures."""
    taken = 0
    for kind, asked in every_report(service, desk):
        kept, fresh = made(service, kind, asked), made(service, kind, asked, kept=False)
        assert (kept.report, kept.incomplete) == (fresh.report, fresh.incomplete), (kind, asked.by)
        ended = sum(span.end <= service.clock.now - KEPT_AFTER for span in kept.periods)
        taken += max(0, ended - len(kept.to_keep))
    return taken


def late_fact(chance: random.Random, desk: str, known: list[Incoming], number: int) -> Incoming:
    """A fact of March that is pushed now: a withdrawal of an event, or one that was not sent."""
    about = chance.choice(known).event
    name, when = f"late-{number}", about.at + chance.randrange(-2 * HOUR, 30 * HOUR, MINUTE)
    kind, data = chance.choice(
        (
            ("event.withdrawn", {"id": about.id, "author": "Ann", "reason": "error"}),
            ("agent.replied", {"author": "agent"}),
            ("status.changed", {"status": chance.choice(("pending", "open", "solved", "closed"))}),
            ("ticket.updated", {"priority": chance.choice(("low", "high"))}),
            ("ticket.updated", {"assignee": chance.choice(("Ann", "Bob"))}),
            ("ticket.merged", {"into": chance.choice(known).event.subject}),
        )
    )
    return Incoming.of(desk, Event(name, kind, about.subject, max(when, BEGIN), data, 0))


@pytest.mark.parametrize(("desk", "seed"), [("rich", 1), ("webxtra", 2)])
def test_with_and_without_kept_figures_the_reports_are_the_same(
    service: Service, desk: str, seed: int
) -> None:
    chance = random.Random(seed)
    service.apply_agreement("rich", RICH.format(reports=""))
    happened = history(chance, desk, 15)
    for until in (at("2026-03-17T12:00:00+01:00"), END):
        live(service, [each for each in happened if each[0] >= service.clock.now], until)
        check(service, desk)
    taken = check(service, desk)
    assert taken > 100
    for number in range(12):
        service.clock.now += HOUR
        service.push(late_fact(chance, desk, [each for _, each in happened], number), deliver=False)
        if number % 3 == 2:
            taken += check(service, desk)
    if desk == "rich":
        service.apply_agreement("rich", RICH.format(reports="").replace('"90m"', '"30m"'), to=AppliesTo.OPEN)
        service.sweeper.sweep_now()
        taken += check(service, desk)
    assert taken > 300


def count(service: Service) -> int:
    return service.rows("SELECT count(*) FROM report_figures")[0][0]


def answered_in_march(service: Service) -> Asked:
    """A ticket of 2 March that was answered at once, and a report of March made a month later."""
    service.push(created("1", "2026-03-02T09:00:00+01:00", assignee="Ann"))
    service.push(event("r", "agent.replied", "1", "2026-03-02T09:10:00+01:00", author="agent"))
    service.clock.now = END
    service.sweeper.sweep_now()
    return asked_now(service, "haisoft", By.MONTH)


def test_a_period_is_counted_once_until_a_fact_of_it_comes(service: Service) -> None:
    asked = answered_in_march(service)
    assert len(made(service, "attainment", asked).to_keep) > 0
    assert made(service, "attainment", asked).to_keep == ()
    service.push(created("2", "2026-04-20T00:00:00+02:00"))
    assert made(service, "attainment", asked).to_keep == ()
    service.push(event("w", "event.withdrawn", "1", "2026-03-02T09:10:00+01:00", id="r"))
    assert len(made(service, "attainment", asked).to_keep) > 0


def test_another_assignee_changes_no_figure_that_is_not_split_by_a_field(service: Service) -> None:
    asked = answered_in_march(service)
    split = asked_now(service, "haisoft", By.MONTH, ("assignee",))
    before = made(service, "attainment", split).report
    made(service, "attainment", asked)
    service.push(event("h", "ticket.updated", "1", "2026-04-19T09:00:00+02:00", assignee="Bob"))
    assert made(service, "attainment", asked).to_keep == ()
    after = made(service, "attainment", split)
    assert (len(after.to_keep) > 0, after.report == before) == (True, False)


def test_a_running_period_is_never_kept(service: Service) -> None:
    asked = answered_in_march(service)
    running = Asked("haisoft", Span(MARCH.start, END + DAY), asked.now, By.MONTH)
    assert {each.end for each in made(service, "attainment", running).to_keep} <= {
        each.end for each in made(service, "usage", asked).to_keep
    }
    just_over = Asked("haisoft", MARCH, MARCH.end + KEPT_AFTER - 1, By.MONTH)
    assert all(each.end < MARCH.end for each in made(service, "usage", just_over).to_keep)


def test_a_report_as_of_an_instant_neither_reads_nor_keeps_figures(service: Service) -> None:
    asked = answered_in_march(service)
    made(service, "attainment", asked)
    service.database.write_now(
        lambda conn, _: conn.exec_driver_sql("UPDATE report_figures SET body = 'not read'")
    )
    then = Asked("haisoft", MARCH, asked.now, By.MONTH, as_of=END - HOUR)
    assert made(service, "attainment", then).to_keep == ()


def test_figures_are_not_used_while_a_release_without_reports_runs_beside(service: Service) -> None:
    asked = answered_in_march(service)
    before = made(service, "attainment", asked)

    def evaluated_by_the_release_before(conn: Connection, _: Micros) -> None:
        conn.exec_driver_sql("UPDATE clock SET met = false WHERE met")
        conn.exec_driver_sql("UPDATE ticket SET revision = revision + 1")

    service.database.write_now(evaluated_by_the_release_before)
    beside = made(service, "attainment", asked)
    assert (beside.incomplete, beside.to_keep) == (1, ())
    assert beside.report != before.report
    # This release evaluates the ticket: what the other has changed of past days is not known.
    service.push(event("again", "agent.replied", "1", "2026-04-20T00:00:00+02:00", author="agent"))
    after = made(service, "attainment", asked)
    assert (after.incomplete, len(after.to_keep) > 0, after.report) == (0, True, before.report)


def test_the_oldest_figures_go_when_a_desk_has_more_than_it_may_keep(service: Service) -> None:
    asked = asked_now(service, "haisoft", None)
    service.clock.now = END
    few = service.settings.model_copy(update={"report_kept_max": 20})
    for by in (By.WEEK, By.DAY):
        shape = Asked("haisoft", asked.span, END, by)
        found = service.database.read_now(
            lambda conn, shape=shape: clock_report(conn, service.catalogue, few, ReportKind.ATTAINMENT, shape)
        )
        service.clock.now += HOUR
        service.database.write_now(
            lambda conn, now, found=found: kept_figures.keep(conn, now, found.to_keep[:15], 20)
        )
        assert 0 < count(service) <= 20
