"""What a move of a desk does with each table is decided; statements and numbers of a move."""

import pytest

from app.sla.span import DAY, SECOND
from app.store.tables import event_key, metadata
from app.store.transfer import replication
from app.store.transfer.arrival import start_of_numbers
from app.store.transfer.moved_tables import LEFT, MOVED_BY_STATEMENT, NUMBERED, UndecidedTable, replicated
from app.store.transfer.server import conninfo

TABLES = [(table.name, "desk" in table.columns) for table in (*metadata.sorted_tables, event_key)]
NAMES = {name for name, _ in TABLES} | {"alembic_version"}


def test_every_table_with_a_desk_is_replicated_or_listed_with_its_reason() -> None:
    with_desk = {name for name, has_desk in TABLES if has_desk}
    assert set(replicated(TABLES)) == with_desk - MOVED_BY_STATEMENT.keys() - LEFT.keys()


def test_every_table_without_a_desk_is_listed_and_every_listed_table_exists() -> None:
    listed = MOVED_BY_STATEMENT.keys() | LEFT.keys()
    assert {name for name, has_desk in TABLES if not has_desk} <= listed
    assert listed | NUMBERED.keys() <= NAMES
    assert not MOVED_BY_STATEMENT.keys() & LEFT.keys()


def test_a_new_table_with_a_desk_moves_and_one_without_stops_the_move() -> None:
    assert "new" in replicated([*TABLES, ("new", True)])
    with pytest.raises(UndecidedTable, match="'new'"):
        replicated([*TABLES, ("new", False)])


def test_every_numbered_key_of_a_replicated_table_is_known() -> None:
    """A key that the database numbers would collide with the target's own."""
    found = {
        table.name: column.name
        for table in metadata.sorted_tables
        for column in table.primary_key
        if column.autoincrement is True and table.name in replicated(TABLES)
    }
    assert found == NUMBERED


def test_a_publication_filters_every_table_by_the_desk() -> None:
    statement = replication.publication("o'brien", ["event", "ticket"])
    assert statement.count("WHERE (desk = 'o''brien')") == 2
    assert "publish_via_partition_root = true" in statement


@pytest.mark.parametrize(("version", "asks"), [(150_018, False), (160_000, True), (180_006, True)])
def test_a_subscription_applies_as_its_own_role_where_the_server_would_take_another(
    version: int, asks: bool
) -> None:
    statement = replication.subscription("d", "postgresql+asyncpg://u@db/slatimer", version)
    assert ("run_as_owner" in statement) is asks


def test_libpq_gets_the_url_with_its_hosts_and_a_quoted_password() -> None:
    place = conninfo("postgresql+asyncpg://me:it%27s%5C@/slatimer?host=db1:5432&host=db2:5433&ssl=require")
    assert place == (
        "host='db1,db2' port='5432,5433' options='-crow_security=off' user='me' password='it\\'s\\\\' "
        "dbname='slatimer' sslmode='require'"
    )


@pytest.mark.parametrize("highest", [0, 5, 10**9, 31_000_000_000_000])
def test_numbers_begin_above_all_that_are_there_and_grow_with_the_time(highest: int) -> None:
    november = 1_795_900_000
    starts = [start_of_numbers(november + second, highest) for second in range(3)]
    assert starts[0] > highest
    assert starts == sorted(starts)
    two_centuries = 200 * 366 * DAY // SECOND
    assert start_of_numbers(november + two_centuries, highest) < 2**53
