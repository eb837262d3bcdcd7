"""Vault: encryption of the secrets that must be readable again, such as those that sign webhooks.

With a key, secrets are encrypted by Fernet (AES-128-CBC and HMAC-SHA256) before they are stored, so that a copy of the
database signs and opens nothing. Without one they are stored readable. The key comes from the environment or a file and
is never in the database. Several keys: the first encrypts, all decrypt, so a key is replaced without an interruption.
The cipher is imported with the first key: it takes 10 MB of memory.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from app.settings import Settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

_MARK: Final = "fernet:"
"""Prefix of an encrypted text. None of what is stored readable, JSON or a URL, begins with it."""
_INFO: Final = "vault"


class UnreadableSecret(RuntimeError):
    """A stored secret was encrypted by a key that is not given. Add that key to SLATIMER_SECRET_KEYS."""


class UnusableKey(ValueError):
    """A key of SLATIMER_SECRET_KEYS is not one. Make one with: slatimer secrets new-key"""


class Vault:
    """Encrypts and decrypts secrets. Without a key both leave a readable text as it is."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        """`keys` are Fernet keys, the newest first. Raises UnusableKey."""
        self._newest: Fernet | None = None
        self._all: MultiFernet | None = None
        if given := list(keys):
            self._use(given)

    def _use(self, keys: Sequence[str]) -> None:
        from cryptography.fernet import Fernet, MultiFernet

        try:
            ciphers = [Fernet(key) for key in keys]
        except ValueError as error:
            raise UnusableKey(f"{error} Make one with: slatimer secrets new-key") from error
        self._newest, self._all = ciphers[0], MultiFernet(ciphers)

    @property
    def encrypts(self) -> bool:
        """Whether there is a key."""
        return self._newest is not None

    def seal(self, text: str) -> str:
        """The text as it is stored."""
        return text if self._newest is None else _MARK + self._newest.encrypt(text.encode()).decode()

    def unseal(self, stored: str) -> str:
        """The text of what is stored. Raises UnreadableSecret."""
        if not stored.startswith(_MARK):
            return stored
        if self._all is None:
            raise UnreadableSecret("a secret is encrypted and no key is given; set SLATIMER_SECRET_KEYS")
        from cryptography.fernet import InvalidToken

        try:
            return self._all.decrypt(stored.removeprefix(_MARK)).decode()
        except InvalidToken as error:
            raise UnreadableSecret(
                "a secret was encrypted by another key; add that key to SLATIMER_SECRET_KEYS"
            ) from error

    def is_current(self, stored: str) -> bool:
        """Whether it is stored as `seal` would store it: by the newest key, or readable where there is none."""
        if self._newest is None or not stored.startswith(_MARK):
            return self._newest is None and not stored.startswith(_MARK)
        from cryptography.fernet import InvalidToken

        try:
            self._newest.decrypt(stored.removeprefix(_MARK))
        except InvalidToken:
            return False
        return True


def vault_of_settings(settings: Settings) -> Vault:
    """The vault with the keys of the settings. Raises UnusableKey and, for a file that cannot be read, OSError."""
    keys = list(settings.secret_keys)
    if (path := settings.secret_keys_file) is not None:
        try:
            found = path.read_text().split()
        except UnicodeDecodeError as error:
            raise UnusableKey(f"{path} is no text. Write one key a line") from error
        if not found:
            raise UnusableKey(f"{path} has no key. Write one key a line, or leave the setting out")
        keys += found
    return Vault(keys)


def give(conn: Connection, vault: Vault) -> None:
    """Let the transactions of a connection use a vault."""
    conn.info[_INFO] = vault


def vault(conn: Connection) -> Vault:
    """The vault of a connection."""
    found: Vault = conn.info[_INFO]
    return found
