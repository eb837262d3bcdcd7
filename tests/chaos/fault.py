"""What breaks? One fault at a time, each mended before it returns, with the time for which something was away.

Instants are microseconds UTC by this machine's clock, which PostgreSQL, on the same machine, shares.
"""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.fleet import PATIENCE, WRONG_CLOCK, Fleet, Member
from tests.chaos.proxy import Cut

_AWAY: Final = (1.0, 3.0)
"""Seconds that something which was killed stays away before it is started again."""
_WRONG: Final = 300.0
"""Seconds by which a clock is set wrong."""
_GLIMPSE: Final = 0.05
"""Seconds after which a transaction that is still open belongs to a process that was just frozen."""
_TRIES: Final = 100
"""Times that a worker is frozen for a moment, to catch it within a transaction."""

# In a transaction that holds something, and not working on a statement for that long: whoever it is has been stopped.
_STOPPED: Final = """
SELECT count(*) AS found FROM pg_stat_activity
WHERE application_name = 'slatimer' AND state LIKE 'idle in transaction%' AND backend_xid IS NOT NULL
AND state_change < clock_timestamp() - $1 * interval '1 second'
"""


@dataclass(frozen=True, slots=True)
class Outage:
    """What was away, and from when to when. Breaches of that time may be told a second after its end."""

    fault: str
    detail: str
    began_at: int
    ended_at: int

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.ended_at - self.began_at) / 1_000_000


def now() -> int:
    """The time, in micros."""
    return time.time_ns() // 1000


Break = Callable[[Fleet, Random], tuple[str, int]]
"""Breaks something and mends it. Says what it was, and when it broke."""


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
    """Valkey forgets everything, several times."""
    began_at = now()
    for _ in range(5):
        fleet.valkey.flush()
        time.sleep(chance.uniform(0.05, 0.4))
    return "valkey", began_at


def worker_frozen(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """A worker is stopped, if it can be within a transaction, for longer than a transaction may think, and goes on."""
    worker = chance.choice(fleet.workers)
    within, began_at = _freeze_in_transaction(fleet, worker)
    time.sleep(PATIENCE + chance.uniform(0.5, 3.0))
    worker.send(signal.SIGCONT)
    return f"{worker.name}, {'within' if within else 'between'} transactions", began_at


def worker_clock_wrong(fleet: Fleet, chance: Random) -> tuple[str, int]:
    """A worker starts anew on a machine whose clock is five minutes ahead or behind, works, and is put right."""
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
    """The connection between a worker and the database is cut, in one of three ways, and mended."""
    how = chance.choice(list(Cut))
    began_at = now()
    fleet.beside.run(fleet.proxy.cut(how))
    time.sleep(PATIENCE + chance.uniform(-1.5, 3.0))
    fleet.beside.run(fleet.proxy.mend())
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
    """Faults without end, each as often as any other."""
    while True:
        yield from chance.sample(list(FAULTS), len(FAULTS))


def inflict(fault: str, fleet: Fleet, chance: Random) -> Outage:
    """Have something break. Returns when it is mended."""
    detail, began_at = FAULTS[fault](fleet, chance)
    return Outage(fault, detail, began_at, now())


def _killed(member: Member, chance: Random) -> tuple[str, int]:
    began_at = now()
    member.end(signal.SIGKILL)
    time.sleep(chance.uniform(*_AWAY))
    member.start()
    return member.name, began_at


def _freeze_in_transaction(fleet: Fleet, worker: Member) -> tuple[bool, int]:
    """Leaves the worker frozen. Whether it holds something meanwhile, and since when it is frozen."""
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
