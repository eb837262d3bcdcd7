"""Averages and allowances: calls and facts that count by the month, and an index that finds such facts in the log.

Expands only: a process of the release before writes none of these tables. A month that one is asked about for the first
time is projected from the log, so nothing is filled here.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_calls"
down_revision = "20261130_versions"
branch_labels = None
depends_on = None

_COUNTED = sa.text(
    "type IN ('call.answered', 'call.offered', 'call.registered', 'intervention.started', 'part.replaced')"
)


def upgrade() -> None:
    op.create_table(
        "average_call",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("average", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("offered_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("waited", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("desk", "average", "call"),
    )
    op.create_index(
        "average_call_month",
        "average_call",
        ["desk", "average", "period", "answered_at", "waited", "offered_at"],
    )
    op.create_table(
        "allowance_use",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("allowance", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("limit", sa.BigInteger(), nullable=True),
        sa.Column("exceeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "allowance", "ticket"),
    )
    op.create_index(
        "allowance_use_order", "allowance_use", ["desk", "allowance", "period", "holder", "at", "ticket"]
    )
    op.create_table(
        "measured_month",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "measure", "period"),
    )
    op.create_index(
        "event_counted", "event", ["desk", "type", "at"], sqlite_where=_COUNTED, postgresql_where=_COUNTED
    )
