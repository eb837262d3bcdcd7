"""People who sign in: passwords, second factors, one-time links, and what a session shows of its browser.

Expands only. A process of the release before accepts no session of a person, and leaves the new columns alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261130_people"
down_revision = "20261130_signals_at"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _person()
    op.create_table(
        "recovery_code",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", "hash"),
    )
    _one_time()
    for name in ("method", "address", "agent", "id_token"):
        op.add_column("session", sa.Column(name, sa.Text(), nullable=True))
    op.create_index("session_principal", "session", ["principal"])


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("totp", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="person_name"),
        sa.UniqueConstraint("issuer", "subject", name="person_subject"),
    )


def _one_time() -> None:
    op.create_table(
        "one_time",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("id_token", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("one_time_expired", "one_time", ["expires_at"])
    op.create_index("one_time_person", "one_time", ["person"])
