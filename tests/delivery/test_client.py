"""The outcomes of an attempt, against a real server on the loopback interface."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from socket import gaierror

import pytest

from app.delivery.address import AddressPolicy, Network
from app.delivery.client import Client, Limits
from app.delivery.outcome import Attempt, DeliveryOutcome
from app.delivery.resolver import Resolve
from app.sla.span import HOUR, SECOND
from tests.receiver import OK, Arrived, Receiver, status
from tests.service import at
from tests.waiting import HANG

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.1/32"),)
NOW = at("2026-03-06T16:00:00+01:00")
SELF_SIGNED = Path(__file__).parent / "self_signed.pem"
LIMITS = Limits(connect=HANG, total=HANG, response_bytes=1000)
SHORT = Limits(connect=HANG, total=0.3, response_bytes=1000)
SHORT_CONNECT = Limits(connect=0.1, total=HANG, response_bytes=1000)
"""For attempts that are expected to time out, in their answer and before it."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as made:
        yield made


async def post(
    url: str,
    *,
    allowed: tuple[Network, ...] = LOOPBACK,
    resolve: Resolve | None = None,
    limits: Limits = LIMITS,
) -> Attempt:
    client = Client(AddressPolicy(allowed), limits, resolve=resolve)
    try:
        return await client.post(url, {"webhook-id": "sig_1"}, b"{}", NOW)
    finally:
        await client.close()


def resolving_to(*addresses: str) -> Resolve:
    """A resolver that returns these addresses, one list after the other, then the last one for ever."""
    answers = list(addresses)

    async def resolve(host: str, port: int) -> list[str]:
        return (answers.pop(0) if len(answers) > 1 else answers[0]).split()

    return resolve


async def test_an_answer_of_success_is_a_delivery(receiver: Receiver) -> None:
    attempt = await post(receiver.url)
    assert (attempt.outcome, attempt.status, attempt.reason) == (
        DeliveryOutcome.DELIVERED,
        200,
        "answered 200 OK",
    )
    (arrived,) = receiver.arrived
    assert (arrived.body, arrived.headers["webhook-id"]) == (b"{}", "sig_1")
    assert arrived.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(
    ("answer", "outcome", "wait"),
    [
        (status(204), DeliveryOutcome.DELIVERED, None),
        (status(500), DeliveryOutcome.STATUS, None),
        (status(404), DeliveryOutcome.STATUS, None),
        (status(299), DeliveryOutcome.DELIVERED, None),
        (status(599), DeliveryOutcome.STATUS, None),
        (status(410), DeliveryOutcome.GONE, None),
        (status(429, "Retry-After: 30"), DeliveryOutcome.THROTTLED, 30 * SECOND),
        (status(503, "retry-after: Fri, 06 Mar 2026 16:00:00 GMT"), DeliveryOutcome.THROTTLED, HOUR),
        (status(502), DeliveryOutcome.THROTTLED, None),
        (status(400, "Retry-After: soon"), DeliveryOutcome.STATUS, None),
    ],
)
async def test_each_status_has_its_meaning(
    receiver: Receiver, answer: bytes, outcome: DeliveryOutcome, wait: int | None
) -> None:
    receiver.answer = lambda number, request: answer
    attempt = await post(receiver.url)
    assert (attempt.outcome, attempt.retry_after) == (outcome, wait)
    assert str(attempt.status) in attempt.reason


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_never_followed(receiver: Receiver, code: int) -> None:
    receiver.answer = lambda number, request: status(code, f"Location: {receiver.url}")
    attempt = await post(receiver.url)
    assert (attempt.outcome, attempt.status, len(receiver.arrived)) == (DeliveryOutcome.REDIRECT, code, 1)


async def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    hung_up = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x" * 100_000)
                await writer.drain()
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        hung_up.set()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        attempt = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await hung_up.wait()
    assert (attempt.outcome, attempt.status) == (DeliveryOutcome.DELIVERED, 200)
    assert "not read beyond 1000 bytes" in attempt.reason


async def test_an_endpoint_that_hangs_is_given_up_at_the_time_limit(receiver: Receiver) -> None:
    async def hang(number: int, request: Arrived) -> bytes:
        await asyncio.sleep(60)
        return OK

    receiver.answer = lambda number, request: hang(number, request)
    attempt = await post(receiver.url, limits=SHORT)
    assert (attempt.outcome, attempt.reason) == (DeliveryOutcome.TIMEOUT, "no response within 0.3 s")


