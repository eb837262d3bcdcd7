"""Subscriptions whose addresses would make the service send requests into its own network."""

import socket
from contextlib import suppress
from typing import Final

import httpx2

from tests.hostile.harness import ATTACKER, Target
from tests.waiting import HANG

_ADDRESSES: Final = (
    ("notice", "json://{at}/"),
    ("notice", "jsons://{at}/?verify=no"),
    ("notice", "form://{at}/?+Secret=x"),
    ("notice", "mailtos://user:word@{at}/?to=a@example.org&template=http://{at}/"),
    ("notice", "mailto://user:word@{at}/?verify=no"),
    ("notice", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=file:///etc/passwd"),
    ("notice", "workflows://{at}/W/S/?template=http://{at}/"),
    ("notice", "file:///etc/passwd"),
    ("webhook", "http://{at}/"),
    ("webhook", "https://{at}/"),
    ("webhook", "https://[::ffff:127.0.0.1]:{port}/"),
    ("webhook", "https://169.254.169.254/latest/meta-data/"),
    ("webhook", "gopher://{at}/"),
)
_NAMES: Final = ("https://localhost:{port}/", "https://2130706433:{port}/", "https://0x7f.1:{port}/")
"""Names, which are judged when they are resolved: the subscription is made, and its test is refused."""


def attack(target: Target) -> None:
    """Subscribe to each of them, and test what is accepted. A listener on loopback must not be reached."""
    headers = {"Authorization": target.key}
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        httpx2.Client(base_url=target.url, headers=headers, timeout=HANG) as client,
    ):
        port = listener.getsockname()[1]
        for channel, address in _ADDRESSES:
            answer = _subscribe(client, channel, address.format(at=f"127.0.0.1:{port}", port=port))
            assert answer.status_code == 422, (address, answer.text)
        for name in _NAMES:
            _test(client, _subscribe(client, "webhook", name.format(port=port)))
        listener.setblocking(False)
        with suppress(BlockingIOError):
            raise AssertionError(f"the service has connected from {listener.accept()[1]}")


def _subscribe(client: httpx2.Client, channel: str, url: str) -> httpx2.Response:
    wanted = {"desk": ATTACKER, "channel": channel, "url": url, "kinds": ["clock.breached"]}
    return client.post("/v1/subscriptions", json=wanted)


def _test(client: httpx2.Client, made: httpx2.Response) -> None:
    if made.status_code == 201:
        where = f"/v1/subscriptions/{made.json()['id']}"
        tested = client.post(f"{where}/test")
        assert not tested.json().get("delivered"), tested.text
        assert client.delete(where).status_code == 204
