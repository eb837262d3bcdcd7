"""Attributes of an event that have no column: extensions of CloudEvents, and a sequence that is a text.

Expands only: the column is null in every row of a process of the release before, which does not read it either.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_attributes"
down_revision = "20261129_duplicates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("attributes", sa.Text(), nullable=True))
