"""Which rows does the service leave for a story, and how are a million such stories put into a database?

A story is told once to the real service, on a scratch file and with a clock that is set from event to event; the rows
that it leaves are the shape. Copies bear another ticket and other instants, but the JSON of their signals keeps the
instants of the first: it has the right size, and nobody compares it. Instants are microseconds UTC.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, MetaData, Table, TypeDecorator, select

from app.cli.terminal import log_warnings_only
from app.flow.judge.receive import Incoming
from app.flow.process.runtime import Runtime
from app.settings import Settings
from app.sla.event import Event
from app.sla.span import DAY, HOUR, MINUTE, Micros, micros
from app.store.engine.database import Database
from app.store.tables import NEVER, archived_ticket, clock, event, event_key, signal, ticket, wait_interval
from app.store.tickets import schedule
from tests.servers.slatimer import Service

NAME: Final = "z00000000"
"""The ticket of every story; a copy has its number in place of the zeros."""
NUMBERED: Final = 10_000_000
"""The number of the first copy: all have as many digits, so all rows are as long as the first."""
BEGIN: Final = micros(datetime(2026, 11, 17, 9, 5, tzinfo=UTC))
"""A Tuesday at five past ten in Paris, when the desks are open."""
NEAR: Final = 400 * DAY
"""A number of the shape that is no further from BEGIN than this is an instant; the others are counts and ids."""


def _as_stored(table: Table) -> Table:
    """A table with the names and the types that its columns have in the database."""
    columns = (
        Column(
            column.name,
            column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type,
            primary_key=column.primary_key,
        )
        for column in table.c
    )
    return Table(table.name, MetaData(), *columns)


TABLES: Final[tuple[Table, ...]] = tuple(
    map(_as_stored, (event, ticket, clock, signal, wait_interval, archived_ticket))
)
PIECE: Final = 2000
"""Copies in one transaction. Rows of one ticket lie about as far apart as those of a day's work do."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happens to a ticket: (time after the first, type, data), and how long time goes on."""

    desk: str
    happens: tuple[tuple[Micros, str, Mapping[str, Any]], ...]
    until: Micros


def _created(title: str) -> dict[str, Any]:
    return {"title": title, "customer": "ACME", "service": "dedicated", "priority": "high"}


PUSHED: Final = Story(
    "haisoft",
    (
        (0, "ticket.created", _created(f"Server {NAME} down")),
        (0, "status.changed", {"status": "open"}),
        (0, "customer.replied", {"author": "customer", "text": "Is there any news of this?"}),
        (0, "agent.replied", {"author": "agent", "text": "We are looking into it."}),
    ),
    0,
)
"""What the load pushes, each event in a transaction of its own."""


def _answered(after: Micros) -> Story:
    happens = (
        (0, "ticket.created", _created(f"Server {NAME} down")),
        (MINUTE, "status.changed", {"status": "open"}),
        (after, "agent.replied", {"author": "agent", "text": "We are looking into it."}),
        (after + HOUR, "status.changed", {"status": "closed"}),
    )
    return Story("haisoft", happens, after + HOUR)


IN_TIME: Final = _answered(20 * MINUTE)
LATE: Final = _answered(6 * HOUR)
_OUTAGE: Final = ((0, "outage.started", dict[str, Any]()),)
ARMED: Final = Story("clamehost", _OUTAGE, 0)
"""A clock of two hours that has just begun."""
WARNED: Final = Story("clamehost", _OUTAGE, 91 * MINUTE)
"""The same after both of its warnings: all that is to come is the breach."""
BREACHED: Final = Story("clamehost", _OUTAGE, 2 * HOUR + 1)
TARGET: Final = 2 * HOUR

Row = dict[str, Any]
State = dict[str, dict[tuple[Any, ...], Row]]
"""Rows by table and primary key."""


@dataclass(frozen=True, slots=True)
class Write:
    """A row that a step of a story writes: new, or in place of one with the same key."""

    table: str
    new: bool
    row: Row


