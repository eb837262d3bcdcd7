"""On PostgreSQL the server itself shows a transaction no other desk's rows, whatever it asks for."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import DBAPIError

from app.principal import EVERY
from app.store.engine import row_security
from app.store.engine.database import Connection, visible_desks
from app.store.tables import metadata
from tests.servers.databases import postgresql_only
from tests.service import Service, created

pytestmark = postgresql_only

DESK_TABLES = [table for table in metadata.sorted_tables if "desk" in table.columns]


@pytest.fixture
def two_desks(service: Service) -> Iterator[Service]:
    """Facts of two desks, read as by a caller of the first."""
    service.clock.set("2026-03-02T18:00:00+01:00")
    service.push(
        created("1", "2026-03-02T08:00:00+01:00"),
        created("2", "2026-03-02T08:00:00+01:00", desk="webxtra", plan="managed"),
    )
    token = visible_desks.set(frozenset({"haisoft"}))
    yield service
    visible_desks.reset(token)


def desks_in(service: Service, table: Table) -> set[str]:
    return set(service.database.read_now(lambda conn: conn.execute(select(table.c.desk)).scalars().all()))


@pytest.mark.parametrize("table", DESK_TABLES, ids=lambda table: table.name)
def test_a_read_for_one_desk_sees_its_rows_only(two_desks: Service, table: Table) -> None:
    assert desks_in(two_desks, table) <= {"haisoft"}


@pytest.mark.parametrize("name", ["event", "ticket", "clock", "signal", "stint", "desk_version"])
def test_its_own_rows_it_sees(two_desks: Service, name: str) -> None:
    table = metadata.tables[name]
    assert desks_in(two_desks, table) == {"haisoft"}
    visible_desks.set(frozenset({"webxtra"}))
    assert desks_in(two_desks, table) == {"webxtra"}
    visible_desks.set(EVERY)
    assert desks_in(two_desks, table) >= {"haisoft", "webxtra"}


def test_a_month_of_the_log_is_guarded_like_the_whole(two_desks: Service) -> None:
    def read(conn: Connection) -> list[str]:
        return [row[0] for row in conn.exec_driver_sql("SELECT desk FROM event_other").all()]

    assert two_desks.database.read_now(read) == ["haisoft"]


def test_a_note_on_another_desks_breach_is_not_seen(two_desks: Service) -> None:
    visible_desks.set(EVERY)
    breach = two_desks.signals("clock.breached")[0]
    assert breach["desk"] == "haisoft"

    def note(conn: Connection, now: int) -> None:
        conn.exec_driver_sql(f"INSERT INTO acknowledgement VALUES ('{breach['id']}', 'me', NULL, {now})")

    two_desks.database.write_now(note)
    for desk, seen in (("*", 1), ("haisoft", 1), ("webxtra", 0)):
        visible_desks.set(frozenset({desk}))
        assert two_desks.rows("SELECT count(*) FROM acknowledgement") == [(seen,)]


def test_every_table_with_a_desk_is_guarded_and_the_role_does_not_pass_by(service: Service) -> None:
    """A table that a later migration makes is found here, and by the doctor, if it were forgotten."""
    assert service.database.read_now(row_security.unguarded) == []
    assert not service.database.read_now(row_security.is_bypassed)

    def forget(conn: Connection, now: int) -> list[str]:
        conn.exec_driver_sql("CREATE TABLE new_one (desk text)")
        return row_security.unguarded(conn)

    assert service.database.write_now(forget) == ["new_one"]


def test_a_reader_cannot_write(service: Service) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        service.rows("DELETE FROM ticket RETURNING ticket")
