"""person_view, desk_view: saved views of the pages. person.default_view: the one that opens Now.

Expands only: a process of the release before knows neither.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261202_views"
down_revision = "20261202_failed_sign_ins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, owner in (("person_view", "person"), ("desk_view", "desk")):
        op.create_table(
            name,
            sa.Column("id", sa.Text(), primary_key=True),
            sa.Column(owner, sa.Text(), nullable=False),
            sa.Column("page", sa.Text(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("filters", sa.Text(), nullable=False),
            *([sa.Column("created_by", sa.Text(), nullable=False)] if owner == "desk" else []),
            sa.Column("created_at", sa.BigInteger(), nullable=False),
            sa.Column("changed_at", sa.BigInteger(), nullable=False),
        )
        op.create_index(f"{name}_{owner}", name, [owner])
    op.add_column("person", sa.Column("default_view", sa.Text(), nullable=True))
