"""Rows of what desks have promised: versions of agreements and calendars."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class DeskVersionRow(SQLModel, table=True):
    """One version of what a desk promises: its agreement and the calendars that it counts in."""

    __tablename__: ClassVar[Any] = "desk_version"

    desk: str = text_column(primary_key=True)
    number: int = Field(primary_key=True)
    applied_at: int = instant_column()
    applies_to: str = text_column()
    agreement: str | None = text_column(nullable=True)
    calendars: str = text_column()
    agreement_text: str | None = text_column(nullable=True)
    calendars_text: str = text_column()
    digest: str = text_column()


desk_version = table_of(DeskVersionRow)
