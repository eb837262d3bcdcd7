"""How fast can rows be written that somebody else has thought of?

The limit beside every rate: the rows of a story's step for other tickets, in as few statements as may be, with nothing
read, judged or checked. What is done to a row is what no writer can leave out: the ticket's name and the time.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, bindparam
from sqlalchemy.sql.dml import Insert, Update

from app.settings import Settings
from app.sla.span import Micros
from app.store.tables import event, event_key
from benchmarks._shape import (
    BEGIN,
    NAME,
    TABLES,
    TARGET,
    Copies,
    Write,
    continue_stream,
    fill,
    is_instant,
    is_written_instant,
    opened,
)

_BY_NAME: Final = {table.name: table for table in TABLES}


class Copyist:
    """Writes copies of the rows of several steps, each step known by a name."""

    def __init__(self, steps: Mapping[str, Sequence[Write]]) -> None:
        self._steps = {step: [_Kind(write) for write in writes] for step, writes in steps.items()}
        self._is_begun = False

    def write(self, conn: Connection, now: Micros, copies: Iterable[tuple[str, str, str]]) -> None:
        """Write the rows of these (step, ticket, event id), as if each step happened now."""
        if not self._is_begun:
            continue_stream(conn)
            self._is_begun = True
        later = now - BEGIN
        rows: dict[tuple[int, bool], list[dict[str, Any]]] = {}
        statements: dict[tuple[int, bool], Insert | Update] = {}
        for step, name, event_id in copies:
            for kind in self._steps[step]:
                rows.setdefault(kind.order, []).append(kind.copy(later, name, event_id))
                statements[kind.order] = kind.statement
        for order in sorted(rows):
            if TABLES[order[0]].name == event.name and conn.dialect.name == "postgresql":
                keys = [{column.name: row[column.name] for column in event_key.c} for row in rows[order]]
                conn.execute(event_key.insert(), keys)
            conn.execute(statements[order], rows[order])


class _Kind:
    """One row of the shape, and what in it differs from copy to copy."""

    def __init__(self, write: Write) -> None:
        self.table = write.table
        self.order = (list(_BY_NAME).index(write.table), not write.new)
        """What belongs into one statement, and the order of the statements: a ticket is there before it is changed."""
        row = {name: value for name, value in write.row.items() if name != "seq"}
        table = _BY_NAME[write.table]
        keys = [column.name for column in table.primary_key]
        self.statement: Insert | Update = table.insert()
        self._names = {name: f"_{name}" if not write.new and name in keys else name for name in row}
        if not write.new:
            values = {name: bindparam(name) for name in row if name not in keys}
            self.statement = table.update().values(values)
            for key in keys:
                self.statement = self.statement.where(table.c[key] == bindparam(f"_{key}"))
        self._row = {self._names[name]: value for name, value in row.items()}
        self._named = [name for name, value in self._row.items() if isinstance(value, str) and NAME in value]
        self._instants = [name for name, value in self._row.items() if is_instant(value)]
        self._written = [name for name, value in self._row.items() if is_written_instant(value)]

    def copy(self, later: Micros, name: str, event_id: str) -> dict[str, Any]:
        """The row for another ticket and a later time."""
        row = dict(self._row)
        for column in self._named:
            row[column] = row[column].replace(NAME, name)
        for column in self._instants:
            row[column] += later
        for column in self._written:
            row[column] = str(int(row[column]) + later)
        if self.table == "event":
            row["event_id"] = event_id
        if self.table == "signal":
            row["id"] = f"sig_{uuid4().hex[:30]}"
        return row


def written(url: str, shape: Sequence[Write], step: Sequence[Write], count: int) -> tuple[float, float]:
    """Writes the rows of a step of so many tickets of a shape, in the transactions of a sweep, with nothing else done.

    Returns how many a second, and milliseconds of this process's processor time for each.
    """
    copyist, size = Copyist({"step": step}), Settings().sweep_batch_size
    names = [f"z{10_000_000 + number}" for number in range(count)]
    with opened(url) as database:
        fill(database, shape, Copies(0, count, database.now() - TARGET, 1))
        began, before = time.perf_counter(), time.process_time()
        for start in range(0, count, size):
            part = [("step", name, "") for name in names[start : start + size]]
            database.write_now(lambda conn, at, part=part: copyist.write(conn, at, part))
        spent = time.process_time() - before
        return count / (time.perf_counter() - began), spent / count * 1000
