"""What the release before the great refactoring has kept is answered as before, on the database that it filled.

The database (see `released`) holds seventy and some tickets of all desks, which have three versions each: tickets long
closed, folded or let go of, one parked, some merged, in line or under way today; keys with their sessions, subscriptions
with deliveries that arrived, wait or were given up, deliveries of ticket systems with their snapshots, breaches that
somebody has seen.
"""

from collections.abc import Iterator

import pytest

from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.store.engine.database import Database
from tests.golden.same import Difference, shown, unlike
from tests.servers.databases import Databases
from tests.service import Service, WallClock, event
from tests.store.released import NOW, Json, answered, keys_of, opens, recorded, restore
from tests.web.room import room_on


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """The database of that release."""
    with databases.new() as made:
        restore(databases.kind, made)
        yield made


@pytest.fixture
def then(databases: Databases) -> Json:
    return recorded(databases.kind)


def test_everything_is_answered_as_before(url: str, then: Json) -> None:
    found: list[Difference] = []
    with room_on(url) as room:
        for path, answer in then["answers"].items():
            found += unlike(answer, answered(room, path), path)
    assert not found, shown(found)


def test_keys_and_sessions_open_what_they_opened_and_no_more(url: str, then: Json) -> None:
    assert unlike(then["keys"], keys_of(url)) == []
    with room_on(url) as room:
        now = {
            name: opens(room, one["secret"], as_cookie=one["as_cookie"])
            for name, one in then["secrets"].items()
        }
    assert now == {name: one["status"] for name, one in then["secrets"].items()}


def faults(service: Service) -> list[str]:
    now = service.database.now()
    checks = service.database.read_now(lambda conn: list(run_checks(conn, service.catalogue, now)))
    return [check.name for check in checks if check.verdict is Verdict.FAULT]


def test_the_doctor_finds_everything_well_and_it_goes_on(url: str, then: Json) -> None:
    clock = WallClock()
    clock.now = NOW
    settings = Settings(database_url=url)
    with Database(settings, clock) as database:
        service = Service(settings, database, clock)
        assert faults(service) == [name for name, verdict, _ in then["checks"] if verdict == "fault"]
        assert faults(service) == ["no ticket is parked"]
        told = len(service.signals())
        clock.forward(hours=1)
        service.sweeper.sweep_now()
        assert faults(service) == [], "the parked ticket was tried again"
        reply = event("f-new", "agent.replied", "friday-claim", "2026-03-06T16:00:00+01:00", desk="hvn")
        known = event(
            "f-call", "call.registered", "friday-parked", "2026-03-06T09:12:00+01:00", desk="phpnet"
        )
        receipt = service.push(reply, known)
        assert (receipt.accepted, receipt.repeated, receipt.refused) == (1, 1, [])
        clock.forward(days=30)
        service.sweeper.sweep_now()
        assert faults(service) == []
        assert len(service.signals()) > told
