"""What deliveries say, whenever they are read: in any order, once, again after the mapping was mended, after a stop."""

import asyncio
import json
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.flow.judge.receive import Incoming
from app.intake.adapter import Adapter
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.settings import Settings
from app.sla.event import Event
from app.store.engine.database import Database
from app.store.inbound.hooks import HookState
from tests.flow.door import Door, samples
from tests.servers.databases import Databases
from tests.service import Service, WallClock, at
from tests.waiting import until_true

NOW = "2026-03-09T10:00:00+01:00"


@pytest.fixture
def door(service: Service) -> Door:
    service.clock.set(NOW)
    return Door(service)


def zammad(state: str, when: str, ticket: int = 81, **more: Any) -> dict[str, Any]:
    """A Zammad delivery without an article."""
    return {
        "ticket": {
            "id": ticket,
            "title": "Checkout returns 502",
            "state": state,
            "priority": {"name": "2 normal"},
            "created_at": "2026-03-02T09:00:00Z",
            "updated_at": when,
            **more,
        },
        "article": {},
    }


def standing(door: Door, ticket: str) -> dict[str, Any]:
    """A ticket as it is known, but for when that was learnt."""
    view = door.service.view("haisoft", ticket)
    for clock in view["clocks"]:
        clock["detected_at"] = None
    return view


def states(door: Door) -> list[str]:
    return [row[0] for row in door.service.rows("SELECT state FROM hook ORDER BY seq")]


async def test_a_life_in_order_ends_as_the_system_says(door: Door) -> None:
    plug, _ = door.connect("zendesk")
    for body, headers in samples(
        "zendesk", "01_created", "02_priority_changed", "04_agent_reply", "11_solved"
    ):
        await door.deliver(plug, body, headers)
    assert await door.reader.read_all() == 4
    view = standing(door, "5158")
    assert (view["status"], view["priority"]) == ("solved", "high")
    assert set(states(door)) == {"done"}


DELIVERED = [
    zammad("new", "2026-03-02T09:00:00Z"),
    zammad("open", "2026-03-02T09:04:10Z", priority={"name": "3 high"}),
    zammad("pending reminder", "2026-03-02T09:12:30Z", priority={"name": "3 high"}),
    zammad("open", "2026-03-02T10:05:45Z", title="Checkout and cart return 502"),
    zammad(
        "open", "2026-03-02T10:05:45Z", title="Checkout and cart return 502", owner={"email": "a@b.example"}
    ),
    zammad("closed", "2026-03-02T13:30:00Z"),
    zammad("open", "2026-03-02T15:10:00Z"),
]
RULES = """
[[sources.zammad.rules]]
when = { status = "open" }
then = "intervention.started"
"""


def lived(databases: Databases, batches: list[list[Any]], system: str = "zammad") -> list[dict[str, Any]]:
    """Every ticket in the end, when deliveries came and were read in these batches, in a database of their own."""
    clock = WallClock()
    clock.set(NOW)
    with databases.copy_of(with_haisoft) as url, Database(settings_of(url), clock) as database:
        service = Service(settings_of(url), database, clock)
        return asyncio.run(_lived(Door(service), batches, system))


async def _lived(door: Door, batches: list[list[Any]], system: str) -> list[dict[str, Any]]:
    door.map(RULES)
    plug, _ = door.connect(system)
    for batch in batches:
        for body in batch:
            await door.deliver(plug, body)
        await door.reader.read_all()
    assert set(states(door)) <= {"done", "ignored"}
    tickets = [row[0] for row in door.service.rows("SELECT ticket FROM ticket ORDER BY ticket")]
    return [standing(door, ticket) for ticket in tickets]


def settings_of(url: str) -> Settings:
    return Settings(database_url=url)


def with_haisoft(url: str) -> None:
    """A database with one desk in force."""
    with Database(settings_of(url), WallClock()) as database:
        Service(settings_of(url), database, WallClock()).apply_shipped("haisoft")


