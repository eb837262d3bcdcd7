"""Indexes for a past that grows: a desk's breaches, what is ripe for folding, and the tickets that are in a group."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_indexes"
down_revision = "20261124_outbound"
branch_labels = None
depends_on = None

_LATE = sa.text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')")
_AT_REST = sa.text("next_at IS NULL")
_IN_GROUP = sa.text("group_key IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "signal_breach_desk", "signal", ["desk", "at", "seq"], sqlite_where=_LATE, postgresql_where=_LATE
    )
    op.create_index(
        "ticket_rest", "ticket", ["evaluated_at"], sqlite_where=_AT_REST, postgresql_where=_AT_REST
    )
    op.drop_index("ticket_group", "ticket")
    op.create_index(
        "ticket_group", "ticket", ["desk", "group_key"], sqlite_where=_IN_GROUP, postgresql_where=_IN_GROUP
    )
