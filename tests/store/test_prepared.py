"""Statements that the driver executes: the same values, rows and errors as by SQLAlchemy."""

import pytest
from sqlalchemy import bindparam, delete, event, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from app.sla.subject import Subject
from app.store.engine.database import Connection, Database
from app.store.engine.prepared import OBSERVED, Prepared
from app.store.tables import parked

INSERT = Prepared(insert(parked))
SOME = Prepared(
    select(parked.c.subject, parked.c.times, (parked.c.times > 1).label("again"), literal_column("'x'"))
    .where(parked.c.desk == "haisoft", parked.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(parked.c.subject)
)
SET = Prepared(
    update(parked).where(parked.c.subject == bindparam("_subject")).values(times=bindparam("times"))
)
DELETE = Prepared(delete(parked).where(parked.c.subject.in_(bindparam("subjects", expanding=True))))
A, B, CALL = Subject.parse("a"), Subject.parse("b"), Subject.parse("call:1")


def row(subject: Subject, times: int) -> dict[str, object]:
    instants = dict.fromkeys(("first_at", "last_at", "retry_at"), 1)
    return {"desk": "haisoft", "subject": subject, "error": "e", "times": times, **instants}


def test_values_and_rows_are_converted_by_the_types_of_their_columns(database: Database) -> None:
    def work(conn: Connection, _: int) -> list[tuple[object, ...]]:
        assert INSERT.write(conn, [row(A, 1), row(CALL, 2)]) == 2
        assert INSERT.write(conn, [row(B, 3)]) == 1
        return [tuple(each) for each in SOME.rows(conn, {"subjects": [A, CALL]})]

    assert database.write_now(work) == [(A, 1, False, "x"), (CALL, 2, True, "x")]


def test_lists_may_have_any_length(database: Database) -> None:
    def work(conn: Connection, _: int) -> list[list[Subject]]:
        INSERT.write(conn, [row(each, 1) for each in (A, B, CALL)])
        lists = ([A], [A, B], [B, CALL, A], [B])
        found = [[each.subject for each in SOME.rows(conn, {"subjects": wanted})] for wanted in lists]
        assert DELETE.write(conn, [{"subjects": [A, B]}]) == 2
        return found

    assert database.write_now(work) == [[A], [A, B], [A, B, CALL], [B]]


def test_an_update_says_how_many_rows_it_changed(database: Database) -> None:
    def work(conn: Connection, _: int) -> int:
        INSERT.write(conn, [row(A, 1)])
        assert SET.write(conn, [{"_subject": B, "times": 7}]) == 0
        return SET.write(conn, [{"_subject": A, "times": 7}])

    assert database.write_now(work) == 1


def test_only_the_columns_that_are_given_are_written(database: Database) -> None:
    statement = Prepared(insert(parked))
    without_times = {name: value for name, value in row(A, 1).items() if name != "times"}

    def work(conn: Connection, _: int) -> None:
        statement.write(conn, [row(B, 1)])
        statement.write(conn, [without_times])

    with pytest.raises(IntegrityError, match="times"):
        database.write_now(work)


class _Undone(Exception):
    """The transaction ends here."""


def test_errors_are_those_of_sqlalchemy(database: Database) -> None:
    def work(conn: Connection, _: int) -> None:
        with pytest.raises(IntegrityError):
            INSERT.write(conn, [row(A, 1), row(A, 1)])
        raise _Undone

    with pytest.raises(_Undone):
        database.write_now(work)


def test_events_see_a_statement_where_the_connection_asks_for_it(database: Database) -> None:
    def work(conn: Connection, _: int) -> list[str]:
        seen: list[str] = []
        event.listen(conn, "before_cursor_execute", lambda *given: seen.append(given[2]))
        for observed in (False, True):
            conn.execution_options(**{OBSERVED: observed})
            INSERT.write(conn, [row(A if observed else B, 1)])
            SOME.rows(conn, {"subjects": [A]})
        conn.execution_options(**{OBSERVED: False})
        return [each.split()[0] for each in seen]

    assert database.write_now(work) == ["INSERT", "SELECT"]
