"""First tables: versions of desks, events, tickets, clocks, signals, stints, keys."""

import sqlalchemy as sa
from alembic import op

revision = "20261122"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acknowledgement",
        sa.Column("breach", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("breach"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash", name="api_key_hash"),
    )
    op.create_table(
        "clock",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("breached_at", sa.BigInteger(), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("desk", "ticket", "commitment", "cycle"),
    )
    op.create_index("clock_due", "clock", ["desk", "state", "due_at"], unique=False)
    op.create_table(
        "desk_version",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=True),
        sa.Column("calendars", sa.Text(), nullable=False),
        sa.Column("agreement_text", sa.Text(), nullable=True),
        sa.Column("calendars_text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "number"),
    )
    op.create_table(
        "event",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("desk", "event_id", name="event_once"),
    )
    op.create_index("event_log", "event", ["desk", "ticket"], unique=False)
    op.create_index(
        "event_reply",
        "event",
        ["desk", "at"],
        unique=False,
        sqlite_where=sa.text("type = 'agent.replied'"),
        postgresql_where=sa.text("type = 'agent.replied'"),
    )
    op.create_index(
        "event_unknown",
        "event",
        ["desk", "type"],
        unique=False,
        sqlite_where=sa.text("NOT known"),
        postgresql_where=sa.text("NOT known"),
    )
    op.create_table(
        "parked",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "ticket"),
    )
    op.create_index("parked_retry", "parked", ["retry_at"], unique=False)
    op.create_table(
        "signal",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), server_default="", nullable=False),
        sa.Column("queue", sa.Text(), server_default="", nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detected_at", sa.BigInteger(), nullable=False),
        sa.Column("commitment_kind", sa.Text(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("deliver", sa.Boolean(), nullable=False),
        sa.Column("retracted_by", sa.Text(), nullable=True),
        sa.Column("retracted_at", sa.BigInteger(), nullable=True),
        sa.Column("corrected_at", sa.BigInteger(), nullable=True),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint(
            "desk",
            "ticket",
            "commitment",
            "queue",
            "cycle",
            "kind",
            "occurrence",
            "generation",
            name="signal_once",
        ),
        sa.UniqueConstraint("id", name="signal_id"),
    )
    op.create_index(
        "signal_breach",
        "signal",
        ["at", "seq"],
        unique=False,
        sqlite_where=sa.text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')"),
        postgresql_where=sa.text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')"),
    )
    op.create_table(
        "stint",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("desk", "ticket", "number"),
    )
    op.create_index(
        "stint_line",
        "stint",
        ["desk", "queue", "rank", "joined_at", "created_at", "ticket"],
        unique=False,
        sqlite_where=sa.text("to_at IS NULL"),
        postgresql_where=sa.text("to_at IS NULL"),
    )
    op.create_table(
        "ticket",
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("evaluated_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), server_default=sa.text("(4611686018427387904)"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("merged_into", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("group", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("desk", "ticket"),
    )
    op.create_index("ticket_due", "ticket", ["due_at", "desk", "ticket"], unique=False)
    op.create_index("ticket_group", "ticket", ["desk", "group_key"], unique=False)
    op.create_index(
        "ticket_merged",
        "ticket",
        ["desk", "merged_into"],
        unique=False,
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "ticket_next",
        "ticket",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ticket_next",
        table_name="ticket",
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.drop_index(
        "ticket_merged",
        table_name="ticket",
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.drop_index("ticket_group", table_name="ticket")
    op.drop_index("ticket_due", table_name="ticket")
    op.drop_table("ticket")
    op.drop_index(
        "stint_line",
        table_name="stint",
        sqlite_where=sa.text("to_at IS NULL"),
        postgresql_where=sa.text("to_at IS NULL"),
    )
    op.drop_table("stint")
    op.drop_index(
        "signal_breach",
        table_name="signal",
        sqlite_where=sa.text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')"),
        postgresql_where=sa.text("kind IN ('clock.breached', 'clock.missed', 'clock.lapsed')"),
    )
    op.drop_table("signal")
    op.drop_index("parked_retry", table_name="parked")
    op.drop_table("parked")
    op.drop_index(
        "event_unknown",
        table_name="event",
        sqlite_where=sa.text("NOT known"),
        postgresql_where=sa.text("NOT known"),
    )
    op.drop_index(
        "event_reply",
        table_name="event",
        sqlite_where=sa.text("type = 'agent.replied'"),
        postgresql_where=sa.text("type = 'agent.replied'"),
    )
    op.drop_index("event_log", table_name="event")
    op.drop_table("event")
    op.drop_table("desk_version")
    op.drop_index("clock_due", table_name="clock")
    op.drop_table("clock")
    op.drop_table("api_key")
    op.drop_table("acknowledgement")
