"""Indexes of the list of breaches that uptimes and averages belong to, beside those that the release before reads."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_availability"
down_revision = "20261130_calls"
branch_labels = None
depends_on = None

_LATE = sa.text(
    "kind IN ('clock.breached', 'clock.missed', 'clock.lapsed', 'availability.breached', 'average.breached')"
)


def upgrade() -> None:
    op.create_index("signal_late", "signal", ["at", "seq"], sqlite_where=_LATE, postgresql_where=_LATE)
    op.create_index(
        "signal_late_desk", "signal", ["desk", "at", "seq"], sqlite_where=_LATE, postgresql_where=_LATE
    )
