"""signal: an index by which a desk's signals of a period are found.

Expands only: a process of the release before reads and writes as it did.
"""

from alembic import op

revision = "20261130_signals_at"
down_revision = "20261130_subscribed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("signal_at", "signal", ["at", "desk"])
