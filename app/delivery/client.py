"""The HTTP client for webhooks: the only place that connects to a tenant's address.

Built on httpcore2, the layer below httpx2's client, because what a client adds is unwanted here: redirects, cookies,
proxies from the environment, decompression. A name is resolved once per connection, all its addresses are checked, and
the connection is made to a checked address (no DNS rebinding); TLS and the Host header keep the name. Every failure
becomes an Attempt with a named outcome and a reason.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import responses
from typing import Final, cast

import httpcore2

from app.delivery.address import (
    AddressPolicy,
    Endpoint,
    FaultyUrl,
    NoSuchHost,
    RefusedAddress,
    check_resolved,
    endpoint,
)
from app.delivery.clean import clean
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.resolver import Resolve, Resolver, resolved
from app.delivery.retry import parse_retry_after
from app.sla.span import Micros

_KEEP_ALIVE_SECONDS: Final = 15.0
"""How long an idle connection is kept: long enough for a burst, short enough to follow a changed DNS record."""
_DRAIN_SECONDS: Final = 2.0
"""Time limit for reading a response body. The status is known by then; a slow body costs only the connection."""
_MAX_ANSWER: Final = 200
"""Characters of a service's answer that are stored with a refusal: a sentence."""

_THROTTLES: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds, for connecting and for the whole attempt, and the bytes of a response that are read."""

    connect: float
    total: float
    response_bytes: int
    lookups: int = 32
    """Concurrent look-ups of names, all desks together."""
    desk_lookups: int = 4
    """Of these, those of one desk."""


class _CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects only to addresses that the policy allows."""

    def __init__(self, policy: AddressPolicy, resolve: Resolve, *, public: bool) -> None:
        self._policy, self._resolve, self._public = policy, resolve, public
        self._plain = cast(httpcore2.AsyncNetworkBackend, httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, check, connect. The addresses are tried in turn, each with its share of the time limit."""
        addresses = await resolved(self._resolve, host, port, timeout)
        check_resolved(self._policy, host, addresses, public=self._public)
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._plain.connect_tcp(address, port, share, local_address, socket_options)
        return await self._plain.connect_tcp(addresses[-1], port, share, local_address, socket_options)


class Client:
    """Posts bodies to URLs. One per process, so that connections are reused."""

    def __init__(
        self,
        policy: AddressPolicy,
        limits: Limits,
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy, self.limits = policy, limits
        self._resolver = Resolver(limits.lookups, limits.desk_lookups)
        self._resolve = resolve = resolve or self._resolver
        self.tls = tls = tls or httpcore2.default_ssl_context()
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=None,  # bounded by the concurrency limit of each endpoint
                keepalive_expiry=_KEEP_ALIVE_SECONDS,
                network_backend=_CheckedBackend(policy, resolve, public=scheme == "https"),
            )
            for scheme in ("https", "http")
        }

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, which are still to be checked. Raises NoSuchHost."""
        return await resolved(self._resolve, host, port, self.limits.connect)

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, now: Micros, *, explain: bool = False
    ) -> Attempt:
        """Post a body and return the result. `now` is what a Retry-After date is compared with.

        `explain`: the reason of a refusal has the begin of the answer. For services of vendors only: what a server in
        the operator's network answers is not for a tenant to read.
        """
        try:
            to = endpoint(url)
            async with asyncio.timeout(self.limits.total):
                return await self._exchange(to, headers, body, now, explain=explain)
        except (FaultyUrl, RefusedAddress) as error:
            return Attempt(DeliveryOutcome.REFUSED_ADDRESS, str(error))
        except NoSuchHost as error:
            return Attempt(DeliveryOutcome.DNS, str(error))
        except (TimeoutError, httpcore2.TimeoutException) as error:
            return Attempt(DeliveryOutcome.TIMEOUT, _timeout_reason(error, self.limits))
        except httpcore2.ConnectError as error:
            outcome = DeliveryOutcome.TLS if _is_tls_error(error) else DeliveryOutcome.CONNECT
            return Attempt(outcome, _text(error))
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            return Attempt(DeliveryOutcome.BROKEN, _text(error))

    async def _exchange(
        self, to: Endpoint, headers: Mapping[str, str], body: bytes, now: Micros, *, explain: bool
    ) -> Attempt:
        limits = self.limits
        url = httpcore2.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
        timeouts = {"connect": limits.connect, "read": limits.total, "write": limits.total}
        async with self._pools[to.scheme].stream(
            "POST",
            url,
            headers={**headers, "accept-encoding": "identity"},
            content=body,
            extensions={"timeout": timeouts},
        ) as response:
            answer = bytearray()
            drained = await self._drain(response, answer)
            header = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
            retry_after = None if header is None else parse_retry_after(header.decode("latin-1"), now)
            result = _result(response.status, retry_after, None if drained else limits.response_bytes)
            return _explained(result, bytes(answer)) if explain and not result.delivered else result

    async def _drain(self, response: httpcore2.Response, answer: bytearray) -> bool:
        """Read a short body into `answer`, so that the connection can be reused. False for one that is too long or too
        slow."""
        with suppress(
            TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError
        ):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for piece in response.aiter_stream():
                    answer += piece
                    if len(answer) > self.limits.response_bytes:
                        return False
                return True
        return False

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()
        self._resolver.close()


def _result(status: int, retry_after: Micros | None, cut_at: int | None) -> Attempt:
    """The result that a status means. `cut_at`: the number of body bytes after which reading stopped."""
    reason = f"answered {status} {responses.get(status, '')}".rstrip()
    if cut_at is not None:
        reason += f"; its body was not read beyond {cut_at} bytes or {_DRAIN_SECONDS:.0f} s"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Attempt(DeliveryOutcome.DELIVERED, reason, status)
    if status == HTTPStatus.GONE:
        outcome = DeliveryOutcome.GONE
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        outcome = DeliveryOutcome.REDIRECT
    else:
        outcome = DeliveryOutcome.THROTTLED if status in _THROTTLES else DeliveryOutcome.STATUS
    return Attempt(outcome, reason, status, retry_after)


def _explained(result: Attempt, answer: bytes) -> Attempt:
    words = clean(answer[: 4 * _MAX_ANSWER].decode("utf-8", "replace"), _MAX_ANSWER)
    return replace(result, reason=f"{result.reason}: {words}") if words else result


def _timeout_reason(error: Exception, limits: Limits) -> str:
    if isinstance(error, httpcore2.ConnectTimeout):
        return f"no connection within {limits.connect:g} s"
    return f"no response within {limits.total:g} s"


def _is_tls_error(error: BaseException | None) -> bool:
    """Whether an SSLError is in the chain of causes: httpcore2 and anyio wrap it."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
