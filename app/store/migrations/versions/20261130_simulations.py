"""simulation, simulation_flip: what was asked, how far it is, and what came out.

Expands only: a process of the release before knows neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_simulations"
down_revision = "20261130_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "simulation",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
    )
    op.create_index("simulation_desk", "simulation", ["desk", "created_at"])
    running = sa.text("state = 'running'")
    op.create_index(
        "simulation_running",
        "simulation",
        ["desk"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_table(
        "simulation_flip",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("simulation", sa.Text(), primary_key=True),
        sa.Column("place", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
