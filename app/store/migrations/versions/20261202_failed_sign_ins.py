"""failed_sign_in: failed sign-ins in a row, counted over all processes.

Expands only: a process of the release before counts in its own memory.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261202_failed_sign_ins"
down_revision = "20261201_embedding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_sign_in",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("failed_sign_in_last", "failed_sign_in", ["last_at"])
