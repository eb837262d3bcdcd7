"""The audit log: sign-ins, and what administrators did.

Expands only: a process of the release before writes nothing to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_audit"
down_revision = "20261129_hook_turns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.UniqueConstraint("once", name="audit_once"),
    )
    op.create_index("audit_desk", "audit", ["desk", "id"])
    op.create_index("audit_at", "audit", ["at"])
