"""Rows of principals: API keys, their roles per desk, and sessions."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class ApiKeyRow(SQLModel, table=True):
    """An API key, by the hash of its secret. The secret itself is not stored.

    `parent`, `desk`, `scopes` and `expires_at` are of the release before: it stored sessions here too, each with an
    end, and reads `desk` and `scopes` where this one reads `principal_role`. They go with the next release.
    """

    __tablename__: ClassVar[Any] = "api_key"

    id: str = text_column(primary_key=True)
    hash: str = text_column()
    parent: str | None = text_column(nullable=True)
    """The key that a session of the release before was signed in with."""
    desk: str = text_column()
    """One desk or `*`; empty where the key has several, so that the release before shows it none."""
    scopes: str = text_column()
    created_at: int = instant_column()
    expires_at: int | None = instant_column(nullable=True)
    revoked_at: int | None = instant_column(nullable=True)

    __table_args__ = (UniqueConstraint("hash", name="api_key_hash"),)


class PrincipalRoleRow(SQLModel, table=True):
    """A role of a principal on a desk, or on `*`."""

    __tablename__: ClassVar[Any] = "principal_role"

    principal: str = text_column(primary_key=True)
    desk: str = text_column(primary_key=True)
    role: str = text_column(primary_key=True)


class SessionRow(SQLModel, table=True):
    """A browser that is signed in, by the hash of its cookie's secret. It has the roles of its principal."""

    __tablename__: ClassVar[Any] = "session"

    id: str = text_column(primary_key=True)
    hash: str = text_column()
    kind: str = text_column()
    """What the principal is: `key` or `guest`."""
    principal: str = text_column()
    """The id of the key that signed in; of a guest, the session's own."""
    created_at: int = instant_column()
    expires_at: int = instant_column()
    revoked_at: int | None = instant_column(nullable=True)

    __table_args__ = (
        UniqueConstraint("hash", name="session_hash"),
        Index("session_expired", "expires_at"),  # serves the removal of those that have ended
    )


class CalendarFeedRow(SQLModel, table=True):
    """An address of a calendar's `.ics`, by the hash of the secret in it."""

    __tablename__: ClassVar[Any] = "calendar_feed"

    id: str = text_column(primary_key=True)
    desk: str = text_column()
    calendar: str = text_column()
    hash: str = text_column()
    note: str = text_column()
    created_by: str = text_column()
    """The id of the key that made it."""
    created_at: int = instant_column()

    __table_args__ = (
        UniqueConstraint("hash", name="calendar_feed_hash"),
        Index("calendar_feed_desk", "desk", "calendar"),  # serves the list of a calendar's feeds
    )


api_key = table_of(ApiKeyRow)
principal_role = table_of(PrincipalRoleRow)
session = table_of(SessionRow)
calendar_feed = table_of(CalendarFeedRow)
