"""The desk is the first column of every key, so that desks can be spread over servers; docs/growth.md has the others.

A key of a distributed table must contain the column by which it is distributed (Citus, and partitioning by desk).
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Table, UniqueConstraint

from app.store.tables import event
from tests.test_documents import table_after

GROWTH = Path(__file__).resolve().parents[2] / "docs" / "growth.md"
HEADING = "### Keys that do not begin with the desk"


def keys(table: Table) -> Iterator[list[str]]:
    """The columns of the primary key and of every unique key."""
    yield [column.name for column in table.primary_key.columns]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [column.name for column in constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield [getattr(column, "name", str(column)) for column in index.expressions]


def exceptions() -> set[tuple[str, str]]:
    """Each table with a key that does not begin with the desk."""
    return {
        (table.name, ", ".join(key))
        for table in event.metadata.tables.values()
        for key in keys(table)
        if key[0] != "desk"
    }


def test_every_key_begins_with_the_desk_or_growth_says_why_not() -> None:
    rows = table_after(GROWTH.read_text(encoding="utf-8"), HEADING)
    listed = {
        (table.strip("`"), key.strip("`"))
        for table, listed_keys, _ in rows
        for key in listed_keys.split("; ")
    }
    declared = {row for row in listed if row[0] in event.metadata.tables}
    assert declared == exceptions()
    assert all(reason for _, _, reason in rows)
