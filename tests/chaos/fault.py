"""Faults: each function injects one fault and repairs it. `inflict` returns what was affected and for how long.

Instants are microseconds UTC by this machine's clock, which PostgreSQL on the same machine shares.
"""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.fleet import DATABASE_TIMEOUT, WRONG_CLOCK, Fleet, Member
from tests.chaos.proxy import Cut

_AWAY: Final = (1.0, 3.0)
"""Seconds from a kill to the restart."""
_WRONG: Final = 300.0
"""Seconds by which a clock is wrong."""
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


Break = Callable[[Fleet, Random], tuple[str, int]]
"""Injects a fault and repairs it. Returns a description and the begin."""


def web_killed(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """A web process is killed."""
    return _killed(chance.choice(fleet.webs), chance)


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
    """A worker restarts with a clock that is five minutes fast or slow, and then with the right one."""
    worker = chance.choice(fleet.workers)
    skew = chance.choice((_WRONG, -_WRONG))
    path = f"{WRONG_CLOCK}:{fleet.environment['PYTHONPATH']}"
    began_at = now()
    worker.end(signal.SIGTERM)
    worker.start({"CHAOS_SKEW": str(skew), "PYTHONPATH": path})
    time.sleep(chance.uniform(2.0, 4.0))
    worker.end(signal.SIGTERM)
    worker.start()
    return f"{worker.name}, {skew:+g} s", began_at


def connection_cut(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """The connection between a worker and the database is cut, in one of three ways, and restored."""
    how = chance.choice(list(Cut))
    began_at = now()
    fleet.beside.run(fleet.proxy.cut(how))
    time.sleep(DATABASE_TIMEOUT + chance.uniform(-1.5, 3.0))
    fleet.beside.run(fleet.proxy.restore())
    return f"{fleet.behind_proxy.name}, {how}", began_at


FAULTS: Final[Mapping[str, Break]] = {
    "web killed": web_killed,
    "worker killed": worker_killed,
    "database killed": database_killed,
    "redis killed": redis_killed,
    "redis emptied": redis_emptied,
    "worker frozen": worker_frozen,
    "worker's clock wrong": worker_clock_wrong,
    "connection cut": connection_cut,
}


def at_random(chance: Random) -> Iterator[str]:
    """An endless sequence of faults, each equally often."""
    while True:
        yield from chance.sample(list(FAULTS), len(FAULTS))


def inflict(fault: str, fleet: Fleet, chance: Random) -> Outage:
    """Inject a fault. Returns after its repair."""
    detail, began_at = FAULTS[fault](fleet, chance)
    return Outage(fault, detail, began_at, now())


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
