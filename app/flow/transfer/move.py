"""Moving a desk to another PostgreSQL server while it is in use: copy, follow, cut over, clean up.

    source  copying ----------------> leaving -> left ------------------> away
    target  arriving (hidden) ------------------------> its route is removed: the desk lives there

Each step can be repeated, so a move that was interrupted is continued by the same command. Before the target's route is
removed, in one transaction with the rest of its rows, the move can be undone (`abort`); after it, it can only be
continued. At every instant at most one server lets the desk be written: what one of them acknowledges is on the target.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from app.flow.transfer.move_checks import CannotMove, check, check_pair
from app.store.engine.routes import RouteState
from app.store.transfer import arrival, fence, replication
from app.store.transfer.arrival import Unseal
from app.store.transfer.server import FAILURES, Server

_POLL_INTERVAL: Final = 0.02
"""Seconds between two looks at the other server during the cut-over."""
_COPY_POLL_INTERVAL: Final = 0.5
_SHOWN: Final = 3
_NEAR: Final = 1 << 20
"""Bytes of the log of writes that may be left to apply when the cut-over begins."""
_IN_FLIGHT: Final = (
    "SELECT count(*) FROM delivery WHERE desk = $1 AND state = 'pending' AND claim IS NOT NULL"
)


class MoveFailed(RuntimeError):
    """The move could not go on. The desk is in use where it was; continue with the same command, or undo with
    `--abort`."""


@dataclass(slots=True)
class Move:
    """One move. `cut_over_limit` is in seconds; a cut-over that takes longer is undone. `report` gets a line a step."""

    source: Server
    target: Server
    desk: str
    source_url: str
    """Where the source's service is reached by HTTP."""
    target_url: str
    cut_over_limit: float
    unseal: Unseal
    report: Callable[[str], None]
    tables: list[str] = field(default_factory=list[str])

    async def run(self) -> float | None:
        """Move the desk, or continue. Returns the seconds of the cut-over; None if it was over before.

        Raises CannotMove, MoveFailed, and the exceptions of the servers.
        """
        self.tables = await check_pair(self.source, self.target, self.desk)
        here, there = await self._states()
        if here is RouteState.ABORTING:
            raise CannotMove("the move is being undone: finish that with --abort")
        if here is RouteState.AWAY:
            await self._must_be_unfinished()
        away_after = None
        if here is not RouteState.AWAY:
            if here not in (RouteState.LEAVING, RouteState.LEFT) or there is RouteState.ARRIVING:
                await self.prepare(there)
                await self.copy()
            away_after = await self.cut_over()
        await self.clean_up()
        return away_after

    async def _states(self) -> tuple[RouteState | None, RouteState | None]:
        return (
            await fence.state_of(self.source, self.desk),
            await fence.state_of(self.target, self.desk),
        )

    async def _must_be_unfinished(self) -> None:
        name = replication.name_of(self.desk)
        if not await self.source.rows("SELECT 1 FROM pg_publication WHERE pubname = $1", name):
            raise CannotMove(f"desk {self.desk!r} lives on another server already")

    async def prepare(self, there: RouteState | None) -> None:
        """Close the desk on the target, and put what the cut-over needs on both servers."""
        if there is not RouteState.ARRIVING:
            if table := await arrival.has_rows(self.target, self.desk, self.tables):
                raise CannotMove(
                    f"{self.target} has rows of desk {self.desk!r} ({table}). If it has lived there before, remove "
                    "them there with slatimer desk forget"
                )
            await arrival.check_numbers(self.source, self.target, self.desk)
        await fence.hide(self.target, self.tables)
        await fence.put_state(self.target, self.desk, RouteState.ARRIVING, self.source_url)
        if await fence.state_of(self.source, self.desk) is None:
            await fence.put_state(self.source, self.desk, RouteState.COPYING, self.target_url)
        start = await arrival.number_onwards(self.target, self.source)
        await fence.hide(self.source, self.tables)
        await fence.guard(self.source, self.desk, self.tables)
        self.report(f"prepared: {len(self.tables)} tables, the target numbers from {start}")

    async def copy(self) -> None:
        """Replicate the desk, and wait until the target has nearly everything."""
        await replication.publish(self.source, self.desk, self.tables)
        await replication.subscribe(self.target, self.source, self.desk)
        self.report("copying")
        shown = 0
        while left := await replication.unfinished(self.target, self.desk):
            await self._check_errors()
            if len(left) != shown:
                self.report(f"{len(left)} tables left to copy, among them {', '.join(left[:_SHOWN])}")
                shown = len(left)
            await asyncio.sleep(_COPY_POLL_INTERVAL)
        while (
            behind := await self._behind(await replication.position(self.source))
        ) is None or behind > _NEAR:
            await self._check_errors()
            await asyncio.sleep(_COPY_POLL_INTERVAL)
        self.report("copied; the target follows")

    async def _behind(self, lsn: str) -> int | None:
        return await replication.behind(self.source, self.desk, lsn)

    async def _check_errors(self) -> None:
        if count := await replication.errors(self.target, self.desk):
            raise MoveFailed(
                f"{self.target} could not apply what it received, {count} times; its log says why"
            )

    async def cut_over(self) -> float:
        """Close the desk on the source, let the target apply the rest, and open it there. Returns the seconds it was
        closed. Raises MoveFailed after it has opened it on the source again."""
        began = monotonic()
        if await fence.state_of(self.target, self.desk) is RouteState.ARRIVING:
            try:
                await self._hand_over(began + self.cut_over_limit)
            except FAILURES as error:
                # Without an answer it is unknown whether the target has the desk: then this raises, too.
                if await fence.state_of(self.target, self.desk) is not RouteState.ARRIVING:
                    raise
                await self._reopen()
                raise MoveFailed(f"{error}; the desk is in use on the source again") from error
        await fence.put_state(self.source, self.desk, RouteState.AWAY, self.target_url)
        seconds = monotonic() - began
        await arrival.announce(self.target, (await replication.last_numbers(self.target))["signal"])
        self.report(f"cut over in {seconds:.2f} s")
        return seconds

    async def _hand_over(self, deadline: float) -> None:
        await self._close(deadline)
        async with self.target.connection.transaction():
            await arrival.copy_rest(self.source, self.target, self.desk, self.unseal)
            await fence.drop_route(self.target, self.desk)

    async def _close(self, deadline: float) -> None:
        await fence.put_state(self.source, self.desk, RouteState.LEAVING, self.target_url)
        drained = await self._until_drained((monotonic() + deadline) / 2)
        await fence.put_state(self.source, self.desk, RouteState.LEFT, self.target_url)
        if drained:
            self.report(f"{drained} deliveries did not end in time and are repeated by the target")
        lsn = await replication.position(self.source)
        while (behind := await self._behind(lsn)) is None or behind > 0:
            if monotonic() > deadline:
                raise TimeoutError(f"the target did not apply everything within {self.cut_over_limit:g} s")
            await asyncio.sleep(_POLL_INTERVAL)

    async def _until_drained(self, deadline: float) -> int:
        """Wait for the attempts in flight. Returns how many are left."""
        while left := await self.source.value(_IN_FLIGHT, self.desk):
            if monotonic() > deadline:
                return left
            await asyncio.sleep(_POLL_INTERVAL)
        return 0

    async def _reopen(self) -> None:
        await fence.put_state(self.source, self.desk, RouteState.COPYING, self.target_url)
        await arrival.reschedule(self.source, self.desk)

    async def clean_up(self) -> None:
        """End the replication."""
        await replication.unsubscribe(self.target, self.source, self.desk)
        await replication.unpublish(self.source, self.desk, self.tables)
        self.report("replication ended")

    async def abort(self) -> None:
        """Undo a move that has not been cut over. Raises CannotMove for one that has."""
        self.tables = await replication.tables(self.source)
        here, there = await self._states()
        if here is None and there is not RouteState.ARRIVING:
            raise CannotMove(f"desk {self.desk!r} is not being moved")
        if here is RouteState.AWAY or (here not in (None, RouteState.ABORTING) and there is None):
            raise CannotMove(f"{self.target} has the desk already: finish the move with the same command")
        await fence.put_state(self.source, self.desk, RouteState.ABORTING, self.target_url)
        await arrival.reschedule(self.source, self.desk)
        self.report("the desk is in use on the source")
        await replication.unsubscribe(self.target, self.source, self.desk)
        await replication.unpublish(self.source, self.desk, self.tables)
        await fence.unguard(self.source, self.desk, self.tables)
        if there is RouteState.ARRIVING:
            await arrival.delete_rows(self.target, self.desk, self.tables)
            # It may have been there before, for senders that know the address of the target only.
            await fence.put_state(self.target, self.desk, RouteState.AWAY, self.source_url)
        await fence.drop_route(self.source, self.desk)
        self.report("undone")


async def join(server: Server) -> int:
    """Let a server number what it records from where no other server does. Returns from where. Raises CannotMove."""
    await check(server)
    return await arrival.number_onwards(server)


async def forget(server: Server, desk: str) -> None:
    """Delete the rows of a desk that has moved away. Its route stays. Raises CannotMove for one that lives here."""
    if await fence.state_of(server, desk) is not RouteState.AWAY:
        raise CannotMove(f"desk {desk!r} has not moved away from {server}")
    tables = await replication.tables(server)
    await fence.unguard(server, desk, tables)
    await arrival.delete_rows(server, desk, tables)
