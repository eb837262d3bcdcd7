"""Column types shared by all tables, and the Core table of a row class.

An instant is a BigInteger of microseconds UTC: the date types of some databases lose the offset or the precision.
Documents are JSON text. The tables are the same on SQLite and PostgreSQL. Row classes are private to `store`.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

import orjson
from sqlalchemy import BigInteger, Column, Dialect, Integer, SmallInteger, Table, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from app.sla.subject import Subject

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


class SubjectText(TypeDecorator[Subject]):
    """A subject, stored as its text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Subject | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The text that is stored."""
        return None if value is None else value.text

    def process_result_value(self, value: str | None, dialect: Dialect) -> Subject | None:  # noqa: ARG002
        """The subject of a stored text."""
        return None if value is None else Subject.parse(value)


class SubjectTexts(TypeDecorator[Sequence[Subject]]):
    """Several subjects, stored as a JSON list of their texts; null for none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Subject] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The list that is stored."""
        return orjson.dumps([each.text for each in value]).decode() if value else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Subject, ...]:  # noqa: ARG002
        """The subjects of a stored list."""
        return () if value is None else tuple(map(Subject.parse, orjson.loads(value)))


class CodedText(TypeDecorator[str]):
    """One of a few texts, stored as a small number. Codes are never given to another text.

    Two bytes in place of the 32 for which PostgreSQL allows with a text: while it has no statistics, a wide row makes it
    think that a table has few rows, and then that any index of the desk serves to look one up.
    """

    impl = SmallInteger
    cache_ok = True

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = texts

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """The code that is stored."""
        return None if value is None else self.texts.index(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The text of a stored code."""
        return None if value is None else self.texts[value]


def subject_column(name: str = "ticket", *, primary_key: bool = False) -> Any:
    """The subject that a row is about, in the attribute `subject`.

    In tables that are older than subjects the column is still named `ticket`. A ticket's subject is its bare id, so a
    process of the release before reads and writes the same rows beside. A migration of the next release renames it.
    """
    return Field(sa_column=Column(name, SubjectText, key="subject", primary_key=primary_key, nullable=False))


def serial_column() -> Any:
    """A primary key that the database generates in ascending order."""
    return Field(default=None, sa_column=Column(_SERIAL, primary_key=True, autoincrement=True))


def table_of(row: type[SQLModel]) -> Table:
    """The Core table of a row class. Statements use Core only: the ORM session costs 12 to 19 times as much."""
    return cast(Table, row.__dict__["__table__"])
