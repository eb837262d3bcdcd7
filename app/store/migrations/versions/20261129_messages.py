"""ticket: title and url, which deliveries show. subscription: the fields that its deliveries leave out.

Expand step: a process of the release before inserts without the new columns. A ticket gets its title and url when it is
next evaluated.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_messages"
down_revision = "20261129_attributes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("title", sa.Text(), nullable=True))
    op.add_column("ticket", sa.Column("url", sa.Text(), nullable=True))
    op.add_column(
        "subscription", sa.Column("omit", sa.Text(), nullable=False, server_default=sa.text("'[]'"))
    )
