"""The demonstration's past is told in right events, whatever the hour at which it is started."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from app.cli.demo.clamehost import BREACHES_NEXT
from app.cli.demo.command import where_to_look
from app.cli.demo.desk_history import start_of_open_time
from app.cli.demo.fill import ADMINISTRATOR, LEAD, fill_database, past_events, sign_in_link
from app.cli.demo.haisoft import BREACHES_SOON, SKIPS_LUNCH
from app.cli.demo.live import endless_events
from app.cli.demo.phpnet import AWAITS_ITS_CALL
from app.cli.demo.webxtra import FELL_TO_THE_BOTTOM
from app.cli.shipped import shipped_calendars
from app.flow.process.invariants import Verdict, run_checks
from app.flow.query import averages
from app.flow.query.answer import TicketAnswer
from app.flow.query.availability import AvailabilityLimits, AvailabilityQuestion, availability
from app.flow.query.averages import When
from app.flow.query.reasons import span_text
from app.flow.query.statements import statement
from app.flow.query.tickets import explanation, ticket_answer
from app.intake.cloudevents import Faulty, read_event
from app.principal import Role
from app.settings import Settings
from app.sla.clock.view import ClockView
from app.sla.span import HOUR, MINUTE, Micros, micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database
from app.store.people import one_time, persons
from app.store.people.one_time import Purpose
from tests.cli.conftest import Terminal
from tests.servers.databases import SqliteDatabases, with_tables

HOURS = [
    "2026-03-06T10:05:00+01:00",  # a Friday morning
    "2026-03-07T03:00:00+01:00",  # a night before a Saturday
    "2026-03-29T13:00:00+02:00",  # the Sunday of the clock change, over lunch
    "2026-12-25T23:59:00+01:00",  # a holiday in most places
]


@pytest.fixture(params=HOURS)
def now(request: pytest.FixtureRequest) -> Micros:
    return micros(datetime.fromisoformat(request.param))


def test_a_calendar_asked_backwards_agrees_with_itself() -> None:
    calendar = shipped_calendars(Settings().calendars)["haisoft/tickets"]
    until = micros(datetime.fromisoformat("2026-03-06T15:00:00+01:00"))
    start = start_of_open_time(calendar, 90 * MINUTE, until)
    assert calendar.within_us(start, until) == 90 * MINUTE
    assert calendar.after_us(90 * MINUTE, start) == until


def test_everything_that_is_told_is_an_event_that_a_push_would_take(now: Micros) -> None:
    recorded = past_events(Settings(), now, with_month=False)
    month = past_events(Settings(), now)
    assert 200 < len(recorded) < 600
    assert 1_200 < len(month) < 2_500
    assert 40 <= len({each for fact in recorded if ":" not in (each := fact.event.subject)}) <= 100
    for fact in month:
        event = fact.event
        assert event.at <= now
        assert fact.received_at <= now
        value = {
            "specversion": "1.0",
            "id": event.id,
            "source": fact.desk,
            "type": event.type,
            "subject": event.subject,
            "time": datetime.fromtimestamp(event.at / 1e6).astimezone().isoformat(),
            "data": event.data,
        }
        assert not isinstance(read_event(value, max_text=10_000), Faulty), value


def test_the_day_shows_what_it_promises(tmp_path: Path, now: Micros) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'demo.db'}")
    fill_database(settings, now, with_month=False)
    catalogue = Catalogue(settings.holiday_years_ahead)
    with Database(settings, lambda: now) as database:

        def clock(desk: str, ticket: str, commitment: str) -> tuple[TicketAnswer, ClockView]:
            answer = database.read_now(lambda conn: ticket_answer(conn, catalogue, desk, ticket, now=now))
            return answer, next(c for c in answer.evaluation.clocks if c.commitment == commitment)

        lunch, _ = clock("haisoft", SKIPS_LUNCH, "ticket-response")
        assert "lunch gap" in [span_text(span) for span in explanation(lunch, "ticket-response").spans]
        _, part = clock("haisoft", BREACHES_SOON, "hardware-replacement")
        _, outage = clock("clamehost", BREACHES_NEXT, "restoration")
        assert part.due_at is not None
        assert outage.due_at is not None
        assert now < part.due_at < outage.due_at < now + 2 * MINUTE
        assert outage.due_at - part.due_at < 10_000_000
        fell, _ = clock("webxtra", FELL_TO_THE_BOTTOM, "response")
        assert fell.queue is not None
        assert fell.queue.moves[-1].cause == "repeat_message"
        assert fell.queue.position == fell.queue.length
        assert fell.queue.expected_reply_at is not None
        _, gtr = clock("phpnet", AWAITS_ITS_CALL, "gtr")
        assert gtr.awaiting == ("call.registered",)
        checks = database.read_now(lambda conn: list(run_checks(conn, catalogue, now)))
    assert [check for check in checks if check.verdict is Verdict.FAULT] == []


@pytest.fixture(scope="module")
def friday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demonstration as it is on a Friday morning."""
    now = micros(datetime.fromisoformat(HOURS[0]))
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}")
    fill_database(settings, now)
    with Database(settings, lambda: now) as database:
        yield database


