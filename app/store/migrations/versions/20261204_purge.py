"""folded_with_events: archived tickets whose events still exist, the longest ended first.

In place of `folded_closed`, which led through all whose events were deleted before. The release before finds its rows by
this one, too.
"""

from alembic import op
from sqlalchemy import text

revision = "20261204_purge"
down_revision = "20261203_routes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    existing = text("emptied_at IS NULL")
    op.create_index(
        "folded_with_events",
        "folded",
        ["desk", "closed_at"],
        sqlite_where=existing,
        postgresql_where=existing,
    )
    op.drop_index("folded_closed", "folded")
