"""Tables of simulations: what was asked, how far it is, what came out, and the clocks that flip.

Instants are microseconds UTC.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Float, Index, text
from sqlmodel import Field, SQLModel

from app.store.tables.columns import instant_column, table_of, text_column


class SimulationRow(SQLModel, table=True):
    """A simulation. `question` and `result` are JSON; `heartbeat_at` is when its process was last known to run."""

    __tablename__: ClassVar[Any] = "simulation"

    id: str = text_column(primary_key=True)
    desk: str = text_column()
    state: str = text_column()
    progress: float = Field(sa_type=Float)
    created_at: int = instant_column()
    heartbeat_at: int = instant_column()
    ended_at: int | None = instant_column(nullable=True)
    author: str | None = text_column(nullable=True)
    question: str = text_column()
    result: str | None = text_column(nullable=True)
    reason: str | None = text_column(nullable=True)
    """Why it failed or was cancelled."""

    __table_args__ = (
        # Serves the oldest of a desk, which are removed, and those that are kept.
        Index("simulation_desk", "desk", "created_at"),
        # One at a time per desk, also where two processes insert at once.
        Index(
            "simulation_running",
            "desk",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )


class SimulationFlipRow(SQLModel, table=True):
    """A clock that flips, as JSON, by its place in the result."""

    __tablename__: ClassVar[Any] = "simulation_flip"

    desk: str = text_column()
    simulation: str = text_column(primary_key=True)
    place: int = Field(primary_key=True, sa_type=BigInteger)
    body: str = text_column()


simulation = table_of(SimulationRow)
simulation_flip = table_of(SimulationFlipRow)
