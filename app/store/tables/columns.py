"""Column types that all rows share, and the Core table behind a row class.

Every instant is a BigInteger of microseconds UTC: a database's own date type loses the offset or the precision
somewhere. Documents are JSON text. The tables are the same on SQLite and on PostgreSQL. Rows never leave `store`.
"""

from typing import Any, Final, cast

from sqlalchemy import BigInteger, Column, Integer, Table, Text
from sqlmodel import Field, SQLModel

# SQLite assigns row numbers for an INTEGER key only.
_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")

NEVER: Final = 2**62
"""An instant that never comes: rows that are not due sort after all that are."""

metadata = SQLModel.metadata


def instant_column(**options: Any) -> Any:
    """A column of microseconds UTC, or of another 64-bit integer."""
    return Field(sa_type=BigInteger, **options)


def renamed_instant_column(attribute: str, *, former: str, nullable: bool = False) -> Any:
    """An instant whose column still has its `former` name in the database, for processes of the release before."""
    return Field(sa_column=Column(former, BigInteger, key=attribute, nullable=nullable))


def text_column(**options: Any) -> Any:
    """A column of text without a limit of length."""
    return Field(sa_type=Text, **options)


def serial_column() -> Any:
    """A primary key that the database assigns in ascending order."""
    return Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))


def table_of(row: type[SQLModel]) -> Table:
    """The Core table behind a row class: statements are written on tables, never through the ORM's session."""
    return cast(Table, row.__dict__["__table__"])
