"""Rows of the routing table: desks that live on another server, or move, and where this server's places begin."""

from typing import Any, ClassVar

from sqlalchemy import Boolean
from sqlmodel import Field, SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class RouteRow(SQLModel, table=True):
    """A desk that moves from or to this server, or has moved away. A desk without a row lives here, if it exists."""

    __tablename__: ClassVar[Any] = "route"

    desk: str = text_column(primary_key=True)
    state: str = text_column()
    is_hidden: bool = Field(sa_type=Boolean)
    """Whether its rows are invisible to the service, and it cannot write any."""
    base_url: str = text_column()
    """Where the other server is reached by HTTP: that which the desk goes to, or comes from."""
    changed_at: int = instant_column()


class PlacesRow(SQLModel, table=True):
    """From where on this server numbers what it records. Each move of a desk to it adds a row; the last one counts."""

    __tablename__: ClassVar[Any] = "places"

    start: int = instant_column(primary_key=True)


route = table_of(RouteRow)
places = table_of(PlacesRow)
