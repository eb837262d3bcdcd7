"""Table of the versions of a desk's agreement and calendars."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class DeskVersionRow(SQLModel, table=True):
    """One version of a desk: its agreement and the calendars that it counts by.

    `applied_at` is written for processes of the release before. Rows that such a process inserts have NULL in the
    columns that this release added. Only the columns of the withdrawal ever change, and only before `effective_from`.
    """

    __tablename__: ClassVar[Any] = "desk_version"

    desk: str = text_column(primary_key=True)
    number: int = Field(primary_key=True)
    applied_at: int = instant_column()
    recorded_at: int | None = instant_column(nullable=True)
    effective_from: int | None = instant_column(nullable=True)
    applies_to: str = text_column()
    agreement: str | None = text_column(nullable=True)
    calendars: str = text_column()
    agreement_text: str | None = text_column(nullable=True)
    calendars_text: str = text_column()
    digest: str = text_column()
    holidays: str | None = text_column(nullable=True)
    note: str | None = text_column(nullable=True)
    """What it changes in the holidays."""
    author: str | None = text_column(nullable=True)
    """Who applied it, as the audit log names actors."""
    author_note: str | None = text_column(nullable=True)
    withdrawn_at: int | None = instant_column(nullable=True)
    withdrawn_by: str | None = text_column(nullable=True)
    replaced_by: int | None = Field(default=None, nullable=True)
    """The version that took its place before it was in force."""


desk_version = table_of(DeskVersionRow)