async def test_a_response_that_trickles_is_given_up_at_the_time_limit(receiver: Receiver) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        attempt = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", limits=SHORT)
    assert attempt.outcome is DeliveryOutcome.TIMEOUT


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"])
async def test_a_response_that_is_not_http_is_broken(receiver: Receiver, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        attempt = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (attempt.outcome, attempt.reason != "") == (DeliveryOutcome.BROKEN, True)


async def test_a_port_without_a_listener_is_a_failed_connection(receiver: Receiver) -> None:
    await receiver.shut()
    assert (await post(receiver.url)).outcome is DeliveryOutcome.CONNECT


async def test_a_server_without_tls_is_a_failure_of_tls(receiver: Receiver) -> None:
    attempt = await post(f"https://127.0.0.1:{receiver.port}/", limits=SHORT_CONNECT)
    assert attempt.outcome in (DeliveryOutcome.TLS, DeliveryOutcome.TIMEOUT)
    assert receiver.arrived == []


async def test_a_self_signed_certificate_is_a_failure_of_tls(tls_server: int) -> None:
    attempt = await post(f"https://127.0.0.1:{tls_server}/")
    assert (attempt.outcome, "certificate" in attempt.reason.lower()) == (DeliveryOutcome.TLS, True)


async def test_a_name_that_does_not_resolve_is_a_failure_of_dns() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise gaierror(-2, "Name or service not known")

    attempt = await post("https://no-such-host.example/", resolve=unknown)
    assert (attempt.outcome, "does not resolve" in attempt.reason) == (DeliveryOutcome.DNS, True)


async def test_a_name_server_that_hangs_is_a_failure_of_dns() -> None:
    async def hang(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    attempt = await post("https://slow.example/", resolve=hang, limits=SHORT_CONNECT)
    assert (attempt.outcome, "no name server answered" in attempt.reason) == (DeliveryOutcome.DNS, True)


async def test_a_name_that_resolves_to_loopback_is_refused_and_nothing_is_sent(receiver: Receiver) -> None:
    attempt = await post(f"https://localhost:{receiver.port}/", allowed=())
    assert (attempt.outcome, receiver.connections) == (DeliveryOutcome.DNS, 0)
    assert "localhost does not resolve to an address that deliveries may connect to" in attempt.reason


async def test_a_name_that_leads_inside_is_answered_like_one_that_does_not_resolve() -> None:
    """Else a tenant could try out which names exist in the operator's network."""

    async def unknown(host: str, port: int) -> list[str]:
        raise gaierror(-2, "Name or service not known")

    async def none(host: str, port: int) -> list[str]:
        return []

    resolvers = (unknown, none, resolving_to("10.0.0.1"), resolving_to("1.1.1.1 169.254.169.254"))
    attempts = {await post("https://wiki.internal/", resolve=each) for each in resolvers}
    plain = {await post("http://wiki.internal/", resolve=each) for each in (unknown, resolving_to("1.1.1.1"))}
    assert (len(attempts), plain) == (1, attempts)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::ffff:127.0.0.1]"])
async def test_an_address_in_disguise_is_judged_by_what_it_means(receiver: Receiver, host: str) -> None:
    attempt = await post(f"https://{host}:{receiver.port}/", allowed=())
    assert (attempt.outcome, receiver.connections) == (DeliveryOutcome.REFUSED_ADDRESS, 0)


async def test_a_name_that_leads_to_a_public_and_a_private_address_is_refused(receiver: Receiver) -> None:
    attempt = await post("https://mixed.example/", resolve=resolving_to("1.1.1.1 10.0.0.1"))
    # Where a name leads in the operator's network is not for a tenant to read.
    assert (attempt.outcome, "10.0.0.1" in attempt.reason) == (DeliveryOutcome.DNS, False)


async def test_a_name_that_changes_after_the_check_is_connected_to_at_the_address_that_was_checked(
    receiver: Receiver,
) -> None:
    """Asked again it would lead to 127.0.0.2, which is not allowed; it is not asked again."""
    url = f"http://rebinding.example:{receiver.port}/"
    changing = resolving_to("127.0.0.1", "127.0.0.2")
    client = Client(AddressPolicy(LOOPBACK), LIMITS, resolve=changing)
    first = await client.post(url, {}, b"{}", NOW)
    await receiver.shut()  # the kept connection is gone: the next one must be judged anew
    await receiver.open()
    second = await client.post(url, {}, b"{}", NOW)
    await client.close()
    assert (first.outcome, second.outcome) == (DeliveryOutcome.DELIVERED, DeliveryOutcome.DNS)
    (arrived,) = receiver.arrived
    assert arrived.headers["host"] == f"rebinding.example:{receiver.port}"


async def test_when_the_first_address_does_not_answer_the_next_is_tried(receiver: Receiver) -> None:
    both = (ip_network("127.0.0.0/8"),)
    attempt = await post(
        f"http://two.example:{receiver.port}/", allowed=both, resolve=resolving_to("127.0.0.9 127.0.0.1")
    )
    assert attempt.outcome is DeliveryOutcome.DELIVERED


async def test_connections_are_used_again(receiver: Receiver) -> None:
    client = Client(AddressPolicy(LOOPBACK), LIMITS)
    for _ in range(5):
        assert (await client.post(receiver.url, {}, b"{}", NOW)).delivered
    await client.close()
    assert receiver.connections == 1


async def test_no_cookie_goes_from_one_delivery_to_the_next(receiver: Receiver) -> None:
    receiver.answer = lambda number, request: status(200, "Set-Cookie: session=1")
    client = Client(AddressPolicy(LOOPBACK), LIMITS)
    for _ in range(2):
        await client.post(receiver.url, {}, b"{}", NOW)
    await client.close()
    assert [each.headers.get("cookie") for each in receiver.arrived] == [None, None]


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await post(receiver.url)).delivered


@pytest.fixture
async def tls_server() -> AsyncIterator[int]:
    """A server whose certificate it has signed itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
