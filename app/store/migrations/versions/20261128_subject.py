"""Subjects: a schedule for what is judged beside tickets, and the log of such a subject.

Expands only: a process of the release before works on these tables. Clocks, signals, parked failures and deliveries are
about a subject now, whose text for a ticket is the ticket's id; their column is still named `ticket`, for that process.
The next release contracts: it renames the column to `subject` there, `folded` to `archived_ticket` (with `folded_at` to
`archived_at` and `emptied_at` to `events_dropped_at`) and `stint` to `wait_interval`.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_subject"
down_revision = "20261128_people"
branch_labels = None
depends_on = None

_SCHEDULED = sa.text("next_at IS NOT NULL")
_OF_OTHER_SUBJECT = sa.text("ticket IS NULL OR ticket <> subject")


def upgrade() -> None:
    op.create_table(
        "subject",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("evaluated_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("desk", "subject"),
    )
    op.create_index(
        "subject_next", "subject", ["next_at"], sqlite_where=_SCHEDULED, postgresql_where=_SCHEDULED
    )
    op.create_index(
        "event_subject",
        "event",
        ["desk", "subject"],
        sqlite_where=_OF_OTHER_SUBJECT,
        postgresql_where=_OF_OTHER_SUBJECT,
    )
