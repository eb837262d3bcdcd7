"""The hub: each listener gets its signals once and in order; a slow one is dropped and delays no other."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.principal import EVERY, EVERY_DESK
from app.sla.subject import Subject
from app.store.tickets.signals import Published
from app.web.http.hub import Hub, Listener, encode_signal
from tests.waiting import HANG

LONGEST = 10


def recorded(seq: int, desk: str = "haisoft", kind: str = "clock.started") -> Published:
    return Published(
        seq=seq,
        desk=desk,
        kind=kind,
        body=b"{}",
        at=0,
        deliver=True,
        subject=Subject.parse("1"),
        id=f"sig_{seq}",
        trace=None,
        commitment="ticket-response",
        commitment_kind="guarantee",
        queue="",
    )


def frame(seq: int, kind: str = "clock.started") -> bytes:
    return encode_signal(seq, b"{}", kind)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    made = Hub(LONGEST, memory=1_000_000, chunk=64_000)
    made.open()
    yield made
    made.close()
    await asyncio.sleep(0)


async def all_frames(hub: Hub, desk: str, kinds: set[str], after: int, *batches: list[Published]) -> bytes:
    listener = hub.join(frozenset({desk}), frozenset(kinds))
    for batch in batches:
        hub.publish(batch)
    hub.publish(
        [recorded(10**6, "haisoft" if desk == EVERY_DESK else desk, next(iter(kinds), "clock.started"))]
    )
    got = b""
    async for frames in hub.live(listener, after):
        got += frames
        if b"id: 1000000\n" in got:
            break
    hub.leave(listener)
    return got.removesuffix(frame(10**6, next(iter(kinds), "clock.started")))


async def test_a_listener_gets_every_signal_once_in_order(hub: Hub) -> None:
    got = await all_frames(hub, EVERY_DESK, set(), 0, [recorded(1), recorded(2)], [recorded(3)])
    assert got == b"".join(frame(seq) for seq in (1, 2, 3))


async def test_signals_already_read_from_the_table_do_not_come_again(hub: Hub) -> None:
    assert await all_frames(hub, EVERY_DESK, set(), 2, [recorded(1), recorded(2), recorded(3)]) == frame(3)


async def test_a_listener_gets_only_its_desk_and_kinds(hub: Hub) -> None:
    batch = [
        recorded(1),
        recorded(2, desk="webxtra"),
        recorded(3, kind="clock.breached"),
        recorded(4, "webxtra", "clock.breached"),
    ]
    assert await all_frames(hub, "webxtra", set(), 0, batch) == frame(2) + frame(4, "clock.breached")
    assert await all_frames(hub, "webxtra", {"clock.breached"}, 0, batch) == frame(4, "clock.breached")


async def test_a_slow_listener_is_dropped_and_the_others_continue(hub: Hub) -> None:
    slow, quick = hub.join(EVERY, frozenset()), hub.join(EVERY, frozenset())
    live = hub.live(quick, 0)
    for seq in range(1, LONGEST + 2):
        hub.publish([recorded(seq)])
        assert await anext(live) == frame(seq)
    assert (slow.ended, quick.ended) == (True, False)
    assert [frames async for frames in hub.live(slow, 0)] == []


async def test_a_listener_is_dropped_by_bytes_as_well_and_what_is_queued_is_freed() -> None:
    hub = Hub(1000, memory=3 * len(frame(1)), chunk=64_000)
    hub.open()
    slow = hub.join(EVERY, frozenset())
    hub.publish([recorded(1), recorded(2), recorded(3)])
    await asyncio.sleep(0)
    assert (slow.ended, slow.queued_bytes) == (False, 3 * len(frame(1)))
    hub.publish([recorded(4)])
    await asyncio.sleep(0)
    assert (slow.ended, slow.queued_bytes, len(slow.queue)) == (True, 0, 0)
    hub.close()
    await asyncio.sleep(0)


async def test_what_is_queued_is_sent_in_chunks_and_counted_until_it_is_sent() -> None:
    size = len(frame(1))
    hub = Hub(1000, memory=100 * size, chunk=2 * size)
    hub.open()
    client = hub.join(EVERY, frozenset())
    hub.publish([recorded(seq) for seq in range(1, 6)])
    live = hub.live(client, 0)
    assert await anext(live) == frame(1) + frame(2)
    assert client.queued_bytes == 3 * size
    assert await anext(live) == frame(3) + frame(4)
    hub.publish([recorded(6)])
    await asyncio.sleep(0)
    assert await anext(live) == frame(5) + frame(6)
    assert client.queued_bytes == 0
    hub.close()
    await asyncio.sleep(0)


async def test_closing_ends_every_stream_and_refuses_new_ones(hub: Hub) -> None:
    listener = hub.join(EVERY, frozenset())
    waiting = asyncio.create_task(anext(hub.live(listener, 0), b"ended"))
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waiting, HANG) == b"ended"
    assert hub.join(EVERY, frozenset()).ended


async def test_an_idle_stream_gets_a_keep_alive_comment() -> None:
    hub = Hub(LONGEST, memory=1_000_000, chunk=64_000, keep_alive=0.01)
    hub.open()
    listener = hub.join(EVERY, frozenset())
    assert await asyncio.wait_for(anext(hub.live(listener, 5)), HANG) == b": keep-alive\n"
    hub.close()
    await asyncio.sleep(0)


async def test_signals_may_come_from_another_thread(hub: Hub) -> None:
    listener = hub.join(EVERY, frozenset())
    await asyncio.to_thread(hub.publish, [recorded(1)])
    assert await asyncio.wait_for(anext(hub.live(listener, 0)), HANG) == frame(1)


async def test_a_client_of_two_desks_gets_the_signals_of_both(hub: Hub) -> None:
    client = hub.join(frozenset({"haisoft", "hvn"}), frozenset())
    hub.publish([recorded(1), recorded(2, desk="webxtra"), recorded(3, desk="hvn")])
    assert await anext(hub.live(client, 0)) == frame(1) + frame(3)


def test_the_event_of_a_signal_has_its_kind_as_its_name() -> None:
    assert encode_signal(7, b"{}", "clock.breached") == b"event: clock.breached\nid: 7\ndata: {}\n\n"


async def test_a_listener_for_one_handler_gets_events_without_names(hub: Hub) -> None:
    named = hub.join(EVERY, frozenset())
    plain = hub.join(EVERY, frozenset(), named=False)
    hub.publish([recorded(1)])
    assert await anext(hub.live(named, 0)) == frame(1)
    assert await anext(hub.live(plain, 0)) == b"id: 1\ndata: {}\n\n"


async def test_a_stream_that_became_shorter_ends_with_a_reset(hub: Hub) -> None:
    listener = hub.join(EVERY, frozenset())
    hub.publish([recorded(8)])
    hub.reset(5)
    await asyncio.sleep(0)
    frames = [each async for each in hub.live(listener, 0)]
    assert frames == [b'event: reset\nid: 5\ndata: {"kind":"reset","next":"5"}\n\n']


@pytest.mark.parametrize(("subject", "heard"), [(None, True), ("1", True), ("2", False)])
def test_a_listener_of_one_subject_hears_signals_about_it_only(subject: str | None, heard: bool) -> None:
    assert Listener(EVERY, frozenset(), subject=subject).wants(recorded(1)) is heard
