"""The hub: each client gets the signals that it asked for, once, in order; a slow client is dropped."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.principal import EVERY, EVERY_DESK
from app.store.tickets.signals import Published
from app.web.http.hub import Hub, encode_signal

QUEUE_SIZE = 10


def recorded(seq: int, desk: str = "haisoft", kind: str = "clock.started") -> Published:
    return Published(seq, desk, kind, b"{}", at=0, deliver=True, ticket="1", id=f"sig_{seq}", trace=None)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = Hub(QUEUE_SIZE)
    made.open()
    yield made
    made.close()
    await asyncio.sleep(0)


async def all_frames(hub: Hub, desk: str, kinds: set[str], after: int, *batches: list[Published]) -> bytes:
    client = hub.join(frozenset({desk}), frozenset(kinds))
    for batch in batches:
        hub.publish(batch)
    hub.publish(
        [recorded(10**6, "haisoft" if desk == EVERY_DESK else desk, next(iter(kinds), "clock.started"))]
    )
    got = b""
    async for frames in hub.live(client, after):
        got += frames
        if b"id: 1000000\n" in got:
            break
    hub.leave(client)
    return got.removesuffix(encode_signal(10**6, b"{}"))


async def test_a_client_gets_every_signal_once_in_order(hub: Hub) -> None:
    got = await all_frames(hub, EVERY_DESK, set(), 0, [recorded(1), recorded(2)], [recorded(3)])
    assert got == b"".join(encode_signal(seq, b"{}") for seq in (1, 2, 3))


async def test_what_was_read_from_the_table_does_not_come_again(hub: Hub) -> None:
    assert await all_frames(
        hub, EVERY_DESK, set(), 2, [recorded(1), recorded(2), recorded(3)]
    ) == encode_signal(3, b"{}")


async def test_a_client_gets_its_desk_and_its_kinds_only(hub: Hub) -> None:
    batch = [
        recorded(1),
        recorded(2, desk="webxtra"),
        recorded(3, kind="clock.breached"),
        recorded(4, "webxtra", "clock.breached"),
    ]
    assert await all_frames(hub, "webxtra", set(), 0, batch) == encode_signal(2, b"{}") + encode_signal(
        4, b"{}"
    )
    assert await all_frames(hub, "webxtra", {"clock.breached"}, 0, batch) == encode_signal(4, b"{}")


async def test_a_client_of_two_desks_gets_the_signals_of_both(hub: Hub) -> None:
    client = hub.join(frozenset({"haisoft", "hvn"}), frozenset())
    hub.publish([recorded(1), recorded(2, desk="webxtra"), recorded(3, desk="hvn")])
    assert await anext(hub.live(client, 0)) == encode_signal(1, b"{}") + encode_signal(3, b"{}")


async def test_a_slow_client_is_dropped_and_the_others_go_on(hub: Hub) -> None:
    slow, quick = hub.join(EVERY, frozenset()), hub.join(EVERY, frozenset())
    live = hub.live(quick, 0)
    for seq in range(1, QUEUE_SIZE + 2):
        hub.publish([recorded(seq)])
        assert await anext(live) == encode_signal(seq, b"{}")
    assert (slow.ended, quick.ended) == (True, False)
    assert [frames async for frames in hub.live(slow, 0)] == []


async def test_closing_ends_every_stream_and_admits_no_more(hub: Hub) -> None:
    client = hub.join(EVERY, frozenset())
    waiting = asyncio.create_task(anext(hub.live(client, 0), b"ended"))
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waiting, 1) == b"ended"
    assert hub.join(EVERY, frozenset()).ended


async def test_silence_is_broken_by_a_comment() -> None:
    hub = Hub(QUEUE_SIZE, keep_alive=0.01)
    hub.open()
    client = hub.join(EVERY, frozenset())
    assert await asyncio.wait_for(anext(hub.live(client, 5)), 1) == b": keep-alive\n\n"
    hub.close()
    await asyncio.sleep(0)


async def test_signals_may_come_from_another_thread(hub: Hub) -> None:
    client = hub.join(EVERY, frozenset())
    await asyncio.to_thread(hub.publish, [recorded(1)])
    assert await asyncio.wait_for(anext(hub.live(client, 0)), 1) == encode_signal(1, b"{}")
