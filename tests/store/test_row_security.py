"""Row-level security: PostgreSQL shows a transaction the rows of its desks only, whatever a query selects."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import DBAPIError

from app.principal import EVERY
from app.settings import Settings
from app.store.engine import row_security
from app.store.engine.database import Connection, Database, visible_desks
from app.store.tables import metadata
from tests.servers.databases import Databases, postgresql_only, with_tables
from tests.service import Service, created
from tests.waiting import HANG, until

pytestmark = postgresql_only

DESK_TABLES = [table for table in metadata.sorted_tables if "desk" in table.columns]


@pytest.fixture
def two_desks(service: Service) -> Iterator[Service]:
    """Tickets of two desks, read as by a caller of the first."""
    service.clock.set("2026-03-02T18:00:00+01:00")
    service.push(
        created("1", "2026-03-02T08:00:00+01:00"),
        created("2", "2026-03-02T08:00:00+01:00", desk="webxtra", plan="managed"),
    )
    token = visible_desks.set(frozenset({"haisoft"}))
    yield service
    visible_desks.reset(token)


def desks_in(service: Service, table: Table) -> set[str]:
    return set(service.database.read_now(lambda conn: conn.execute(select(table.c.desk)).scalars().all()))


@pytest.mark.parametrize("table", DESK_TABLES, ids=lambda table: table.name)
def test_a_read_for_one_desk_sees_its_rows_only(two_desks: Service, table: Table) -> None:
    assert desks_in(two_desks, table) <= {"haisoft"}


@pytest.mark.parametrize("name", ["event", "ticket", "clock", "signal", "stint", "desk_version"])
def test_a_read_sees_the_rows_of_its_desk(two_desks: Service, name: str) -> None:
    table = metadata.tables[name]
    assert desks_in(two_desks, table) == {"haisoft"}
    visible_desks.set(frozenset({"webxtra"}))
    assert desks_in(two_desks, table) == {"webxtra"}
    visible_desks.set(EVERY)
    assert desks_in(two_desks, table) >= {"haisoft", "webxtra"}


def test_a_month_of_the_log_is_guarded_like_the_whole(two_desks: Service) -> None:
    def read(conn: Connection) -> list[str]:
        return [row[0] for row in conn.exec_driver_sql("SELECT desk FROM event_other").all()]

    assert two_desks.database.read_now(read) == ["haisoft"]


def test_a_note_on_another_desks_breach_is_not_seen(two_desks: Service) -> None:
    visible_desks.set(EVERY)
    breach = two_desks.signals("clock.breached")[0]
    assert breach["desk"] == "haisoft"

    def note(conn: Connection, now: int) -> None:
        conn.exec_driver_sql(f"INSERT INTO acknowledgement VALUES ('{breach['id']}', 'me', NULL, {now})")

    two_desks.database.write_now(note)
    for desk, seen in (("*", 1), ("haisoft", 1), ("webxtra", 0)):
        visible_desks.set(frozenset({desk}))
        assert two_desks.rows("SELECT count(*) FROM acknowledgement") == [(seen,)]


def test_every_table_with_a_desk_is_guarded_and_the_role_does_not_bypass_it(service: Service) -> None:
    """A table that a migration forgot is found here and by the doctor."""
    assert service.database.read_now(row_security.unguarded) == []
    assert not service.database.read_now(row_security.is_bypassed)

    def forget(conn: Connection, now: int) -> list[str]:
        conn.exec_driver_sql("CREATE TABLE new_one (desk text)")
        return row_security.unguarded(conn)

    assert service.database.write_now(forget) == ["new_one"]


def test_a_reader_cannot_write(service: Service) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        service.rows("DELETE FROM ticket RETURNING ticket")


def test_a_read_for_two_desks_sees_the_rows_of_both(two_desks: Service) -> None:
    ticket = metadata.tables["ticket"]
    visible_desks.set(frozenset({"haisoft", "webxtra"}))
    assert desks_in(two_desks, ticket) == {"haisoft", "webxtra"}
    visible_desks.set(frozenset({"hvn", "webxtra"}))
    assert desks_in(two_desks, ticket) == {"webxtra"}
    visible_desks.set(frozenset())
    assert desks_in(two_desks, ticket) == set()


POLICIES = (
    """SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema() AND cmd = 'ALL'"""
)


def as_before(conn: Connection, *_: object) -> None:
    """The policies as the release before makes them."""
    seen = "(SELECT current_setting('slatimer.desk', true))"
    for (table,) in conn.exec_driver_sql(
        "SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = current_schema()"
    ).all():
        desk = "(SELECT s.desk FROM signal s WHERE s.id = breach)" if table == "acknowledgement" else "desk"
        conn.exec_driver_sql(f'DROP POLICY visible_desks ON "{table}"')
        conn.exec_driver_sql(f"CREATE POLICY own_desk ON \"{table}\" USING ({desk} = {seen} OR {seen} = '*')")


def test_the_policies_of_the_release_before_are_replaced(databases: Databases) -> None:
    with databases.copy_of(with_tables) as url:
        settings = Settings(database_url=url)
        with Database(settings) as database:
            tables = {row[0] for row in database.read_now(lambda conn: conn.exec_driver_sql(POLICIES).all())}
            assert tables > {"event", "event_other", "ticket", "acknowledgement", "principal_role"}
            database.write_now(as_before)
            assert database.read_now(row_security.outdated) == sorted(tables)
        for _ in range(2):
            with Database(settings) as database:
                rows = database.read_now(lambda conn: conn.exec_driver_sql(POLICIES).all())
                assert {tuple(row) for row in rows} == {(table, "visible_desks") for table in tables}
                assert database.read_now(row_security.unguarded) == []


def test_a_process_of_the_release_before_sees_its_one_desk_under_the_new_policies(two_desks: Service) -> None:
    """It sets one desk's name, or a star."""

    def desks(setting: str) -> set[str]:
        def read(conn: Connection) -> set[str]:
            conn.exec_driver_sql(f"SELECT set_config('slatimer.desk', '{setting}', true)")
            return set(conn.execute(select(metadata.tables["ticket"].c.desk)).scalars())

        return two_desks.database.read_now(read)

    assert desks("webxtra") == {"webxtra"}
    assert desks("*") == {"haisoft", "webxtra"}


def test_replacing_the_policies_deadlocks_with_no_writer_of_the_release_before(databases: Databases) -> None:
    """A writer holds one table when the replacement comes to it, and goes on to another that is replaced already."""
    with databases.copy_of(with_tables) as url, ThreadPoolExecutor(1) as pool:
        settings = Settings(database_url=url)
        with Database(settings) as database:
            database.write_now(as_before)

            def write(conn: Connection, _: int) -> "Future[None]":
                conn.exec_driver_sql("LOCK TABLE ticket IN ROW EXCLUSIVE MODE")
                opening = pool.submit(lambda: Database(settings).close())
                wait_for_lock(conn)
                conn.exec_driver_sql("LOCK TABLE clock IN ROW EXCLUSIVE MODE")
                return opening

            database.write_now(write).result(HANG)
            assert database.read_now(row_security.outdated) == []


def wait_for_lock(conn: Connection) -> None:
    """Return when another connection waits for a lock on the table `ticket`."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ticket'::regclass"
    until(lambda: conn.exec_driver_sql(waiting).scalar())
