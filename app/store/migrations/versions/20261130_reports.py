"""clock: what reports count of it. ticket: the revision by which its clocks have that. Indexes by which reports read.

Expands only. A process of the release before writes neither, and raises the ticket's revision without the other: such
tickets, and all of before, are found by the difference, and retention completes them.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_reports"
down_revision = "20261130_availability"
branch_labels = None
depends_on = None

_COVERED = {"ended_at": ("kind", "commitment", "met")}
_UNREPORTED = sa.text("reported_revision IS NULL OR reported_revision <> revision")


def upgrade() -> None:
    for name in ("started_at", "ended_at", "counted", "target_length"):
        op.add_column("clock", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("late_cause", "first_pause"):
        op.add_column("clock", sa.Column(name, sa.SmallInteger(), nullable=True))
    op.add_column("ticket", sa.Column("reported_revision", sa.BigInteger(), nullable=True))
    for name in ("started_at", "ended_at", "breached_at"):
        condition = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"clock_{name.removesuffix('_at')}",
            "clock",
            ["desk", name, *_COVERED.get(name, ())],
            sqlite_where=condition,
            postgresql_where=condition,
        )
    op.create_index(
        "ticket_unreported",
        "ticket",
        ["desk", "ticket"],
        sqlite_where=_UNREPORTED,
        postgresql_where=_UNREPORTED,
    )
    ended = sa.text("to_at IS NOT NULL")
    op.create_index("stint_ended", "stint", ["desk", "to_at"], sqlite_where=ended, postgresql_where=ended)
