"""Completes the figures of clocks that a release without reports has evaluated last.

After an upgrade these are all tickets; later there is none. Tickets are evaluated in read transactions, so that writers
are not blocked, and written only where no one has evaluated them meanwhile. Neither state nor signals change, and an
archived ticket stays archived. Several processes may do this, and any may be killed.
"""

from collections.abc import Sequence
from typing import Final

from app.flow.query.tickets import answers
from app.sla.report.figures import ClockFigures, figures_of
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, Database
from app.store.tickets import unreported
from app.store.tickets.clocks import ClockKey
from app.store.tickets.unreported import UnreportedTicket

_BATCH: Final = 200
"""Tickets in one transaction, which takes some tens of milliseconds."""

_Figures = Sequence[tuple[ClockKey, ClockFigures]]
_Completed = Sequence[tuple[UnreportedTicket, _Figures]]


async def complete_figures(database: Database, catalogue: Catalogue) -> int:
    """Complete them all, except those that cannot be evaluated. Returns how many tickets were completed."""
    total, after = 0, unreported.START
    while True:
        now = database.now()
        lacking, completed = await database.read(
            lambda conn, after=after, now=now: _evaluated(conn, catalogue, after, now)
        )
        if not lacking:
            return total
        after = (lacking[-1].desk, lacking[-1].ticket)
        total += await database.write(
            lambda conn, _, completed=completed: sum(
                unreported.complete(conn, ticket, figures) for ticket, figures in completed
            ),
            frozenset(ticket.desk for ticket in lacking),
        )


def _evaluated(
    conn: Connection, catalogue: Catalogue, after: tuple[str, str], now: Micros
) -> tuple[Sequence[UnreportedTicket], _Completed]:
    """The next tickets without figures, and the figures of those that can be evaluated."""
    lacking = unreported.unreported(conn, after, _BATCH)
    by_desk: dict[str, list[UnreportedTicket]] = {}
    for each in lacking:
        by_desk.setdefault(each.desk, []).append(each)
    completed: list[tuple[UnreportedTicket, _Figures]] = []
    for desk, tickets in by_desk.items():
        found = answers(conn, catalogue, desk, [each.ticket for each in tickets], now=now, placed=False)
        for each in tickets:
            if each.ticket in found:
                histories = found[each.ticket].evaluation.histories
                completed.append((each, [(key, figures_of(account)) for key, account in histories.items()]))
    return lacking, completed
