"""The service below the web, as tests use it: a clock to set, facts to push in a line, answers to read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from app.flow.agreement.apply import Applied, apply
from app.flow.agreement.desk_files import DeskFile, desk_file, read_files
from app.flow.agreement.plan import Proposal, plans
from app.flow.agreement.preview import Preview, preview
from app.flow.judge.assess import Assessor
from app.flow.judge.receive import Incoming, Receipt, Receiver
from app.flow.process.sweep import Sweeper
from app.flow.query import serialize, tickets
from app.settings import Settings
from app.sla.calendar.holiday import HolidaySource
from app.sla.calendar.holiday_package import INSTALLED
from app.sla.clock.evaluation import AppliesTo
from app.sla.event import Event
from app.sla.span import Micros, length_of, micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database

ROOT = Path(__file__).resolve().parent.parent


def at(written: str) -> Micros:
    """An instant from its text with an offset."""
    return micros(datetime.fromisoformat(written))


def _instant(written: str | None) -> Micros | None:
    return None if written is None else at(written)


class WallClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now: Micros = at("2026-03-02T09:00:00+01:00")

    def __call__(self) -> Micros:
        return self.now

    def set(self, written: str) -> Micros:
        """Put it to an instant."""
        self.now = at(written)
        return self.now

    def forward(self, **length: float) -> Micros:
        """Move it on."""
        self.now += length_of(timedelta(**length))
        return self.now


class Service:
    """One process over one database."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: WallClock,
        holidays: HolidaySource = INSTALLED,
    ) -> None:
        self.settings, self.database, self.clock = settings, database, clock
        self.catalogue = Catalogue(settings.holiday_years_ahead, holidays)
        self.assessor = Assessor(settings, self.catalogue)
        self.receiver = Receiver(database, self.assessor, settings)
        self.sweeper = Sweeper(database, self.assessor, settings)

    def apply(self, *files: DeskFile, to: AppliesTo = AppliesTo.NEW, **given: Any) -> list[Applied]:
        """Put files into force. `given` are further fields of the proposal."""
        proposal = Proposal(files, applies_to=to, **given)
        return self.database.write_now(lambda conn, now: apply(conn, now, self.assessor, proposal))

    def preview(self, *files: DeskFile, to: AppliesTo = AppliesTo.NEW, **given: Any) -> Preview:
        """What putting files into force would change."""
        proposal = Proposal(files, applies_to=to, **given)
        now = self.database.now()

        def read(conn: Connection) -> Preview:
            coming = plans(conn, now, self.catalogue, proposal)
            return preview(conn, self.catalogue, Preview(coming, now, budget=600.0, most_changes=1000))

        return self.database.read_now(read)

    def apply_shipped(self, *desks: str) -> None:
        """Put shipped desks into force."""
        folders = (ROOT / "calendars", ROOT / "agreements")
        self.apply(*read_files([folder / f"{desk}.toml" for desk in desks for folder in folders]))

    def apply_agreement(self, desk: str, text: str, to: AppliesTo = AppliesTo.NEW) -> list[Applied]:
        """Put an agreement of the test's own into force."""
        return self.apply(desk_file(f"agreements/{desk}.toml", desk, text), to=to)

    def push(self, *events: Incoming, deliver: bool = True) -> Receipt:
        """Push events in one request."""
        return self.receiver.receive_now(events, deliver=deliver)

    def view(
        self, desk: str, ticket: str, *, at: str | None = None, as_of: str | None = None
    ) -> dict[str, Any]:
        """A ticket as the API shows it."""
        answer = self.database.read_now(
            lambda conn: tickets.ticket_answer(
                conn,
                self.catalogue,
                desk,
                ticket,
                now=self.database.now(),
                at=_instant(at),
                as_of=_instant(as_of),
            )
        )
        return serialize.ticket(answer)

    def clock_of(self, desk: str, ticket: str, commitment: str, **when: str) -> dict[str, Any]:
        """One clock of a ticket."""
        clocks = self.view(desk, ticket, **when)["clocks"]
        return next(clock for clock in clocks if clock["commitment"] == commitment)

    def explanation(self, desk: str, ticket: str, commitment: str, cycle: int) -> dict[str, Any]:
        """Why a clock of a ticket stands as it does, as the API shows it."""
        answer = self.database.read_now(
            lambda conn: tickets.ticket_answer(conn, self.catalogue, desk, ticket, now=self.database.now())
        )
        found = tickets.explanation(answer, commitment, cycle)
        key = None if found.clock is None else (found.clock.commitment, found.clock.cycle_id)
        return serialize.explanation(found, None if key is None else answer.detected.get(key))

    def signals(self, *kinds: str) -> list[dict[str, Any]]:
        """Everything told so far of these kinds, or all."""
        page = self.database.read_now(lambda conn: tickets.signals_page(conn, 0, 10_000, kinds=kinds))
        return [orjson.loads(item.body) for item in page.items]

    def recorded(self) -> list[str]:
        """The kinds of the clock signals told so far, in order."""
        return [signal["kind"] for signal in self.signals() if signal["kind"].startswith("clock.")]

    def rows(self, query: str) -> Sequence[Any]:
        """What a query reads."""
        return self.database.read_now(lambda conn: conn.exec_driver_sql(query).all())


def with_desks_in_force(url: str) -> None:
    """A database with three shipped desks in force since the instant at which a `WallClock` begins.

    The stream is empty: the signals of these versions are deleted.
    """
    settings, clock = Settings(database_url=url), WallClock()
    with Database(settings, clock) as database:
        Service(settings, database, clock).apply_shipped("haisoft", "phpnet", "webxtra")
        database.write_now(lambda conn, _: conn.exec_driver_sql("DELETE FROM signal"))


def event(
    event_id: str,
    kind: str,
    ticket: str,
    time: str,
    /,
    *,
    desk: str = "haisoft",
    sequence: int = 0,
    **data: Any,
) -> Incoming:
    """An event in one line."""
    return Incoming.of(desk, Event(event_id, kind, ticket, at(time), data, sequence))


def created(ticket: str, time: str, /, *, desk: str = "haisoft", **data: Any) -> Incoming:
    """A customer's ticket."""
    fields: dict[str, Any] = {"title": "Server down", "customer": "ACME", **data}
    return event(f"{ticket}-created", "ticket.created", ticket, time, desk=desk, **fields)
