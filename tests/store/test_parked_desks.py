"""Parked subjects of desks that have none as far as a transaction has read."""

from app.sla.subject import Subject
from app.store.engine.database import Connection, Database, memoized
from app.store.engine.desks import WITHOUT_PARKED
from app.store.tickets import parked_desks
from app.store.tickets.schedule import Parked

SUBJECT = Subject.parse("1")
PARKED = Parked("haisoft", SUBJECT, "e", 1, 1, 1, 2)


def test_of_a_desk_without_parked_subjects_none_is_looked_for(database: Database) -> None:
    def work(conn: Connection, _: int) -> list[dict[Subject, Parked]]:
        parked_desks.park(conn, [PARKED])
        found = parked_desks.parked(conn, "haisoft", [SUBJECT])
        memoized(conn, WITHOUT_PARKED, set[str]).add("haisoft")
        return [found, parked_desks.parked(conn, "haisoft", [SUBJECT])]

    assert database.write_now(work) == [{SUBJECT: PARKED}, {}]


def test_what_the_transaction_itself_parks_is_found(database: Database) -> None:
    def work(conn: Connection, _: int) -> dict[Subject, Parked]:
        memoized(conn, WITHOUT_PARKED, set[str]).add("haisoft")
        parked_desks.park(conn, [PARKED])
        return parked_desks.parked(conn, "haisoft", [SUBJECT])

    assert database.write_now(work) == {SUBJECT: PARKED}
