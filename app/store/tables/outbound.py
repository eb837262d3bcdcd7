"""Rows of what is sent: subscriptions and the outbox."""

from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.sla.subject import Subject
from app.store.tables.columns import instant_column, subject_column, table_of, text_column


class SubscriptionRow(SQLModel, table=True):
    """Who wants to hear of what, where, and how its endpoint has been doing."""

    __tablename__: ClassVar[Any] = "subscription"

    id: str = text_column(primary_key=True)
    desk: str = text_column()
    """A desk, or `*` for every one."""
    channel: str = text_column()
    url: str = text_column()
    kinds: str = text_column()
    filter: str = text_column()
    secrets: str = text_column()
    language: str = text_column()
    description: str = text_column()
    state: str = text_column()
    created_at: int = instant_column()
    wanted_since: int = instant_column()
    """Since when it has wanted what it wants now: what was told from then on has its row in the outbox."""
    failures: int = Field()
    """Failures in a row."""
    failing_since: int | None = instant_column(nullable=True)
    quiet_until: int | None = instant_column(nullable=True)
    """The endpoint asked for patience until then."""
    disabled_reason: str | None = text_column(nullable=True)

    __table_args__ = (Index("subscription_desk", "desk"),)


class DeliveryRow(SQLModel, table=True):
    """A signal on its way to a subscription: the outbox. Of one ticket's only the first has a `next_at`."""

    __tablename__: ClassVar[Any] = "delivery"

    subscription: str = text_column(primary_key=True)
    signal: int = instant_column(primary_key=True)
    """The signal's place in the stream."""
    desk: str = text_column()
    subject: Subject = subject_column()
    state: str = text_column()
    created_at: int = instant_column()
    next_at: int | None = instant_column(nullable=True)
    """When to try next; while an attempt is under way, when to take it for lost. None: others go first, or done."""
    claim: str | None = text_column(nullable=True)
    """The mark of the attempt under way: another's result is not written over it."""
    attempts: int = Field()
    attempted_at: int | None = instant_column(nullable=True)
    outcome: str | None = text_column(nullable=True)
    reason: str | None = text_column(nullable=True)
    status: int | None = Field(nullable=True)

    __table_args__ = (
        # Serves the courier: what is due at an endpoint, and when something will be.
        Index(
            "delivery_next",
            "subscription",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        # Serves the order: what of a ticket goes first.
        Index(
            "delivery_line",
            "subscription",
            "desk",
            "subject",
            "signal",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        # Serves the list of what was given up.
        Index(
            "delivery_parked",
            "subscription",
            "signal",
            sqlite_where=text("state = 'parked'"),
            postgresql_where=text("state = 'parked'"),
        ),
    )


subscription = table_of(SubscriptionRow)
delivery = table_of(DeliveryRow)
