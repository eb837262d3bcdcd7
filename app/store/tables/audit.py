"""Rows of the audit log: sign-ins, and what administrators did."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, serial_column, table_of, text_column


class AuditRow(SQLModel, table=True):
    """One act on one desk, or on `*`. Appended only; retention deletes it. It contains no secret."""

    __tablename__: ClassVar[Any] = "audit"

    id: int | None = serial_column()
    at: int = instant_column()
    desk: str = text_column()
    action: str = text_column()
    who: str = text_column()
    """`user NAME`, `key ID`, `guest ID`, `command USER` or `service`."""
    about: str = text_column()
    outcome: str = text_column()
    note: str | None = text_column(nullable=True)
    count: int = instant_column()
    """How often: more than one for refused sign-ins of the same minute and address."""
    once: str | None = text_column(nullable=True)
    """Minute and address of refused sign-ins, which have one row; none for other acts."""
    request_id: str | None = text_column(nullable=True)
    address: str | None = text_column(nullable=True)

    __table_args__ = (
        UniqueConstraint("once", name="audit_once"),
        Index("audit_desk", "desk", "id"),
        Index("audit_at", "at"),  # serves retention
    )


audit = table_of(AuditRow)
