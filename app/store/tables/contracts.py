"""Tables of the versions of a desk's agreement and calendars, and of its customers' contracts."""

from typing import Any, ClassVar

from sqlalchemy import Index
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


class ContractRow(SQLModel, table=True):
    """One term of a contract as a version of the contract states it. Appended only.

    A term is known by its first date: the row with the highest `number` is how it stands. Without a `document` the
    version has taken the term back. Ids and customers are casefolded; as written they are in the document.
    """

    __tablename__: ClassVar[Any] = "contract"

    desk: str = text_column(primary_key=True)
    contract: str = text_column(primary_key=True)
    valid_from: str = text_column(primary_key=True)
    """ISO 8601, so that texts sort as dates do."""
    number: int = Field(primary_key=True)
    valid_to: str | None = text_column(nullable=True)
    customer: str | None = text_column(nullable=True)
    document: str | None = text_column(nullable=True)
    recorded_at: int = instant_column()
    recorded_by: str = text_column()
    note: str | None = text_column(nullable=True)

    # Serves the contracts of a ticket's customer.
    __table_args__ = (Index("contract_customer", "desk", "customer"),)


contract = table_of(ContractRow)
