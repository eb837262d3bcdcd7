"""desk_version: who applied a version and why, and the withdrawal of a planned one.

Expands only: a process of the release before writes NULL to the new columns, and does not read them. It takes a planned
version as in force at once, so plan none before every process runs this release.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_versions"
down_revision = "20261130_contracts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("desk_version", sa.Column("author", sa.Text(), nullable=True))
    op.add_column("desk_version", sa.Column("author_note", sa.Text(), nullable=True))
    op.add_column("desk_version", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    op.add_column("desk_version", sa.Column("withdrawn_by", sa.Text(), nullable=True))
    op.add_column("desk_version", sa.Column("replaced_by", sa.Integer(), nullable=True))
