"""Versions of a desk as stored, beside a process of the release before."""

from alembic import command
from sqlalchemy import text

from app.sla.span import HOUR
from app.store.engine import migrate
from app.store.engine.database import Connection
from tests.service import Service

INSERTED_BEFORE = (
    "INSERT INTO desk_version (desk, number, applied_at, applies_to, agreement, calendars, agreement_text,"
    " calendars_text, digest) SELECT desk, number + 1, applied_at + 3600000000, applies_to, agreement, calendars,"
    " agreement_text, calendars_text, digest FROM desk_version WHERE desk = 'haisoft'"
)
"""A version as the release before inserts it, an hour after the first."""


def insert_as_before(conn: Connection, *_: object) -> None:
    conn.exec_driver_sql(INSERTED_BEFORE)


def test_a_version_is_in_force_from_when_it_was_recorded(service: Service) -> None:
    row = "SELECT applied_at, recorded_at, effective_from FROM desk_version WHERE desk = 'haisoft'"
    assert service.rows(row) == [(service.clock.now,) * 3]


def test_a_version_that_the_release_before_inserts_is_read(service: Service) -> None:
    service.database.write_now(insert_as_before)
    _, second = service.database.read_now(lambda conn: service.catalogue.recorded(conn, "haisoft"))
    assert second.recorded_at == second.version.effective_from == service.clock.now + HOUR


def test_the_migration_fills_the_new_columns_of_versions_stored_before(service: Service) -> None:
    def as_before(conn: Connection, *_: object) -> None:
        for column in ("recorded_at", "effective_from"):
            conn.execute(text(f"ALTER TABLE desk_version DROP COLUMN {column}"))
        conn.execute(text("UPDATE alembic_version SET version_num = '20261125_indexes'"))
        made = migrate.config()
        made.attributes["connection"] = conn
        command.upgrade(made, "20261128_versions")

    service.database.write_now(as_before)
    rows = service.rows("SELECT applied_at, recorded_at, effective_from FROM desk_version")
    assert len(rows) == 3
    assert {tuple(row) for row in rows} == {(service.clock.now,) * 3}
