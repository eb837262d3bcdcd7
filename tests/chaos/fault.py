"""Faults: each function injects one fault and repairs it. `inflict` returns what was affected and for how long.

Instants are microseconds UTC by this machine's clock, which PostgreSQL on the same machine shares.
"""

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final, TypeVar

from tests.chaos.fleet import DATABASE_TIMEOUT, Fleet, SetUp
from tests.chaos.processes import Member
from tests.chaos.proxy import Cut

_AWAY: Final = (1.0, 3.0)
"""Seconds from a kill to the restart."""
_WRONG: Final = 300.0
"""Seconds by which a clock is wrong."""
_WRONGEST: Final = 600.0
"""Seconds by which every clock is wrong at most, where all are."""
_FULL: Final = (3.0, 8.0)
"""Seconds for which a disk is full or slow."""
_GLIMPSE: Final = 0.05
"""Seconds after which an open idle transaction belongs to the frozen process."""
_TRIES: Final = 100
"""Attempts to freeze a worker within a transaction."""

# An open transaction with locks that has been idle for that long: its process is frozen.
_STOPPED: Final = """
SELECT count(*) AS found FROM pg_stat_activity
WHERE application_name = 'slatimer' AND state LIKE 'idle in transaction%' AND backend_xid IS NOT NULL
AND state_change < clock_timestamp() - $1 * interval '1 second'
"""


@dataclass(frozen=True, slots=True)
class Outage:
    """A fault and its time span. Breaches within it may be recorded up to a second after its end."""

    fault: str
    detail: str
    began_at: int
    ended_at: int

    @property
    def seconds(self) -> float:
        """Its duration."""
        return (self.ended_at - self.began_at) / 1_000_000


def now() -> int:
    """The time, in micros."""
    return time.time_ns() // 1000


S = TypeVar("S", bound=SetUp)
Break = Callable[[S, Random], tuple[str, int]]
"""Injects a fault and repairs it. Returns a description and the begin."""


def web_killed(set_up: SetUp, chance: Random) -> tuple[str, int]:
    """A web process is killed."""
    return _killed(chance.choice(set_up.webs), chance)


