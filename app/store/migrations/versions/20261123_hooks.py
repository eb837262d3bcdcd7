"""For ticket systems that push: their connections, how they are read, every delivery, snapshots, who says what.

Expands only.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_hooks"
down_revision = "20261122_growth"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "system"),
    )
    op.create_table(
        "source",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("desk"),
    )
    _deliveries()
    op.create_table(
        "snapshot",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "system", "ticket", "at", "digest"),
    )
    op.create_index("snapshot_hook", "snapshot", ["hook"])
    op.create_table(
        "origin",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "origin", "name"),
    )
    op.create_index("origin_event", "origin", ["desk", "event_id"])


def _deliveries() -> None:
    op.create_table(
        "hook",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("warnings", sa.Text(), nullable=True),
        sa.Column("interpreted_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id", name="hook_id"),
        sa.UniqueConstraint("once", name="hook_once"),
    )
    pending, inbox = sa.text("state = 'pending'"), sa.text("state = 'kept' OR warnings IS NOT NULL")
    op.create_index("hook_pending", "hook", ["seq"], sqlite_where=pending, postgresql_where=pending)
    op.create_index("hook_inbox", "hook", ["desk", "seq"], sqlite_where=inbox, postgresql_where=inbox)
    op.create_index("hook_received", "hook", ["received_at"])
