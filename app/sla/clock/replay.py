"""The replay of a ticket: its timeline, step by step, through the tracks of all commitments.

Instants are microseconds UTC.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from app.sla.agreement.agreement import Agreement, Commitment
from app.sla.agreement.version import Version, in_force
from app.sla.clock.field_fact import DateComes, dates_to_come, unreadable_dates, watched
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.timeline import (
    Boundary,
    Step,
    Timeline,
    exclusion_boundaries,
    in_sequence,
    read_exclusions,
    timeline,
)
from app.sla.clock.track import Track
from app.sla.contract_finder import NO_CONTRACTS, StoredContracts
from app.sla.event import Event, status_instants
from app.sla.merge import Absorbed, passed_through, until_merge
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.ticket import Ticket

_AT: Final = attrgetter("at")


class Replay:
    """A ticket's events from the first to the last up to `at`, and the tracks that they lead to."""

    def __init__(
        self,
        ordered: Sequence[Event],
        versions: Sequence[Version],
        at: Micros,
        absorbed: Sequence[Absorbed],
        contracts: StoredContracts = NO_CONTRACTS,
    ) -> None:
        """`ordered` are the ticket's events in their order, at least one of them up to `at`.

        Those after `at` have not happened yet. But an exclusion holds for its span whenever it was granted: it rewrites
        the past as a late fact does.
        """
        self.past = list(ordered[: bisect_right(ordered, at, key=_AT)])
        self.versions, self.at, self.contracts = versions, at, contracts
        # By all that is known: one that had ended before a version is not judged by it at an earlier instant either.
        base, self._later = in_force(versions, ordered)
        self.exclusions, self.flags = read_exclusions(ordered)
        self._absorbed = absorbed
        self.watched = None
        if base.agreement.field_starts or self._later:
            self.watched = watched([base.agreement, *(version.agreement for version in self._later)])
        self._timeline = timeline(base.agreement, self.exclusions, self.past, self.watched, contracts)
        self.dates: list[DateComes] = []
        """The dates of the ticket that commitments start on, those ahead as well."""
        if self.watched is not None:
            self.dates = dates_to_come(self.watched, self.past, base.agreement.time_zone)
        self.tracks: dict[str, Track] = {}
        for commitment in base.agreement.commitments:
            self.tracks[commitment.id] = Track(commitment, base.agreement, self._not_after(commitment))

    @property
    def agreement(self) -> Agreement:
        """The agreement in force at the end."""
        return self._timeline.agreement

    @property
    def ticket(self) -> Ticket:
        """The ticket at the end."""
        return self._timeline.ticket

    def run(self) -> None:
        """Compute the timeline and run every track over it. Versions and merges change the tracks between."""
        line = self._timeline
        steps: list[Step] = []
        for item in in_sequence(self.past, self._boundaries()):
            if isinstance(item, Event):
                steps.append(line.step(item))
            elif item.of is None or isinstance(item.of, DateComes):
                steps.append(_between(line, item))
            else:
                self._run_tracks(steps)
                steps = []
                if isinstance(item.of, Version):
                    self._take_over(item.of, line.version_boundary(item.of, item.at))
                else:
                    self._absorb(item.of)
        self._run_tracks(steps)
        if self.watched is not None:
            unreadable = unreadable_dates(self.watched, self.ticket.fields, self.agreement.time_zone)
            self.flags += [f"unreadable_date:{name}" for name in unreadable]

    def advance(self, later: Sequence[Event], at: Micros) -> None:
        """Go on by events in their order, which all come after those so far and rewrite nothing; up to `at`."""
        self.at = at
        # No message so far shares an instant with them, so only their own statuses matter.
        self._timeline.named_status_at = status_instants(later)
        self._run_tracks([self._timeline.step(event) for event in later])

    def _run_tracks(self, steps: Sequence[Step]) -> None:
        for track in self.tracks.values():
            track.run(steps)

    def _not_after(self, commitment: Commitment) -> Track | None:
        return None if commitment.not_after is None else self.tracks.get(commitment.not_after)

    def _boundaries(self) -> list[Boundary]:
        found = self._edges()
        found += [Boundary(version.effective_from, version) for version in self._later]
        if self._absorbed:
            found += [Boundary(source.merged_by.at, source) for source in passed_through(self._absorbed)]
        return [each for each in found if each.at <= self.at]

    def _edges(self) -> list[Boundary]:
        """The boundaries that are the same under every version."""
        found = exclusion_boundaries(self.exclusions) if self.exclusions else []
        if self.dates:
            found += [Boundary(comes.at, comes) for comes in self.dates]
        return found

    # -- a version for the rest of the ticket's life -------------------------------------------------------------

    def _take_over(self, version: Version, step: Step) -> None:
        """Judge the rest by a new version: renew, drop and add commitments."""
        commitments = {commitment.id: commitment for commitment in version.agreement.commitments}
        for name, track in self.tracks.items():
            if name in commitments:
                commitment = commitments[name]
                track.renew(commitment, version.agreement, self._not_after(commitment), step)
            else:
                track.drop(step.at, Reason(ReasonCode.COMMITMENT_DROPPED, version.number))
        for commitment in version.agreement.commitments:
            if commitment.id not in self.tracks:
                self.tracks[commitment.id] = self._followed(commitment, step)
        self._run_tracks([step])

    def _followed(self, commitment: Commitment, step: Step) -> Track:
        """A commitment that comes with a version: it has followed the facts so far, and applies from now on."""
        not_after = self._not_after(commitment)
        track = Track(commitment, self.agreement, not_after, in_force=False)
        earlier = [event for event in self.past if event.at < step.at]
        edges = [each for each in self._edges() if each.at <= step.at]
        line = timeline(self.agreement, self.exclusions, earlier, self.watched, self.contracts)
        track.run(
            line.step(item) if isinstance(item, Event) else _between(line, item)
            for item in in_sequence(earlier, edges if earlier else ())
        )
        track.renew(commitment, self.agreement, not_after, step)
        return track

    # -- a merge into the ticket ---------------------------------------------------------------------------------

    def _absorb(self, source: Absorbed) -> None:
        """Where both tickets had the commitment unanswered, the wait began with the earlier of the two."""
        merge = source.merged_by
        before = until_merge(source)
        if not any(event.at <= merge.at for event in before):
            return
        other = Replay(before, self.versions, merge.at, source.absorbed, self.contracts)
        other.run()
        for name, track in self.tracks.items():
            if name in other.tracks:
                _take_earlier_start(track, other.tracks[name], merge)


def _between(line: Timeline, boundary: Boundary) -> Step:
    """The step of a date that comes, or of an exclusion's edge."""
    of = boundary.of
    return (
        line.date_comes(boundary.at, of)
        if isinstance(of, DateComes)
        else line.exclusion_boundary(boundary.at)
    )


def _take_earlier_start(track: Track, source: Track, merge: Event) -> None:
    mine, theirs = track.live, source.live
    if mine is None or theirs is None or not (mine.terms.applies and theirs.terms.applies):
        return
    if theirs.started_at is None or mine.started_at is None or theirs.started_at >= mine.started_at:
        return
    account = TimeAccount(theirs, merge.at)
    # One wait is not missed twice: a breach that the source had is not the target's to repeat.
    if account.breached_at is None:
        mine.take_earlier_start(theirs.started_at, account.closed_stretches(), merge.at, merge.id)
