"""Claims and averages: the reference and the service, in one process, agree on random lives."""

from random import Random

from app.flow.judge.receive import Incoming
from app.settings import Settings
from app.sla.event import Event
from app.store.engine.database import Database
from tests.chaos.calls import (
    AVERAGES,
    Call,
    RecordedAverage,
    call_life,
    call_of,
    doubled_averages,
    missing_averages,
)
from tests.chaos.claims import (
    CLAIMS,
    RecordedClaim,
    claim_life,
    claimed_outage,
    doubled_claims,
    missing_claims,
)
from tests.chaos.fleet import DESK_FILES
from tests.chaos.life import DESK, SECOND, Happening
from tests.chaos.reference import Reference
from tests.servers.databases import sqlite_only
from tests.service import Service, WallClock

SPACING = 0.4
"""Seconds between the begins of two lives: those of one contract overlap."""


def lives(seed: int, number: int, begins_at: int) -> list[tuple[int, Happening]]:
    """The facts of so many lives, each with the instant of its push, in that order."""
    chance = Random(seed)
    pushed: list[tuple[int, Happening]] = []
    for n in range(number):
        now = begins_at + round(n * SPACING * SECOND)
        lived = chance.choice((claimed_outage, claim_life, claim_life, call_life))(chance, n, now)
        pushed += [(now + round(after * SECOND), happening) for after, happening in lived]
    return sorted(pushed, key=lambda each: each[0])


def compared(
    service: Service, seed: int, number: int
) -> tuple[set[object], list[RecordedClaim], list[RecordedAverage]]:
    """What is wrong after these lives, and the signals of claims and averages."""
    reference, chance = Reference(), Random(seed)
    service.apply_agreement(DESK, (DESK_FILES / "agreements" / "chaos.toml").read_text())
    for at, each in lives(seed, number, service.clock.now):
        service.clock.now = at
        if chance.random() < 0.5:
            service.sweeper.sweep_now()
        service.push(Incoming.of(DESK, Event(each.id, each.type, each.ticket, each.at, each.data)))
        reference.add(each, at)
    service.clock.now = max(service.clock.now, reference.last())
    service.sweeper.sweep_now()
    claims = [RecordedClaim.of(row._mapping) for row in service.rows(CLAIMS)]
    averages = [RecordedAverage.of(row._mapping) for row in service.rows(AVERAGES)]
    now = service.clock.now
    wrong = missing_claims(reference.claims(now), claims) | missing_averages(
        reference.averages(now), averages
    )
    return wrong | doubled_claims(claims) | doubled_averages(averages), claims, averages


@sqlite_only
def test_random_claims_and_calls_come_out_as_the_reference_says(
    database_settings: Settings, wall_clock: WallClock
) -> None:
    with Database(database_settings, wall_clock) as database:
        wrong, claims, averages = compared(Service(database_settings, database, wall_clock), 3, 60)
    assert wrong == set()
    states = {each.kind.removeprefix("credit.") for each in claims}
    assert states >= {"claimable", "claimed", "granted", "refused", "lapsed", "changed"}
    assert {each.kind for each in averages} >= {"average.breached", "average.breach_retracted"}


def fact(number: int, type_: str, after: float, **data: object) -> Happening:
    return Happening(f"C-{number}", type_, "call:1", round(after * SECOND), dict(data))


def test_the_reference_of_calls_counts_by_hand() -> None:
    offered, again = (
        fact(0, "call.offered", 10, line="hotline-1"),
        fact(1, "call.offered", 15, line="hotline-2"),
    )
    answered = fact(2, "call.answered", 30)
    withdrawn = fact(3, "event.withdrawn", 40, id="C-0")
    assert call_of([answered]) is None
    assert call_of([again, answered, offered]) == Call("hotline-1", 10 * SECOND, 30 * SECOND, 20 * SECOND)
    assert call_of([again, answered, offered, withdrawn]) == Call(
        "hotline-2", 15 * SECOND, 30 * SECOND, 15 * SECOND
    )
    sent = fact(2, "call.answered", 30, waited_seconds=7.25)
    assert call_of([offered, sent]) == Call("hotline-1", 10 * SECOND, 30 * SECOND, 7_250_000)
