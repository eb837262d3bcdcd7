"""The suite's own servers: for any account, ended with their starter, and true to what they committed."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from tests.servers import postgres, valkey
from tests.servers.postgres import Postgres, ServerFailed
from tests.servers.process import new_folder
from tests.servers.valkey import Valkey
from tests.waiting import HANG, until

KEYS = 5000
"""A Valkey that reads its file answers after every 1,024 commands."""
ROOT = Path(__file__).resolve().parent.parent.parent

# The checkout, and Python itself, may be closed to other accounts: once as root, to load everything, then as nobody.
AS_ROOT_AND_AS_NOBODY = """
import os, pwd, sys
from pathlib import Path
from tests.servers import postgres, valkey

def both(program, other_program):
    with postgres.start(installation=program) as one, valkey.start(installation=other_program) as other:
        one.kill(); one.start()
        other.kill(); other.start()
        with other.client() as client:
            print(os.geteuid(), one.execute("SELECT 17 AS found")[0]["found"], client.ping())

copies = Path(sys.argv[1])
programs = postgres.reachable(postgres.installations()[0], copies), valkey.reachable(valkey.program(), copies)
both(*programs)
if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
    both(*programs)
"""

UNTIL_KILLED = """
import json, time
from tests.servers import postgres, valkey
one, other = postgres.start(), valkey.start()
print(json.dumps({"folders": [str(one.folder), str(other.folder)], "ports": [one.port, other.port]}), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """A server that tests may kill."""
    with postgres.start() as made:
        yield made


@pytest.fixture(params=[False, True], ids=["in-memory", "append-only"])
def own_valkey(request: pytest.FixtureRequest) -> Iterator[Valkey]:
    """A server that tests may kill."""
    with valkey.start(append_only=request.param) as made:
        yield made


@pytest.fixture
def slow_valkey() -> Iterator[Valkey]:
    """A server that takes a moment for each key of its file."""
    with valkey.start(append_only=True, options=("--key-load-delay", "20")) as made:
        yield made


async def as_service(url: str, statement: str) -> list[Any]:
    """What a statement gives to the service's role."""
    connection: Any = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_the_service_owns_its_database_and_is_no_superuser(own_postgres: Postgres) -> None:
    url = own_postgres.create_database("owned")
    asked = (
        "SELECT current_user::text, rolsuper, rolbypassrls, rolcreatedb, pg_get_userbyid(datdba)::text"
        " FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
    )
    assert await as_service(url, asked) == [("slatimer", False, False, False, "slatimer")]
    await as_service(url, "CREATE TABLE mine (at bigint)")


async def test_a_copy_has_what_its_template_has_and_goes_its_own_way(own_postgres: Postgres) -> None:
    template = own_postgres.create_database("template")
    await as_service(template, "CREATE TABLE fact AS SELECT 1 AS at")
    copy = own_postgres.create_database("copy", "template")
    await as_service(copy, "INSERT INTO fact VALUES (2)")
    assert await as_service(copy, "SELECT at FROM fact ORDER BY at") == [(1,), (2,)]
    assert await as_service(template, "SELECT at FROM fact") == [(1,)]
    own_postgres.drop_database("copy")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await as_service(copy, "SELECT 1")


@pytest.mark.parametrize("durable", [False, True])
async def test_a_killed_postgresql_comes_back_with_what_it_committed(durable: bool) -> None:
    with postgres.start(durable) as server:
        url = server.create_database("kept")
        await as_service(url, "CREATE TABLE fact (at bigint)")
        for round_ in range(3):
            await as_service(url, f"INSERT INTO fact VALUES ({round_})")
            server.kill()
            with pytest.raises(ConnectionRefusedError):
                await as_service(url, "SELECT 1")
            server.start()
            assert len(await as_service(url, "SELECT at FROM fact")) == round_ + 1
        assert server.execute("SHOW fsync")[0]["fsync"] == ("on" if durable else "off")


async def test_a_stopped_postgresql_comes_back_at_the_same_address(own_postgres: Postgres) -> None:
    url = own_postgres.create_database("stopped")
    own_postgres.stop()
    own_postgres.start()
    assert await as_service(url, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("installation", postgres.installations(), ids=str)
def test_every_postgresql_of_this_machine_serves(installation: Path) -> None:
    with postgres.start(installation=installation) as server:
        server.create_database("some")
        server.create_database("other", "some")
        assert server.execute("SELECT 1 AS one")[0]["one"] == 1


def test_programs_in_a_closed_folder_serve_as_well(tmp_path: Path) -> None:
    installation = postgres.installations()[0]
    package = installation.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.with_name(name))
    with postgres.start(installation=closed / package.name / installation.parent.name / "bin") as server:
        assert server.execute("SELECT 1 AS one")[0]["one"] == 1
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_server_that_cannot_start_says_why(own_postgres: Postgres) -> None:
    own_postgres.stop()
    version = own_postgres.folder / "data" / "PG_VERSION"
    right = version.read_text()
    version.write_text("8\n")
    with pytest.raises(ServerFailed, match="database files are incompatible"):
        own_postgres.start()
    version.write_text(right)
    own_postgres.start()
    assert own_postgres.execute("SELECT 1 AS one")[0]["one"] == 1


def test_a_killed_valkey_comes_back_with_its_file_or_empty(own_valkey: Valkey) -> None:
    with own_valkey.client() as client:
        client.set("fact", "1")
    own_valkey.kill()
    with own_valkey.client() as client, pytest.raises(redis.ConnectionError):
        client.ping()
    own_valkey.start()
    with own_valkey.client() as client:
        assert client.get("fact") == ("1" if own_valkey.append_only else None)


def test_a_valkey_is_started_when_it_has_read_its_file(slow_valkey: Valkey) -> None:
    """While it reads, it answers that it is loading, and refuses what it is asked."""
    with slow_valkey.client() as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(KEYS):
            pipeline.set(f"fact {number}", "1")
        pipeline.execute()
    slow_valkey.kill()
    slow_valkey.start()
    with slow_valkey.client() as client:
        assert client.dbsize() == KEYS


def test_an_emptied_valkey_knows_nothing_and_goes_on(own_valkey: Valkey) -> None:
    with own_valkey.client() as client:
        client.set("fact", "1")
        own_valkey.flush()
        assert client.get("fact") is None
        assert client.set("fact", "2")


@pytest.fixture
def copies() -> Iterator[Path]:
    """A folder that every account can get to, for programs."""
    folder = new_folder("programs")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_the_servers_start_for_root_and_for_others(copies: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_ROOT_AND_AS_NOBODY, str(copies)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        timeout=HANG,
    )
    assert done.returncode == 0, done.stderr
    accounts = [0, pwd.getpwnam("nobody").pw_uid] if os.geteuid() == 0 else [os.geteuid()]
    assert done.stdout.splitlines() == [f"{account} 17 True" for account in accounts]


def test_the_servers_end_with_the_process_that_started_them_however_it_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", UNTIL_KILLED],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        recorded = json.loads(starter.stdout.readline())
        assert all(Path(folder).is_dir() for folder in recorded["folders"])
        starter.send_signal(signal.SIGKILL)
    until(lambda: not any(Path(folder).exists() for folder in recorded["folders"]))
    # A folder can be removed while its server still ends.
    until(lambda: not any(listens(port) for port in recorded["ports"]))


def listens(port: int) -> bool:
    """Whether a process listens on this port."""
    try:
        socket.create_connection(("127.0.0.1", port), HANG).close()
    except ConnectionRefusedError:
        return False
    return True
