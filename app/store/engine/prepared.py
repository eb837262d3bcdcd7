"""Statements of the hot path: compiled once for each database, then executed by the driver.

A statement is declared as every other one is, from the tables. SQLAlchemy compiles it for the database at its first use,
and the types of its columns convert what is written and read. What SQLAlchemy does at each execution besides (cache key,
context, result) costs more than the rest of a short statement: 26 instead of 2 us on SQLite, 95 instead of 29 on
PostgreSQL. SQLAlchemy's cursor is 6 of those 29 us. Errors are SQLAlchemy's.
"""

from collections import namedtuple
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import closing
from operator import itemgetter
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Delete, Insert, Select, TextClause, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import await_only

Given = Mapping[str, Any]
"""Values by parameter; those of an IN list are a list."""

Convert = Callable[[Any], Any]

OBSERVED: Final = "slatimer_observed"
"""Execution option of a connection on which SQLAlchemy's events must see these statements too."""


class _Value(NamedTuple):
    """The value of one of the driver's parameters: of this name, or at this place in its list; else a constant."""

    name: str | None
    place: int | None
    constant: Any
    convert: Convert | None

    def of(self, given: Given) -> Any:
        if self.name is None:
            return self.constant
        found = given[self.name]
        if self.place is not None:
            found = found[self.place]
        return found if self.convert is None else self.convert(found)


class _Compiled:
    """A statement for the driver. `given` makes its parameters of values by name."""

    __slots__ = ("given", "sql")

    def __init__(self, sql: str, values: Sequence[_Value]) -> None:
        self.sql = sql
        names = [value.name for value in values if value.name is not None and value.place is None]
        # Rows that are written have names alone, and are many: one call picks their values.
        self.given: Callable[[Given], tuple[Any, ...]] = (
            _picker(values, names)
            if len(names) == len(values) > 1
            else lambda given: tuple([value.of(given) for value in values])
        )


def _picker(values: Sequence[_Value], names: Sequence[str]) -> Callable[[Given], tuple[Any, ...]]:
    """Picks the values of these names, and converts those whose types convert."""
    pick: Callable[[Given], tuple[Any, ...]] = itemgetter(*names)
    converts = [(place, value.convert) for place, value in enumerate(values) if value.convert is not None]
    if not converts:
        return pick

    def picked(given: Given) -> tuple[Any, ...]:
        found = list(pick(given))
        for place, convert in converts:
            found[place] = convert(found[place])
        return tuple(found)

    return picked


class Prepared:
    """A statement that is compiled once for each database and each length of its IN lists.

    A constant of a module, since what was compiled is kept. Round the lengths of lists up with `batch.parts`, so that
    they are few. An INSERT or UPDATE writes the columns that the first row has; none may have a default of Python's.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | Insert | Update | Delete | TextClause) -> None:
        self._statement = statement
        self._writes = isinstance(statement, Insert | Update)
        self._lists: tuple[str, ...] | None = None
        self._compiled: dict[tuple[object, ...], _Compiled] = {}
        self._readers: dict[str, Callable[[Iterable[Any]], list[Any]]] = {}

    def rows(self, conn: Connection, given: Given) -> list[Any]:
        """The rows of a query, as named tuples."""
        compiled = self._compiled_for(conn.dialect, given)
        found = _fetched(conn, compiled.sql, compiled.given(given))
        return self._reader(conn.dialect)(found) if found else []

    def write(self, conn: Connection, rows: Sequence[Given]) -> int:
        """Write these rows, at least one. Returns how many were written, as far as the driver counts them."""
        compiled = self._compiled_for(conn.dialect, rows[0])
        values = [compiled.given(row) for row in rows]
        count = _written_rows(conn, compiled.sql, values[0] if len(values) == 1 else values)
        return len(rows) if count < 0 else count

    def _compiled_for(self, dialect: Dialect, given: Given) -> _Compiled:
        found = None if self._lists is None else self._compiled.get(self._key(dialect, given, self._lists))
        return self._compile(dialect, given) if found is None else found

    def _key(self, dialect: Dialect, given: Given, lists: Sequence[str]) -> tuple[object, ...]:
        # An INSERT or UPDATE writes the columns that are given.
        columns = tuple(given) if self._writes else ()
        return (dialect.name, *columns, *[len(given[name]) for name in lists])

    def _compile(self, dialect: Dialect, given: Given) -> _Compiled:
        options: dict[str, Any] = {}
        if self._writes:
            options = {"column_keys": list(given), "for_executemany": True}
        compiled = self._statement.compile(dialect=dialect, **options)
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"not a statement whose values are all given: {self._statement}")
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding)
        made = _Compiled(*_expanded(compiled, dialect, given))
        self._compiled[self._key(dialect, given, self._lists)] = made
        return made

    def _reader(self, dialect: Dialect) -> Callable[[Iterable[Any]], list[Any]]:
        found = self._readers.get(dialect.name)
        if found is None:
            found = _reader_of(self._statement, dialect) if isinstance(self._statement, Select) else list
            self._readers[dialect.name] = found
        return found


def _expanded(compiled: SQLCompiler, dialect: Dialect, given: Given) -> tuple[str, list[_Value]]:
    """The statement with as many parameters as the lists are long, and where their values come from."""
    constants = {name: bind.effective_value for name, bind in compiled.binds.items() if name not in given}
    state = compiled.construct_expanded_state({**constants, **given})
    sources: dict[str, tuple[str, int | None]] = {name: (name, None) for name in compiled.binds}
    for name, expanded in state.parameter_expansion.items():
        sources |= {each: (name, place) for place, each in enumerate(expanded)}
    values: list[_Value] = []
    for each in state.positiontup or ():
        name, place = sources[each]
        convert = _written(compiled.binds[name].type, dialect)
        if name in given:
            values.append(_Value(name, place, None, convert))
        else:
            constant = state.parameters[each]
            values.append(_Value(None, None, constant if convert is None else convert(constant), None))
    return state.statement, values


def _written(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader_of(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> Callable[[Iterable[Any]], list[Any]]:
    """Makes named tuples of the driver's rows."""
    columns = list(statement.selected_columns)
    row_type: Any = cast(Any, namedtuple)("Row", [str(column.key) for column in columns], rename=True)
    make: Callable[[Iterable[Any]], Any] = row_type._make
    processors = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
    converts = [(place, convert) for place, convert in enumerate(processors) if convert is not None]
    if not converts:
        return lambda rows: list(map(make, rows))

    def read(rows: Iterable[Any]) -> list[Any]:
        found: list[Any] = []
        for row in rows:
            values = list(row)
            for place, convert in converts:
                values[place] = convert(values[place])
            found.append(make(values))
        return found

    return read


