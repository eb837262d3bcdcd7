"""hook: index by which desks take turns when pending webhooks are interpreted.

Expand step: a process of the release before does not use it.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_hook_turns"
down_revision = "20261129_feeds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "hook_turns",
        "hook",
        ["desk", "seq"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
