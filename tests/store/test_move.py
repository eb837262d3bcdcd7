"""A desk that moves: closed on the source, invisible on the target until the cut-over, the same afterwards."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.flow.transfer import move
from app.flow.transfer.move import Move, MoveFailed
from app.flow.transfer.move_checks import CannotMove
from app.settings import Settings
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Database
from app.store.engine.routes import RouteState
from app.store.engine.unreachable import DeskMoves
from app.store.transfer import fence, replication
from app.store.transfer.server import Server
from tests.servers import postgres
from tests.servers.databases import UNHURRIED, postgresql_only
from tests.servers.postgres import ADMINISTRATOR, ROLE, Postgres
from tests.service import Service, WallClock, created
from tests.waiting import HANG

DESK = "haisoft"
TIMEOUT = timedelta(seconds=HANG)
MORNING = "2026-03-02T08:00:00+01:00"


def as_administrator(url: str) -> str:
    return url.replace(f"//{ROLE}@", f"//{ADMINISTRATOR}@")


def on(url: str, work: Callable[[Server], Coroutine[Any, Any, Any]]) -> Any:
    """The result of something done on a server as its administrator."""

    async def run() -> Any:
        async with Server.open("source", as_administrator(url), TIMEOUT) as server:
            return await work(server)

    return asyncio.run(run())


def closed(desk: str, state: RouteState) -> Callable[[Server], Coroutine[Any, Any, None]]:
    """Close a desk, with all that a move puts in place before."""

    async def work(server: Server) -> None:
        tables = await replication.tables(server)
        await fence.hide(server, tables)
        await fence.guard(server, desk, tables)
        await fence.put_state(server, desk, state, "https://sla2.example")

    return work


def swept(service: Service) -> None:
    while service.sweeper.sweep_now():
        pass


@postgresql_only
@pytest.mark.parametrize("state", [RouteState.LEAVING, RouteState.LEFT, RouteState.AWAY])
def test_a_closed_desk_takes_no_event_and_is_not_swept_and_others_go_on(
    service: Service, state: RouteState
) -> None:
    url = service.settings.database_url
    service.push(created("1", MORNING))
    on(url, closed(DESK, state))
    with pytest.raises(DeskMoves, match="moves"):
        service.push(created("2", MORNING))
    assert not service.push(created("1", MORNING, desk="webxtra", plan="managed")).refused
    service.clock.set("2026-03-09T08:00:00+01:00")
    swept(service)
    assert {signal["desk"] for signal in service.signals()} <= {"webxtra"}
    on(url, lambda server: fence.drop_route(server, DESK))
    swept(service)
    assert {signal["desk"] for signal in service.signals()} == {DESK, "webxtra"}
    assert not service.push(created("2", MORNING)).refused


@dataclass(frozen=True)
class Pair:
    """Two servers with a database each. haisoft lives on the first one; the second one has joined with phpnet."""

    first: Postgres
    second: Postgres

    @property
    def urls(self) -> tuple[str, str]:
        return self.first.url("slatimer"), self.second.url("slatimer")

    def move(self, work: Callable[[Move], Coroutine[Any, Any, Any]], *, back: bool = False) -> Any:
        """Something done with a move of the desk from the first server to the second, or back."""
        here, there = reversed(self.urls) if back else self.urls

        async def run() -> Any:
            async with (
                Server.open("source", as_administrator(here), TIMEOUT) as source,
                Server.open("target", as_administrator(there), TIMEOUT) as target,
            ):
                return await work(
                    Move(source, target, DESK, "http://a", "http://b", HANG, str, lambda _: None)
                )

        return asyncio.run(run())


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with postgres.start() as first, postgres.start() as second:
        made = Pair(first, second)
        for server in (first, second):
            server.execute("ALTER SYSTEM SET wal_level = 'logical'")
            server.stop()
            server.start()
            server.create_database("slatimer")
        for url, desk in zip(made.urls, (DESK, "phpnet"), strict=True):
            with Database(settings_of(url), WallClock()) as database:
                if url == made.urls[1]:
                    on(url, move.join)
                Service(settings_of(url), database, WallClock()).apply_shipped(desk)
        yield made


def settings_of(url: str) -> Settings:
    return Settings(database_url=url, **UNHURRIED)


def with_service(url: str, work: Callable[[Service], Any]) -> Any:
    clock = WallClock()
    clock.set("2026-03-02T09:30:00+01:00")
    with Database(settings_of(url), clock) as database:
        return work(Service(settings_of(url), database, clock))


def shown(service: Service) -> tuple[Any, ...]:
    """What the API shows of the desk, and the keys and places of its record."""
    signals = service.rows(f"SELECT seq, id, body FROM signal WHERE desk = '{DESK}' ORDER BY seq")
    events = service.rows(f"SELECT seq, event_id FROM event WHERE desk = '{DESK}' ORDER BY seq")
    return service.view(DESK, "1"), service.view(DESK, "2"), list(signals), list(events)


def test_a_desk_is_moved_undone_moved_again_and_back_with_all_that_it_has(pair: Pair) -> None:
    here, there = pair.urls
    with_service(here, lambda service: service.push(created("1", MORNING)))

    async def half(moving: Move) -> None:
        """As far as a command that is killed before the cut-over."""
        moving.tables = await replication.tables(moving.source)
        await moving.prepare(None)
        await moving.copy()

    async def too_slow(moving: Move) -> None:
        """A cut-over to a target that applies nothing more."""
        moving.tables, moving.cut_over_limit = await replication.tables(moving.source), 0.1
        await moving.target.run(f"ALTER SUBSCRIPTION {replication.name_of(DESK)} DISABLE")
        with pytest.raises(MoveFailed, match=r"within 0\.1 s; the desk is in use on the source again"):
            await moving.cut_over()

    pair.move(half)
    pair.move(too_slow)
    assert not with_service(here, lambda service: service.push(created("2", MORNING))).refused
    before = with_service(here, shown)
    pair.move(lambda moving: moving.abort())
    assert with_service(here, shown) == before
    with pytest.raises(UnknownDesk):
        with_service(there, shown)

    assert pair.move(lambda moving: moving.run()) < HANG
    assert with_service(there, shown) == before
    with pytest.raises(CannotMove, match="lives on another server already"):
        pair.move(lambda moving: moving.run())
    new = with_service(there, lambda service: service.push(created("3", MORNING)))
    assert not new.refused
    after = with_service(there, shown)

    with pytest.raises(CannotMove, match="slatimer desk forget"):
        pair.move(lambda moving: moving.run(), back=True)
    on(here, lambda server: move.forget(server, DESK))
    pair.move(lambda moving: moving.run(), back=True)
    assert with_service(here, shown) == after