@cache
def _with_desks() -> bytes:
    """A file with the shipped desks in force."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        service.prepare()
        return service.database.read_bytes()


class Scratch:
    """A service on a file of its own, to which stories are told."""

    def __init__(self, folder: Path) -> None:
        log_warnings_only()
        self._now: Micros = BEGIN
        path = folder / "scratch.db"
        path.write_bytes(_with_desks())
        settings = Settings(database_url=f"sqlite:///{path}")
        self.database = Database(settings, lambda: self._now)
        self._works = Runtime(settings, self.database)

    def recorded(self, story: Story) -> Iterator[State]:
        """How the ticket stands after each event and, last, at the end."""
        for number, (after, kind, data) in enumerate(story.happens):
            self._pass(BEGIN + after)
            heard = Event(f"{NAME}-{number}", kind, NAME, BEGIN + after, data, number)
            self._works.receiver.receive_now([Incoming.of(story.desk, heard)])
            yield self.state()
        self._pass(BEGIN + story.until)
        yield self.state()

    def folded(self) -> State:
        """How it stands when a closed ticket has been folded."""
        self._now += length_until_folded(self._works.settings)
        self._works.retention.apply_now()
        return self.state()

    def _pass(self, until: Micros) -> None:
        """Let time pass, telling on the way what time brings."""
        while (due := self.database.read_now(schedule.next_at)) is not None and due <= until:
            self._now = max(self._now, due)
            self._works.sweeper.sweep_now()
        self._now = max(self._now, until)

    def state(self) -> State:
        """How all rows stand."""
        return self.database.read_now(_state)


def length_until_folded(settings: Settings) -> Micros:
    """How long after its end a ticket is certainly folded."""
    return int(settings.archive_after.total_seconds() * 1_000_000) + DAY


def _state(conn: Connection) -> State:
    found: State = {}
    for table in TABLES:
        keys = [column.name for column in table.primary_key]
        # Of the story's ticket only: applied agreements are signals too.
        rows = [dict(row) for row in conn.execute(select(table).where(table.c.ticket == NAME)).mappings()]
        found[table.name] = {tuple(row[key] for key in keys): row for row in rows}
    return found


def _scratch(ask: Callable[[Scratch], list[State]]) -> list[State]:
    """What stands before the story, such as signals of the desks' files, and then what `ask` gives."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(Path(folder))
        try:
            return [scratch.state(), *ask(scratch)]
        finally:
            scratch.database.close()


def steps_of(story: Story) -> list[list[Write]]:
    """What each event writes, and last what time alone does."""
    states = _scratch(lambda scratch: list(scratch.recorded(story)))
    return [list(_difference(before, after)) for before, after in pairwise(states)]


def _difference(before: State, after: State) -> Iterator[Write]:
    for table, rows in after.items():
        known = before.get(table, {})
        for key, row in rows.items():
            if known.get(key) != row:
                yield Write(table, key not in known, row)


def rows_of(story: Story, *, fold: bool = False) -> list[Write]:
    """All rows that a story leaves in the end; with `fold` those of a ticket that was folded long after."""

    def ask(scratch: Scratch) -> list[State]:
        recorded = list(scratch.recorded(story))
        return [scratch.folded()] if fold else recorded

    before, *_, after = _scratch(ask)
    return list(_difference(before, after))


@dataclass(frozen=True, slots=True)
class Copies:
    """Which copies of a shape: the numbers, and when the first begins and how much later each next one."""

    first: int
    count: int
    begin: Micros
    step: Micros

    def parts(self) -> Iterator["Copies"]:
        """The same in pieces of one transaction."""
        for at in range(0, self.count, PIECE):
            yield Copies(self.first + at, min(PIECE, self.count - at), self.begin + at * self.step, self.step)


