"""Averages in the service: projected call by call, warned in time, judged at the month's end, the same in any order."""

import random
from collections.abc import Sequence

import pytest

from app.flow.judge.receive import Incoming
from app.flow.query.averages import When, average, months
from app.sla.agreement.version import AppliesTo
from app.sla.event import Event
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros, instant
from app.store.tickets import schedule
from tests.service import Service, at, event

APRIL = "2026-04-01T00:00:00+02:00"
MARCH_STARTS = at("2026-03-01T00:00:00+01:00")


def call(number: int, offered: Micros, waited: float | None, line: str | None = "support") -> list[Incoming]:
    """A call and its answer, as a telephone system sends them."""
    subject = f"call:{number}"
    facts = [Event(f"o{number}", "call.offered", subject, offered, {} if line is None else {"line": line})]
    if waited is not None:
        facts.append(Event(f"a{number}", "call.answered", subject, offered + round(waited * SECOND), {}))
    return [Incoming.of("haisoft", fact) for fact in facts]


def calls(service: Service, *waits: float | None, first: int = 1) -> None:
    """Calls of this morning, a minute apart, each pushed as it is answered."""
    morning = at("2026-03-02T10:00:00+01:00")
    for number, waited in enumerate(waits, first):
        facts = call(number, morning + number * MINUTE, waited)
        service.clock.now = max(service.clock.now, *(fact.event.at for fact in facts))
        service.push(*facts)


def month(service: Service, desk: str = "haisoft", **when: str) -> dict[str, object]:
    """The average of March as the API shows it."""
    wanted = When.of(
        service.database.now(),
        at(when["at"]) if "at" in when else None,
        at(when["as_of"]) if "as_of" in when else None,
        when.get("period", "2026-03"),
    )
    (found,) = service.database.read_now(lambda conn: months(conn, service.catalogue, desk, wanted))
    return average(desk, found)


def of(figures: dict[str, object], *names: str) -> tuple[object, ...]:
    return tuple(figures[name] for name in names)


def end_month(service: Service) -> None:
    service.clock.set(APRIL)
    service.sweeper.sweep_now()


def test_a_month_is_breached_at_its_end_by_a_mean_at_the_target(service: Service) -> None:
    calls(service, 80, 100)
    assert service.database.read_now(schedule.next_at) == at(APRIL)
    assert of(month(service), "state", "count", "mean_seconds") == ("running", 2, 90)
    end_month(service)
    (signal,) = service.signals("average.breached")
    assert of(signal, "subject", "ticket", "commitment", "commitment_kind", "period") == (
        *(None, None, "phone-pickup", "guarantee", "2026-03"),
    )
    assert of(signal, "at", "late", "mean_seconds", "count", "abandoned") == (
        *("2026-03-31T22:00:00Z", False, 90, 2, 0),
    )
    assert of(month(service), "state", "breached_at") == ("breached", "2026-03-31T22:00:00Z")
    assert service.database.read_now(schedule.next_at) is None


def test_a_month_that_is_kept_records_nothing(service: Service) -> None:
    calls(service, 80, 99.999999, None)
    end_month(service)
    assert service.signals() == []
    assert of(month(service), "state", "mean_seconds", "abandoned") == ("kept", 89.999999, 1)


def test_a_month_without_an_answered_call_is_neither_kept_nor_breached(service: Service) -> None:
    calls(service, None)
    end_month(service)
    assert service.signals() == []
    assert of(month(service), "state", "mean_seconds", "count", "abandoned") == ("none", None, 0, 1)
    assert of(month(service, period="2026-02"), "state", "abandoned") == ("none", 0)


def test_the_tenth_call_over_the_target_warns_once(service: Service) -> None:
    calls(service, *[100.0] * 9)
    assert service.signals() == []
    calls(service, 100, 500, 0, 900, first=10)
    (signal,) = service.signals("average.warned")
    tenth = at("2026-03-02T10:10:00+01:00") + 100 * SECOND
    assert (at(signal["at"]), at(signal["detected_at"]), signal["count"]) == (tenth, tenth, 10)
    assert month(service)["warned_at"] == signal["at"]


def test_a_warning_between_two_calls_of_one_push_is_not_lost(service: Service) -> None:
    morning = at("2026-03-02T10:00:00+01:00")
    facts = [fact for n in range(12) for fact in call(n, morning + n * 5 * MINUTE, 100 if n < 10 else 0)]
    service.clock.set("2026-03-02T12:00:00+01:00")
    service.push(*facts)
    (signal,) = service.signals("average.warned")
    assert at(signal["at"]) == morning + 45 * MINUTE + 100 * SECOND


def test_a_late_call_can_warn_of_what_was_before_it(service: Service) -> None:
    calls(service, *[89.0] * 12)
    assert service.signals() == []
    service.push(*call(99, at("2026-03-02T09:30:00+01:00") + HOUR, 110))
    service.push(*call(100, at("2026-03-02T10:00:30+01:00"), 110))
    assert len(service.signals("average.warned")) == 1


