"""Take this to that URL, and say what became of it. The only place that connects to a tenant's address.

Connections are made by httpcore2, the layer below httpx2's client, since everything that a client adds is unwanted here:
redirects, cookies, proxies from the environment, unpacking of answers. A name is resolved once for a connection, all its
addresses are judged, and the connection goes to those very addresses; TLS and the Host header keep the name. Every
failure becomes an Attempt with its name and reason.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses
from socket import SOCK_STREAM, gaierror, getaddrinfo
from typing import Final, cast

import httpcore2

from app.delivery.address import AddressPolicy, Endpoint, FaultyUrl, RefusedAddress, endpoint
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.retry import asked_wait
from app.sla.span import Micros

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host for a port. Raises OSError when there are none."""

_KEPT_OPEN: Final = 15.0
"""Seconds that an idle connection is kept: long enough for a burst, short enough to follow a name that moved."""
_DRAIN: Final = 2.0
"""Seconds given to an answer's body. Its status has been read; a body that is not short costs the connection only."""
_RESOLVERS: Final = 8
"""Look-ups at a time. A look-up of a dead name server takes many seconds, and threads are the only way to do them."""
_THROTTLES: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class NoSuchHost(Exception):
    """The name leads nowhere."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an attempt may take, in seconds, and how much of an answer is read, in bytes."""

    connect: float
    whole: float
    answer: int


class Resolver:
    """The machine's own resolution of names. Whoever asks for a name that is being looked up shares the answer, so a
    name server that hangs holds up one thread and not all."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVERS, "resolver")
        self._under_way: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        key = (host, port)
        asked = self._under_way.get(key)
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = self._under_way[key] = loop.run_in_executor(self._threads, _look_up, host, port)
            asked.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(asked)

    def _answered(self, key: tuple[str, int], done: "asyncio.Future[list[str]]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be waiting any more

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    found = getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were judged, and to no other."""

    def __init__(self, gate: AddressPolicy, resolve: Resolve, *, public: bool) -> None:
        self._gate, self._resolve, self._public = gate, resolve, public
        self._plain = cast(httpcore2.AsyncNetworkBackend, httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, judge, connect. The addresses are tried one after the other."""
        addresses = await self._addresses(host, port, timeout)
        self._gate.check(addresses, public=self._public)
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._plain.connect_tcp(address, port, share, local_address, socket_options)
        return await self._plain.connect_tcp(addresses[-1], port, share, local_address, socket_options)

    async def _addresses(self, host: str, port: int, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise NoSuchHost(f"no name server answered for {host} within {seconds:g} s") from error
        except (gaierror, UnicodeError) as error:
            raise NoSuchHost(f"{host} leads nowhere: {error}") from error
        if not found:
            raise NoSuchHost(f"{host} leads nowhere")
        return found


class Client:
    """Carries bodies to URLs. One for the whole process, so that connections are used again."""

    def __init__(
        self,
        gate: AddressPolicy,
        limits: Limits,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits
        self._resolver = Resolver()
        resolve = resolve or self._resolver
        tls = tls or httpcore2.default_ssl_context()
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=None,  # bounded by the deliveries under way at each endpoint
                keepalive_expiry=_KEPT_OPEN,
                network_backend=_Guarded(gate, resolve, public=scheme == "https"),
            )
            for scheme in ("https", "http")
        }

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, now: Micros) -> Attempt:
        """Send a body and say what became of it. `now` is the time against which a Retry-After date counts."""
        try:
            to = endpoint(url)
            async with asyncio.timeout(self._limits.whole):
                return await self._exchange(to, headers, body, now)
        except (FaultyUrl, RefusedAddress) as error:
            return Attempt(DeliveryOutcome.REFUSED_ADDRESS, str(error))
        except NoSuchHost as error:
            return Attempt(DeliveryOutcome.DNS, str(error))
        except (TimeoutError, httpcore2.TimeoutException) as error:
            return Attempt(DeliveryOutcome.TIMEOUT, _late(error, self._limits))
        except httpcore2.ConnectError as error:
            outcome = DeliveryOutcome.TLS if _is_of_tls(error) else DeliveryOutcome.CONNECT
            return Attempt(outcome, _said(error))
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            return Attempt(DeliveryOutcome.BROKEN, _said(error))

    async def _exchange(self, to: Endpoint, headers: Mapping[str, str], body: bytes, now: Micros) -> Attempt:
        limits = self._limits
        url = httpcore2.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
        patience = {"connect": limits.connect, "read": limits.whole, "write": limits.whole}
        async with self._pools[to.scheme].stream(
            "POST",
            url,
            headers={**headers, "accept-encoding": "identity"},
            content=body,
            extensions={"timeout": patience},
        ) as answer:
            whole = await self._drained(answer)
            asked = next((value for name, value in answer.headers if name.lower() == b"retry-after"), None)
            wait = None if asked is None else asked_wait(asked.decode("latin-1"), now)
            return _judged(answer.status, wait, None if whole else limits.answer)

    async def _drained(self, answer: httpcore2.Response) -> bool:
        """Take a short body in, so that the connection can be used again. False for one that is not short."""
        size = 0
        with suppress(
            TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError
        ):
            async with asyncio.timeout(_DRAIN):
                async for piece in answer.aiter_stream():
                    size += len(piece)
                    if size > self._limits.answer:
                        return False
                return True
        return False

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()
        self._resolver.close()


def _judged(status: int, asked: Micros | None, cut_at: int | None) -> Attempt:
    """What a status means. `cut_at`: the bytes of the answer after which no more was read."""
    reason = f"answered {status} {_phrase(status)}".rstrip()
    if cut_at is not None:
        reason += f"; its answer was not read beyond {cut_at} bytes or {_DRAIN:.0f} s"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Attempt(DeliveryOutcome.DELIVERED, reason, status)
    if status == HTTPStatus.GONE:
        outcome = DeliveryOutcome.GONE
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        outcome = DeliveryOutcome.REDIRECT
    else:
        outcome = DeliveryOutcome.THROTTLED if status in _THROTTLES else DeliveryOutcome.STATUS
    return Attempt(outcome, reason, status, asked)


def _phrase(status: int) -> str:
    return responses.get(status, "")


def _late(error: Exception, limits: Limits) -> str:
    if isinstance(error, httpcore2.ConnectTimeout):
        return f"no connection within {limits.connect:g} s"
    return f"no answer within {limits.whole:g} s"


def _is_of_tls(error: BaseException | None) -> bool:
    """Whether TLS is what failed, however often the error was wrapped since."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
