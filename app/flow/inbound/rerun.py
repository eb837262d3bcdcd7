"""Running the inbox again, in several short write transactions.

Webhooks first, since they may report events of the tickets that could not be evaluated; then those tickets, in batches.
"""

from dataclasses import dataclass

from app.flow.inbound import inbox
from app.flow.inbound.reader import Reader
from app.flow.judge.assess import Assessor
from app.principal import EVERY, Desks
from app.store.engine.batch import pieces
from app.store.engine.database import Database
from app.store.inbound import hooks


@dataclass(frozen=True, slots=True)
class RunAgain:
    """The result. `deliveries` were read again; `left` of them are in the inbox afterwards."""

    deliveries: int
    left: int
    tickets: int
    failed: int


async def run_again(database: Database, reader: Reader, assessor: Assessor, desks: Desks = EVERY) -> RunAgain:
    """Read every webhook in the inbox again, and evaluate every ticket that could not be evaluated."""
    deliveries = await database.write(lambda conn, _: hooks.requeue(conn, desks), desks)
    await reader.read_all()
    tickets = await database.read(lambda conn: inbox.to_run_again(conn, desks))
    failed = 0
    for piece in pieces(tickets):
        failed += await database.write(
            lambda conn, now, piece=piece: inbox.run_again(conn, now, assessor, piece), desks
        )
    left = await database.read(lambda conn: hooks.inbox_size(conn, desks))
    return RunAgain(deliveries, left, len(tickets), failed)