def test_an_answer_ahead_of_the_clock_counts_when_its_instant_comes(service: Service) -> None:
    service.clock.set("2026-03-02T10:00:00+01:00")
    facts = [f for n in range(10) for f in call(n, service.clock.now, 100)]
    service.push(*facts)
    assert service.signals() == []
    assert month(service)["count"] == 0
    service.clock.forward(seconds=100)
    assert service.sweeper.sweep_now() == 1
    assert len(service.signals("average.warned")) == 1


def test_a_late_fact_retracts_a_breach_and_a_later_one_restores_it(service: Service) -> None:
    calls(service, 80, 100)
    end_month(service)
    service.push(*call(3, at("2026-03-03T10:00:00+01:00"), 1))
    service.push(event("w", "event.withdrawn", "call:3", "2026-04-01T00:00:00+02:00", id="o3"))
    service.push(event("w2", "event.withdrawn", "call:3", "2026-04-01T00:00:00+02:00", id="w"))
    kinds = [(s["kind"], s["generation"], s["late"]) for s in service.signals()]
    assert kinds == [
        ("average.breached", 0, False),
        ("average.breach_retracted", 0, True),
        ("average.breached", 1, True),
        ("average.breach_retracted", 1, True),
    ]
    breached, retracted = service.signals()[:2]
    assert (retracted["replaces"], retracted["at"]) == (breached["id"], breached["at"])


@pytest.mark.parametrize(
    ("offered", "line"),
    [
        ("2026-03-02T10:00:00+01:00", "emergency"),
        ("2026-03-02T12:00:00+01:00", "support"),  # the phone is closed from 12:00
        ("2026-03-07T10:00:00+01:00", "support"),  # a Saturday
    ],
)
def test_calls_of_other_lines_and_closed_hours_count_in_no_average(
    service: Service, offered: str, line: str
) -> None:
    service.clock.set("2026-03-09T10:00:00+01:00")
    service.push(*call(1, at(offered), 600, line))
    end_month(service)
    assert of(month(service), "state", "count", "abandoned") == ("none", 0, 0)


def test_a_call_is_of_the_month_of_its_offer_and_counts_past_closing(service: Service) -> None:
    offered, answered = call(1, at("2026-03-31T16:59:59+02:00"), 2 * 24 * 3600)
    service.clock.set("2026-03-31T17:00:00+02:00")
    service.push(offered)
    end_month(service)
    assert of(month(service), "state", "abandoned") == ("none", 1)
    service.clock.set("2026-04-03T10:00:00+02:00")
    service.push(answered)
    assert of(month(service), "state", "mean_seconds") == ("breached", 172_800)
    assert month(service, period="2026-04")["count"] == 0


def test_figures_can_be_asked_for_as_they_stood(service: Service) -> None:
    calls(service, 80, 100)
    service.clock.set("2026-03-10T10:00:00+01:00")
    service.push(event("w", "event.withdrawn", "call:2", "2026-03-10T10:00:00+01:00", id="o2"))
    names = ("count", "mean_seconds", "abandoned")
    assert of(month(service), *names) == (1, 80, 0)
    assert of(month(service, as_of="2026-03-05T00:00:00+01:00"), *names) == (2, 90, 0)
    assert of(month(service, as_of="2026-03-02T10:02:00+01:00"), *names) == (0, None, 0)
    assert of(month(service, at="2026-03-02T10:01:30+01:00"), *names) == (0, None, 1)


def test_calls_that_a_process_of_the_release_before_has_stored_are_projected_with_their_month(
    service: Service,
) -> None:
    calls(service, 80)
    for table in ("average_call", "measured_month", "subject"):
        service.database.write_now(lambda conn, _, name=table: conn.exec_driver_sql(f"DELETE FROM {name}"))
    assert of(month(service), "count", "mean_seconds") == (1, 80)
    calls(service, 100, first=2)
    assert service.rows("SELECT count(*), sum(waited) FROM average_call")[0] == (2, 180 * SECOND)
    end_month(service)
    assert len(service.signals("average.breached")) == 1


NARROW = """
desk = "haisoft"
time_zone = "Europe/Paris"
[[commitments]]
id = "response"
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "haisoft/tickets"
[[averages]]
id = "phone-pickup"
lines = ["vip"]
calendar = "haisoft/phone"
target = "< 10s"
"""


def test_a_version_for_new_tickets_judges_from_the_next_month_on(service: Service) -> None:
    calls(service, 80, 20)
    service.apply_agreement("haisoft", NARROW)
    calls(service, 50, first=3)
    assert of(month(service), "count", "target") == (3, "< 90s")
    assert month(service, period="2026-04", at=APRIL)["target"] == "< 10s"
    end_month(service)
    assert service.signals("average.breached", "average.warned") == []


