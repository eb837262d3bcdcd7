"""What the release before the great refactoring has kept is answered as before, on the database that it filled.

The database (see `released`) holds seventy and some tickets of all desks, which have three versions each: tickets long
closed, folded or let go of, one parked, some merged, in line or under way today; keys with their sessions, subscriptions
with deliveries that arrived, wait or were given up, deliveries of ticket systems with their snapshots, breaches that
somebody has seen.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from app.flow.process.invariants import Verdict, run_checks
from app.settings import Settings
from app.store.engine.database import Database
from tests.golden.same import Difference, shown, unlike
from tests.servers.databases import Databases
from tests.service import Service, WallClock, event
from tests.store.released import NOW, Json, answered, keys_of, opens, recorded, restore
from tests.web.room import room_on

CHANGED = ("2ha2", "2cl4", "2ph4", "friday-parked")
"""Tickets of which this release reads more: a customer wrote in a ticket that had been merged into the first three, and
the failure for which the last was parked is over."""


def unchanged(answer: Any) -> Any:
    """An answer without the entries of those tickets."""
    if isinstance(answer, list):
        return [
            unchanged(each)
            for each in answer
            if not (isinstance(each, dict) and each.get("ticket") in CHANGED)
        ]
    return {key: unchanged(value) for key, value in answer.items()} if isinstance(answer, dict) else answer


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """The database of that release."""
    with databases.new() as made:
        restore(databases.kind, made)
        yield made


def swept(url: str) -> None:
    """Start this release, which evaluates every ticket again."""
    clock = WallClock()
    clock.now = NOW
    settings = Settings(database_url=url)
    with Database(settings, clock) as database:
        Service(settings, database, clock).sweeper.sweep_now()


@pytest.fixture
def then(databases: Databases) -> Json:
    return recorded(databases.kind)


def test_everything_is_answered_as_before(url: str, then: Json) -> None:
    found: list[Difference] = []
    swept(url)
    with room_on(url) as room:
        for path, answer in then["answers"].items():
            if not path.endswith(CHANGED):
                # Retracted breaches were listed unasked.
                now = answered(room, path.replace("/v1/breaches?", "/v1/breaches?retracted=true&"))
                found += unlike(unchanged(answer), unchanged(now), path)
        waits = room.get("/v1/tickets/clamehost/2cl4").json()["queue"]
        (reply,) = [
            clock
            for clock in room.get("/v1/tickets/haisoft/2ha2").json()["clocks"]
            if clock["commitment"] == "next-reply"
        ]
    # One more waits in the queue of 2cl4.
    found = [each for each in found if not (each[0].endswith(".queue.length") and each[1:] == (2, 3))]
    assert not found, shown(found)
    assert (waits["position"], waits["length"], waits["joined_at"]) == (3, 3, "2026-01-16T18:30:00Z")
    assert (reply["started_at"], reply["breached_at"]) == ("2026-01-02T08:30:00Z", "2026-01-08T06:00:00Z")


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
        assert [name for name, verdict, _ in then["checks"] if verdict == "fault"] == ["no ticket is parked"]
        told = len(service.signals())
        service.sweeper.sweep_now()
        assert faults(service) == [], "every ticket was evaluated again, the parked one too"
        clock.forward(hours=1)
        service.sweeper.sweep_now()
        assert faults(service) == []
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
