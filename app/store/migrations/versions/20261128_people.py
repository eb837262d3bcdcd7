"""Roles per desk and sessions in tables of their own.

Expands only: the release before goes on with `api_key`. The roles of keys are copied. Sessions are not: those of the
release before stay in `api_key`, where they are accepted until they expire, at most twelve hours later.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_people"
down_revision = "20261128_holidays"
branch_labels = None
depends_on = None

_ROLES = {"read": "viewer", "push": "push", "admin": "admin"}


def upgrade() -> None:
    role = op.create_table(
        "principal_role",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "desk", "role"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash", name="session_hash"),
    )
    op.create_index("session_expired", "session", ["expires_at"])
    keys = (
        op.get_bind().execute(sa.text("SELECT id, desk, scopes FROM api_key WHERE expires_at IS NULL")).all()
    )
    rows = [
        {"principal": key, "desk": desk, "role": _ROLES[scope]}
        for key, desk, scopes in keys
        for scope in scopes.split(",")
    ]
    if rows:
        op.bulk_insert(role, rows)


def downgrade() -> None:
    op.drop_index("session_expired", table_name="session")
    op.drop_table("session")
    op.drop_table("principal_role")
