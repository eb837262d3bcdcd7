"""For growth: one id from request to signal, since when a ticket is known, closed tickets folded; PostgreSQL by month.

Expands only: every column may be left out by those that do not know it, so the release before this one works on these
tables. On PostgreSQL, which that release did not know, the log of events is made anew in partitions by the month of
receipt; what an event's identity must be unique in all of them for stands in a table of its own.
"""

import sqlalchemy as sa
from alembic import op

from app.store.migrations.month import DEFAULT_PARTITION

revision = "20261122_growth"
down_revision = "20261122"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _partition_the_log()
    op.add_column("event", sa.Column("trace", sa.Text(), nullable=True))
    op.add_column("signal", sa.Column("trace", sa.Text(), nullable=True))
    op.add_column("ticket", sa.Column("known_since", sa.BigInteger(), nullable=True))
    op.create_table(
        "folded",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("folded_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("emptied_at", sa.BigInteger(), nullable=True),
        sa.Column("view", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "ticket"),
    )
    op.create_index("folded_closed", "folded", ["desk", "closed_at"])


def _partition_the_log() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM event LIMIT 1")).first() is not None:
        raise RuntimeError("the table event is not empty: no release wrote it on PostgreSQL before this one")
    op.drop_table("event")
    op.execute("CREATE SEQUENCE event_seq AS bigint")
    op.execute(
        """
        CREATE TABLE event (
            seq bigint NOT NULL DEFAULT nextval('event_seq'),
            desk text NOT NULL,
            event_id text NOT NULL,
            type text NOT NULL,
            known boolean NOT NULL,
            subject text NOT NULL,
            ticket text,
            at bigint NOT NULL,
            sequence bigint NOT NULL,
            received_at bigint NOT NULL,
            data text NOT NULL,
            digest text NOT NULL,
            PRIMARY KEY (seq, received_at)
        ) PARTITION BY RANGE (received_at)
        """
    )
    op.execute("ALTER SEQUENCE event_seq OWNED BY event.seq")
    op.execute(f"CREATE TABLE {DEFAULT_PARTITION} PARTITION OF event DEFAULT")
    op.create_index("event_log", "event", ["desk", "ticket"])
    op.create_index(
        "event_reply", "event", ["desk", "at"], postgresql_where=sa.text("type = 'agent.replied'")
    )
    op.create_index("event_unknown", "event", ["desk", "type"], postgresql_where=sa.text("NOT known"))
    op.create_table(
        "event_key",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "event_id"),
    )