def worker_killed(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """A worker is killed."""
    return _killed(chance.choice(fleet.workers), chance)


def database_killed(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """PostgreSQL is killed and comes back."""
    began_at = now()
    fleet.postgres.kill()
    time.sleep(chance.uniform(*_AWAY))
    fleet.postgres.start()
    return "postgres", began_at


def redis_killed(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """Valkey is killed and comes back with what its file holds."""
    began_at = now()
    fleet.valkey.kill()
    time.sleep(chance.uniform(*_AWAY))
    fleet.valkey.start()
    return "valkey", began_at


def redis_emptied(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """Valkey is emptied several times."""
    began_at = now()
    for _ in range(5):
        fleet.valkey.flush()
        time.sleep(chance.uniform(0.05, 0.4))
    return "valkey", began_at


def worker_frozen(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """A worker is frozen, if possible within a transaction, for longer than the idle-in-transaction timeout."""
    worker = chance.choice(fleet.workers)
    within, began_at = _freeze_in_transaction(fleet, worker)
    time.sleep(DATABASE_TIMEOUT + chance.uniform(0.5, 3.0))
    worker.send(signal.SIGCONT)
    return f"{worker.name}, {'within' if within else 'between'} transactions", began_at


def worker_clock_wrong(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """A worker restarts with a clock that is five minutes fast or slow, which is then set right while it runs."""
    worker = chance.choice(fleet.workers)
    skew = chance.choice((_WRONG, -_WRONG))
    began_at = now()
    worker.end(signal.SIGTERM)
    worker.set_clock(skew)
    worker.start()
    time.sleep(chance.uniform(2.0, 4.0))
    worker.set_clock(0.0)
    return f"{worker.name}, {skew:+g} s", began_at


def connection_cut(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """The connection between a worker and the database is cut, in one of three ways, and restored."""
    how = chance.choice(list(Cut))
    began_at = now()
    fleet.beside.run(fleet.proxy.cut(how))
    time.sleep(DATABASE_TIMEOUT + chance.uniform(-1.5, 3.0))
    fleet.beside.run(fleet.proxy.restore())
    return f"{fleet.behind_proxy.name}, {how}", began_at


def clocks_set(set_up: SetUp, chance: Random) -> str:
    """The clock of every process is set wrong while it runs, each by other minutes. It excuses nothing."""
    for member in set_up.members:
        member.set_clock(chance.uniform(-_WRONGEST, _WRONGEST))
    return "clocks set"


def disk_full(set_up: SetUp, chance: Random) -> tuple[str, int]:
    """The database's disk is full for seconds: what anything frees meanwhile is taken as well."""
    began_at = now()
    ends = time.monotonic() + chance.uniform(*_FULL)
    while time.monotonic() < ends:
        set_up.disk.fill()
        time.sleep(_GLIMPSE)
    set_up.disk.empty()
    return "full, and its server ended" if set_up.recover() else "full", began_at


def disk_slow(set_up: SetUp, chance: Random) -> tuple[str, int]:
    """Every write of the database's disk waits up to half a second, again and again."""
    began_at = now()
    ends = time.monotonic() + chance.uniform(*_FULL)
    while time.monotonic() < ends:
        set_up.disk.freeze(chance.uniform(0.05, 0.5))
    return "writes take up to 0.5 s", began_at


def disk_stalled(set_up: SetUp, chance: Random) -> tuple[str, int]:
    """The database's disk answers no write for longer than the statement timeout."""
    began_at = now()
    seconds = DATABASE_TIMEOUT + chance.uniform(0.5, 3.0)
    set_up.disk.freeze(seconds)
    set_up.recover()
    return f"no write for {seconds:.1f} s", began_at


FAULTS: Final[Mapping[str, Break[Fleet]]] = {
    "web killed": web_killed,
    "worker killed": worker_killed,
    "database killed": database_killed,
    "redis killed": redis_killed,
    "redis emptied": redis_emptied,
    "worker frozen": worker_frozen,
    "worker's clock wrong": worker_clock_wrong,
    "connection cut": connection_cut,
}
WITH_WRONG_CLOCKS: Final = {
    fault: break_ for fault, break_ in FAULTS.items() if break_ is not worker_clock_wrong
}
"""Faults while every clock is wrong."""
OF_THE_DISK: Final[Mapping[str, Break[SetUp]]] = {
    "disk full": disk_full,
    "disk slow": disk_slow,
    "disk stalled": disk_stalled,
}
ALONE: Final[Mapping[str, Break[SetUp]]] = {"web killed": web_killed}
"""Faults of one process on SQLite, beside those of the disk."""

Fault = Callable[[Random], tuple[str, int]]
"""A fault of a set-up."""


def faults_of(set_up: S, breaks: Mapping[str, Break[S]]) -> Mapping[str, Fault]:
    """These faults of this set-up."""
    return {fault: partial(break_, set_up) for fault, break_ in breaks.items()}


def after_clocks_set(set_up: SetUp, faults: Mapping[str, Fault]) -> Mapping[str, Fault]:
    """The same faults, each after every clock has been set wrong anew."""

    def then(fault: Fault, chance: Random) -> tuple[str, int]:
        clocks = clocks_set(set_up, chance)
        time.sleep(chance.uniform(*_AWAY))
        detail, began_at = fault(chance)
        return f"{detail}, {clocks}", began_at

    return {name: partial(then, fault) for name, fault in faults.items()}


def at_random(chance: Random, faults: Iterable[str]) -> Iterator[str]:
    """An endless sequence of faults, each equally often."""
    known = list(faults)
    while True:
        yield from chance.sample(known, len(known))


def inflict(name: str, fault: Fault, chance: Random) -> Outage:
    """Inject a fault. Returns after its repair."""
    detail, began_at = fault(chance)
    return Outage(name, detail, began_at, now())


def _killed(member: Member, chance: Random) -> tuple[str, int]:
    began_at = now()
    member.end(signal.SIGKILL)
    time.sleep(chance.uniform(*_AWAY))
    member.start()
    return member.name, began_at


def _freeze_in_transaction(fleet: Fleet, worker: Member) -> tuple[bool, int]:
    """Leave the worker frozen. Returns whether it is within a transaction, and since when it is frozen."""
    for _ in range(_TRIES):
        began_at = now()
        worker.send(signal.SIGSTOP)
        time.sleep(_GLIMPSE)
        if fleet.ask(_STOPPED, _GLIMPSE)[0]["found"]:
            return True, began_at
        worker.send(signal.SIGCONT)
        time.sleep(_GLIMPSE)
    worker.send(signal.SIGSTOP)
    return False, now()
