"""Who writes, when, and what is left behind: one writer, a time that never goes back, tables as declared."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app.principal import Desks
from app.settings import Settings
from app.store.engine import dialect, migrate, row_security
from app.store.engine.database import (
    Connection,
    Database,
    EveryDesk,
    FailureKind,
    Unreachable,
    WriteContention,
    after_commit,
    failure_kind,
    visible_desks,
)
from app.store.engine.dialect import UnusableDatabase
from app.store.engine.group_commit import GroupCommit
from app.store.tables import metadata
from tests.servers.databases import POSTGRESQL, postgresql_only, sqlite_only
from tests.service import Service, WallClock, at, created

T = TypeVar("T")

# PostgreSQL keeps the log in parts, and in a table of its own what is unique in all of them. Neither is declared.
PARTITIONED_LOG = ("event_other", "event_key", "event_once")


def test_the_migrations_make_the_tables_that_are_declared(database: Database) -> None:
    def differences(conn: Connection) -> object:
        here = PARTITIONED_LOG if conn.dialect.name == POSTGRESQL else ()
        options = {"include_object": lambda thing, name, *_: name is None or not name.startswith(here)}
        return compare_metadata(MigrationContext.configure(conn, opts=options), metadata)

    assert database.read_now(differences) == []


def test_revisions_are_read_from_the_files_as_alembic_reads_them() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    known = {script.revision for script in scripts.walk_revisions()}
    assert migrate.revisions() == (known, set(scripts.get_heads()))


def test_opening_again_changes_nothing(database_settings: Settings, wall_clock: WallClock) -> None:
    found: list[object] = []
    for _ in range(2):
        with Database(database_settings, wall_clock) as database:
            found.append(database.read_now(_shape))
    assert found[0] == found[1]
    assert "event_log" in str(found[0])


def _shape(conn: Connection) -> object:
    """Every table with its columns and indexes."""
    inspector = inspect(conn)
    return {
        name: (
            str(inspector.get_columns(name)),
            [
                (index["name"], index["column_names"], index["unique"])
                for index in inspector.get_indexes(name)
            ],
        )
        for name in inspector.get_table_names()
    }


@sqlite_only
@pytest.mark.parametrize(
    ("pragma", "wanted"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_what_is_committed_is_on_the_disk(database: Database, pragma: str, wanted: object) -> None:
    held = database.write_now(lambda conn, now: conn.exec_driver_sql(f"PRAGMA {pragma}").scalar())
    assert held == wanted


@postgresql_only
def test_a_commit_waits_for_the_servers_own_log(database: Database) -> None:
    held = database.write_now(lambda conn, now: conn.exec_driver_sql("SHOW synchronous_commit").scalar())
    assert held == "on"


@postgresql_only
def test_the_service_is_no_superuser_for_whom_no_row_level_security_holds(database: Database) -> None:
    assert not database.read_now(row_security.is_bypassed)
    assert database.read_now(row_security.unguarded) == []


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(Database.failures, match=r"read-?only"):
        database.read_now(lambda conn: conn.exec_driver_sql("DELETE FROM event"))


def test_a_reader_keeps_its_connection(database_settings: Settings, wall_clock: WallClock) -> None:
    with Database(
        database_settings.model_copy(update={"database_read_pool_size": 1}), wall_clock
    ) as database:
        connections = {
            database.read_now(lambda conn: id(conn.connection.driver_connection)) for _ in range(5)
        }
        assert len(connections) == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(UnusableDatabase, match=r"sqlite:///slatimer\.db"):
        dialect.check(url)


def test_the_time_of_a_transaction_never_goes_back(database: Database, wall_clock: WallClock) -> None:
    first = database.write_now(lambda conn, now: now)
    wall_clock.forward(hours=-1)
    second = database.write_now(lambda conn, now: now)
    assert (first, second, database.now()) == (first, first, first)


@sqlite_only
def test_the_time_of_a_transaction_is_not_before_what_another_process_wrote(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    with Database(service.settings, WallClock()) as behind:
        assert behind.write_now(lambda conn, now: now) == at("2026-03-02T10:00:00+01:00")


@postgresql_only
def test_the_time_of_a_transaction_is_that_of_the_server(database_settings: Settings) -> None:
    asked = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
    with Database(database_settings) as database:
        before = database.read_now(lambda conn: conn.exec_driver_sql(asked).scalar_one())
        now = database.write_now(lambda conn, now: now)
        after = database.read_now(lambda conn: conn.exec_driver_sql(asked).scalar_one())
    assert before < now < after


def test_nothing_is_done_after_a_commit_that_did_not_happen(database: Database) -> None:
    done: list[str] = []

    def fails(conn: Connection, now: int) -> None:
        after_commit(conn, lambda: done.append("never"))
        raise WriteContention("on purpose")

    with pytest.raises(WriteContention):
        database.write_now(fails)
    database.write_now(lambda conn, now: after_commit(conn, lambda: done.append("after")))
    assert done == ["after"]


def test_what_is_stored_already_is_a_fault_of_the_writer_and_no_contention(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    again = "INSERT INTO ticket SELECT * FROM ticket"
    with pytest.raises(Database.failures, match=r"UNIQUE|duplicate key") as caught:
        service.database.write_now(lambda conn, now: conn.exec_driver_sql(again))
    assert failure_kind(caught.value) is FailureKind.PERMANENT


def test_a_read_sees_one_state_from_begin_to_end(database: Database) -> None:
    insert = "INSERT INTO acknowledgement (breach, author, at) VALUES ('b', 'a', 1)"

    def twice(conn: Connection) -> list[object]:
        first = conn.exec_driver_sql("SELECT count(*) FROM acknowledgement").scalar()
        database.write_now(lambda other, now: other.exec_driver_sql(insert))
        return [first, conn.exec_driver_sql("SELECT count(*) FROM acknowledgement").scalar()]

    assert database.read_now(twice) == [0, 0]


async def test_long_reads_of_one_desk_leave_a_reader_to_others_and_keys_wait_for_none(
    database: Database,
) -> None:
    hold, begun = threading.Event(), threading.Semaphore(0)

    def long_read(_: Connection) -> None:
        begun.release()
        hold.wait()

    async def reading(desk: str, work: Callable[[Connection], T]) -> T:
        visible_desks.set(frozenset({desk}))
        return await database.read(work)

    stuck = [asyncio.create_task(reading("a", long_read)) for _ in range(5)]
    for _ in range(database.settings.database_read_pool_size - 1):
        await asyncio.to_thread(begun.acquire)
    try:
        one = "SELECT 1"
        assert await asyncio.create_task(reading("b", lambda conn: conn.exec_driver_sql(one).scalar())) == 1
        assert await database.look_up(lambda conn: conn.exec_driver_sql(one).scalar()) == 1
        assert not begun.acquire(blocking=False)
    finally:
        hold.set()
        await asyncio.gather(*stuck)


@postgresql_only
@pytest.mark.parametrize("desks", [EveryDesk.DUE, frozenset({"haisoft"})])
def test_a_transaction_whose_idle_connection_the_server_closed_runs_on_a_new_one(
    database: Database, desks: EveryDesk | Desks
) -> None:
    done: list[int] = []

    def work(conn: Connection, _: int) -> object:
        after_commit(conn, lambda: done.append(1))
        return conn.exec_driver_sql("SELECT 1").scalar()

    assert database.write_now(work, desks) == 1
    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'slatimer'"
    )
    assert database.read_now(lambda conn: conn.exec_driver_sql(ended).scalar())
    assert database.write_now(work, desks) == 1
    assert done == [1, 1]


async def test_long_work_of_all_desks_together_uses_one_reader(database: Database) -> None:
    hold, begun = threading.Event(), threading.Semaphore(0)

    def part(_: Connection) -> None:
        begun.release()
        hold.wait()

    async def long_work(desk: str) -> None:
        visible_desks.set(frozenset({desk}))
        await database.read_long(part)

    working = [asyncio.create_task(long_work(desk)) for desk in "abcd"]
    await asyncio.to_thread(begun.acquire)
    try:
        for _ in range(database.settings.database_read_pool_size):
            assert await database.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar()) == 1
        assert not begun.acquire(blocking=False)
    finally:
        hold.set()
        await asyncio.gather(*working)


async def test_members_that_wait_share_a_transaction_and_no_more_than_allowed(database: Database) -> None:
    sizes: list[int] = []

    def process(conn: Connection, now: int, members: Sequence[int]) -> list[int]:
        sizes.append(len(members))
        return [member * 2 for member in members]

    group = GroupCommit(database, process, largest=8, desks_of=lambda member: frozenset({str(member)}))
    outcomes = await asyncio.gather(*map(group.submit, range(20)))
    assert outcomes == [member * 2 for member in range(20)]
    assert sum(sizes) == 20
    assert max(sizes) == 8


async def test_desks_take_turns_and_none_waits_for_all_of_another(database: Database) -> None:
    served: list[str] = []

    def process(conn: Connection, now: int, members: Sequence[str]) -> Sequence[str]:
        served.extend(members)
        return members

    group = GroupCommit(database, process, largest=3, desks_of=lambda member: frozenset({member[0]}))
    await asyncio.gather(*map(group.submit, ["a1", "a2", "a3", "a4", "a5", "b1", "c1", "b2"]))
    assert served == ["a1", "b1", "c1", "a2", "b2", "a3", "a4", "a5"]


async def test_each_desk_has_a_small_share_of_a_transaction_while_several_wait(database: Database) -> None:
    batches: list[Sequence[str]] = []

    def process(conn: Connection, now: int, members: Sequence[str]) -> Sequence[str]:
        batches.append(members)
        return members

    group = GroupCommit(
        database, process, largest=100, weight=len, share=4, desks_of=lambda member: frozenset({member[0]})
    )
    await asyncio.gather(*map(group.submit, ["aaaaaa", "a", "b", "cc", "dddd", "bbbb", "aaa"]))
    assert batches == [["aaaaaa"], ["b", "cc", "dddd", "a", "aaa"], ["bbbb"]]


async def test_the_writer_is_shared_while_one_of_its_latest_transactions_was_another_desks(
    database: Database,
) -> None:
    def nothing(conn: Connection, now: int) -> None: ...

    own, other = frozenset({"haisoft"}), frozenset({"phpnet"})
    await database.write(nothing, EveryDesk.DUE)
    await database.write(nothing, own)
    assert (database.is_shared(own), database.is_shared(other)) == (False, True)
    for _ in range(100):
        await database.write(nothing, other)
    assert (database.is_shared(own), database.is_shared(other)) == (True, False)
    for _ in range(100):
        await database.write(nothing, other, bulk=True)
    assert not database.is_shared(own)


async def test_a_write_that_was_cancelled_before_it_began_does_not_wait(database: Database) -> None:
    begins = threading.Event()
    first = asyncio.create_task(database.write(lambda conn, now: begins.wait()))
    second = asyncio.create_task(database.write(lambda conn, now: None))
    await asyncio.sleep(0)
    assert database.has_waiting_writes
    second.cancel()
    begins.set()
    assert await first
    assert await database.write(lambda conn, now: database.has_waiting_writes) is False


async def test_a_member_that_goes_away_harms_no_other(database: Database) -> None:
    def process(conn: Connection, now: int, members: Sequence[int]) -> Sequence[int]:
        return members

    group = GroupCommit(database, process, largest=8, desks_of=lambda member: frozenset({str(member)}))
    leaving = asyncio.create_task(group.submit(1))
    staying = asyncio.create_task(group.submit(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 2


def test_two_processes_write_in_turn(service: Service) -> None:
    with Database(service.settings, service.clock) as other_database:
        other = Service(service.settings, other_database, service.clock)
        for number in range(3):
            service.push(created(f"A{number}", "2026-03-02T09:00:00+01:00", customer=f"A{number}"))
            other.push(created(f"B{number}", "2026-03-02T09:00:00+01:00", customer=f"B{number}"))
        view = service.view("haisoft", "B2")
        assert (view["queue"]["position"], view["queue"]["length"]) == (6, 6)


@sqlite_only
def test_a_file_that_another_process_holds_for_long_is_merely_away(database_settings: Settings) -> None:
    """No fault of a member: none is parked or retried singly."""
    short_timeout = database_settings.model_copy(update={"busy_timeout": timedelta(milliseconds=50)})
    with Database(database_settings) as holder, Database(short_timeout) as other:

        def meanwhile(conn: Connection, now: int) -> type[BaseException]:
            conn.exec_driver_sql("UPDATE ticket SET revision = revision")
            with pytest.raises(Unreachable, match="locked"):
                other.write_now(lambda conn, now: None)
            return Unreachable

        error = holder.write_now(meanwhile)("the database cannot be used now")
        assert failure_kind(error) is FailureKind.UNAVAILABLE
        assert other.write_now(lambda conn, now: now) > 0  # after the release the write succeeds
