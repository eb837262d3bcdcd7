"""How is everything in the inbox tried again, without holding the writer for long?

Deliveries first, since what they say may concern the tickets that could not be judged; then those tickets, in parts.
"""

from dataclasses import dataclass

from app.flow.inbound import inbox
from app.flow.inbound.reader import Reader
from app.flow.judge.assess import Assessor
from app.store.engine.batch import pieces
from app.store.engine.database import EVERY_DESK, Database
from app.store.inbound import hooks


@dataclass(frozen=True, slots=True)
class RunAgain:
    """What came of it. `left` are the deliveries that are in the inbox still or again."""

    deliveries: int
    left: int
    tickets: int
    failed: int


async def run_again(
    database: Database, reader: Reader, assessor: Assessor, desk: str = EVERY_DESK
) -> RunAgain:
    """Read every delivery in the inbox again, and judge every ticket anew that could not be judged."""
    deliveries = await database.write(lambda conn, _: hooks.requeue(conn, desk))
    await reader.read_all()
    tickets = await database.read(lambda conn: inbox.to_run_again(conn, desk))
    failed = 0
    for piece in pieces(tickets):
        failed += await database.write(
            lambda conn, now, piece=piece: inbox.run_again(conn, now, assessor, piece)
        )
    left = await database.read(lambda conn: hooks.inbox_size(conn, desk))
    return RunAgain(deliveries, left, len(tickets), failed)
