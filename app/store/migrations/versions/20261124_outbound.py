"""Outbound: subscriptions, and the outbox of deliveries to them."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_outbound"
down_revision = "20261123_hooks"
branch_labels = None
depends_on = None

_NEXT = sa.text("next_at IS NOT NULL")
_PENDING = sa.text("state = 'pending'")
_PARKED = sa.text("state = 'parked'")


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("wanted_since", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("quiet_until", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("subscription_desk", "subscription", ["desk"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("signal", sa.BigInteger(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("subscription", "signal"),
    )
    op.create_index(
        "delivery_next",
        "delivery",
        ["subscription", "next_at"],
        unique=False,
        sqlite_where=_NEXT,
        postgresql_where=_NEXT,
    )
    op.create_index(
        "delivery_line",
        "delivery",
        ["subscription", "desk", "ticket", "signal"],
        unique=False,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index(
        "delivery_parked",
        "delivery",
        ["subscription", "signal"],
        unique=False,
        sqlite_where=_PARKED,
        postgresql_where=_PARKED,
    )


def downgrade() -> None:
    op.drop_index("delivery_parked", table_name="delivery", sqlite_where=_PARKED, postgresql_where=_PARKED)
    op.drop_index("delivery_line", table_name="delivery", sqlite_where=_PENDING, postgresql_where=_PENDING)
    op.drop_index("delivery_next", table_name="delivery", sqlite_where=_NEXT, postgresql_where=_NEXT)
    op.drop_table("delivery")
    op.drop_index("subscription_desk", table_name="subscription")
    op.drop_table("subscription")