def test_a_queue_is_told_of_as_it_went(friday: Database) -> None:
    catalogue, now = Catalogue(Settings().holiday_years_ahead), friday.now()
    answer = friday.read_now(
        lambda conn: ticket_answer(conn, catalogue, "webxtra", FELL_TO_THE_BOTTOM, now=now, as_of=now - HOUR)
    )
    assert answer.queue is not None
    assert [move.cause for move in answer.queue.moves] == ["created"]


@pytest.mark.parametrize(
    ("desk", "contract", "period", "states", "amount", "charges"),
    [
        ("haisoft", "H-101", "2026-02", ["owed"], "11.75", "10.00"),
        ("haisoft", "H-103", "2026-03", [], "0.00", "10.00"),
        ("clamehost", "CL-4", "2026-02", ["granted"], None, None),
        ("hvn", "V-301", "2026-02", ["granted"], "50000", "0"),
        ("hvn", "V-304", "2026-02", ["claimable"], "50000", "0"),
        ("hvn", "V-304", "2026-03", ["accruing"], "25000", "0"),
        ("phpnet", "P-2001", "2026-02", ["granted"], "160.00", "0.00"),
        ("webxtra", "C-1001", "2026-02", [], None, None),
    ],
)
def test_statements_of_both_months_have_what_their_desk_owes(
    friday: Database,
    desk: str,
    contract: str,
    period: str,
    states: list[str],
    amount: str | None,
    charges: str | None,
) -> None:
    catalogue, now = Catalogue(Settings().holiday_years_ahead), friday.now()
    shown = friday.read_now(lambda conn: statement(conn, catalogue, desk, contract, period, now=now))
    assert [line["state"] for line in shown["lines"] + shown["without_amount"]] == states
    sums = [(each["amount"], each["charges"]) for each in shown["totals"]]
    assert sums == ([] if amount is None else [(amount, charges)])


def test_a_server_is_down_now_and_a_scheduled_update_did_not_count(friday: Database) -> None:
    catalogue, now = Catalogue(Settings().holiday_years_ahead), friday.now()

    def uptime(desk: str, question: AvailabilityQuestion) -> tuple[str, float, float]:
        (found,) = friday.read_now(
            lambda conn: availability(conn, catalogue, desk, question, AvailabilityLimits(10, 10))
        ).documents
        return found["state"], found["downtime_seconds"], found["excluded_seconds"]

    assert uptime("haisoft", AvailabilityQuestion(now, service="virtual", resource="vps-5")) == (
        "running",
        540,
        0,
    )
    assert uptime("clamehost", AvailabilityQuestion(now, service="web", period="2026-02")) == (
        "kept",
        0,
        7200,
    )


def test_calls_were_answered_soon_enough_last_month_and_not_in_this_one(friday: Database) -> None:
    catalogue, now = Catalogue(Settings().holiday_years_ahead), friday.now()

    def mean(period: str) -> tuple[bool, int, int]:
        (month,) = friday.read_now(
            lambda conn: averages.months(conn, catalogue, "haisoft", When(now, period=period))
        )
        assert month.mean_seconds is not None
        return month.mean_seconds < 90, month.tally.answered, month.tally.unanswered

    assert (mean("2026-02"), mean("2026-03")) == ((True, 15, 1), (False, 11, 1))


def test_live_events_go_on_without_end_and_each_is_one_that_a_push_takes() -> None:
    time = {"time": "2026-03-06T15:30:00+01:00"}
    seen = list(islice(endless_events(Random(3)), 200))
    assert [e for e in seen if isinstance(read_event(e | time, max_text=10_000), Faulty)] == []
    assert {event["source"] for event in seen} == {"haisoft", "webxtra", "clamehost", "hvn", "phpnet"}


def test_a_link_for_a_lead_and_one_for_an_administrator_are_printed(
    sqlite_databases: SqliteDatabases,
) -> None:
    now = micros(datetime.fromisoformat(HOURS[0]))
    with sqlite_databases.copy_of(with_tables) as url:
        settings = Settings(database_url=url)
        links = {name: sign_in_link(settings, now, "http://demo", name) for name in (LEAD, ADMINISTRATOR)}
        text = where_to_look("http://demo", "slt_key", now, links, "http://demo/embed")
        with Database(settings, lambda: now) as database:
            people = database.read_now(persons.listed)
            secrets = re.findall(r"once +http://demo/sign-in/link\S*#(sll_[\w-]+)\n", text)
            found = database.read_now(
                lambda conn: [one_time.find(conn, Purpose.LINK, each, now) for each in secrets]
            )
    roles = {each.id: each.roles for each in people}
    assert [roles[each.person] for each in found if each] == [
        {"*": frozenset({Role.LEAD})},
        {"*": frozenset({Role.ADMIN})},
    ]


def test_a_database_that_exists_is_not_overwritten(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "precious.db"
    path.write_text("mine")
    said = terminal("demo", "--database", path)
    assert said.code == 2
    assert path.read_text() == "mine"
