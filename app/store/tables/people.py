"""Rows of who may call: API keys and sessions."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class ApiKeyRow(SQLModel, table=True):
    """A key or a signed-in session, by its hash. The key itself is nowhere."""

    __tablename__: ClassVar[Any] = "api_key"

    id: str = text_column(primary_key=True)
    hash: str = text_column()
    parent: str | None = text_column(nullable=True)
    """The key that a session was signed in with: it ends with it."""
    desk: str = text_column()
    scopes: str = text_column()
    created_at: int = instant_column()
    expires_at: int | None = instant_column(nullable=True)
    revoked_at: int | None = instant_column(nullable=True)

    __table_args__ = (UniqueConstraint("hash", name="api_key_hash"),)


api_key = table_of(ApiKeyRow)
