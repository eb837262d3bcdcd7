"""subscription: of which periods reports are wanted; null, as for the release before: of all.

Expands only.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_subscribed"
down_revision = "20261130_kept_figures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscription", sa.Column("reports", sa.Text(), nullable=True))
