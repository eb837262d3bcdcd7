"""Faults that the rounds have found, each as a short test."""

import asyncio

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from app.flow.judge.turn import Failures
from app.settings import Settings
from app.sla.subject import THE_DESK
from app.store.engine.database import Database, Unreachable, nearest_offset
from app.store.engine.notify import ANYTHING, Announcement, NotificationListener
from app.web.http.problems import problem_of, respond
from tests.servers.databases import Databases, postgresql_only
from tests.service import Service, WallClock, created, event
from tests.waiting import HANG


def test_a_transaction_that_began_earlier_and_waited_records_no_early_signal(
    database_settings: Settings,
) -> None:
    """As a push does that waits for the lock of a ticket."""
    first, then = WallClock(), WallClock()
    with Database(database_settings, first) as one, Database(database_settings, then) as other:
        quick, waiting = Service(database_settings, one, first), Service(database_settings, other, then)
        quick.apply_shipped("haisoft")
        quick.push(created("1", "2026-03-02T10:00:00+01:00"))
        first.set("2026-03-02T12:00:01+01:00")
        quick.sweeper.sweep_now()
        then.set("2026-03-02T11:59:59+01:00")
        waiting.push(event("1-1", "agent.replied", "1", "2026-03-02T11:00:00+01:00", author="agent"))
        recorded = quick.signals()
    assert [signal["kind"] for signal in recorded].count("clock.breach_retracted") == 1
    assert [signal for signal in recorded if signal["detected_at"] < signal["at"]] == []


@postgresql_only
def test_a_server_that_accepts_no_connection_is_unreachable(databases: Databases) -> None:
    """As while it starts up; here its connection limit is reached."""
    with databases.new() as url, Database(Settings(database_url=url)) as database:
        name = make_url(url).database
        database.write_now(
            lambda conn, now: conn.exec_driver_sql(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
        )
        with pytest.raises(Unreachable):
            database.read_now(lambda conn: conn.exec_driver_sql("SELECT 1"))


@postgresql_only
@pytest.mark.parametrize("state", ["53100", "53200", "57014", "58030"])
def test_a_full_disk_or_a_cancelled_statement_is_an_unreachable_server_and_no_fault_of_the_statement(
    databases: Databases, state: str
) -> None:
    """As a fault of the statement it answered 500, and parked the tickets that the sweep found due."""
    with databases.new() as url, Database(Settings(database_url=url)) as database:
        raised = f"DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '{state}'; END $$"
        with pytest.raises(Unreachable, match="full"):
            database.write_now(lambda conn, now: conn.exec_driver_sql(raised))
        assert database.write_now(lambda conn, now: conn.exec_driver_sql("SELECT 1").scalar()) == 1


def test_a_database_that_cannot_be_used_is_answered_with_when_to_retry() -> None:
    problem = problem_of(Unreachable("the database has no space left on its disk: could not extend file"))
    assert problem is not None
    answer = respond(Request({"type": "http", "path": "/v1/events", "headers": []}), problem)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert b"no space left on its disk" in answer.body


def test_an_answer_that_was_held_up_does_not_set_the_servers_clock_back() -> None:
    assert nearest_offset(0, 100, 105) == 100
    assert nearest_offset(102, 100, 105) == 102, "the usual answer"
    assert nearest_offset(102, -5_000_000, 105) == 102, "one that was held up for five seconds"
    assert nearest_offset(102, 40, 60) == 60, "the server's clock was set back"


@postgresql_only
async def test_after_a_lost_connection_every_listener_looks_for_what_was_announced_meanwhile(
    databases: Databases,
) -> None:
    """It was noticed at the next keep-alive only: a due date that was stored meanwhile was found up to 5 s late."""
    heard: asyncio.Queue[Announcement] = asyncio.Queue()
    with databases.new() as url, Database(Settings(database_url=url)) as database:
        listener = NotificationListener(Settings(database_url=url), heard.put_nowait)
        listener.start()
        async with asyncio.timeout(HANG):
            assert await heard.get() == ANYTHING
            ended = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'slatimer listener'"
            )
            await database.read(lambda conn: conn.exec_driver_sql(ended).all())
            assert await heard.get() == ANYTHING
        await listener.stop()


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("away"),
        TimeoutError("no answer"),
        OperationalError("DELETE", {}, Exception("disk is full")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_of_the_database_is_none_of_the_subject_that_was_evaluated_then(error: Exception) -> None:
    """The subject was parked for it, or on PostgreSQL the push answered with 500: its transaction was aborted."""
    failures = Failures("chaos")

    def fails() -> None:
        raise error

    with pytest.raises(type(error)):
        failures.attempt([THE_DESK], fails)
    assert failures.errors == {}


def test_what_a_subjects_own_content_makes_fail_is_its_failure_only() -> None:
    failures = Failures("chaos")
    assert failures.attempt([THE_DESK], int, "no number") == (False, None)
    assert list(failures.errors) == [THE_DESK]
