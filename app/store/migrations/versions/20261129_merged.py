"""What happens in a merged ticket counts in its target, and an answer on a shut ticket counts: evaluate tickets again.

Marks every ticket that is not archived as due, so that the sweep records what the new reading of its facts changes. A
process of the release before that still sweeps meanwhile evaluates by the old reading: stop those first, or run
`slatimer doctor` afterwards, which compares stored clocks with fresh ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_merged"
down_revision = "20261129_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        sa.text(
            "UPDATE ticket SET next_at = evaluated_at WHERE NOT EXISTS "
            "(SELECT 1 FROM folded WHERE folded.desk = ticket.desk AND folded.ticket = ticket.ticket)"
        )
    )
