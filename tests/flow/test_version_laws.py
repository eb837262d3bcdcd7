"""Laws of versions over random histories: a preview equals what the same apply changes, and the past stays as it was."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.flow.agreement.apply import withdraw_planned
from app.flow.agreement.desk_files import DeskFile, desk_file
from app.flow.agreement.preview import Preview
from app.flow.process.invariants import Verdict, run_checks
from app.flow.query.serialize import instant_text
from app.sla.clock.evaluation import AppliesTo
from app.sla.span import HOUR, MINUTE, Micros, instant
from app.store.contracts.stored_version import planned_at
from tests.service import Service, created, event

COMMITMENT = """
[[commitments]]
id = "{id}"
kind = "{kind}"
measure = "{id}"
starts_on = ["ticket.created"]
stops_on = ["agent.replied", "status:solved"]
pauses_while = ["pending"]
target = "{target}"
calendar = "law/desk"
"""
TICKETS = [f"t{n}" for n in range(6)]
LIVE = {"awaiting", "running", "paused"}
Clocks = Mapping[tuple[str, str, int], dict[str, Any]]


class History:
    """A desk with tickets, to which random things happen."""

    def __init__(self, service: Service, seed: int) -> None:
        self.service, self.chance = service, random.Random(seed)
        self.agreement, self.calendar = self.draw_agreement(), self.draw_calendar()
        service.apply(self.calendar, self.agreement)
        service.clock.forward(minutes=1)
        self.events = 0
        for ticket in TICKETS[:4]:
            self.create(ticket)

    def draw_agreement(self) -> DeskFile:
        drawn = [
            COMMITMENT.format(id=name, kind=kind, target=self.chance.choice(["2h", "6h", "3 working days"]))
            for name, kind in (("reply", "guarantee"), ("fix", "objective"))
            if name == "reply" or self.chance.random() < 0.8
        ]
        return desk_file("law.toml", "law", f'desk = "law"\nname = "Law"\n{"".join(drawn)}')

    def draw_calendar(self) -> DeskFile:
        """The same hours mostly, with some dates closed: in the past, soon, or far ahead."""
        closing = self.chance.choice(["17:00", "17:00", "17:00", "18:00"])
        today = instant(self.service.clock.now).date()
        days = self.chance.sample(range(-3, 9), self.chance.randint(0, 2))
        closed = ", ".join(f'"{today + timedelta(days=n)}" = []' for n in sorted(days))
        text = f"""[calendars.desk]
