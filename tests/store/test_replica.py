"""A read from a replica has everything that was committed before it began; when it cannot, the primary answers."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.principal import EVERY
from app.settings import Settings
from app.store.engine.database import Connection, Database
from app.store.engine.read_only import ReadOnlyDatabase
from app.store.engine.unreachable import Unreachable
from tests.servers import postgres
from tests.servers.databases import UNHURRIED
from tests.servers.postgres import Postgres
from tests.servers.process import HOST
from tests.waiting import HANG

WRITES = 20
numbers = itertools.count(1)
READ = text("SELECT inet_server_port(), count(*) FROM fact")


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    with postgres.start() as made:
        yield made


@pytest.fixture(scope="module")
def replica(primary: Postgres) -> Iterator[Postgres]:
    with postgres.standby(primary) as made:
        yield made


@pytest.fixture
def settings(primary: Postgres, replica: Postgres) -> Settings:
    """A service that waits for its replica, and asks it again at once after it has failed."""
    name = f"replicated_{next(numbers)}"
    url = primary.create_database(name)
    given = Settings(
        database_url=url,
        replica_url=replica.url(name),
        replica_wait_timeout=timedelta(seconds=HANG),
        replica_retry_interval=timedelta(),
        **UNHURRIED,
    )
    with Database(given) as database:
        database.write_now(lambda conn, _: conn.exec_driver_sql("CREATE TABLE fact (n bigint)"))
    return given


def impatient(settings: Settings) -> Settings:
    """Settings of a service that does not wait for its replica."""
    return settings.model_copy(update={"replica_wait_timeout": timedelta()})


def written(conn: Connection, _: int) -> None:
    conn.exec_driver_sql("INSERT INTO fact VALUES (1)")


def read(conn: Connection) -> tuple[int, int]:
    """The port of the server that answers, and what it knows of."""
    port, known = conn.execute(READ).one()
    return port, known


def simulated(settings: Settings) -> tuple[int, int]:
    """The same as a simulation reads it."""
    with ReadOnlyDatabase(settings, EVERY) as database:
        return database.read(read)


async def test_a_read_from_the_replica_has_everything_committed_before_it(
    settings: Settings, replica: Postgres
) -> None:
    with Database(settings) as database:
        for number in range(1, WRITES + 1):
            await database.write(written)
            assert await database.read_replicated(read) == (replica.port, number)
        assert await asyncio.to_thread(simulated, settings) == (replica.port, WRITES)
        state = await database.replica_state()
        assert state is not None
        assert (state.in_use, state.on_replica, state.on_primary) == (True, WRITES, 0)
        assert state.lag is not None


async def test_while_the_replica_is_behind_the_primary_answers(
    settings: Settings, primary: Postgres, replica: Postgres
) -> None:
    with Database(impatient(settings)) as hasty, Database(settings) as patient:
        await patient.write(written)
        assert await patient.read_replicated(read) == (replica.port, 1)
        replica.execute("SELECT pg_wal_replay_pause()")
        await hasty.write(written)
        assert await hasty.read_replicated(read) == (primary.port, 2)
        assert await asyncio.to_thread(simulated, impatient(settings)) == (primary.port, 2)
        state = await hasty.replica_state()
        assert state is not None
        assert state.lag is not None
        assert state.lag > 0
        assert (state.on_replica, state.on_primary) == (0, 1)
        replica.execute("SELECT pg_wal_replay_resume()")
        assert await patient.read_replicated(read) == (replica.port, 2)


async def test_a_replica_that_fails_is_left_alone_for_a_while_and_then_asked_again(
    settings: Settings, primary: Postgres, replica: Postgres
) -> None:
    rested = settings.model_copy(update={"replica_retry_interval": timedelta(seconds=HANG)})
    with Database(settings) as database, Database(rested) as resting:
        assert (
            await database.read_replicated(read) == await resting.read_replicated(read) == (replica.port, 0)
        )
        replica.kill()
        assert (
            await database.read_replicated(read) == await resting.read_replicated(read) == (primary.port, 0)
        )
        for state in (await database.replica_state(), await resting.replica_state()):
            assert state is not None
            assert state.lag is None
        replica.start()
        assert await database.read_replicated(read) == (replica.port, 0)
        assert await resting.read_replicated(read) == (primary.port, 0)
        state = await resting.replica_state()
        assert state is not None
        assert not state.in_use


async def test_a_replica_that_was_promoted_is_not_read(settings: Settings, primary: Postgres) -> None:
    with postgres.standby(primary) as promoted:
        left = settings.model_copy(
            update={"replica_url": promoted.url(make_url(settings.database_url).database or "")}
        )
        promoted.promote()
        with Database(left) as database:
            await database.write(written)
            assert await database.read_replicated(read) == (primary.port, 1)


async def test_a_fault_of_a_query_is_the_same_on_the_replica(settings: Settings) -> None:
    with Database(settings) as database:
        with pytest.raises(ProgrammingError):
            await database.read_replicated(lambda conn: conn.exec_driver_sql("SELECT absent FROM fact"))
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await database.read_replicated(lambda conn: conn.exec_driver_sql("DELETE FROM fact"))
        state = await database.replica_state()
        assert state is not None
        assert (state.in_use, state.on_primary) == (True, 0)


# The last test of this file: it kills the primary.
async def test_a_promoted_standby_has_every_acknowledged_write_and_the_service_goes_on_there(
    settings: Settings, primary: Postgres, replica: Postgres
) -> None:
    primary.require_standby()
    places = [f"{HOST}:{server.port}" for server in (primary, replica)]
    url = settings.database_url.replace(f"@{places[0]}/", "@/") + "?host=" + "&host=".join(places)
    with Database(settings.model_copy(update={"database_url": url, "replica_url": None})) as database:
        acknowledged = 0

        async def write() -> bool:
            nonlocal acknowledged
            with suppress(Unreachable):
                await database.write(written)
                acknowledged += 1
                return True
            return False

        for _ in range(WRITES):
            assert await write()
        primary.kill()
        await write()  # may still be answered by a process of the killed server
        replica.promote()
        async with asyncio.timeout(HANG):
            while not await write():
                pass
        port, known = await database.read(read)
        assert port == replica.port
        assert known >= acknowledged > WRITES
