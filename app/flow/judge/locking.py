"""Which tickets must nobody else change while they are judged here?

Where one process writes that is nobody's question. Where several do, a transaction holds its tickets before it reads
their logs, all in one order, and whoever comes second waits and then sees what the first has left. Instants are
microseconds UTC.
"""

from collections.abc import Iterable

from app.flow.query.merge_graph import MergeGraph, gather
from app.sla.agreement.agreement import MessageEffect
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.engine.dialect import advisory_lock, has_many_writers
from app.store.tickets import clocks

TicketKey = tuple[str, str]
"""(desk, ticket)."""


def lock(conn: Connection, catalogue: Catalogue, keys: Iterable[TicketKey]) -> None:
    """Have these tickets to oneself until the transaction ends, where several processes write.

    Where duplicates move each other, a fact of one ticket concerns others that nobody knows before it is judged: such
    a desk is held whole, and before any ticket, so that no two wait for each other.
    """
    if not has_many_writers(conn):
        return
    wanted = list(keys)
    lock_desks(conn, catalogue, {desk for desk, _ in wanted})
    clocks.lock(conn, wanted)


def lock_desks(conn: Connection, catalogue: Catalogue, desks: Iterable[str]) -> None:
    """Hold those of these desks whose duplicates move each other. Before any of their tickets is held."""
    if has_many_writers(conn):
        latest = catalogue.settled(conn)
        known = set(desks) & latest.keys()
        advisory_lock(
            conn, [f"desk {desk}" for desk in known if _moves_duplicates(conn, catalogue, desk, latest[desk])]
        )


def _moves_duplicates(conn: Connection, catalogue: Catalogue, desk: str, latest: int) -> bool:
    rules = catalogue.history(conn, desk, latest)[-1].agreement.queue
    return rules.duplicate is not MessageEffect.KEEPS


def lock_merge_graph(
    conn: Connection, catalogue: Catalogue, desk: str, tickets: Iterable[str], now: Micros
) -> MergeGraph:
    """What judging these tickets needs, with all whom that concerns held: nobody else changes them meanwhile."""
    held = set(tickets)
    while True:
        lock(conn, catalogue, [(desk, ticket) for ticket in held])
        merge_graph = gather(conn, desk, tickets, now=now)
        if merge_graph.concerned <= held or not has_many_writers(conn):
            return merge_graph
        held |= merge_graph.concerned