def test_a_version_that_takes_over_judges_the_running_month_anew(service: Service) -> None:
    calls(service, 80, 20)
    service.clock.set("2026-03-03T10:00:00+01:00")
    service.push(*call(9, service.clock.now - HOUR * 23, 11, "vip"))
    service.apply_agreement("haisoft", NARROW, AppliesTo.OPEN)
    service.sweeper.sweep_now()
    assert of(month(service), "count", "target", "mean_seconds") == (1, "< 10s", 11)
    assert of(month(service, as_of="2026-03-02T12:00:00+01:00"), "count", "target") == (2, "< 90s")
    end_month(service)
    assert len(service.signals("average.breached")) == 1


# -- laws --------------------------------------------------------------------------------------------------------------


def history(chance: random.Random) -> list[Event]:
    """Calls of two months, some late, withdrawn or restored."""
    events: list[Event] = []
    for number in range(chance.randint(5, 12)):
        offered = MARCH_STARTS + chance.randrange(45 * DAY)
        line = chance.choice(["support", "support", "emergency", ""])
        events.append(Event(f"o{number}", "call.offered", f"call:{number}", offered, {"line": line}))
        if chance.random() < 0.8:
            waited = chance.choice([10, 80, 90, 100, 400]) * SECOND
            events.append(Event(f"a{number}", "call.answered", f"call:{number}", offered + waited, {}))
        if chance.random() < 0.2:
            gone = chance.choice(["o", "a"]) + str(number)
            later = offered + chance.randrange(20 * DAY)
            events.append(Event(f"w{number}", "event.withdrawn", f"call:{number}", later, {"id": gone}))
    return events


WIDE = """
desk = "DESK"
time_zone = "Europe/Paris"
[[commitments]]
id = "response"
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "2h"
calendar = "haisoft/tickets"
[[averages]]
id = "phone-pickup"
lines = ["support", ""]
calendar = "haisoft/phone"
target = "< 90s"
warn_after = 3
"""
PERIODS = ("2026-03", "2026-04", "2026-05")
FIGURES = ("state", "count", "abandoned", "mean_seconds", "breached_at", "warned_at")


def figures_of(service: Service, desk: str, **when: str) -> list[tuple[object, ...]]:
    return [of(month(service, desk, period=period, **when), *FIGURES) for period in PERIODS]


def valid_breaches(service: Service, desk: str) -> list[tuple[object, ...]]:
    query = "SELECT cycle, at, desk FROM signal WHERE kind = 'average.breached' AND retracted_at IS NULL"
    return sorted((cycle, when) for cycle, when, of_desk in service.rows(query) if of_desk == desk)


def push_parts(service: Service, desk: str, events: Sequence[Event], sizes: Sequence[int]) -> None:
    """Push the events in this order, in parts, with a sweep after each."""
    rest = list(events)
    for size in sizes:
        part, rest = rest[:size], rest[size:]
        service.push(*(Incoming.of(desk, each) for each in part))
        service.clock.forward(hours=7)
        service.sweeper.sweep_now()


@pytest.mark.parametrize("seed", range(2))
def test_any_order_and_repetition_of_the_facts_gives_the_same_figures_and_breaches(
    service: Service, seed: int
) -> None:
    chance = random.Random(seed)
    events = history(chance)
    for desk in ("one", "other"):
        service.apply_agreement(desk, WIDE.replace("DESK", desk))
    service.clock.set("2026-04-20T00:00:00+02:00")
    push_parts(service, "one", events, [len(events)])
    shuffled = [*chance.sample(events, len(events)), *events[:3]]
    push_parts(service, "other", shuffled, [chance.randint(1, 6) for _ in shuffled])
    service.clock.set("2026-05-20T00:00:00+02:00")
    service.sweeper.sweep_now()
    assert figures_of(service, "one") == figures_of(service, "other")
    breached = [at(str(each[4])) for each in figures_of(service, "one") if each[4] is not None]
    for desk in ("one", "other"):
        assert [when for _, when in valid_breaches(service, desk)] == breached


@pytest.mark.parametrize("seed", range(2))
def test_the_projection_equals_the_log_as_of_every_instant(service: Service, seed: int) -> None:
    chance = random.Random(seed)
    found = history(chance)
    service.apply_agreement("one", WIDE.replace("DESK", "one"))
    service.clock.set("2026-04-20T00:00:00+02:00")
    stored: list[tuple[str, list[tuple[object, ...]]]] = []
    for event_ in chance.sample(found, len(found)):
        push_parts(service, "one", [event_], [1])
        stored.append((instant(service.clock.now).isoformat(), figures_of(service, "one")))
        service.clock.forward(seconds=1)
    for when, figures in stored[::3]:
        assert figures_of(service, "one", as_of=when) == figures