def fill(database: Database, shape: Sequence[Write], copies: Copies) -> None:
    """Put the copies of a shape into a database."""
    for piece in copies.parts():
        database.write_now(lambda conn, _, piece=piece: _insert(conn, shape, piece))
    database.write_now(lambda conn, _: continue_stream(conn))


def continue_stream(conn: Connection) -> None:
    """Places in the stream that the database gives by itself come after those given here."""
    if conn.dialect.name == "postgresql":
        last = "(SELECT coalesce(max(seq), 1) FROM signal)"
        conn.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('signal', 'seq'), {last})")


def _insert(conn: Connection, shape: Sequence[Write], copies: Copies) -> None:
    postgresql = conn.dialect.name == "postgresql"
    places = sum(write.table == "signal" for write in shape)
    last = conn.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM signal").scalar_one()
    place = 0
    for write in shape:
        row = {name: _literal(value, copies) for name, value in write.row.items()}
        if write.table == "event":
            del row["seq"]
        if write.table == "signal":
            place += 1
            row["seq"] = f"{last} + (n - {copies.first}) * {places} + {place}"
            row["id"] = _any_id(postgresql, place)
        if write.table == "event" and postgresql:
            _run(conn, event_key, {column.name: row[column.name] for column in event_key.c}, copies)
        _run(conn, next(table for table in TABLES if table.name == write.table), row, copies)


def _run(conn: Connection, table: Table, row: Mapping[str, str], copies: Copies) -> None:
    names = [name for name in row if row[name] != "NULL"]
    values = ", ".join(_typed(table, name, row[name]) for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    last = copies.first + copies.count - 1
    numbers = f"SELECT CAST({copies.first} AS bigint) UNION ALL SELECT n + 1 FROM s WHERE n < {last}"
    conn.exec_driver_sql(
        f'WITH RECURSIVE s(n) AS ({numbers}) INSERT INTO "{table.name}" ({columns}) SELECT {values} FROM s'
    )


def _typed(table: Table, name: str, value: str) -> str:
    if isinstance(table.c[name].type, Boolean):
        return "TRUE" if value == "1" else "FALSE"
    return f"CAST({value} AS bigint)" if value.lstrip("-").isdigit() else value


def _literal(value: object, copies: Copies) -> str:
    """A value of the shape as SQL, in terms of the copy's number `n`."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(int(value))
        case int() if is_instant(value):
            return _moved(value, copies)
        case str() if is_written_instant(value):
            return f"CAST({_moved(int(value), copies)} AS text)"
        case int():
            return str(value)
        case _:
            quoted = "'" + str(value).replace("'", "''") + "'"
            named = f"'z' || CAST({NUMBERED} + n AS text)"
            return f"replace({quoted}, '{NAME}', {named})" if NAME in quoted else quoted


def _moved(value: Micros, copies: Copies) -> str:
    return f"{value - BEGIN + copies.begin} + (n - {copies.first}) * {copies.step}"


def is_written_instant(value: object) -> bool:
    """Whether a value of the shape is an instant written as text, as the occurrence of a signal is."""
    return isinstance(value, str) and value.isdecimal() and is_instant(int(value))


def is_instant(value: object) -> bool:
    """Whether a value of the shape moves with the story."""
    return isinstance(value, int) and value != NEVER and abs(value - BEGIN) < NEAR


def _any_id(postgresql: bool, place: int) -> str:
    """An id as random as a real one: where it falls in the index is what costs."""
    return (
        f"'sig_' || left(md5(n || '-{place}'), 30)" if postgresql else "'sig_' || lower(hex(randomblob(15)))"
    )


def analyse(database: Database) -> None:
    """Have the database count what it holds, as it does by itself in time."""
    database.write_now(lambda conn, _: conn.exec_driver_sql("ANALYZE") and None)


def opened(url: str) -> Database:
    """A database for filling, with patience for long statements."""
    return Database(Settings(database_url=url, database_statement_timeout=timedelta(minutes=10)))
