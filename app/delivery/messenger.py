"""How does a message reach people? By apprise, which knows mail, chat and paging services by URL.

Such a URL holds the service's credentials by nature, so it is shown masked. What it may lead to is bounded twice: only
schemes that the operator lists, and a server that the URL itself names (of mail, or one's own) is looked up and judged
before each message as a webhook's is. apprise blocks, so it works in threads.
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
"""Messages at a time. Each takes a second or so, and a service that hangs holds one of them."""


_SAID: Final[ContextVar[list[str] | None]] = ContextVar("apprise_said", default=None)
"""What apprise warns of while a URL is checked, in this thread."""


class Messenger:
    """Sends messages to people."""

    def __init__(
        self, gate: AddressPolicy, schemes: frozenset[str], seconds: float, *, resolve: Resolve | None = None
    ) -> None:
        self._gate, self._schemes, self._seconds = gate, schemes, seconds
        self._resolver = Resolver()
        self._resolve = resolve or self._resolver
        self._threads = ThreadPoolExecutor(_THREADS, "messenger")

    def check(self, url: str) -> None:
        """Raise FaultyUrl for a URL that no message can go to, or that names somebody to whom none would go."""
        said: list[str] = []
        token = _SAID.set(said)
        try:
            plugin = channel(url, self._schemes)
            check_recipients(url, plugin)
        finally:
            _SAID.reset(token)
        if said:
            raise FaultyUrl(f"is not understood as a whole; apprise says: {' '.join(said)}")

    async def send(self, url: str, message: Notice) -> Attempt:
        """Send a message and say what became of it."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(url, message)
        except TimeoutError:
            return Attempt(DeliveryOutcome.TIMEOUT, f"not sent within {self._seconds:g} s")
        except (FaultyUrl, RefusedAddress) as error:
            return Attempt(DeliveryOutcome.REFUSED_ADDRESS, str(error))
        except OSError as error:
            return Attempt(DeliveryOutcome.DNS, f"the server's name leads nowhere: {error}")

    async def _send(self, url: str, message: Notice) -> Attempt:
        loop = asyncio.get_running_loop()
        plugin = await loop.run_in_executor(self._threads, channel, url, self._schemes)
        server = _named_server(plugin)
        if server is not None:
            self._gate.check(await self._resolve(server, plugin.port or 0))
        if await loop.run_in_executor(self._threads, _notify, plugin, message):
            return Attempt(DeliveryOutcome.DELIVERED, "taken by the service")
        return Attempt(DeliveryOutcome.UNSENT, "the service did not take it")

    def close(self) -> None:
        """Send no more."""
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def scheme_of(url: str) -> str:
    """The kind of channel that a URL names, in lower case."""
    return url.partition("://")[0].lower()


def channel(url: str, schemes: frozenset[str]) -> Any:
    """apprise's object for a URL. Raises FaultyUrl for a scheme that is not listed or a URL that says nothing."""
    scheme = scheme_of(url)
    if scheme not in schemes:
        raise FaultyUrl(f"{scheme}:// is no channel here; there are: {', '.join(sorted(schemes))}")
    apprise = _apprise()
    memory = apprise.PersistentStoreMode.MEMORY  # nothing on the disk
    made = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(storage_mode=memory))
    if made is None:
        raise FaultyUrl(f"is no {scheme}:// URL as apprise reads it")
    return made


@cache
def _apprise() -> Any:
    """The package, loaded when first needed: it takes half a second, and most processes never send to people."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its nearly two hundred plugins import is its own matter
        package = import_module("apprise")
        package.Apprise.instantiate("json://localhost")  # has it load them now
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    log.addFilter(_heard)
    return package


def _heard(record: logging.LogRecord) -> bool:
    """Whether something that apprise logs goes to the service's log. What it leaves out of a URL that is checked, it
    says nowhere else: that is noted for who sent the URL."""
    said = _SAID.get()
    if said is not None and record.levelno == logging.WARNING:
        said.append(record.getMessage())
    return said is None and logging.getLogger().isEnabledFor(record.levelno)


def _named_server(plugin: Any) -> str | None:
    """The server that the URL itself names; none for a service with an address of its own."""
    mail: str | None = getattr(plugin, "smtp_host", None)
    named = any("{host}" in template for template in plugin.templates)
    return mail or (plugin.host if named else None)


def masked(url: str, schemes: frozenset[str]) -> str:
    """A channel's URL without its secrets."""
    try:
        return str(channel(url, schemes).url(privacy=True))
    except FaultyUrl:
        return f"{scheme_of(url)}://…"


def _notify(plugin: Any, message: Notice) -> bool:
    return bool(plugin.notify(body=message.text, title=message.title))
