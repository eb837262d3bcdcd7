"""route: desks that live on another server, or move. places: from where on this server numbers what it records.

Expands only: a process of the release before knows neither. It must not run while a desk moves.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261203_routes"
down_revision = "20261203_hook_padding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "route",
        sa.Column("desk", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_table("places", sa.Column("start", sa.BigInteger(), primary_key=True, autoincrement=False))
