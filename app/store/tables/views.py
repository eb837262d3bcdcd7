"""Rows of saved views: the filters of a page under a name, of one person or shared by a desk."""

from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class PersonViewRow(SQLModel, table=True):
    """A view of one person. It has no desk: only that person sees it."""

    __tablename__: ClassVar[Any] = "person_view"

    id: str = text_column(primary_key=True)
    person: str = text_column()
    page: str = text_column()
    name: str = text_column()
    filters: str = text_column()
    """A JSON object: the parameters of the page's address."""
    created_at: int = instant_column()
    changed_at: int = instant_column()

    __table_args__ = (Index("person_view_person", "person"),)  # serves the list of a person, and its end


class DeskViewRow(SQLModel, table=True):
    """A view that all who may view a desk see."""

    __tablename__: ClassVar[Any] = "desk_view"

    id: str = text_column(primary_key=True)
    desk: str = text_column()
    page: str = text_column()
    name: str = text_column()
    filters: str = text_column()
    """A JSON object: the parameters of the page's address. Its `desk` is the row's."""
    created_by: str = text_column()
    """The person, or the id of the key, that shared it."""
    created_at: int = instant_column()
    changed_at: int = instant_column()

    __table_args__ = (Index("desk_view_desk", "desk"),)  # serves the list of a desk


person_view = table_of(PersonViewRow)
desk_view = table_of(DeskViewRow)
