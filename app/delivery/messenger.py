"""Sends messages to people through apprise, which addresses mail, chat and paging services by URL.

Such a URL contains credentials, so it is shown masked. Two limits apply: only schemes that the operator lists, and a
server that the URL itself names (a mail server, a self-hosted service) is resolved and checked by the address policy
before each message. apprise blocks, so it runs in threads.
"""

import asyncio
import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import Any, Final

from app.delivery.address import AddressPolicy, FaultyUrl, RefusedAddress
from app.delivery.client import Resolve, Resolver
from app.delivery.notice import Notice
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.recipients import check_recipients

_THREADS: Final = 8
"""Messages sent concurrently. Each takes about a second; a service that hangs blocks one thread."""

_WARNINGS: Final[ContextVar[list[str] | None]] = ContextVar("apprise_warnings", default=None)
"""Collects apprise's warnings while a URL is checked."""


class Messenger:
    """Sends messages to people."""

    def __init__(
        self,
        policy: AddressPolicy,
        schemes: frozenset[str],
        timeout: float,
        *,
        resolve: Resolve | None = None,
    ) -> None:
        self._policy, self._schemes, self._timeout = policy, schemes, timeout
        self._resolver = Resolver()
        self._resolve = resolve or self._resolver
        self._threads = ThreadPoolExecutor(_THREADS, "messenger")

    def check(self, url: str) -> None:
        """Raise FaultyUrl for a URL that no message can be sent to, or that names a recipient that would get none."""
        warned: list[str] = []
        token = _WARNINGS.set(warned)
        try:
            plugin = channel(url, self._schemes)
            check_recipients(url, plugin)
        finally:
            _WARNINGS.reset(token)
        if warned:
            raise FaultyUrl(f"is only partly understood; apprise reports: {' '.join(warned)}")

    async def send(self, url: str, message: Notice) -> Attempt:
        """Send a message and return the result."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(url, message)
        except TimeoutError:
            return Attempt(DeliveryOutcome.TIMEOUT, f"not sent within {self._timeout:g} s")
        except (FaultyUrl, RefusedAddress) as error:
            return Attempt(DeliveryOutcome.REFUSED_ADDRESS, str(error))
        except OSError as error:
            return Attempt(DeliveryOutcome.DNS, f"the server name does not resolve: {error}")

    async def _send(self, url: str, message: Notice) -> Attempt:
        loop = asyncio.get_running_loop()
        plugin = await loop.run_in_executor(self._threads, channel, url, self._schemes)
        server = _named_server(plugin)
        if server is not None:
            self._policy.check(await self._resolve(server, plugin.port or 0))
        if await loop.run_in_executor(self._threads, _notify, plugin, message):
            return Attempt(DeliveryOutcome.DELIVERED, "accepted by the service")
        return Attempt(DeliveryOutcome.UNSENT, "the service did not accept it")

    def close(self) -> None:
        """Cancel queued messages and stop the threads."""
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def scheme_of(url: str) -> str:
    """The scheme of a URL, in lower case."""
    return url.partition("://")[0].lower()


def channel(url: str, schemes: frozenset[str]) -> Any:
    """The apprise plugin for a URL. Raises FaultyUrl for a scheme that is not listed or a URL that apprise rejects."""
    scheme = scheme_of(url)
    if scheme not in schemes:
        raise FaultyUrl(
            f"has a scheme that is not allowed, {scheme}://; allowed are: {', '.join(sorted(schemes))}"
        )
    apprise = _apprise()
    memory = apprise.PersistentStoreMode.MEMORY  # writes nothing to disk
    made = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(storage_mode=memory))
    if made is None:
        raise FaultyUrl(f"is not a valid {scheme}:// URL of apprise")
    return made


@cache
def _apprise() -> Any:
    """The package, imported on first use: it takes half a second, and most processes never send messages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the imports of its nearly two hundred plugins
        package = import_module("apprise")
        package.Apprise.instantiate("json://localhost")  # loads the plugins now
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    log.addFilter(_collect)
    return package


def _collect(record: logging.LogRecord) -> bool:
    """A log filter: while a URL is checked, collects warnings instead of logging them.

    apprise only logs which parts of a URL it ignores; the client that sent the URL must see that.
    """
    warned = _WARNINGS.get()
    if warned is not None and record.levelno == logging.WARNING:
        warned.append(record.getMessage())
    return warned is None and logging.getLogger().isEnabledFor(record.levelno)


def _named_server(plugin: Any) -> str | None:
    """The server that the URL itself names; None for a service with a fixed address."""
    mail: str | None = getattr(plugin, "smtp_host", None)
    named = any("{host}" in template for template in plugin.templates)
    return mail or (plugin.host if named else None)


def masked(url: str, schemes: frozenset[str]) -> str:
    """A URL without its secrets."""
    try:
        return str(channel(url, schemes).url(privacy=True))
    except FaultyUrl:
        return f"{scheme_of(url)}://…"


def _notify(plugin: Any, message: Notice) -> bool:
    return bool(plugin.notify(body=message.text, title=message.title))
