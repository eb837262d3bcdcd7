"""Tables of reports: kept figures of ended periods, and what makes them out of date.

Instants are microseconds UTC.
"""

from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class ReportDayRow(SQLModel, table=True):
    """How often figures of a past day have changed. Only what happens to a day long after it is counted.

    A transaction that changes such figures raises the revision, so kept figures are valid while the sum of the revisions
    of their days is that with which they were read. Rows are never deleted: a sum must not return to what it was.
    """

    __tablename__: ClassVar[Any] = "report_day"

    desk: str = text_column(primary_key=True)
    figures: str = text_column(primary_key=True)
    """Which figures: of the clocks by one of their instants, of the queues, or by a field of the ticket."""
    day: int = instant_column(primary_key=True)
    """Days since 1970, UTC."""
    revision: int = instant_column()


class ReportFiguresRow(SQLModel, table=True):
    """Kept figures of an ended period. `revision` is the sum of those of its days when they were read."""

    __tablename__: ClassVar[Any] = "report_figures"

    desk: str = text_column(primary_key=True)
    figures: str = text_column(primary_key=True)
    """The measure and the split."""
    start: int = instant_column(primary_key=True)
    end: int = instant_column(primary_key=True)
    offset: int = instant_column(primary_key=True)
    """The zone's offset from UTC, by which hours are counted."""
    revision: int = instant_column()
    kept_at: int = instant_column()
    body: str = text_column()

    # Serves the limit of a desk: the oldest go first.
    __table_args__ = (Index("report_figures_kept", "desk", "kept_at"),)


report_day = table_of(ReportDayRow)
report_figures = table_of(ReportFiguresRow)
