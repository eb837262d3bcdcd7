"""embedding: whose tickets may be shown inside other systems' pages. hook_latest: the last webhooks of a connection.

Expands only: a process of the release before knows neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_embedding"
down_revision = "20261130_simulations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "embedding",
        sa.Column("desk", sa.Text(), primary_key=True),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("frame_ancestors", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("hook_latest", "hook", ["desk", "system", "seq"])
