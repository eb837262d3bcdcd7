"""subject: the ways in which events write a service or a contract, which are judged without regard to case.

Expands only. A process of the release before keeps a row for each way, and leaves the new column alone; such a row is
evaluated by its key once it is due.
"""

import orjson
import sqlalchemy as sa
from alembic import op

revision = "20261130_written"
down_revision = "20261130_reports"
branch_labels = None
depends_on = None

# In the order of receipt; the condition is that of the partial index.
_WRITTEN = sa.text(
    "SELECT desk, subject FROM event WHERE (ticket IS NULL OR ticket <> subject) "
    "GROUP BY desk, subject ORDER BY desk, min(seq)"
)
_KNOWN = sa.text("SELECT count(*) FROM subject WHERE desk = :desk AND subject = :key")
_UPDATE = sa.text("UPDATE subject SET written = :written WHERE desk = :desk AND subject = :key")
_INSERT = sa.text(
    "INSERT INTO subject (desk, subject, revision, evaluated_at, written) VALUES (:desk, :key, 1, 0, :written)"
)


def upgrade() -> None:
    op.add_column("subject", sa.Column("written", sa.Text(), nullable=True))
    conn = op.get_bind()
    ways: dict[tuple[str, str], list[str]] = {}
    for desk, text in conn.execute(_WRITTEN).all():
        kind, _, name = text.partition(":")
        if kind in ("service", "contract"):
            ways.setdefault((desk, f"{kind}:{name.strip().casefold()}"), []).append(text)
    for (desk, key), texts in ways.items():
        if texts != [key]:
            given = {"desk": desk, "key": key, "written": orjson.dumps(texts).decode()}
            is_known = conn.execute(_KNOWN, {"desk": desk, "key": key}).scalar_one()
            conn.execute(_UPDATE if is_known else _INSERT, given)
