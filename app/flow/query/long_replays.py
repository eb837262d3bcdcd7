"""Whole replays of long tickets: the part of the writer's time that each desk's may take while other desks write.

A long ticket goes on from its checkpoint. An event from before its last ones has its whole log replayed, which takes
about a second for 20,000 events, and every push waits meanwhile. So after one such replay the desk's next is postponed
for as long as makes it the configured part of the time. What is stored, and what a query answers, is not affected: only
the signals of these tickets come later. Seconds, by a clock that only goes forward.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from app.principal import Desks
from app.store.tickets.clocks import TicketKey

_KNOWN: Final = 10_000
"""Long tickets that are remembered, the latest used ones: a name each. One that is forgotten has its log read, and is
postponed then."""


class Postponed(Exception):
    """The evaluation of a long ticket is postponed by `wait` seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(
            f"the whole log of this long ticket must be replayed; while other desks write, that is tried in {wait:.0f} s"
        )
        self.wait = wait


@dataclass(frozen=True, slots=True)
class LongReplayLimits:
    """`events`: from how many on a ticket is long. `duty_cycle`: the part of the time that a desk's replays may take.

    `wait`: for how many seconds one is postponed at most.
    """

    events: int
    duty_cycle: float
    wait: float


def _never(_: Desks) -> bool:
    return False


class LongReplays:
    """Those of one process. Used by the thread that writes. Without `postpone_while` nothing is postponed."""

    def __init__(self, limits: LongReplayLimits) -> None:
        self.limits = limits
        self._is_shared: Callable[[Desks], bool] = _never
        self._known: OrderedDict[TicketKey, None] = OrderedDict()
        self._next: dict[str, float] = {}
        """When each desk may replay a long ticket again."""

    def postpone_while(self, is_shared: Callable[[Desks], bool]) -> None:
        """Postpone while other desks than these write."""
        self._is_shared = is_shared

    def wait(self, desk: str) -> float:
        """For how many seconds the desk's next whole replay of a long ticket is postponed."""
        left = self._next.get(desk, 0.0) - monotonic()
        return left if left > 0 and self._is_shared(frozenset({desk})) else 0.0

    def is_long(self, desk: str, ticket: str) -> bool:
        """Whether the ticket was long when its whole log was read last."""
        return (desk, ticket) in self._known

    def check(self, desk: str, ticket: str, events: int) -> bool:
        """Whether a ticket with so many events is long. Raises Postponed when it is, and must wait."""
        if events < self.limits.events:
            return False
        self._known[desk, ticket] = None
        self._known.move_to_end((desk, ticket))
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        if wait := self.wait(desk):
            raise Postponed(wait)
        return True

    def took(self, desk: str, seconds: float) -> None:
        """The desk's whole replays of long tickets have taken so many seconds of processor time, or so many more."""
        now = monotonic()
        pause = seconds * (1 / self.limits.duty_cycle - 1)
        self._next[desk] = min(max(self._next.get(desk, now), now) + pause, now + self.limits.wait)
