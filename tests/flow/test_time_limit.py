"""Interpreting is limited in processor time: what takes too long is set aside once, and nothing else waits for it."""

import asyncio
import itertools
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from app.flow.inbound.interpret import Interpreter
from app.flow.inbound.reader import Reader
from app.flow.inbound.time_limit import TookTooLong, within
from app.intake.adapter import Adapter
from app.intake.adapters import ADAPTERS
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.store.inbound.hooks import HookState
from tests.flow.door import Door
from tests.service import Service
from tests.waiting import HANG

LIMIT = 0.05


def endless() -> None:
    for _ in itertools.count():
        pass


def test_endless_work_is_stopped_and_its_thread_ends() -> None:
    before = set(threading.enumerate())
    with pytest.raises(TookTooLong):
        within(LIMIT, endless)
    for thread in set(threading.enumerate()) - before:
        thread.join()


def test_a_result_and_an_error_come_through() -> None:
    assert within(LIMIT, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(LIMIT, lambda: 1 // 0)


def test_waiting_is_no_processor_time() -> None:
    turn = threading.Event()
    threading.Timer(LIMIT * 3, turn.set).start()
    assert within(LIMIT, turn.wait)


class _Stuck:
    """Reads Zammad's webhooks, and one of its own kind without an end. Counts how often it began one."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter, self.begun = adapter, 0

    def read(self, request: InboundRequest, source: Source) -> Reading:
        if request.body == b"endless":
            self.begun += 1
            endless()
        return self._adapter.read(request, source)


async def test_a_webhook_is_read_while_others_write(service: Service) -> None:
    reached, written = threading.Event(), threading.Event()

    def read(request: InboundRequest, source: Source) -> Reading:
        reached.set()
        assert written.wait(HANG)
        return ADAPTERS["zammad"].read(request, source)

    door = Door(service, {**ADAPTERS, "zammad": replace(ADAPTERS["zammad"], read=read)})
    plug, _ = door.connect("zammad")
    hook = await door.deliver(plug, {"ticket": {"id": 1, "created_at": "2026-03-02T09:00:00Z"}})
    reading = asyncio.create_task(door.reader.read_all())
    await asyncio.to_thread(reached.wait, HANG)
    await service.database.write(lambda conn, now: written.set(), frozenset({"phpnet"}))
    assert await reading == 1
    assert door.hook(hook.id).interpreted_at is not None


async def test_a_delivery_that_takes_too_long_is_kept_once_and_another_desks_is_read(
    service: Service,
) -> None:
    stuck = _Stuck(ADAPTERS["zammad"])
    door = Door(service, {**ADAPTERS, "zammad": replace(ADAPTERS["zammad"], read=stuck.read)})
    limit = timedelta(seconds=1)  # of processor time; the other desk's takes milliseconds
    settings = service.settings.model_copy(update={"inbound_interpret_timeout": limit})
    reader = Reader(service.database, Interpreter(service.receiver, door.sources, settings), settings)
    plug, _ = door.connect("zammad")
    other, _ = door.connect("zammad", "phpnet")
    first = await door.deliver(plug, b"endless")
    second = await door.deliver(other, {"ticket": {"id": 1, "created_at": "2026-03-02T09:00:00Z"}})
    assert await reader.read_all() == 2
    kept = door.hook(first.id)
    assert kept.state is HookState.KEPT
    assert "SLATIMER_INBOUND_INTERPRET_TIMEOUT" in str(kept.reason)
    assert (await reader.read_all(), stuck.begun) == (0, 1)
    assert door.hook(second.id).interpreted_at is not None
