"""Behind a PgBouncer in transaction mode each transaction may have another connection; the service works the same."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.principal import EVERY_DESK
from app.settings import Settings
from app.store.engine.database import Connection, Database, visible_desks
from app.store.engine.dialect import UnusableDatabase
from app.store.engine.notify import Announcement, NotificationListener, announce
from tests.servers.databases import UNHURRIED, PostgresDatabases
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import ROLE, Postgres
from tests.service import Service, WallClock, created, with_desks_in_force
from tests.waiting import HANG

CONNECTIONS = 3
_SESSION = text(
    "SELECT pg_backend_pid(), current_setting('slatimer.desk'), current_setting('enable_seqscan'), "
    "current_setting('jit'), current_setting('timezone'), current_setting('idle_in_transaction_session_timeout')"
)
Session = tuple[int, str, str, str, str, str]


@pytest.fixture(scope="module")
def pooler(postgres_server: Postgres) -> Iterator[PgBouncer]:
    with PgBouncer(postgres_server.port, ROLE, connections=CONNECTIONS) as made:
        yield made


@pytest.fixture
def pooled(
    postgresql_databases: PostgresDatabases, postgres_server: Postgres, pooler: PgBouncer
) -> Iterator[Settings]:
    """Settings of a service behind the pooler, whose database has three desks."""
    with postgresql_databases.copy_of(with_desks_in_force) as url:
        through = url.replace(f":{postgres_server.port}/", f":{pooler.port}/")
        yield Settings(database_url=through, database_direct_url=url, **UNHURRIED)


def _session(conn: Connection) -> Session:
    return tuple(conn.execute(_SESSION).one())  # pyright: ignore[reportReturnType]


async def _all_at_once(database: Database) -> set[int]:
    """The connections of as many transactions that are open at the same time."""
    together = threading.Barrier(CONNECTIONS)

    def work(conn: Connection) -> int:
        together.wait(HANG)
        return _session(conn)[0]

    reads = (database.read(work) for _ in range(CONNECTIONS - 1))  # one desk leaves a reader to the others
    return set(await asyncio.gather(database.look_up(work), *reads))


async def test_the_same_statement_runs_on_every_connection_with_the_settings_of_its_transaction(
    pooled: Settings,
) -> None:
    def read_twice(conn: Connection) -> Session:
        assert _session(conn) == _session(conn)
        return _session(conn)

    with Database(pooled) as database:
        assert len(await _all_at_once(database)) == CONNECTIONS
        for desks in (frozenset({"haisoft"}), frozenset({EVERY_DESK}), frozenset({"phpnet"})) * 2:
            visible_desks.set(desks)
            found = [database.read_now(read_twice) for _ in range(CONNECTIONS)]
            written = [database.write_now(lambda conn, _: read_twice(conn)) for _ in range(CONNECTIONS)]
            assert len({pid for pid, *_ in found + written}) == CONNECTIONS
            assert {desk.removeprefix("\x1e\x1f") for _, desk, *_ in found + written} == desks
            rest = {tuple(others) for _, _, *others in found + written}
            assert rest == {("off", "off", "UTC", f"{int(HANG) // 60}min")}


async def test_breaches_are_detected_and_rows_are_confined_behind_a_pooler(pooled: Settings) -> None:
    clock = WallClock()
    with Database(pooled, clock) as database:
        assert len(await _all_at_once(database)) == CONNECTIONS
        service = Service(pooled, database, clock)
        for number in range(CONNECTIONS):
            service.push(created(f"T{number}", "2026-03-02T09:00:00+01:00", priority="urgent"))
        clock.forward(days=30)
        service.sweeper.sweep_now()
        assert service.recorded().count("clock.breached") >= CONNECTIONS
        visible_desks.set(frozenset({"phpnet"}))
        assert service.rows("SELECT * FROM ticket") == []


async def test_announcements_come_through_the_direct_connection(pooled: Settings) -> None:
    heard: asyncio.Queue[Announcement] = asyncio.Queue()
    listener = NotificationListener(pooled, heard.put_nowait)
    with Database(pooled) as database:
        listener.start()
        try:
            async with asyncio.timeout(HANG):
                while Announcement(7, 8) not in [heard.get_nowait() for _ in range(heard.qsize())]:
                    await database.write(lambda conn, _: announce(conn, 7, 8))
        finally:
            await listener.stop()


def test_a_pooler_that_is_not_named_as_one_is_refused_with_the_remedy(pooled: Settings) -> None:
    with pytest.raises(UnusableDatabase, match="SLATIMER_DATABASE_DIRECT_URL"):
        Database(pooled.model_copy(update={"database_direct_url": None}))
