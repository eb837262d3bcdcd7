"""Password hashes by argon2id, computed in threads of their own so that no hash delays the event loop.

The number of threads and the number that wait for one are limited. A password for an unknown name is compared with a
hash that nothing matches, so that the answer takes the same time.
"""

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from collections import Counter as Counts
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from prometheus_client import Counter

from app.flow.metrics import REGISTRY
from app.settings import Settings

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")

HASHES: Final = Counter(
    "slatimer_password_hashes", "Password hashes computed, by purpose.", ["purpose"], registry=REGISTRY
)

_LANES: Final = 1
_HASH_BYTES: Final = 32
_SALT_BYTES: Final = 16


class BusyHashing(RuntimeError):
    """Too many sign-ins wait for a password to be hashed. Retry in a second."""


class UnfitPassword(ValueError):
    """The password is too short or too long, or equals the name."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a password matches its hash, and whether that was made by other parameters than the present ones."""

    matches: bool
    outdated: bool = False


class Passwords:
    """Hashes and verifies passwords with the parameters of the settings. All methods belong to the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nothing = _unmatched(settings)
        self._threads = ThreadPoolExecutor(settings.password_hash_threads, "password")
        self._most = settings.password_hash_threads + settings.password_hash_queue
        self._running: Counts[str] = Counts()

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # many processes never see a password

        settings = self._settings
        return PasswordHasher(
            time_cost=settings.password_hash_passes,
            memory_cost=settings.password_hash_memory,
            parallelism=_LANES,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )

    async def hash(self, password: str, name: str, sender: str = "") -> str:
        """The hash of a new password. Raises UnfitPassword and BusyHashing."""
        self.check(password, name)
        HASHES.labels("new").inc()
        return await self._run(sender, lambda: self._hasher.hash(_normalized(password)))

    async def hash_again(self, password: str, sender: str) -> str:
        """The hash of a password that was right just now, by the present parameters. Raises BusyHashing."""
        HASHES.labels("again").inc()
        return await self._run(sender, lambda: self._hasher.hash(_normalized(password)))

    async def verify(self, encoded: str | None, password: str, sender: str) -> Verified:
        """Whether a password is that of a hash; never for none, in the same time. Raises BusyHashing."""
        HASHES.labels("check").inc()
        # One that is too long is not hashed, whatever it costs: no stored password is that long.
        given = _normalized(password[: self._settings.password_max_length])
        return await self._run(sender, lambda: self._compare(encoded, given))

    def check(self, password: str, name: str) -> None:
        """Raises UnfitPassword for a password that may not be set."""
        least, most = self._settings.password_min_length, self._settings.password_max_length
        if not least <= len(_normalized(password)) <= most:
            raise UnfitPassword(f"A password has {least} to {most} characters.")
        if password.strip().casefold() == name:
            raise UnfitPassword("The password is the name. Choose another.")

    def close(self) -> None:
        """Finish what runs."""
        self._threads.shutdown()

    def _compare(self, encoded: str | None, password: str) -> Verified:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            self._hasher.verify(encoded or self._nothing, password)
        except (VerificationError, InvalidHashError):
            return Verified(matches=False)
        return Verified(
            matches=True, outdated=encoded is not None and self._hasher.check_needs_rehash(encoded)
        )

    async def _run(self, sender: str, work: Callable[[], T]) -> T:
        # One address cannot take every place.
        if self._running.total() >= self._most or self._running[sender] > self._most // 2:
            raise BusyHashing("Too many sign-ins at one time. Retry in a second.")
        self._running[sender] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._running[sender] -= 1
            if not self._running[sender]:
                del self._running[sender]


def _normalized(password: str) -> str:
    """The same text for the same characters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)


def _unmatched(settings: Settings) -> str:
    """A hash by the present parameters that no password matches: random bytes in place of one."""
    salt, digest = (_base64(secrets.token_bytes(size)) for size in (_SALT_BYTES, _HASH_BYTES))
    cost = f"m={settings.password_hash_memory},t={settings.password_hash_passes},p={_LANES}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def _base64(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")
