"""Checkpoint: the replay of a ticket's events, kept so that later events continue it without the earlier ones.

A ticket of thousands of events takes the next one at the price of a small one. A checkpoint is no stored truth: it is
dropped whenever a fact rewrites the past, and what it gives equals an evaluation of the whole log (a law of the tests).
Instants are microseconds UTC.
"""

import operator
from collections.abc import Iterable, Sequence
from typing import Final

from app.sla.agreement.version import AppliesTo, Version
from app.sla.clock.evaluation import Evaluation, names_domain, replayed, result_of
from app.sla.clock.replay import Replay
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.track import Track
from app.sla.clock.view import UNCOVERED
from app.sla.contract_finder import NO_CONTRACTS, Named, StoredContracts
from app.sla.event import Event, in_order, withdrawals_of_unknown
from app.sla.span import Micros

REWRITES_THE_PAST: Final = frozenset(
    {"ticket.created", "ticket.merged", "ticket.deleted", "exclusion.granted", "event.withdrawn"}
)
"""Types that concern what came before them: after one of these the whole log is replayed."""


class Checkpoint:
    """A ticket's replay up to its last event. Changed by `advance`; if that fails it must be dropped."""

    __slots__ = ("_flags", "_named", "_names_domain", "_replay", "_until", "_versions")

    def __init__(self, replay: Replay, versions: Sequence[Version]) -> None:
        """`replay` has run. `begin` says which logs have a checkpoint."""
        self._replay, self._versions = replay, tuple(versions)
        self._names_domain = replay.agreement.queue.domain_required and names_domain(replay.past)
        self._named = Named.by(event.data for event in replay.past) if _finds_contracts(replay) else Named()
        self._flags: set[str] = set()
        """Those of the cycles that were left out."""
        edges = [edge for x in replay.exclusions for edge in (x.start, x.end)]
        self._until = max([replay.past[-1].at, *edges, *_boundaries(replay, versions)])
        replay.past.clear()

    @property
    def named(self) -> Named:
        """The customers and contracts that its events name, where the desk has contracts."""
        return self._named

    def accepts(
        self,
        new: Sequence[Event],
        versions: Sequence[Version],
        at: Micros,
        contracts: StoredContracts = NO_CONTRACTS,
    ) -> bool:
        """Whether `advance` by these events gives what the whole log would give at `at`.

        `contracts` has at least the stored contracts that the names so far and those of the events concern.
        """
        return (
            at >= self._replay.at
            and len(versions) == len(self._versions)
            and all(map(operator.is_, versions, self._versions))
            and self._knows(contracts, new)
            and not _names_a_date(self._replay, new)
            and all(self._until < e.at <= at and e.type not in REWRITES_THE_PAST for e in new)
        )

    def _knows(self, contracts: StoredContracts, new: Sequence[Event]) -> bool:
        """Whether these contracts are those of the replay, and it has all that the events name."""
        before = self._replay.contracts
        if not (contracts.exist or before.exist):
            return True
        named = self._named | Named.by(event.data for event in new)
        return before.only(named) == contracts.only(named)

    def advance(self, new: Iterable[Event], at: Micros, *, cycles: int) -> Evaluation:
        """Evaluate the ticket at `at` with these further events, which `accepts` has accepted.

        Of each commitment the evaluation has `cycles` earlier cycles at most, and those that the events open.
        """
        replay = self._replay
        ordered = in_order(new)
        for track in replay.tracks.values():
            self._flags |= settle(track, cycles, replay.at)
        replay.advance(ordered, at)
        if replay.agreement.queue.domain_required:
            self._names_domain = self._names_domain or names_domain(ordered)
        if ordered:
            self._until = max(self._until, ordered[-1].at)
            if _finds_contracts(replay):
                self._named |= Named.by(event.data for event in ordered)
        flags = [*replay.flags, *sorted(self._flags)]
        return result_of(replay, flags, [], any_domain=self._names_domain)


def begin(
    events: Iterable[Event],
    versions: Sequence[Version],
    at: Micros,
    contracts: StoredContracts = NO_CONTRACTS,
) -> tuple[Evaluation, Checkpoint | None]:
    """Evaluate a ticket that no merge concerns, and keep its replay.

    No checkpoint: something of the ticket lies ahead, was merged, a withdrawal names an unknown event, or commitments
    start on a date of the ticket. Raises NothingKnown when no event lies at or before `at`.
    """
    log = list(events)
    replay, flags, ahead = replayed(log, versions, at, contracts=contracts)
    unknown = withdrawals_of_unknown(log)
    ends = any(event.type in ("ticket.merged", "ticket.deleted") for event in log)
    later = any(boundary > at for boundary in _boundaries(replay, versions))
    complete = not (ahead or unknown or ends or later or _names_a_date(replay, log))
    evaluation = result_of(replay, flags, ahead, any_domain=None)
    return evaluation, Checkpoint(replay, versions) if complete else None


def _boundaries(replay: Replay, versions: Sequence[Version]) -> list[Micros]:
    """When versions began of which the ticket's status decides whether they judge it.

    The first one judges whatever came before the others; one for new tickets, those that are created later.
    """
    born = replay.ticket.created_at
    first = min(version.number for version in versions)
    return [
        version.effective_from
        for version in versions
        if version.number != first
        and version.applies_to is not AppliesTo.NEW
        and (born is None or version.effective_from > born)
    ]


def _finds_contracts(replay: Replay) -> bool:
    return replay.contracts.exist


def _names_a_date(replay: Replay, events: Iterable[Event]) -> bool:
    """Whether an event sets a date on which commitments start: it is a fact when it comes, without an event."""
    dates = () if replay.watched is None else replay.watched.dates
    return bool(dates) and any(name in event.data for event in events for name in dates)


def settle(track: Track, cycles: int, at: Micros) -> set[str]:
    """Leave out all but the latest `cycles` cycles of a commitment: only the last one can still change.

    Returns the flags of those that were left out.
    """
    old = track.clocks[:-cycles]
    kept = track.clocks[len(old) :]
    # Cycles are numbered in the order of their identities, so only a whole beginning can be left out.
    if not old or max(clock.cycle for clock in old) >= min(clock.cycle for clock in kept):
        return set()
    shown = [clock for clock in old if clock.shown]
    track.clocks = kept
    track.settled += len(shown)
    track.settled_before = min(clock.cycle for clock in kept)
    uncovered = any(TimeAccount(clock, at).uncovered for clock in shown)
    return {f"{UNCOVERED}:{track.commitment.id}"} if uncovered else set()
