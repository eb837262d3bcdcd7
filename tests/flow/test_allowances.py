"""Allowances in the service: the sixth ticket of five, and what a late or withdrawn fact does to those behind it."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from app.flow.judge.receive import Incoming
from app.flow.query.allowances import allowance, used
from app.flow.query.averages import When
from app.sla.agreement.version import AppliesTo
from app.sla.event import Event
from app.sla.span import DAY, HOUR, MINUTE, instant
from app.store.tickets import schedule
from tests.service import Service, at, event

NO_CLOCK = """
desk = "d"
time_zone = "Europe/Paris"
[levels.gold]
interventions = 2
[levels.big]
interventions = 4
[[commitments]]
id = "gti"
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["intervention.started"]
target = "1h"
calendar = "always"
[[allowances]]
id = "interventions"
counts = "intervention.started"
limit = "level:interventions"
past_allowance = "no_clock"
"""
FLAG = NO_CLOCK.replace('"no_clock"', '"flag"')
NINE = "2026-03-02T09:00:00+01:00"


def ticket(name: str, created: str = NINE, /, **fields: object) -> Incoming:
    data: dict[str, Any] = {"level": "gold", "customer": "ACME"} | fields
    return event(f"{name}-c", "ticket.created", name, created, desk="d", **data)


def started(name: str, when: str, /, event_id: str | None = None) -> Incoming:
    return event(event_id or f"{name}-i", "intervention.started", name, when, desk="d")


def withdrawn(name: str, event_id: str, when: str = "2026-03-10T00:00:00+01:00") -> Incoming:
    return event(f"w-{event_id}", "event.withdrawn", name, when, desk="d", id=event_id)


def month(service: Service, **when: str | None) -> list[tuple[object, ...]]:
    """(customer or contract, limit, used, left, tickets) of a month."""
    given = {name: None if value is None else at(value) for name, value in when.items() if name != "period"}
    wanted = When.of(
        service.database.now(), given.get("at"), given.get("as_of"), when.get("period", "2026-03")
    )
    found = service.database.read_now(lambda conn: used(conn, service.catalogue, "d", wanted))
    shown = [allowance("d", each) for each in found]
    return [
        (each["contract"] or each["customer"], each["limit"], each["used"], each["left"], each["tickets"])
        for each in shown
    ]


def flagged(service: Service, *names: str, **when: str) -> list[str]:
    """Those of these tickets that are past the allowance."""
    return [name for name in names if "allowance_exceeded" in service.view("d", name, **when)["flags"]]


def signals(service: Service) -> list[tuple[object, ...]]:
    kinds = ("allowance.exceeded", "allowance.exceeded_retracted")
    return [(s["kind"].partition(".")[2], s["ticket"], s["generation"]) for s in service.signals(*kinds)]


def three(service: Service, text: str = FLAG) -> None:
    """Three tickets of a customer who has two a month, each with an intervention."""
    service.apply_agreement("d", text)
    service.clock.set("2026-03-10T00:00:00+01:00")
    service.push(*map(ticket, ("t1", "t2", "t3")))
    for day, name in enumerate(("t1", "t2", "t3"), start=2):
        service.push(started(name, f"2026-03-0{day}T09:30:00+01:00"))


def test_the_third_of_two_is_flagged_and_its_clock_runs(service: Service) -> None:
    three(service)
    assert flagged(service, "t1", "t2", "t3") == ["t3"]
    assert month(service) == [("ACME", 2, 3, 0, ["t1", "t2", "t3"])]
    assert signals(service) == [("exceeded", "t3", 0)]
    (signal,) = service.signals("allowance.exceeded")
    assert (signal["period"], signal["limit"], signal["customer"]) == ("2026-03", 2, "ACME")
    assert (signal["commitment"], signal["at"]) == ("interventions", "2026-03-04T08:30:00Z")
    assert service.clock_of("d", "t3", "gti")["met"] is False
    assert service.sweeper.sweep_now() == 0


def test_past_the_allowance_no_commitment_applies_where_the_agreement_says_so(service: Service) -> None:
    three(service, NO_CLOCK)
    view = service.view("d", "t3")
    assert view["clocks"] == []
    (reason,) = view["not_applicable"]
    assert reason["reason"] == "past the 2 interventions of 2026-03"
    assert reason["reason_detail"]["code"] == "past_allowance"
    assert "t3" in [s["ticket"] for s in service.signals("clock.breach_retracted")]
    assert service.clock_of("d", "t2", "gti")["met"] is False


def test_a_ticket_counts_once_in_the_local_month_of_its_first_fact(service: Service) -> None:
    three(service)
    service.push(started("t1", "2026-03-05T09:30:00+01:00", "again"))
    assert month(service)[0][2] == 3
    service.clock.set("2026-04-01T12:00:00+02:00")
    service.push(ticket("t4", "2026-03-31T23:00:00+02:00"), started("t4", "2026-04-01T00:00:00+02:00"))
    service.push(started("t1", "2026-04-01T09:00:00+02:00", "third"))
    assert month(service, period="2026-04") == [("ACME", 2, 1, 1, ["t4"])]


def test_a_late_fact_moves_the_ticket_behind_it_over_the_limit(service: Service) -> None:
    three(service, NO_CLOCK)
    service.push(ticket("t0"))
    service.push(started("t0", "2026-03-02T09:10:00+01:00"))
    assert service.database.read_now(schedule.next_at) is not None
    assert service.sweeper.sweep_now() == 1
    assert flagged(service, "t0", "t1", "t2", "t3") == ["t2", "t3"]
    assert service.view("d", "t2")["clocks"] == []
    assert signals(service) == [("exceeded", "t3", 0), ("exceeded", "t2", 0)]


def test_a_withdrawn_fact_brings_the_ticket_behind_it_back(service: Service) -> None:
    three(service, NO_CLOCK)
    service.push(withdrawn("t1", "t1-i"))
    assert service.sweeper.sweep_now() == 1
    assert flagged(service, "t1", "t2", "t3") == []
    assert service.clock_of("d", "t3", "gti")["met"] is False
    service.push(withdrawn("t1", "w-t1-i"))
    service.sweeper.sweep_now()
    assert flagged(service, "t1", "t2", "t3") == ["t3"]
    assert signals(service) == [("exceeded", "t3", 0), ("exceeded_retracted", "t3", 0), ("exceeded", "t3", 1)]


def test_one_late_fact_among_many_tickets_evaluates_one_of_them_again(service: Service) -> None:
    service.apply_agreement("d", FLAG)
    service.clock.set("2026-03-30T00:00:00+02:00")
    names = [f"t{n:02}" for n in range(20)]
    service.push(*map(ticket, names))
    for day, name in enumerate(names, start=2):
        service.push(started(name, f"2026-03-{day:02}T12:00:00+01:00"))
    service.push(ticket("late"), started("late", "2026-03-02T10:00:00+01:00"))
    assert service.sweeper.sweep_now() == 1
    assert flagged(service, "late", *names) == names[1:]


def test_a_contract_has_its_own_allowance_and_without_one_the_customer(service: Service) -> None:
    service.apply_agreement("d", FLAG)
    service.clock.set("2026-03-10T00:00:00+01:00")
    owners = {
        "a": {"contract": "C-1", "customer": "ACME"},
        "b": {"contract": "c-1 ", "customer": "Other"},
        "c": {"customer": "acme"},
        "d": {"customer": "ACME", "level": None},
        "e": {"customer": None},
        "f": {"customer": None},
        "g": {"customer": None},
    }
    for name, fields in owners.items():
        service.push(ticket(name, **fields), started(name, "2026-03-03T09:00:00+01:00"))
    assert month(service) == [
        (None, None, 3, None, ["e", "f", "g"]),
        ("c-1", 2, 2, 0, ["a", "b"]),
        ("ACME", None, 2, None, ["c", "d"]),
    ]
    assert flagged(service, *owners) == []


def test_a_change_of_the_customer_moves_the_use_to_the_other(service: Service) -> None:
    three(service)
    service.push(event("u", "ticket.updated", "t1", "2026-03-09T00:00:00+01:00", desk="d", customer="Other"))
    service.sweeper.sweep_now()
    assert month(service) == [("ACME", 2, 2, 0, ["t2", "t3"]), ("Other", 2, 1, 1, ["t1"])]
    assert flagged(service, "t1", "t2", "t3") == []


def test_a_higher_level_brings_its_own_limit(service: Service) -> None:
    three(service)
    service.push(event("u", "ticket.updated", "t3", "2026-03-09T00:00:00+01:00", desk="d", level="big"))
    assert flagged(service, "t1", "t2", "t3") == []
    assert month(service) == [("ACME", 4, 3, 1, ["t1", "t2", "t3"])]
    assert signals(service)[-1] == ("exceeded_retracted", "t3", 0)


def test_an_intervention_ahead_of_the_clock_counts_when_its_instant_comes(service: Service) -> None:
    three(service)
    service.push(ticket("t4"), started("t4", "2026-03-10T00:01:00+01:00"))
    assert month(service)[0][2] == 3
    service.clock.forward(seconds=61)
    service.sweeper.sweep_now()
    assert month(service)[0][2] == 4
    assert flagged(service, "t4") == ["t4"]


def test_what_was_known_can_be_asked_for(service: Service) -> None:
    three(service, NO_CLOCK)
    service.clock.forward(hours=1)
    service.push(withdrawn("t1", "t1-i"))
    service.sweeper.sweep_now()
    before = instant(service.clock.now - HOUR).isoformat()
    assert month(service, as_of=before) == [("ACME", 2, 3, 0, ["t1", "t2", "t3"])]
    assert month(service, at="2026-03-03T12:00:00+01:00") == [("ACME", 2, 1, 1, ["t2"])]
    assert flagged(service, "t1", "t2", "t3", as_of=before) == ["t3"]
    assert service.view("d", "t3", as_of=before)["clocks"] == []
    assert service.view("d", "t3")["clocks"] != []


def test_a_month_counts_what_was_closed_before_the_agreement_had_the_allowance(service: Service) -> None:
    plain = (
        FLAG[: FLAG.index("[[allowances]]")]
        .replace("interventions = 2\n", "")
        .replace("interventions = 4\n", "")
    )
    service.apply_agreement("d", plain)
    service.clock.set("2026-03-10T00:00:00+01:00")
    for name in ("t1", "t2"):
        service.push(ticket(name), started(name, "2026-03-03T09:00:00+01:00"))
        service.push(
            event(f"{name}-s", "status.changed", name, "2026-03-04T09:00:00+01:00", desk="d", status="closed")
        )
    service.apply_agreement("d", FLAG, AppliesTo.OPEN)
    service.clock.forward(minutes=1)
    service.push(ticket("t3"), started("t3", "2026-03-05T09:00:00+01:00"))
    assert month(service) == [("ACME", 2, 3, 0, ["t1", "t2", "t3"])]
    assert flagged(service, "t3") == ["t3"]


def test_a_long_ticket_that_goes_on_from_its_checkpoint_stays_past_the_allowance(service: Service) -> None:
    three(service)
    many = range(service.settings.checkpoint_min_events)
    notes = [event(f"n{n}", "note.added", "t3", "2026-03-05T09:00:00+01:00", desk="d") for n in many]
    service.push(*notes)
    later = [event(f"l{n}", "note.added", "t3", f"2026-03-06T09:0{n}:00+01:00", desk="d") for n in range(3)]
    for each in later:
        service.push(each)
    assert flagged(service, "t3") == ["t3"]
    assert month(service)[0][2] == 3
    assert signals(service) == [("exceeded", "t3", 0)]


# -- laws --------------------------------------------------------------------------------------------------------------


def history(chance: random.Random) -> list[Event]:
    """Tickets of two customers, some with late, withdrawn or repeated interventions."""
    events: list[Event] = []
    begin = at("2026-03-20T00:00:00+01:00")
    for number in range(8):
        name, born = f"t{number}", begin + chance.randrange(20 * DAY)
        fields = {"customer": chance.choice(["ACME", "Other"]), "level": chance.choice(["gold", "big"])}
        events.append(Event(f"{name}-c", "ticket.created", name, born, fields))
        when = born + chance.randrange(2 * DAY)
        events.append(Event(f"{name}-i", "intervention.started", name, when, {}))
        if chance.random() < 0.3:
            events.append(Event(f"{name}-w", "event.withdrawn", name, when + MINUTE, {"id": f"{name}-i"}))
        if chance.random() < 0.3:
            events.append(Event(f"{name}-j", "intervention.started", name, when + 9 * DAY, {}))
    return events


def state(service: Service) -> list[object]:
    names = [f"t{number}" for number in range(8)]
    valid = "SELECT ticket, cycle FROM signal WHERE kind = 'allowance.exceeded' AND retracted_at IS NULL"
    months = [month(service, period=period) for period in ("2026-03", "2026-04")]
    return [*months, flagged(service, *names), sorted(map(tuple, service.rows(valid)))]


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_the_facts_gives_the_same_uses_flags_and_signals(service: Service, seed: int) -> None:
    chance = random.Random(seed)
    events = history(chance)
    service.apply_agreement("d", FLAG)
    service.clock.set("2026-04-25T00:00:00+02:00")

    def push(order: Sequence[Event]) -> None:
        service.push(*(Incoming.of("d", each) for each in order))
        service.sweeper.sweep_now()

    for each in chance.sample(events, len(events)):
        push([each])
    found = state(service)
    as_of = instant(service.clock.now).isoformat()
    assert [month(service, period=p, as_of=as_of) for p in ("2026-03", "2026-04")] == found[:2]
    assert flagged(service, *(f"t{n}" for n in range(8)), as_of=as_of) == found[2]
    for table in (
        "event",
        "ticket",
        "signal",
        "clock",
        "stint",
        "allowance_use",
        "measured_month",
        "subject",
    ):
        service.database.write_now(lambda conn, _, name=table: conn.exec_driver_sql(f"DELETE FROM {name}"))
    if service.database.shared:
        service.database.write_now(lambda conn, _: conn.exec_driver_sql("DELETE FROM event_key"))
    push(events)
    assert state(service) == found
