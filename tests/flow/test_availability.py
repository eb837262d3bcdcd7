"""Services: warnings, breaches and retractions of their uptimes, in the stream, the list of breaches and deliveries."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from app.flow.judge.incoming import Incoming
from app.flow.outbound import subscribe
from app.flow.outbound.subscribe import SubscriptionSpec
from app.flow.process.invariants import Verdict, run_checks
from app.flow.query import tickets
from app.flow.query.availability import AvailabilityLimits, AvailabilityQuestion, availability
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo
from app.sla.span import instant
from app.sla.subject import Subject
from app.store.engine.database import Database
from app.store.outbound.subscriptions import Channel
from app.store.tickets import schedule, subjects
from app.store.tickets.breaches import BreachFilters
from tests.servers.databases import UNHURRIED, PostgresDatabases, SqliteDatabases
from tests.service import Service, WallClock, event, with_desks_in_force

NETWORK = "service:network"
MARCH = "2026-03"
NOON = "2026-03-02T12:00:00+01:00"
ALLOWED = timedelta(hours=743) * 5 / 10_000
"""What "> 99.95%" leaves of a March with a clock change: 22 min 17.4 s."""


def after(length: timedelta, since: str = NOON) -> str:
    return (instant_of(since) + length).isoformat()


def instant_of(written: str) -> datetime:
    return datetime.fromisoformat(written)


EXCLUDED: dict[str, Any] = {
    "from": NOON,
    "to": "2026-03-02T13:00:00+01:00",
    "author": "lead",
    "reason": "agreed",
}


def started(event_id: str = "start", time: str = NOON, /, **data: Any) -> Incoming:
    return event(event_id, "outage.started", NETWORK, time, **data)


def ended(event_id: str, time: str, /, **data: Any) -> Incoming:
    return event(event_id, "outage.ended", NETWORK, time, **data)


def kinds(service: Service) -> list[str]:
    return [
        signal["kind"].removeprefix("availability.")
        for signal in service.signals()
        if signal["kind"].startswith("availability.")
    ]


def sweep_until(service: Service, written: str) -> None:
    """Let the sweep run at every instant that is due until another."""
    until = instant_of(written)
    while (next_at := service.database.read_now(schedule.next_at)) is not None and instant(next_at) <= until:
        service.clock.now = max(service.clock.now, next_at)
        service.sweeper.sweep_now()
    service.clock.set(written)


def test_an_open_outage_is_warned_of_and_breached_at_its_instants(service: Service) -> None:
    service.clock.set(NOON)
    service.push(started(resource="srv-1"))
    sweep_until(service, after(timedelta(hours=1)))
    signals = [signal for signal in service.signals() if signal["kind"].startswith("availability.")]
    assert [(each["kind"], each["at"], each["detected_at"], each["resource"]) for each in signals] == [
        (kind, at, at, resource)
        for kind, at in [
            ("availability.warned", "2026-03-02T11:11:08.700000Z"),
            ("availability.warned", "2026-03-02T11:17:49.920000Z"),
            ("availability.breached", "2026-03-02T11:22:17.400000Z"),
        ]
        for resource in (None, "srv-1")
    ]
    breach = signals[-1]
    assert (breach["subject"], breach["ticket"], breach["service"]) == (NETWORK, None, "network")
    assert (breach["commitment"], breach["commitment_kind"]) == ("network-uptime", "guarantee")
    assert (breach["period"], breach["uptime"], breach["state"]) == (MARCH, "99.9500", "breached")
    assert (breach["downtime_seconds"], breach["remaining_seconds"]) == (1337.4, 0)
    assert breach["clock"] is None
    assert (signals[0]["threshold"], signals[0]["occurrence"], signals[1]["occurrence"]) == (
        "50%",
        "50%",
        "50% srv-1",
    )


def test_a_breach_is_in_the_list_with_its_service_and_can_be_acknowledged(service: Service) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(started())
    (found,) = service.database.read_now(
        lambda conn: tickets.breaches_page(conn, BreachFilters(), None, 10)
    ).items
    assert (found.subject.text, found.clock_state) == (NETWORK, None)
    seen = service.database.write_now(lambda conn, now: tickets.acknowledge(conn, found.id, "Ann", None, now))
    assert seen is not None
    assert seen.acknowledgement is not None


def test_a_breach_is_delivered_to_who_subscribed(service: Service) -> None:
    wanted = SubscriptionSpec(
        "haisoft", Channel.WEBHOOK, "https://example.org/", ("availability.breached",), {}, "en", ""
    )
    service.database.write_now(lambda conn, now: subscribe.create(conn, wanted, now))
    service.clock.set(after(timedelta(hours=1)))
    service.push(started())
    assert service.rows("SELECT ticket, state FROM delivery") == [(NETWORK, "pending")]


@pytest.mark.parametrize(
    "undone",
    [
        event("x", "event.withdrawn", NETWORK, "2026-03-02T14:00:00+01:00", id="start"),
        event("x", "exclusion.granted", NETWORK, "2026-03-02T14:00:00+01:00", **EXCLUDED),
        ended("x", after(timedelta(minutes=20))),
    ],
    ids=["a withdrawal", "an exclusion", "an end that came late"],
)
def test_what_shows_that_it_was_kept_retracts_the_breach_with_its_cause(
    service: Service, undone: Incoming
) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(
        started(),
        *([] if undone.event.type == "outage.ended" else [ended("end", after(timedelta(minutes=50)))]),
    )
    service.clock.set(after(timedelta(hours=3)))
    service.push(undone)
    assert kinds(service)[:2] == ["breached", "breach_retracted"]
    breached, retracted = service.signals("availability.breached", "availability.breach_retracted")
    assert (retracted["replaces"], retracted["at"]) == (breached["id"], breached["at"])
    assert retracted["cause_detail"] == {
        "code": "event_received",
        "ref": "x",
        "params": {"type": undone.event.type},
    }
    service.push(event("x2", "event.withdrawn", NETWORK, NOON, id="x"))
    (again,) = service.signals("availability.breached")[1:]
    assert (again["generation"], again["at"]) == (1, breached["at"])


def test_a_breach_of_a_resource_that_only_a_withdrawn_fact_named_is_retracted(service: Service) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(started(resource="srv-1"))
    service.push(event("x", "event.withdrawn", NETWORK, NOON, id="start"))
    assert kinds(service)[-4:] == ["breached"] * 2 + ["breach_retracted"] * 2
    retracted = service.signals("availability.breach_retracted")
    assert [each["resource"] for each in retracted] == [None, "srv-1"]
    service.push(started("again", resource="srv-1"))
    assert kinds(service)[-2:] == ["breached"] * 2


def test_an_outage_of_a_month_that_is_over_is_withdrawn_within_the_hour(service: Service) -> None:
    service.clock.set("2026-05-20T12:00:00+02:00")
    service.push(started(), ended("end", after(timedelta(hours=1))))
    service.clock.set("2026-05-20T12:00:05+02:00")
    service.push(event("x", "event.withdrawn", NETWORK, NOON, id="start"))
    assert kinds(service) == ["breached", "breach_retracted"]


def test_an_earlier_outage_that_comes_late_moves_the_breach(service: Service) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(started(), ended("end", after(timedelta(minutes=30))))
    (breached,) = service.signals("availability.breached")
    earlier = "2026-03-01T12:00:00+01:00"
    service.push(
        started("s2", earlier, reference="r"),
        ended("e2", after(timedelta(minutes=10), earlier), reference="r"),
    )
    (moved,) = service.signals("availability.breach_moved")
    assert (moved["replaces"], moved["old_at"], moved["new_at"]) == (
        breached["id"],
        breached["at"],
        moved["at"],
    )
    assert moved["at"] == "2026-03-02T11:12:17.400000Z"
    (listed,) = service.database.read_now(
        lambda conn: tickets.breaches_page(conn, BreachFilters(), None, 10)
    ).items
    assert (listed.id, instant(listed.corrected_at or 0)) == (breached["id"], instant_of(moved["at"]))


def test_a_fact_about_an_ended_month_judges_that_month_again(service: Service) -> None:
    service.clock.set("2026-05-20T12:00:00+02:00")
    service.push(started("s", NOON), ended("e", after(timedelta(hours=1))))
    (breached,) = service.signals("availability.breached")
    assert (breached["period"], breached["state"]) == (MARCH, "breached")
    service.clock.set("2026-06-20T12:00:00+02:00")
    service.push(event("v", "outage.verified", NETWORK, NOON, cause="hardware"))
    assert kinds(service) == ["breached"]
    service.push(event("w", "event.withdrawn", NETWORK, NOON, id="s"))
    assert kinds(service) == ["breached", "breach_retracted"]


def test_a_breach_of_a_resource_that_no_fact_names_any_more_is_retracted(service: Service) -> None:
    service.clock.set(after(timedelta(hours=3)))
    service.push(started("s", resource="srv-1"), ended("e", after(timedelta(hours=1)), resource="srv-1"))
    before = [kind for kind in kinds(service) if kind == "breached"]
    gone = [
        event(f"w{of}", "event.withdrawn", NETWORK, after(timedelta(hours=3)), id=of) for of in ("s", "e")
    ]
    service.push(*gone)
    assert (len(before), kinds(service).count("breach_retracted")) == (2, 2)


def test_an_outage_that_stays_open_is_a_breach_of_every_month_up_to_the_limit(service: Service) -> None:
    service.clock.set("2026-06-20T12:00:00+02:00")
    service.push(started("s", "2019-01-01T00:00:00+01:00"))
    periods = [signal["period"] for signal in service.signals("availability.breached")]
    assert (len(periods), periods[0], periods[-1]) == (25, "2024-06", "2026-06")
    sweep_until(service, "2026-08-20T12:00:00+02:00")
    assert [signal["period"] for signal in service.signals("availability.breached")][25:] == [
        "2026-07",
        "2026-08",
    ]


def test_the_sweep_sleeps_while_nothing_is_down_and_to_the_next_month_where_nothing_is_judged(
    service: Service,
) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(started("s"), ended("e", after(timedelta(minutes=1))))
    assert service.database.read_now(schedule.next_at) is None
    service.push(event("o", "outage.started", "service:of another kind", NOON))
    assert service.database.read_now(schedule.next_at) == service.clock.set("2026-04-01T00:00:00+02:00")
    assert kinds(service) == []


def test_a_new_version_judges_the_running_month_where_it_applies_to_what_is_open(service: Service) -> None:
    text = (
        'desk = "haisoft"\n[[commitments]]\nid = "r"\nkind = "guarantee"\nstarts_on = ["ticket.created"]\n'
        'stops_on = ["agent.replied"]\ntarget = "2h"\ncalendar = "always"\n[[availability]]\n'
        'id = "network-uptime"\nkind = "objective"\nservices = ["Network"]\ntarget = ">= 90%"\n'
    )
    service.clock.set(after(timedelta(hours=1)))
    service.push(started("s"), ended("e", after(timedelta(minutes=40))))
    service.apply_agreement("haisoft", text)
    service.clock.forward(minutes=1)
    service.sweeper.sweep_now()
    assert kinds(service) == ["breached"]
    service.apply_agreement("haisoft", text.replace("90", "91"), AppliesTo.OPEN)
    service.clock.forward(minutes=1)
    service.sweeper.sweep_now()
    assert kinds(service) == ["breached", "breach_retracted"]
    (retracted,) = service.signals("availability.breach_retracted")
    assert retracted["cause_detail"]["code"] == "version_applied"


def test_the_doctor_finds_no_fault_in_breaches_of_several_resources(service: Service) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(started("a", resource="srv-1"), started("b", resource="srv-2"))
    assert len(service.signals("availability.breached")) == 3
    checks = service.database.read_now(
        lambda conn: list(run_checks(conn, service.catalogue, service.database.now()))
    )
    assert [check for check in checks if check.verdict is Verdict.FAULT] == []


# -- Names without case ------------------------------------------------------------------------------------------------


def uptimes(service: Service) -> list[dict[str, Any]]:
    question = AvailabilityQuestion(
        service.database.now(), id="network-uptime", service="Network", resource=""
    )
    limits = AvailabilityLimits(objects=10, outages=10)
    return service.database.read_now(
        lambda conn: availability(conn, service.catalogue, "haisoft", question, limits).documents
    )


def of_service(name: str, event_id: str, type_: str, time: str, /, **data: Any) -> Incoming:
    return event(event_id, type_, f"service:{name}", time, **data)


def test_a_service_that_is_written_in_two_ways_has_one_uptime_under_the_name_of_its_first_fact(
    service: Service,
) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(of_service("NetWork", "s", "outage.started", NOON))
    service.push(of_service("network", "e", "outage.ended", after(timedelta(minutes=10))))
    service.push(of_service("network", "s2", "outage.started", after(timedelta(minutes=30))))
    service.push(of_service("NETWORK", "e2", "outage.ended", after(timedelta(minutes=45))))
    (found,) = uptimes(service)
    assert (found["service"], found["downtime_seconds"], found["flags"]) == ("NetWork", 25 * 60, [])
    assert [outage["service"] for outage in found["outages"]] == ["NetWork", "NetWork"]
    signals = [each for each in service.signals() if each["kind"].startswith("availability.")]
    assert [each["kind"].removeprefix("availability.") for each in signals] == [
        "breached",
        "breach_retracted",
        "breached",
    ]
    assert {(each["subject"], each["service"]) for each in signals} == {("service:NetWork", "NetWork")}


def test_the_events_of_a_service_keep_their_text_and_one_row_schedules_it(service: Service) -> None:
    service.clock.set(after(timedelta(minutes=5)))
    service.push(of_service("NetWork", "s", "outage.started", NOON))
    service.push(of_service("network", "e", "outage.ended", after(timedelta(minutes=2))))
    assert service.rows("SELECT subject FROM event ORDER BY seq") == [
        ("service:NetWork",),
        ("service:network",),
    ]
    assert service.rows("SELECT subject FROM subject WHERE subject LIKE 'service:%'") == [
        ("service:network",)
    ]
    again = service.push(of_service("NetWork", "s", "outage.started", NOON))
    assert (again.accepted, again.repeated) == (0, 1)


def test_a_row_of_the_release_before_is_evaluated_by_its_key_and_never_due_again(service: Service) -> None:
    service.clock.set(after(timedelta(hours=1)))
    service.push(started())
    service.database.write_now(
        lambda conn, now: subjects.mark_due(conn, "haisoft", [Subject.parse("service:NetWork")], now)
    )
    before = kinds(service)
    service.clock.forward(seconds=1)
    assert service.sweeper.sweep_now() == 1
    assert service.sweeper.sweep_now() == 0
    assert kinds(service) == before
    (found,) = uptimes(service)
    assert found["service"] == "network"


def test_a_cached_log_counts_only_while_no_other_process_has_evaluated_the_service(service: Service) -> None:
    service.clock.set(after(timedelta(hours=1)))
    other = Service(service.settings, service.database, service.clock)
    service.push(started("s", reference="a"))
    other.push(ended("e", after(timedelta(minutes=10)), reference="a"))
    service.push(started("s2", after(timedelta(minutes=20)), reference="b"))
    other.push(ended("e2", after(timedelta(minutes=25)), reference="b"))
    service.push(event("v", "outage.verified", NETWORK, NOON, reference="b"))
    stands = [kind for kind in kinds(service) if kind != "warned"]
    assert stands == ["breached", "breach_retracted", "breached", "breach_retracted"]


# -- Any order, any sweep ----------------------------------------------------------------------------------------------


def history(chance: Random) -> Iterator[Incoming]:
    """Facts of two months, some of them about the same outage."""
    for n in range(12):
        time = after(timedelta(minutes=chance.randint(0, 60 * 24 * 55)))
        about: dict[str, Any] = {"resource": chance.choice(["", "srv-1"])}
        match chance.choice(["outage", "outage", "outage", "open", "exclusion", "withdrawn"]):
            case "outage":
                length = timedelta(minutes=chance.randint(5, 40))
                yield started(f"s{n}", time, reference=f"r{n}", **about)
                yield ended(f"e{n}", after(length, time), reference=f"r{n}")
            case "open":
                yield started(f"s{n}", time, **about)
            case "exclusion":
                span = {"from": time, "to": after(timedelta(days=5), time)}
                yield event(
                    f"x{n}",
                    "exclusion.granted",
                    NETWORK,
                    time,
                    author="lead",
                    reason="agreed",
                    **span,
                    **about,
                )
            case _:
                yield event(
                    f"w{n}",
                    "event.withdrawn",
                    NETWORK,
                    time,
                    id=f"{chance.choice('sex')}{chance.randint(0, 11)}",
                )


def valid_signals(service: Service) -> set[tuple[object, ...]]:
    """The breaches that stand in the end, with their true instants."""
    query = (
        "SELECT commitment, cycle, occurrence, coalesce(corrected_at, at) FROM signal "
        "WHERE kind = 'availability.breached' AND retracted_at IS NULL"
    )
    return set(map(tuple, service.rows(query)))


def run(service: Service, facts: list[Incoming], chance: Random) -> set[tuple[object, ...]]:
    service.clock.set("2026-05-01T12:00:00+02:00")
    for each in facts:
        service.push(each)
        service.clock.forward(minutes=chance.choice([0, 7, 600]))
        if chance.random() < 0.5:
            service.sweeper.sweep_now()
    sweep_until(service, "2026-06-10T12:00:00+02:00")
    return valid_signals(service)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_pushing_and_any_sweeps_end_in_the_same_signals(
    sqlite_databases: SqliteDatabases, seed: int
) -> None:
    chance = Random(seed)
    facts = list(history(chance))
    found: list[set[tuple[object, ...]]] = []
    for cached in (0, 3, 50_000):
        chance.shuffle(facts)
        with ExitStack() as stack:
            url = stack.enter_context(sqlite_databases.copy_of(with_desks_in_force))
            settings, clock = Settings(database_url=url, subject_log_cache_events=cached), WallClock()
            database = stack.enter_context(Database(settings, clock))
            found.append(run(Service(settings, database, clock), facts, chance))
    assert found[0] == found[1] == found[2]
    assert any(found)


def test_the_same_facts_in_another_order_end_in_the_same_signals_on_the_other_database(
    sqlite_databases: SqliteDatabases, postgresql_databases: PostgresDatabases
) -> None:
    chance = Random(7)
    facts = list(history(chance))
    found: list[set[tuple[object, ...]]] = []
    for databases in (sqlite_databases, postgresql_databases):
        chance.shuffle(facts)
        with ExitStack() as stack:
            url = stack.enter_context(databases.copy_of(with_desks_in_force))
            settings, clock = Settings(database_url=url, **UNHURRIED), WallClock()
            database = stack.enter_context(Database(settings, clock))
            found.append(run(Service(settings, database, clock), facts, chance))
    assert found[0] == found[1] != set()
