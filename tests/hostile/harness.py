"""Runs an attack against a service of its own, and measures what another desk and the health check see meanwhile.

A kind of attack is a module `kind_NAME.py` with `attack(target)`, which sends one round of its load and returns. It is
repeated while the other desk pushes. What it needs beforehand is made once by `prepare(target)`, if there is one.
Nothing leaves the machine, and every round ends.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import inf
from multiprocessing import get_context
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from app.flow.inbound.connect import connect
from app.flow.inbound.sources import Sources
from app.principal import Role, roles_on
from app.settings import Settings
from app.sla.span import HOUR, SECOND
from app.store.engine.database import Database
from app.store.people import keys
from tests.waiting import HANG, until
from tests.web.test_process import Process, started

KINDS: Final = sorted(path.stem.removeprefix("kind_") for path in Path(__file__).parent.glob("kind_*.py"))
ATTACKER: Final = "phpnet"
"""The attacker's desk. The other desk is `haisoft`."""

SYSTEMS: Final = ("freshdesk", "zendesk-trigger")
"""Ticket systems that are connected to the attacker's desk."""

_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """What an attacker knows: the address, a key of its own desk, and the secrets of the desk's ticket systems."""

    host: str
    port: int
    key: str
    other_key: str
    """Of a reader of the attacker's desk."""
    pid: int
    secrets: Mapping[str, str]
    """By system."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What another desk saw: pushes' times in seconds, and the service's memory in bytes before and at its height."""

    pushes: list[float]
    memory_before: int
    memory_most: int
    rounds: int

    @property
    def p99(self) -> float:
        return sorted(self.pushes)[int(len(self.pushes) * 0.99)]

    @property
    def growth(self) -> int:
        return self.memory_most - self.memory_before

    def __add__(self, other: "Seen") -> "Seen":
        before, most = min(self.memory_before, other.memory_before), max(self.memory_most, other.memory_most)
        return Seen(self.pushes + other.pushes, before, most, self.rounds + other.rounds)


def attack_of(kind: str) -> Callable[[Target], None]:
    """The attack of a kind."""
    return import_module(f"tests.hostile.kind_{kind}").attack


def prepare_of(kind: str) -> Callable[[Target], None]:
    """What prepares the attack of a kind."""
    return getattr(import_module(f"tests.hostile.kind_{kind}"), "prepare", _nothing)


def _nothing(_: Target) -> None:
    pass


def settle(process: Process) -> None:
    """Wait until what an attack has caused is evaluated."""
    until(lambda: process.client.get("/readyz").json()["sweep"]["lag_seconds"] == 0)


@contextmanager
def service(url: str, folder: Path, **settings: str) -> Generator[tuple[Process, Target]]:
    """A service over the database at a URL, and what its attacker knows of it."""
    with Database(Settings(database_url=url)) as database:
        secrets = {system: _connected(database, system) for system in SYSTEMS}
        reader = roles_on([ATTACKER], [Role.VIEWER])
        other, _ = database.write_now(lambda conn, now: keys.create(conn, reader, now))
    with started(url, folder, **settings) as process:
        address = urlsplit(str(process.client.base_url))
        key = str(process.client.headers["authorization"])
        yield (
            process,
            Target(address.hostname or "", address.port or 0, key, other, process.running.pid, secrets),
        )


def _connected(database: Database, system: str) -> str:
    details, _ = database.write_now(
        lambda conn, now: connect(conn, now, Sources(), ATTACKER, system, overlap=HOUR)
    )
    return details.secret


def memory_of(pid: int) -> int:
    """Resident memory of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


@contextmanager
def apart(kind: str) -> Generator[Callable[[Target], None]]:
    """The attack of a kind from a process of its own. An attacker in this one would keep the interpreter busy, and so
    delay the other desk's pushes before they are sent."""
    attack = attack_of(kind)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda target: pool.submit(attack, target).result(HANG)


def beside(
    process: Process,
    target: Target,
    attack: Callable[[Target], None] | None,
    pushes: int,
    most_rounds: float = inf,
) -> Seen:
    """Push for another desk while the attack is repeated, at least once, at most so often. Raises what it raises."""
    ended, errors, rounds = threading.Event(), list[BaseException](), 0

    def repeat() -> None:
        nonlocal rounds
        try:
            while attack is not None and rounds < most_rounds and not ended.is_set():
                attack(target)
                rounds += 1
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    attacker = threading.Thread(target=repeat, daemon=True)
    before = most = memory_of(target.pid)
    times: list[float] = []
    attacker.start()
    while len(times) < pushes or (attack is not None and not rounds and not errors):
        began = time.perf_counter()
        process.push(f"beside-{time.time_ns() * SECOND}")
        times.append(time.perf_counter() - began)
        most = max(most, memory_of(target.pid))
    ended.set()
    attacker.join(HANG)
    if errors:
        raise errors[0]
    with httpx2.Client(base_url=target.url, timeout=HANG) as probe:
        assert probe.get("/healthz").status_code == 200
    return Seen(times, before, most, rounds)
