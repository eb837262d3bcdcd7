"""Where a benchmark runs: which database, how many web processes, how many workers; started and ended together.

PostgreSQL is durable here, as in production: a commit is on the disk before it is answered. The servers are those that
the tests start, on this machine, with their own defaults.
"""

import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.servers import postgres, valkey
from tests.servers.postgres import Postgres
from tests.servers.slatimer import Service, Worker

SERVE: Final = ("-m", "app", "serve")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a site consists of. With workers, the web processes leave sweeping to them."""

    name: str
    postgresql: bool = False
    webs: int = 1
    workers: int = 0


UNLIMITED: Final = {"SLATIMER_KEY_REQUEST_RATE": "100000", "SLATIMER_KEY_REQUEST_BURST": "1000000"}
"""For a load of more requests with one key than a service lets through: answers of 429 are quick."""
EMBEDDED: Final = Plan("SQLite, one process")
ONE: Final = Plan("PostgreSQL, one web process", postgresql=True)
TWO: Final = Plan("PostgreSQL, two web processes", postgresql=True, webs=2)
SPREAD: Final = Plan("PostgreSQL, one web process and two workers", postgresql=True, workers=2)


@dataclass(slots=True)
class Site:
    """A database with the processes on it. `headers` carry a key for every desk."""

    plan: Plan
    url: str
    headers: dict[str, str]
    webs: list[Service]
    workers: list[Worker] = field(default_factory=list[Worker])

    @property
    def web(self) -> Service:
        """The first web process."""
        return self.webs[0]

    def start(self) -> float:
        """Start every process. Returns how long that took, in seconds."""
        return sum(part.start() for part in (*self.workers, *self.webs))

    def end(self) -> None:
        """End every process."""
        for part in (*self.webs, *self.workers):
            part.end()

    def cpu(self) -> float:
        """Seconds of processor time that all processes have taken so far, without the database's server."""
        return sum(part.cpu() for part in (*self.webs, *self.workers))

    def memory(self) -> dict[str, float]:
        """Resident memory in MB of the largest process of each role."""
        return {
            role: max(part.memory() for part in parts)
            for role, parts in (("web", self.webs), ("worker", self.workers))
            if parts
        }


@contextmanager
def server(plan: Plan) -> Generator[Postgres | None]:
    """The server that a plan needs, if any, for as long as the context lasts."""
    if not plan.postgresql:
        yield None
        return
    with postgres.start(durable=True) as started:
        yield started


@contextmanager
def site(
    plan: Plan,
    *,
    on: Postgres | None,
    name: str = "bench",
    module: tuple[str, ...] = SERVE,
    more: Mapping[str, str] | None = None,
) -> Generator[Site]:
    """A new database with the shipped desks in force, and the plan's processes, not started yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'slatimer.db'}" if on is None else on.create_database(name)
        environment = dict(more or {})
        if plan.workers:
            environment["SLATIMER_REDIS_URL"] = stack.enter_context(valkey.start()).url()
        webs = [Service(folder, url=url, module=module, more=environment) for _ in range(plan.webs)]
        workers = [Worker(folder, number, url=url, more=environment) for number in range(plan.workers)]
        made = Site(plan, url, webs[0].prepare(), webs, workers)
        stack.callback(made.end)
        yield made
