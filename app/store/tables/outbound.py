"""The tables of subscriptions and of the outbox."""

from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from app.sla.subject import Subject
from app.store.tables.columns import instant_column, subject_column, table_of, text_column


class SubscriptionRow(SQLModel, table=True):
    """A subscription: which signals go where, and the health of its endpoint."""

    __tablename__: ClassVar[Any] = "subscription"

    id: str = text_column(primary_key=True)
    desk: str = text_column()
    """A desk, or `*` for all desks."""
    channel: str = text_column()
    url: str = text_column()
    kinds: str = text_column()
    filter: str = text_column()
    secrets: str = text_column()
    language: str = text_column()
    omit: str = text_column(sa_column_kwargs={"server_default": text("'[]'")})
    """Fields of the ticket that its deliveries leave out, a JSON list."""
    reports: str | None = text_column(nullable=True)
    """Of which periods reports are delivered, a JSON list; null: of all."""
    description: str = text_column()
    state: str = text_column()
    created_at: int = instant_column()
    wanted_since: int = instant_column()
    """When its kinds and filter last changed: each matching signal recorded since has a delivery."""
    failures: int = Field()
    """Failures in a row."""
    failing_since: int | None = instant_column(nullable=True)
    quiet_until: int | None = instant_column(nullable=True)
    """No delivery before then: the endpoint answered with Retry-After, or people got a message just now."""
    disabled_reason: str | None = text_column(nullable=True)

    __table_args__ = (Index("subscription_desk", "desk"),)


class DeliveryRow(SQLModel, table=True):
    """A delivery: one signal to one subscription. Of a ticket's pending ones only the first has a `next_at`."""

    __tablename__: ClassVar[Any] = "delivery"

    subscription: str = text_column(primary_key=True)
    signal: int = instant_column(primary_key=True)
    """The signal's place in the stream."""
    desk: str = text_column()
    subject: Subject = subject_column()
    state: str = text_column()
    created_at: int = instant_column()
    next_at: int | None = instant_column(nullable=True)
    """When the next attempt is due, or the claim expires. None: done, or another of the ticket comes first."""
    claim: str | None = text_column(nullable=True)
    """The token of the attempt in flight: a result is recorded only by the process that holds the claim."""
    attempts: int = Field()
    attempted_at: int | None = instant_column(nullable=True)
    outcome: str | None = text_column(nullable=True)
    reason: str | None = text_column(nullable=True)
    status: int | None = Field(nullable=True)

    __table_args__ = (
        # Serves `deliveries.claim` and `deliveries.schedules`: what is due at an endpoint, and when the next is.
        Index(
            "delivery_next",
            "subscription",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        # Serves `deliveries.schedule_next`: the first pending delivery of an ordering key.
        Index(
            "delivery_line",
            "subscription",
            "desk",
            "subject",
            "signal",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        # Serves the list of parked deliveries.
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
