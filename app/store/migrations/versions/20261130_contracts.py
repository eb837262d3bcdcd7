"""Customers' contracts, and the contract of each ticket.

Expands only: a process of the release before reads and writes none of it. Its tickets have no contract until they are
evaluated again.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_contracts"
down_revision = "20261129_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contract",
        sa.Column("desk", sa.Text(), primary_key=True),
        sa.Column("contract", sa.Text(), primary_key=True),
        sa.Column("valid_from", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("valid_to", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
    )
    op.create_index("contract_customer", "contract", ["desk", "customer"])
    for name in ("contract", "contract_key", "customer_key"):
        op.add_column("ticket", sa.Column(name, sa.Text(), nullable=True))
    for name in ("contract_key", "customer_key"):
        given = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ticket_{name}", "ticket", ["desk", name], sqlite_where=given, postgresql_where=given
        )
