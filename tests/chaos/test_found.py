"""Faults that the rounds have found, each as a short test."""

import pytest
from sqlalchemy.engine import make_url

from app.settings import Settings
from app.store.engine.database import Database, Unreachable
from tests.servers.databases import Databases, postgresql_only
from tests.service import Service, WallClock, created, event


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
