"""Delays after wrong passwords and codes, which grow for who guesses and for no one else.

Attempts are counted by name and address together, and by address. Passwords are never counted by name alone: a stranger
who enters wrong ones for a name delays only their own address, and the person signs in from theirs. Codes of the second
factor are: only who knows the password can enter one, and six digits are soon guessed from many addresses. All processes
count together, in the database. An attempt within a delay is refused by a read, so a flood writes nothing. Instants are
microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from itertools import count
from math import ceil
from typing import Final

from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.store.engine.database import Connection, Database, EveryDesk
from app.store.people import attempts
from app.store.people.attempts import Failures

_DIGEST: Final = 16
"""Bytes of a name's digest: a name of any length takes the same space."""
_MOST_DOUBLINGS: Final = 40
_PRUNE_EVERY: Final = 100
"""Attempts of this process between two removals of forgotten ones: the table exceeds its limit by as many at most."""


class SlowDown(Exception):
    """Too many wrong passwords from this address. Try again after so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts. Try again in {seconds} s.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Delays:
    """The delay after so many failures: none for the `free` first, then `first`, doubled up to `longest`."""

    free: int
    first: Micros
    longest: Micros

    def delay(self, failures: int) -> Micros:
        """The delay after so many failures."""
        above = failures - self.free
        return 0 if above < 1 else min(self.longest, self.first << min(above - 1, _MOST_DOUBLINGS))

    def check(self, found: Failures | None, now: Micros) -> None:
        """Raises SlowDown while a delay runs."""
        left = 0 if found is None else found.last_at + self.delay(found.count) - now
        if left > 0:
            raise SlowDown(ceil(left / SECOND))


class _By(StrEnum):
    """What attempts are counted by."""

    ADDRESS = "address"
    PAIR = "pair"
    """Name and address."""
    CODE = "code"
    """The name, of codes of the second factor."""


class Throttle:
    """Counts the attempts of one process with those of the others."""

    def __init__(self, database: Database, settings: Settings) -> None:
        first, longest = length_of(settings.sign_in_first_delay), length_of(settings.sign_in_max_delay)
        self._database, self._longest, self._size = database, longest, settings.sign_in_memory
        self._delays = {
            _By.ADDRESS: Delays(settings.sign_in_address_attempts, first, longest),
            _By.PAIR: Delays(settings.sign_in_free_attempts, first, longest),
            _By.CODE: Delays(settings.second_factor_free_attempts, first, longest),
        }
        self._begun = count(1)

    async def begin(self, name: str, network: str) -> None:
        """Count an attempt as failed before it is tried, so that many at one time are not one.

        Raises SlowDown while a delay of this name from this address runs, or of the address.
        """
        await self._begin(_keys(name, network))

    async def begin_code(self, name: str, network: str) -> None:
        """`begin` for a code of the second factor of a person, counted by the name alone as well. Raises SlowDown."""
        await self._begin(_keys(name, network, code=True))

    async def withdraw(self, name: str, network: str) -> None:
        """Take an attempt back that was right, or was not tried."""
        await self._take_back(_keys(name, network))

    async def withdraw_code(self, name: str, network: str) -> None:
        """Take a code back that was right. Those before it stay counted: a guesser must not begin anew with each."""
        await self._take_back(_keys(name, network, code=True))

    async def forget(self, name: str, network: str) -> None:
        """Forget the wrong passwords of this name from this address, which has signed in; those of the address stay.

        Else a guesser would begin anew by signing in as themselves.
        """
        key = _keys(name, network)[_By.PAIR]
        await self._database.write(lambda conn, _: attempts.forget(conn, key), EveryDesk.SIGN_IN)

    async def _begin(self, keys: Mapping[_By, bytes]) -> None:
        found = await self._database.look_up(lambda conn: attempts.read(conn, keys.values()))
        self._check(keys, found, self._database.now())
        prunes = next(self._begun) % _PRUNE_EVERY == 0

        def work(conn: Connection, now: Micros) -> None:
            self._check(keys, attempts.lock(conn, keys.values()), now)
            forgotten = now - self._longest
            attempts.count(conn, keys.values(), now, forgotten=forgotten)
            if prunes:
                attempts.prune(conn, forgotten, self._size)

        await self._database.write(work, EveryDesk.SIGN_IN)

    def _check(self, keys: Mapping[_By, bytes], found: Mapping[bytes, Failures], now: Micros) -> None:
        for by, key in keys.items():
            self._delays[by].check(found.get(key), now)

    async def _take_back(self, keys: Mapping[_By, bytes]) -> None:
        await self._database.write(lambda conn, _: attempts.take_back(conn, keys.values()), EveryDesk.SIGN_IN)


def _keys(name: str, network: str, *, code: bool = False) -> dict[_By, bytes]:
    keys = {_By.ADDRESS: _key(_By.ADDRESS, network), _By.PAIR: _key(_By.PAIR, network, name)}
    return keys | {_By.CODE: _key(_By.CODE, name)} if code else keys


def _key(*texts: str) -> bytes:
    return blake2b("\0".join(texts).encode(), digest_size=_DIGEST).digest()
