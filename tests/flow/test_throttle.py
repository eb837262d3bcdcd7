"""Wrong passwords and codes are counted by all processes together, and delay no one but who enters them."""

import asyncio

import pytest

from app.flow.people.throttle import SlowDown, Throttle
from app.settings import Settings
from app.sla.span import HOUR, SECOND
from app.store.engine.database import Connection, Database
from app.store.people import attempts
from tests.servers.databases import both_kinds
from tests.service import Service

RULES = Settings(sign_in_free_attempts=2, sign_in_address_attempts=5, second_factor_free_attempts=3)
HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def throttle(service: Service) -> Throttle:
    return Throttle(service.database, RULES)


async def is_delayed(throttle: Throttle, name: str, network: str) -> bool:
    try:
        await throttle.begin(name, network)
    except SlowDown:
        return True
    return False


async def test_wrong_passwords_from_one_address_delay_no_other_address_of_the_same_person(
    throttle: Throttle,
) -> None:
    for _ in range(3):
        await throttle.begin("ann", HOME)
    assert await is_delayed(throttle, "ann", HOME)
    assert not await is_delayed(throttle, "ann", ELSEWHERE)
    assert not await is_delayed(throttle, "bob", HOME)


async def test_an_address_that_tries_many_names_is_delayed_though_it_signs_in_as_itself_in_between(
    throttle: Throttle,
) -> None:
    for number in range(6):
        await throttle.begin(f"victim{number}", HOME)
        if number < 5:
            await throttle.begin("mallory", HOME)
            await throttle.withdraw("mallory", HOME)
            await throttle.forget("mallory", HOME)
    assert await is_delayed(throttle, "victim9", HOME)


async def test_codes_for_one_person_are_counted_over_all_addresses(throttle: Throttle) -> None:
    for number in range(4):
        await throttle.begin_code("ann", f"198.51.100.{number}")
    await throttle.withdraw_code("ann", "198.51.100.3")
    await throttle.begin_code("ann", "198.51.100.4")
    with pytest.raises(SlowDown):
        await throttle.begin_code("ann", "198.51.100.5")
    assert not await is_delayed(throttle, "ann", "198.51.100.6")
    await throttle.begin_code("bob", "198.51.100.5")


@both_kinds
async def test_processes_count_together_and_attempts_at_one_time_one_after_the_other(
    service: Service,
) -> None:
    with Database(service.settings, service.clock) as other:
        both = (Throttle(service.database, RULES), Throttle(other, RULES))
        tried = await asyncio.gather(*(is_delayed(both[n % 2], "ann", HOME) for n in range(8)))
        assert tried.count(False) == 3  # the two free ones, and the one whose delay begins with it
        assert await is_delayed(both[0], "ann", HOME)
        service.clock.forward(seconds=1)
        assert not await is_delayed(both[1], "ann", HOME)
        await both[0].withdraw("ann", HOME)
        await both[1].forget("ann", HOME)
        assert not await is_delayed(both[0], "ann", HOME)


@both_kinds
def test_the_table_is_bounded_and_failures_are_forgotten(service: Service) -> None:
    def flood(conn: Connection, now: int) -> list[int]:
        for number in range(20):
            attempts.count(conn, [b"%d" % number], now + number, forgotten=now)
        attempts.prune(conn, now, 5)
        sizes = [attempts.size(conn)]
        attempts.count(conn, [b"19"], now + HOUR, forgotten=now + HOUR - SECOND)
        attempts.prune(conn, now + HOUR, 5)
        sizes.append(attempts.size(conn))
        assert attempts.read(conn, [b"19", b"3"]) == {b"19": attempts.Failures(1, now + HOUR)}
        return sizes

    assert service.database.write_now(flood) == [5, 1]
