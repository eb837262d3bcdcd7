"""How do the past days get into the service? They are lived through.

A database is opened with a clock that stands at each fact's receipt, and the sweep runs in between whenever a clock
comes due, so that the record says when things were told as it would if the service had been running. All is micros.
"""

from collections.abc import Iterable
from typing import Final

from app.cli.demo.clamehost import clamehost
from app.cli.demo.haisoft import haisoft
from app.cli.demo.hvn import FIRST_FACT, hvn
from app.cli.demo.phpnet import phpnet
from app.cli.demo.tale import Fact
from app.cli.demo.webxtra import webxtra
from app.cli.shipped import shipped_calendars
from app.flow.agreement.apply import apply
from app.flow.agreement.desk_files import read_files
from app.flow.agreement.plan import Proposal
from app.flow.judge.receive import Incoming
from app.flow.process.runtime import Runtime
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo
from app.sla.span import Micros
from app.store.engine.database import Database
from app.store.people.keys import EVERY_DESK, Scope, create
from app.store.tickets.schedule import next_at

DESKS: Final = (haisoft, webxtra, clamehost, hvn, phpnet)


class Clock:
    """A clock that stands until it is set, and never goes back."""

    def __init__(self, at: Micros) -> None:
        self.at = at

    def __call__(self) -> Micros:
        return self.at

    def set(self, at: Micros) -> None:
        """Let time pass up to an instant."""
        self.at = max(self.at, at)


def facts(settings: Settings, now: Micros) -> list[Fact]:
    """Everything that happened at the five desks, in the order in which it was received."""
    calendars = shipped_calendars(settings.calendars)
    return sorted(fact for desk in DESKS for fact in desk(calendars, now).facts)


def live_through(settings: Settings, now: Micros) -> str:
    """Fill a fresh database with the past up to `now`. Returns a key that may push and read at every desk."""
    clock = Clock(now - FIRST_FACT)
    with Database(settings, clock) as database:
        parts = Runtime(settings, database)
        files = read_files([settings.calendars, settings.agreements])
        database.write_now(lambda conn, at: apply(conn, at, parts.catalogue, Proposal(files), AppliesTo.NEW))
        _receive(parts, clock, facts(settings, now))
        clock.set(now)
        parts.sweeper.sweep_now()
        scopes = frozenset({Scope.PUSH, Scope.READ})
        return database.write_now(lambda conn, at: create(conn, EVERY_DESK, scopes, at))[0]


def _receive(parts: Runtime, clock: Clock, received: Iterable[Fact]) -> None:
    for fact in received:
        _sweep_up_to(parts, clock, fact.received_at)
        clock.set(fact.received_at)
        parts.receiver.receive_now([Incoming.of(fact.desk, fact.event)], answered=False)


def _sweep_up_to(parts: Runtime, clock: Clock, at: Micros) -> None:
    while (due := parts.database.read_now(next_at)) is not None and due < at:
        clock.set(due)
        parts.sweeper.sweep_now()
