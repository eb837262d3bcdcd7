"""Calendar feeds: addresses of calendars with a secret of their own, for programs that send no header."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_feeds"
down_revision = "20261129_merged"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash", name="calendar_feed_hash"),
    )
    op.create_index("calendar_feed_desk", "calendar_feed", ["desk", "calendar"])
