"""Column types shared by all tables, and the Core table of a row class.

An instant is a BigInteger of microseconds UTC: the date types of some databases lose the offset or the precision.
Documents are JSON text. The tables are the same on SQLite and PostgreSQL. Row classes are private to `store`.
"""

from typing import Any, Final, cast

from sqlalchemy import BigInteger, Column, Integer, Table, Text
from sqlmodel import Field, SQLModel

# SQLite generates values for an INTEGER primary key only.
_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")

NEVER: Final = 2**62
"""Sentinel for an instant that never comes: such rows sort after all others."""

metadata = SQLModel.metadata


def instant_column(**options: Any) -> Any:
    """A column of microseconds UTC, or of another 64-bit integer."""
    return Field(sa_type=BigInteger, **options)


def renamed_instant_column(attribute: str, *, former: str, nullable: bool = False) -> Any:
    """An instant whose column still has its `former` name in the database, for processes of the release before."""
    return Field(sa_column=Column(former, BigInteger, key=attribute, nullable=nullable))


def text_column(**options: Any) -> Any:
    """A text column of unlimited length."""
    return Field(sa_type=Text, **options)


def serial_column() -> Any:
    """A primary key that the database generates in ascending order."""
    return Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))


def table_of(row: type[SQLModel]) -> Table:
    """The Core table of a row class. Statements use Core only: the ORM session costs 12 to 19 times as much."""
    return cast(Table, row.__dict__["__table__"])
