"""Rows of what ticket systems send: connections, source files, inbound webhooks, snapshots and origins."""

from typing import Any, ClassVar

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.store.tables.columns import instant_column, serial_column, table_of, text_column


class ConnectionRow(SQLModel, table=True):
    """A ticket system that may send to a desk, with the secrets that sign its webhooks, newest first.

    A signature is verified with the secret itself, so secrets are stored readable, unlike keys.
    """

    __tablename__: ClassVar[Any] = "connection"

    desk: str = text_column(primary_key=True)
    system: str = text_column(primary_key=True)
    secrets: str = text_column()
    created_at: int = instant_column()
    changed_at: int = instant_column()


class SourceRow(SQLModel, table=True):
    """The file of sources of a desk, as applied last."""

    __tablename__: ClassVar[Any] = "source"

    desk: str = text_column(primary_key=True)
    applied_at: int = instant_column()
    document: str = text_column()
    text: str = text_column()
    digest: str = text_column()


class HookRow(SQLModel, table=True):
    """An inbound webhook as it came, and its state."""

    __tablename__: ClassVar[Any] = "hook"

    seq: int | None = serial_column()
    id: str = text_column()
    desk: str = text_column()
    system: str = text_column()
    once: str = text_column()
    """The idempotency key: a repetition has the same."""
    received_at: int = instant_column()
    headers: str = text_column()
    body: bytes = Field(sa_type=LargeBinary)
    state: str = text_column()
    reason: str | None = text_column(nullable=True)
    warnings: str | None = text_column(nullable=True)
    interpreted_at: int | None = instant_column(nullable=True)
    tries: int = Field()
    padding: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    """Bytes that give way to the result, so that the row keeps its length. SQLite only."""

    __table_args__ = (
        UniqueConstraint("id", name="hook_id"),
        UniqueConstraint("once", name="hook_once"),
        # Serves the reader: a desk's pending webhooks in order of arrival, and which desks have any.
        Index(
            "hook_turns",
            "desk",
            "seq",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        # Serves the count of pending webhooks.
        Index(
            "hook_pending",
            "seq",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        # Serves the inbox, a small part of the table.
        Index(
            "hook_inbox",
            "desk",
            "seq",
            sqlite_where=text("state = 'kept' OR warnings IS NOT NULL"),
            postgresql_where=text("state = 'kept' OR warnings IS NOT NULL"),
        ),
        # Serves the latest webhooks of a connection.
        Index("hook_latest", "desk", "system", "seq"),
        # Serves the retention of webhooks that were read.
        Index("hook_received", "received_at"),
    )


class SnapshotRow(SQLModel, table=True):
    """A ticket as its system showed it at an instant, as a member of the ticket's snapshot chain."""

    __tablename__: ClassVar[Any] = "snapshot"

    desk: str = text_column(primary_key=True)
    system: str = text_column(primary_key=True)
    ticket: str = text_column(primary_key=True)
    at: int = instant_column(primary_key=True)
    digest: str = text_column(primary_key=True)
    created_at: int | None = instant_column(nullable=True)
    state: str = text_column()
    hook: str = text_column()

    # Serves reading a webhook again: which snapshots it brought.
    __table_args__ = (Index("snapshot_hook", "hook"),)


class OriginRow(SQLModel, table=True):
    """A request or snapshot that reports an event. An event without an origin is withdrawn."""

    __tablename__: ClassVar[Any] = "origin"

    desk: str = text_column(primary_key=True)
    origin: str = text_column(primary_key=True)
    name: str = text_column(primary_key=True)
    event_id: str = text_column()
    subject: str = text_column()
    at: int = instant_column()

    # Serves the query for other origins of an event.
    __table_args__ = (Index("origin_event", "desk", "event_id"),)


connection = table_of(ConnectionRow)
source = table_of(SourceRow)
hook = table_of(HookRow)
snapshot = table_of(SnapshotRow)
origin = table_of(OriginRow)
