"""hook.padding: bytes of a stored webhook that give way to its result, so that SQLite need not write its body again.

Expands only: a process of the release before leaves it empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261203_hook_padding"
down_revision = "20261202_views"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hook", sa.Column("padding", sa.LargeBinary(), nullable=True))