def _fetched(conn: Connection, sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
    driver = _begun_driver(conn)
    if driver is None:
        return _executed(conn, sql, values, lambda cursor: cursor.fetchall())
    return _awaited(conn, sql, values, driver.fetch(sql, *values))


def _written_rows(conn: Connection, sql: str, values: Any) -> int:
    """How many rows were written; -1 where the driver does not count them, as for a list of values."""
    driver = _begun_driver(conn)
    if driver is None:
        return _executed(conn, sql, values, lambda cursor: cursor.rowcount)
    if isinstance(values, list):
        _awaited(conn, sql, values, driver.executemany(sql, values))
        return -1
    status: str = _awaited(conn, sql, values, driver.execute(sql, *values))
    return int(status.rpartition(" ")[2])


def _begun_driver(conn: Connection) -> Any:
    """The connection of the asynchronous driver, once SQLAlchemy's cursor has begun a transaction on it; else None.

    The cursor costs a quarter of a short statement: a lock, the description and the status of each result, and a
    coroutine more to resume.
    """
    if not conn.dialect.is_async or conn.get_execution_options().get(OBSERVED):
        return None
    driver: Any = conn.connection.driver_connection
    return driver if driver.is_in_transaction() else None


def _awaited(conn: Connection, sql: str, values: Any, result: Awaitable[Any]) -> Any:
    """What the asynchronous driver gives. Its errors are raised as SQLAlchemy's cursor would raise them."""
    connection = conn.connection
    try:
        return await_only(result)
    except Exception as error:
        adapter: Any = connection.dbapi_connection
        try:
            adapter._handle_exception(error)
        except conn.dialect.loaded_dbapi.Error as known:
            raise _error(conn, sql, values, known, None) from error
        raise


def _executed(conn: Connection, sql: str, values: Any, result: Callable[[DBAPICursor], Any]) -> Any:
    """Execute, one row of values or a list of them."""
    if conn.get_execution_options().get(OBSERVED):
        observed = conn.exec_driver_sql(sql, values)
        return observed.rowcount if not observed.returns_rows else observed.all()
    dbapi = conn.dialect.loaded_dbapi
    with closing(conn.connection.cursor()) as cursor:
        try:
            if isinstance(values, list):
                cursor.executemany(sql, cast("list[Any]", values))
            else:
                cursor.execute(sql, values)
            return result(cursor)
        except dbapi.Error as error:
            raise _error(conn, sql, values, error, cursor) from error


def _error(
    conn: Connection, sql: str, values: Any, error: Exception, cursor: DBAPICursor | None
) -> BaseException:
    """SQLAlchemy's error of the driver's. A connection that is gone is never used again."""
    dbapi = conn.dialect.loaded_dbapi
    gone = conn.dialect.is_disconnect(error, conn.connection.dbapi_connection, cursor)  # type: ignore[arg-type]
    if gone:
        conn.invalidate(error)
    return DBAPIError.instance(
        sql, values, error, dbapi.Error, connection_invalidated=gone, dialect=conn.dialect
    )
