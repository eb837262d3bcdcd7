"""desk_version: the holidays that a version counts with, and a note on what it changes.

Expand step. Both columns are nullable, so that the inserts of the release before still succeed. A version without
stored holidays gets them when a process of this release starts: they come from the installed `holidays` package, which
a migration does not load.

Contract step, in the next release: make `holidays` NOT NULL.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_holidays"
down_revision = "20261128_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("desk_version", sa.Column("holidays", sa.Text(), nullable=True))
    op.add_column("desk_version", sa.Column("note", sa.Text(), nullable=True))
