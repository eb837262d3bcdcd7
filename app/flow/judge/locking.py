"""Locking of what a transaction evaluates, where several processes write.

A transaction locks its tickets before it reads their logs, in one order for all transactions; who comes second waits,
and then reads what the first has left. Where one process writes, nothing is locked. Instants are microseconds UTC.
"""

from collections.abc import Iterable

from app.flow.query.checkpoints import Checkpoints
from app.flow.query.merge_graph import MergeGraph, gather
from app.sla.agreement.agreement import MessageEffect
from app.sla.agreement.version import begun
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection, memoized, transaction_time
from app.store.engine.dialect import advisory_lock, has_many_writers
from app.store.tickets import clocks
from app.store.tickets.clocks import TicketKey


def lock(conn: Connection, catalogue: Catalogue, keys: Iterable[TicketKey]) -> None:
    """Lock these tickets, and before them the desks that are locked whole, until the transaction ends."""
    if not has_many_writers(conn):
        return
    wanted = list(keys)
    lock_desks(conn, catalogue, {desk for desk, _ in wanted})
    clocks.lock(conn, wanted)


def lock_desks(conn: Connection, catalogue: Catalogue, desks: Iterable[str]) -> None:
    """Take the advisory locks of those of these desks on which duplicates move each other or tickets share allowances.

    There an event of one ticket concerns others that are known only after evaluation, so the desk is locked whole. Must
    come before the lock of any of its tickets, so that no two transactions wait for each other.
    """
    if not has_many_writers(conn):
        return
    seen = memoized(conn, "desks locked", set[str])
    latest = catalogue.settled(conn)
    wanted = (set(desks) & latest.keys()) - seen
    advisory_lock(
        conn, [f"desk {desk}" for desk in wanted if _moves_others(conn, catalogue, desk, latest[desk])]
    )
    seen |= wanted


def _moves_others(conn: Connection, catalogue: Catalogue, desk: str, latest: int) -> bool:
    # Planned versions count too: a transaction that waits for a lock may evaluate after one has begun.
    versions = catalogue.timeline(conn, desk, latest)
    past = len(begun(versions, transaction_time(conn))) - 1
    moves_duplicates = any(
        each.agreement.queue.duplicate is not MessageEffect.KEEPS for each in versions[past:]
    )
    return moves_duplicates or any(version.agreement.allowances for version in versions)


def lock_merge_graph(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    tickets: Iterable[str],
    now: Micros,
    checkpoints: Checkpoints,
) -> MergeGraph:
    """The merge graph of these tickets, with every ticket that they concern locked.

    Repeats until all are locked: what was read of a ticket before it was locked may be out of date. That is so as well
    for a ticket that another process has inserted between the lock, which found no row, and the reading.
    """
    locked = set(tickets)
    while True:
        lock(conn, catalogue, [(desk, ticket) for ticket in locked])
        merge_graph = gather(conn, desk, tickets, now=now, checkpoints=checkpoints)
        appeared = clocks.lock_appeared(conn, [(desk, ticket) for ticket in merge_graph.rows])
        if not appeared and (merge_graph.concerned <= locked or not has_many_writers(conn)):
            return merge_graph
        locked |= merge_graph.concerned