@given(
    order=st.lists(st.sampled_from(DELIVERED), max_size=4).map(list),
    seed=st.integers(0, 999),
    size=st.integers(1, 4),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_snapshots_in_any_order_and_repetition_end_alike(
    sqlite_databases: Databases, order: list[Any], seed: int, size: int
) -> None:
    every = [*DELIVERED, *order]
    random.Random(seed).shuffle(every)
    batches = [every[n : n + size] for n in range(0, len(every), size)]
    assert lived(sqlite_databases, batches) == lived(sqlite_databases, [DELIVERED])


@pytest.mark.parametrize("system", ["zammad", "zendesk", "glpi"])
def test_a_whole_life_shuffled_and_repeated_ends_alike(databases: Databases, system: str) -> None:
    life = [body for body, _ in samples(system)]
    shuffled = life * 2
    random.Random(7).shuffle(shuffled)
    one_by_one = [[body] for body in reversed(life)]
    in_order = lived(databases, [life], system)
    assert in_order
    assert lived(databases, [shuffled], system) == in_order
    assert lived(databases, one_by_one, system) == in_order


async def test_an_unmapped_status_leaves_the_clocks_alone_and_is_listed(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.receive(
        plug,
        zammad("open", "2026-03-02T09:00:00Z"),
        zammad("waiting for vendor", "2026-03-02T09:30:00Z"),
    )
    assert standing(door, "81")["status"] == "open"
    (listed,) = door.inbox().deliveries
    assert (listed.state, listed.warnings) == (
        HookState.DONE,
        ("status 'waiting for vendor' of zammad is not mapped",),
    )


@pytest.mark.parametrize("mended_before", [1, 2, 3])
async def test_running_again_gives_what_an_immediate_success_gives(
    databases: Databases, door: Door, mended_before: int
) -> None:
    mapping = RULES + '[sources.zammad.statuses]\n"waiting for vendor" = "on_hold"\n'
    given = [
        zammad("waiting for vendor", "2026-03-02T09:00:00Z"),
        zammad("open", "2026-03-02T09:30:00Z"),
        zammad("waiting for vendor", "2026-03-02T10:00:00Z", priority={"name": "3 high"}),
        zammad("closed", "2026-03-02T11:00:00Z"),
    ]
    plug, _ = door.connect("zammad")
    door.map(RULES)
    await door.receive(plug, *given[:mended_before])
    door.map(mapping)
    await door.receive(plug, *given[mended_before:])
    assert not door.inbox().empty
    done = await door.run_again()
    assert (done.left, door.inbox().empty) == (0, True)
    assert done.deliveries >= 1
    right = standing(door, "81")
    await door.run_again()
    assert standing(door, "81") == right
    other = zammad_elsewhere(given)
    await door.receive(plug, *other)
    assert {**standing(door, "82"), "ticket": "81", "queue": None} == {**right, "queue": None}


def zammad_elsewhere(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same life of another ticket."""
    return [{**body, "ticket": {**body["ticket"], "id": 82}} for body in bodies]


async def test_a_delivery_that_cannot_be_read_is_kept_whole_and_holds_nobody_up(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.receive(plug, b"{no json", zammad("open", "2026-03-02T09:00:00Z"))
    (listed,) = door.inbox().deliveries
    kept = door.hook(listed.id)
    assert (kept.body, kept.state, states(door)) == (b"{no json", HookState.KEPT, ["kept", "done"])
    assert kept.reason is not None
    assert "line 1, column 2" in kept.reason


async def test_reading_again_what_still_cannot_be_read_keeps_it(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.receive(plug, b"{no json")
    done = await door.run_again()
    assert (done.deliveries, done.left, states(door)) == (1, 1, ["kept"])


async def test_a_connection_test_means_nothing(door: Door) -> None:
    plug, _ = door.connect("zammad")
    headers, body = plug.test(door.service.database.now())
    await door.acceptor.accept("haisoft", "zammad", InboundRequest.of(headers, body, 0))
    await door.reader.read_all()
    assert (states(door), door.inbox().empty) == (["ignored"], True)
    assert door.service.rows("SELECT count(*) FROM event")[0][0] == 0


async def test_an_event_ahead_of_now_is_kept_and_read_again_in_its_time(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.receive(plug, zammad("open", "2026-03-09T12:00:00Z", created_at="2026-03-09T12:00:00Z"))
    (kept,) = door.inbox().deliveries
    assert "ahead of now" in (kept.reason or "")
    door.service.clock.set("2026-03-09T13:00:00Z")
    await door.run_again()
    assert (door.inbox().empty, standing(door, "81")["status"]) == (True, "open")


def reads(read: Any) -> dict[str, Adapter]:
    return {"odd": Adapter("odd", "Odd", ("hub-sha1",), read)}


async def test_a_reader_that_fails_keeps_the_delivery_and_harms_no_other(service: Service) -> None:
    def read(delivery: InboundRequest, source: Source) -> Reading:
        said = json.loads(delivery.body)
        return Reading((Event(said["id"], "ticket.created", said["ticket"], at(NOW), {"title": "x"}),))

    service.clock.set(NOW)
    door = Door(service, reads(read))
    plug, _ = door.connect("odd")
    await door.receive(plug, {"id": "e1"}, {"id": "e2", "ticket": "T2"})
    assert states(door) == ["kept", "done"]
    (kept,) = door.inbox().deliveries
    reason = f"reading it failed by a defect of the service, KeyError; see the log for {kept.id}"
    assert kept.reason == reason
    assert standing(door, "T2")["title"] == "x"


async def test_what_the_database_refuses_fails_alone(service: Service) -> None:
    def read(delivery: InboundRequest, source: Source) -> Reading:
        ticket = json.loads(delivery.body)
        # No database takes an integer of this size; the reading itself is a good one.
        when = 2**80 if ticket == "bad" else at(NOW)
        return Reading(
            (Event(f"{ticket}-created", "ticket.created", ticket, when - (when - at(NOW)), {}, when),)
        )

    service.clock.set(NOW)
    door = Door(service, reads(read))
    plug, _ = door.connect("odd")
    for ticket in ("T1", "bad", "T2"):
        await door.deliver(plug, ticket)
    for _ in range(service.settings.inbound_max_attempts):
        try:
            await door.reader.read_all()
        except (OverflowError, *Database.failures):
            continue
    assert states(door) == ["done", "kept", "done"]
    assert standing(door, "T2")["created_at"] is not None


async def test_what_two_deliveries_say_stands_until_both_say_otherwise(service: Service) -> None:
    said: dict[str, Any] = {"mapped": False}

    def read(delivery: InboundRequest, source: Source) -> Reading:
        own = json.loads(delivery.body)
        reply = Event("r", "agent.replied", "T", at("2026-03-09T09:30:00+01:00"), {"author": "agent"})
        born = Event("c", "ticket.created", "T", at("2026-03-09T09:00:00+01:00"), {"title": "x"})
        events = (born,) if said["mapped"] and own in said.get("gone", ()) else (born, reply)
        return Reading(events, warnings=("word",))

    service.clock.set(NOW)
    door = Door(service, reads(read))
    plug, _ = door.connect("odd")
    await door.receive(plug, 1, 2)
    said.update(mapped=True, gone=(1,))
    await door.run_again()
    assert service.rows("SELECT event_id FROM event ORDER BY event_id") == [("c",), ("r",)]
    said.update(gone=(1, 2))
    await door.run_again()
    await door.run_again()
    assert len(service.rows("SELECT event_id FROM event WHERE type = 'event.withdrawn'")) == 1
    assert service.clock_of("haisoft", "T", "ticket-response")["state"] != "stopped"
    said.update(mapped=False)
    await door.run_again()
    assert service.clock_of("haisoft", "T", "ticket-response")["state"] == "stopped"


async def test_a_contradiction_of_another_delivery_is_listed_and_the_first_stands(service: Service) -> None:
    def read(delivery: InboundRequest, source: Source) -> Reading:
        title = json.loads(delivery.body)
        return Reading((Event("c", "ticket.created", "T", at(NOW), {"title": title}),))

    service.clock.set(NOW)
    door = Door(service, reads(read))
    plug, _ = door.connect("odd")
    await door.receive(plug, "first", "second")
    (listed,) = door.inbox().deliveries
    assert "differs from the stored event" in listed.warnings[0]
    assert standing(door, "T")["title"] == "first"


async def test_a_withdrawal_by_a_person_outlives_a_repetition(door: Door) -> None:
    plug, _ = door.connect("zendesk")
    (body, headers), reply = samples("zendesk", "01_created", "04_agent_reply")
    await door.deliver(plug, body, headers)
    await door.deliver(plug, *reply)
    await door.reader.read_all()
    ((event_id,),) = door.service.rows("SELECT event_id FROM event WHERE type = 'agent.replied'")
    taken_back = Event(
        "w", "event.withdrawn", "5158", at(NOW), {"id": event_id, "author": "Ann", "reason": "x"}
    )
    door.service.push(Incoming.of("haisoft", taken_back))
    again = json.loads(reply[0]) | {"id": "another-delivery"}
    await door.deliver(plug, again, reply[1])
    await door.reader.read_all()
    assert len(door.service.rows("SELECT 1 FROM event WHERE type = 'agent.replied'")) == 1


async def test_texts_that_no_database_holds_are_cut_and_cleaned(service: Service) -> None:
    def read(delivery: InboundRequest, source: Source) -> Reading:
        data = {"title": "a\0b", "tags": ["x" * 70_000]}
        return Reading((Event("c", "ticket.created", "T", at(NOW), data),))

    service.clock.set(NOW)
    door = Door(service, reads(read))
    plug, _ = door.connect("odd")
    await door.receive(plug, 1)
    assert standing(door, "T")["title"] == "ab"
    ((data,),) = service.rows("SELECT data FROM event")
    assert len(json.loads(data)["tags"][0]) == service.settings.max_text_length


async def test_a_stop_before_reading_loses_nothing(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.deliver(plug, zammad("open", "2026-03-02T09:00:00Z"))
    another = Door(door.service)
    assert await another.reader.read_all() == 1
    assert await door.reader.read_all() == 0
    assert standing(door, "81")["status"] == "open"


async def test_two_processes_read_each_delivery_once(databases: Databases, door: Door) -> None:
    plug, _ = door.connect("zammad")
    for ticket in range(40):
        await door.deliver(
            plug, zammad("open", "2026-03-02T09:00:00Z", ticket=ticket % 10, title=f"T{ticket}")
        )
    with Database(door.service.settings, door.service.clock) as second:
        other = Door(Service(door.service.settings, second, door.service.clock))
        counts = await asyncio.gather(door.reader.read_all(), other.reader.read_all())
    assert (sum(counts), set(states(door))) == (40, {"done"})
    creations = door.service.rows("SELECT count(*) FROM event WHERE type = 'ticket.created'")[0][0]
    withdrawn = door.service.rows("SELECT count(*) FROM event WHERE type = 'event.withdrawn'")[0][0]
    assert creations - withdrawn <= 10


async def test_a_commit_wakes_the_running_reader(service: Service) -> None:
    service.clock.set(NOW)
    door = Door(service, inbound_poll_interval=timedelta(hours=1))  # polling would not find it
    plug, _ = door.connect("zammad")
    door.reader.start()
    try:
        await door.deliver(plug, zammad("open", "2026-03-02T09:00:00Z"))
        await until_true(lambda: states(door) == ["done"])
    finally:
        await door.reader.stop()
    assert standing(door, "81")["status"] == "open"


async def test_reading_gives_way_to_a_crowd_at_the_door_and_comes_to_its_end(door: Door) -> None:
    plug, _ = door.connect("zammad")
    for ticket in range(3 * door.service.settings.inbound_batch_size):
        await door.deliver(plug, zammad("open", "2026-03-02T09:00:00Z", ticket=ticket))
    looks: list[None] = []
    door.reader.throttle_while(lambda: looks.append(None) is None)
    door.reader.start()
    try:
        await until_true(lambda: "pending" not in states(door))
    finally:
        await door.reader.stop()
    assert len(looks) > 3


async def test_what_was_understood_long_ago_is_removed_and_the_inbox_stays(door: Door) -> None:
    plug, _ = door.connect("zammad")
    await door.receive(
        plug,
        zammad("open", "2026-03-02T09:00:00Z"),
        zammad("Foo", "2026-03-02T09:10:00Z"),
        b"{",
    )
    door.service.clock.forward(days=13)
    assert await door.reader.prune() == 0
    door.service.clock.forward(days=2)
    assert await door.reader.prune() == 1
    assert sorted(states(door)) == ["done", "kept"]
    assert standing(door, "81")["status"] == "open"


async def test_a_file_of_sources_that_is_gone_from_the_desk_keeps_its_deliveries(service: Service) -> None:
    service.clock.set(NOW)
    door = Door(service, reads(lambda delivery, source: Reading()))
    plug, _ = door.connect("odd")
    await door.deliver(plug, 1)
    other = Door(service)
    await other.reader.read_all()
    (kept,) = other.inbox().deliveries
    assert (kept.state, "odd" in (kept.reason or "")) == (HookState.KEPT, True)
    await door.run_again()
    assert (states(door), door.inbox().empty) == (["ignored"], True)


async def test_the_signals_of_a_delivery_bear_its_id(door: Door) -> None:
    plug, _ = door.connect("zammad")
    accepted = await door.deliver(plug, zammad("open", "2026-03-09T08:50:00Z"))
    await door.reader.read_all()
    assert {row[0] for row in door.service.rows("SELECT trace FROM event")} == {accepted.id}
