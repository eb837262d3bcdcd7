"""Reports: kept figures of ended periods, and the revisions of the days that they are of.

Expands only. A process of the release before writes neither table: tickets that it evaluates are marked by their
revision, and while there is one the kept figures of its desk are not used.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_kept_figures"
down_revision = "20261130_written"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_day",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "figures", "day"),
    )
    op.create_table(
        "report_figures",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "figures", "start", "end", "offset"),
    )
    op.create_index("report_figures_kept", "report_figures", ["desk", "kept_at"])