time_zone = "Europe/Paris"
hours = {{ mon-sun = ["09:00-{closing}"] }}
overrides = {{ {closed} }}
"""
        return desk_file("calendars/law.toml", "law", text)

    def create(self, ticket: str) -> None:
        now = instant_text(self.service.clock.now - self.chance.randint(1, 50) * MINUTE)
        self.service.push(created(ticket, now, desk="law", customer=ticket))

    def happen(self) -> None:
        """Something happens to a ticket, or time passes and the sweep runs."""
        service = self.service
        service.clock.forward(hours=self.chance.choice([0.1, 1, 5, 20]))
        service.sweeper.sweep_now()
        self.events += 1
        kind = self.chance.choice(["agent.replied", "pending", "open", "solved", "create"])
        now = instant_text(service.clock.now - self.chance.randint(0, 20) * MINUTE)
        if kind == "create":
            self.create(f"n{self.events}")
            return
        ticket = self.chance.choice(TICKETS[:4])
        given: dict[str, Any] = {"author": "agent"} if kind == "agent.replied" else {"status": kind}
        name = kind if kind == "agent.replied" else "status.changed"
        service.push(event(f"e{self.events}", name, ticket, now, desk="law", **given))

    def change(self) -> tuple[list[DeskFile], AppliesTo, Micros | None]:
        """A new version: its files, for which tickets, and from when on."""
        files = self.chance.choice([[self.draw_calendar()], [self.draw_calendar()], [self.draw_agreement()]])
        begins = self.service.clock.now + self.chance.randint(1, 30) * HOUR
        to = self.chance.choice([AppliesTo.OPEN, AppliesTo.OPEN, AppliesTo.REST, AppliesTo.NEW])
        return files, to, self.chance.choice([None, None, begins])

    def tickets(self) -> list[str]:
        return [
            row[0]
            for row in self.service.rows("SELECT ticket FROM ticket WHERE desk = 'law' ORDER BY ticket")
        ]

    def clocks(self, **when: str) -> Clocks:
        """All clocks of all tickets, as they are shown."""
        return {
            (ticket, clock["commitment"], clock["cycle"]): clock
            for ticket in self.tickets()
            for clock in self.service.view("law", ticket, **when)["clocks"]
        }


@pytest.fixture
def history(service: Service, seed: int) -> History:
    return History(service, seed)


def assert_stored_equals_fresh(service: Service) -> None:
    checks = service.database.read_now(
        lambda conn: list(run_checks(conn, service.catalogue, service.clock.now))
    )
    assert [check for check in checks if check.verdict is Verdict.FAULT] == []


def assert_shows(run: Preview, before: Clocks, after: Clocks) -> None:
    """The preview found exactly what differs."""
    due = {
        key: (old(before, key, "due_at"), old(after, key, "due_at")) for key in before.keys() | after.keys()
    }
    changes = {
        (each.ticket, each.commitment, each.cycle): (
            instant_text(each.old_due_at),
            instant_text(each.new_due_at),
        )
        for each in run.effects.changes
    }
    assert changes == {key: pair for key, pair in due.items() if pair[0] != pair[1]}
    assert run.effects.moved == sum(None not in pair and pair[0] != pair[1] for pair in due.values())
    lives = {key: (old(before, key, "state") in LIVE, old(after, key, "state") in LIVE) for key in due}
    assert run.effects.begin == sum(pair == (False, True) for pair in lives.values())
    assert run.effects.end == sum(pair == (True, False) for pair in lives.values())
    breached = {key: (old(before, key, "breached_at"), old(after, key, "breached_at")) for key in due}
    kinds = {key: (after.get(key) or before[key])["kind"] for key in due}
    assert run.effects.appear == Counter(
        kinds[key] for key, (was, now) in breached.items() if now and not was
    )
    assert run.effects.fall_away == Counter(
        kinds[key] for key, (was, now) in breached.items() if was and not now
    )


def old(clocks: Clocks, key: tuple[str, str, int], field: str) -> Any:
    return clocks.get(key, {}).get(field)


@pytest.mark.parametrize("seed", range(8))
def test_a_preview_is_the_difference_that_the_same_apply_makes(history: History) -> None:
    service = history.service
    for _ in range(3):
        for _ in range(3):
            history.happen()
        service.clock.forward(minutes=1)
        service.sweeper.sweep_now()
        files, to, begins = history.change()
        run = service.preview(*files, to=to, effective_from=begins)
        at = service.clock.now if begins is None else begins
        before = history.clocks(at=instant_text(at))
        service.apply(*files, to=to, effective_from=begins)
        if begins is not None:
            service.clock.now = begins
        service.sweeper.sweep_now()
        assert_shows(run, before, history.clocks())
        # Tickets that were not judged again for a change of days ahead stand as if they had been.
        assert_stored_equals_fresh(service)


@pytest.mark.parametrize("seed", range(20, 24))
def test_as_of_an_instant_every_ticket_stands_as_it_was_shown_then(history: History) -> None:
    service, shown = history.service, dict[str, Clocks]()
    for _ in range(4):
        history.happen()
        files, to, begins = history.change()
        service.apply(*files, to=to, effective_from=begins)
        service.clock.forward(minutes=1)
        service.sweeper.sweep_now()
        shown[instant_text(service.clock.now)] = history.clocks()
        withdraw_some(history)
        service.clock.forward(minutes=1)
    for instant_then, clocks in shown.items():
        known = {ticket for ticket, *_ in clocks}
        again = {
            (ticket, clock["commitment"], clock["cycle"]): clock
            for ticket in known
            for clock in service.view("law", ticket, as_of=instant_then)["clocks"]
        }
        assert again == clocks


def withdraw_some(history: History) -> None:
    """Withdraw a planned version now and then."""
    service, now = history.service, history.service.clock.now
    versions = service.database.read_now(lambda conn: service.catalogue.recorded(conn, "law"))
    for each in planned_at(versions, now)[:1]:
        if history.chance.random() < 0.5:
            service.database.write_now(
                lambda conn, at, n=each.number: withdraw_planned(conn, at, service.assessor, "law", n)
            )
