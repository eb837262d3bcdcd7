"""Tables of what is measured by the month: calls that count in averages, facts that count in allowances.

They are projections of the log, kept so that an event costs its own call or ticket and not its month. An index says
which query it serves. Instants are microseconds UTC.
"""

from typing import Any, ClassVar

from sqlalchemy import Boolean, Index
from sqlmodel import Field, SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class AverageCallRow(SQLModel, table=True):
    """A call that counts in a month of an average. `answered_at` and `waited` are null while it is not answered."""

    __tablename__: ClassVar[Any] = "average_call"

    desk: str = text_column(primary_key=True)
    average: str = text_column(primary_key=True)
    call: str = text_column(primary_key=True)
    period: int = instant_column()
    """The first instant of its month."""
    line: str | None = text_column(nullable=True)
    offered_at: int = instant_column()
    answered_at: int | None = instant_column(nullable=True)
    waited: int | None = instant_column(nullable=True)

    # Serves the sums of a month and the waits after an instant; it has every column that they read.
    __table_args__ = (
        Index("average_call_month", "desk", "average", "period", "answered_at", "waited", "offered_at"),
    )


class AllowanceUseRow(SQLModel, table=True):
    """A ticket that uses up an allowance, with its first fact that counts.

    `holder` is whose allowance it is: the contract or the customer, as it is compared; empty when the ticket names none.
    """

    __tablename__: ClassVar[Any] = "allowance_use"

    desk: str = text_column(primary_key=True)
    allowance: str = text_column(primary_key=True)
    ticket: str = text_column(primary_key=True)
    period: int = instant_column()
    """The first instant of its month."""
    holder: str = text_column()
    at: int = instant_column()
    event: str = text_column()
    contract: str | None = text_column(nullable=True)
    customer: str | None = text_column(nullable=True)
    limit: int | None = instant_column(nullable=True)
    exceeded: bool = Field(sa_type=Boolean)
    """Whether it was past the limit when it was last evaluated."""

    # Serves the order of a holder's tickets in a month, and the list of a month's holders.
    __table_args__ = (Index("allowance_use_order", "desk", "allowance", "period", "holder", "at", "ticket"),)


class MeasuredMonthRow(SQLModel, table=True):
    """A month of an average or allowance that was projected whole, under a version of the agreement."""

    __tablename__: ClassVar[Any] = "measured_month"

    desk: str = text_column(primary_key=True)
    measure: str = text_column(primary_key=True)
    period: int = instant_column(primary_key=True)
    version: int = Field()


average_call = table_of(AverageCallRow)
allowance_use = table_of(AllowanceUseRow)
measured_month = table_of(MeasuredMonthRow)
