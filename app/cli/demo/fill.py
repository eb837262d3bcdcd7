"""Fills a fresh database with the past days of the demonstration.

The events are received in order under a clock that is set to the receipt of each, and the sweep runs in between at
every instant that comes due. So the signals are the same as if the service had been running. Microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.cli.demo.clamehost import clamehost
from app.cli.demo.contracts import put_contracts
from app.cli.demo.desk_history import ReceivedEvent
from app.cli.demo.haisoft import haisoft
from app.cli.demo.hvn import LONGEST_PAST, hvn
from app.cli.demo.past_month import add_past_month
from app.cli.demo.phpnet import phpnet
from app.cli.demo.webxtra import webxtra
from app.cli.shipped import shipped_calendars
from app.flow.agreement.apply import apply
from app.flow.agreement.desk_files import read_files
from app.flow.agreement.plan import Proposal
from app.flow.inbound import embedding
from app.flow.judge.receive import Incoming
from app.flow.people import manage
from app.flow.people.links import link_below
from app.flow.people.manage import OPERATOR
from app.flow.process.runtime import Runtime
from app.principal import EVERY, Role, roles_on
from app.settings import Settings
from app.sla.span import DAY, HOUR, Micros
from app.store.engine.database import Connection, Database
from app.store.people import keys
from app.store.tickets.schedule import next_at

LEAD: Final = "lea"
ADMINISTRATOR: Final = "adam"
PEOPLE: Final[Mapping[str, tuple[Role, str]]] = {
    LEAD: (Role.LEAD, "Léa Martin"),
    ADMINISTRATOR: (Role.ADMIN, "Adam Girard"),
}
"""The people of the demonstration: their role and their name in full."""

TOGETHER: Final = 2 * HOUR
"""Older events within so long are received together, but never past an instant at which a clock comes due."""
RECENT: Final = 2 * DAY
"""Later events are received one by one, each at its time."""

DESKS: Final = (haisoft, webxtra, clamehost, hvn, phpnet)


class Clock:
    """A clock that is set by hand and never goes back."""

    def __init__(self, at: Micros) -> None:
        self.at = at

    def __call__(self) -> Micros:
        return self.at

    def set(self, at: Micros) -> None:
        """Move the clock forward to an instant."""
        self.at = max(self.at, at)


def past_events(settings: Settings, now: Micros, *, with_month: bool = True) -> list[ReceivedEvent]:
    """The events of the five desks, in the order of their receipt. `with_month`: with weeks of everyday work."""
    calendars = shipped_calendars(settings.calendars)
    desks = [desk(calendars, now) for desk in DESKS]
    if with_month:
        for desk in desks:
            add_past_month(desk)
    return sorted(event for desk in desks for event in desk.events)


def fill_database(settings: Settings, now: Micros, *, with_month: bool = True) -> str:
    """Fill a fresh database with the past up to `now`. Returns a key that pushes and reads on every desk."""
    clock = Clock(now - LONGEST_PAST)
    with Database(settings, clock) as database:
        runtime = Runtime(settings, database)
        files = read_files([settings.calendars, settings.agreements])
        database.write_now(lambda conn, at: apply(conn, at, runtime.assessor, Proposal(files)))
        put_contracts(runtime, now)
        _receive(runtime, clock, past_events(settings, now, with_month=with_month), now)
        clock.set(now)
        runtime.sweeper.sweep_now()
        roles = roles_on(EVERY, [Role.PUSH, Role.VIEWER])
        return database.write_now(lambda conn, at: keys.create(conn, roles, at))[0]


def sign_in_link(settings: Settings, now: Micros, base: str, name: str) -> str:
    """Create a person of the demonstration, with their role on every desk. Returns the link that signs them in."""
    role, display_name = PEOPLE[name]

    def work(conn: Connection, _: Micros) -> str:
        made = manage.create(
            conn, OPERATOR, name, roles_on(EVERY, [role]), settings, display_name=display_name
        )
        return manage.new_link(conn, OPERATOR, made.name, settings)[0]

    with Database(settings, Clock(now)) as database:
        return link_below(base, database.write_now(work), go_to="/")


def embed_link(settings: Settings, now: Micros, base: str, desk: str, ticket: str) -> str:
    """Let pages of the demo's own address embed the tickets of a desk. Returns the address of one, as it is embedded."""

    def work(conn: Connection, at: Micros) -> str:
        embedding.allow(conn, at, desk, (base,))
        token = embedding.make_token(conn, at, desk, ticket, settings.embed_token_max_lifetime)
        return f"{base}/embed/tickets/{desk}/{ticket}?token={token.text}"

    with Database(settings, Clock(now)) as database:
        return database.write_now(work)


def _receive(runtime: Runtime, clock: Clock, received: Sequence[ReceivedEvent], now: Micros) -> None:
    place = 0
    while place < len(received):
        first = received[place].received_at
        due = _sweep_until(runtime, clock, first)
        until = min(first + TOGETHER, due or first) if first < now - RECENT else first
        following = place + 1
        while following < len(received) and received[following].received_at < until:
            following += 1
        batch = received[place:following]
        clock.set(batch[-1].received_at)
        runtime.receiver.receive_now([Incoming.of(each.desk, each.event) for each in batch], answered=False)
        place = following


def _sweep_until(runtime: Runtime, clock: Clock, at: Micros) -> Micros | None:
    """Sweep at every instant that comes due before another one. Returns the next that is due."""
    while (due := runtime.database.read_now(next_at)) is not None and due < at:
        clock.set(due)
        runtime.sweeper.sweep_now()
    return due
