"""Delays after wrong passwords and codes, which grow for who guesses and for no one else.

Attempts are counted by name and address together, and by address. Passwords are never counted by name alone: a stranger
who enters wrong ones for a name delays only their own address, and the person signs in from theirs. Codes of the second
factor are: only who knows the password can enter one, and six digits are soon guessed from many addresses. Memory is
bounded; the least recent entries are forgotten. Instants are microseconds UTC.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from math import ceil
from typing import Final

from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of

_DIGEST: Final = 16
"""Bytes of a name's digest: a name of any length takes the same memory."""
_MOST_DOUBLINGS: Final = 40


class SlowDown(Exception):
    """Too many wrong passwords from this address. Try again after so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts. Try again in {seconds} s.")
        self.seconds = seconds


@dataclass(slots=True)
class _Failures:
    count: int
    last_at: Micros


class Delays:
    """Failures by a key, and the delay after each: none for the `free` first, then `first`, doubled up to `longest`."""

    def __init__(self, free: int, first: timedelta, longest: timedelta, size: int) -> None:
        self._free, self._size = free, size
        self._first, self._longest = length_of(first), length_of(longest)
        self._entries: OrderedDict[bytes, _Failures] = OrderedDict()

    def check(self, key: bytes, now: Micros) -> None:
        """Raises SlowDown while a delay runs."""
        entry = self._entries.get(key)
        if entry is not None:
            left = entry.last_at + self.delay(entry.count) - now
            if left > 0:
                raise SlowDown(ceil(left / SECOND))

    def count(self, key: bytes, now: Micros) -> None:
        """Count a failure. One that is older than the longest delay is forgotten."""
        entry = self._entries.pop(key, None)
        before = 0 if entry is None or now - entry.last_at > self._longest else entry.count
        self._entries[key] = _Failures(before + 1, now)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def take_back(self, key: bytes) -> None:
        """Count one failure less."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.count -= 1

    def forget(self, key: bytes) -> None:
        """Forget the failures of a key."""
        self._entries.pop(key, None)

    def delay(self, failures: int) -> Micros:
        """The delay after so many failures."""
        above = failures - self._free
        return 0 if above < 1 else min(self._longest, self._first << min(above - 1, _MOST_DOUBLINGS))

    def __len__(self) -> int:
        """The number of keys that are remembered."""
        return len(self._entries)


class Throttle:
    """The delays of one process, by name and address and by address."""

    def __init__(self, settings: Settings) -> None:
        first, longest, size = (
            settings.sign_in_first_delay,
            settings.sign_in_max_delay,
            settings.sign_in_memory,
        )
        self._pairs = Delays(settings.sign_in_free_attempts, first, longest, size)
        self._addresses = Delays(settings.sign_in_address_attempts, first, longest, size)
        self._codes = Delays(settings.second_factor_free_attempts, first, longest, size)

    def begin(self, name: str, network: str, now: Micros) -> None:
        """Count an attempt as failed before it is tried, so that many at one time are not one.

        Raises SlowDown while a delay of this name from this address runs, or of the address.
        """
        self._addresses.check(_key(network), now)
        self._pairs.check(_key(network, name), now)
        self._addresses.count(_key(network), now)
        self._pairs.count(_key(network, name), now)

    def begin_code(self, name: str, network: str, now: Micros) -> None:
        """`begin` for a code of the second factor of a person, counted by the name alone as well. Raises SlowDown."""
        self._codes.check(_key(name), now)
        self.begin(name, network, now)
        self._codes.count(_key(name), now)

    def withdraw_code(self, name: str, network: str) -> None:
        """Take a code back that was right. Those before it stay counted: a guesser must not begin anew with each."""
        self._codes.take_back(_key(name))
        self.withdraw(name, network)

    def withdraw(self, name: str, network: str) -> None:
        """Take an attempt back that was right, or was not tried."""
        self._addresses.take_back(_key(network))
        self._pairs.take_back(_key(network, name))

    def forget(self, name: str, network: str) -> None:
        """Forget the wrong passwords of this name from this address, which has signed in; those of the address stay.

        Else a guesser would begin anew by signing in as themselves.
        """
        self._pairs.forget(_key(network, name))


def _key(*texts: str) -> bytes:
    return blake2b("\0".join(texts).encode(), digest_size=_DIGEST).digest()
