"""desk_version: `recorded_at` and `effective_from` in place of `applied_at`.

Expand step. The new columns are nullable, so that the inserts of the release before still succeed: it writes
`applied_at` only, and a reader takes NULL as "the same as applied_at". This release writes all three columns, so that
the release before reads its versions.

Contract step, in the next release: backfill the rows where the new columns are NULL, make both NOT NULL, and drop
`applied_at`.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_versions"
down_revision = "20261125_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("desk_version", sa.Column("recorded_at", sa.BigInteger(), nullable=True))
    op.add_column("desk_version", sa.Column("effective_from", sa.BigInteger(), nullable=True))
    op.execute("UPDATE desk_version SET recorded_at = applied_at, effective_from = applied_at")
