"""The walk through a ticket's events, once, in their total order: each event becomes a `Step` for every track.

Between the events stand marks for what is no event of the ticket and yet happens to it: the edges of exclusions, the
merge of another ticket into it, a version of the agreement that takes over the rest of its life. Microseconds UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast

from app.sla.agreement.agreement import Agreement, Commitment, DerivedFact
from app.sla.agreement.version import Version, in_force
from app.sla.clock.track import Step, Track
from app.sla.event import Event, in_order, order_key, status_instants
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros, micros
from app.sla.ticket import Ticket

_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A ticket that was merged into the one asked about: its log, and the merge."""

    ticket: str
    merged_by: Event
    events: tuple[Event, ...]
    absorbed: tuple["Absorbed", ...] = ()


@dataclass(frozen=True, slots=True)
class _Exclusion:
    start: Micros
    end: Micros
    commitments: tuple[str, ...]
    reason: Reason


_MESSAGES: Final = frozenset(
    {"customer.replied", "agent.replied", "note.added", "progress.reported", "request.read"}
)
"""Types of which an automatic one satisfies nothing."""

_ONTO_FIELDS: Final = frozenset({"ticket.created", "ticket.updated"})


class Fold:
    """The walk through a ticket's events, once, from the first to the last before `at`."""

    def __init__(
        self, ordered: Sequence[Event], versions: Sequence[Version], at: Micros, absorbed: Sequence[Absorbed]
    ) -> None:
        """`ordered` are the ticket's events in their order, at least one of them up to `at`.

        Those after `at` have not happened yet. But an exclusion holds for its span whenever it was granted: it rewrites
        the past as a late fact does.
        """
        past = [event for event in ordered if event.at <= at]
        self.past, self.versions, self.at, self.absorbed = past, versions, at, absorbed
        base, self.rests = in_force(versions, past)
        self.agreement: Agreement = base.agreement
        self.ticket = Ticket()
        self.tracks = {c.id: Track(c, self.agreement) for c in self.agreement.commitments}
        self.flags: list[str] = []
        self.exclusions = [x for e in ordered if e.type == "exclusion.granted" and (x := self._exclusion(e))]
        self.excluded: dict[str, Reason] = {}
        self.edges_ahead = [edge + 1 for x in self.exclusions for edge in (x.start, x.end) if edge > at]
        self.spoken = status_instants(past)

    def run(self) -> None:
        """Take every event in, with the edges of exclusions, the merges and the versions where they belong."""
        marks: list[Event] = self._marks()
        steps = sorted(self.past + marks, key=order_key) if marks else self.past
        first = True
        for event in steps:
            if event.type == _MARK:
                self._take_mark(event)
            else:
                self._take(event, first)
                first = False
        for track in self.tracks.values():
            for clock in track.clocks:
                if clock.watch < self.at:
                    clock.settle(self.at)

    def _take(self, event: Event, first: bool) -> None:
        ticket, agreement, kind = self.ticket, self.agreement, event.type
        assignee = ticket.fields.get("assignee")
        human = event.human
        status = ticket.status
        ticket.apply(
            event,
            reply_reopens_pending=agreement.customer_reply_ends_pending and event.at not in self.spoken,
        )
        facts = _NOTHING if kind in _MESSAGES and not human else frozenset((kind,))
        for derived in agreement.derived:
            if _shows(derived, event, ticket, assignee):
                facts |= {derived.fact}
        asks = human and (
            kind == "customer.replied"
            or (kind == "ticket.created" and ticket.fields.get("author") == "customer")
        )
        step = Step(
            event.at,
            event.id,
            Reason(ReasonCode.EVENT, event.id),
            facts,
            ticket,
            ticket.status,
            ticket.reopened,
            _ended(event) if ticket.ended_by is event else None,
            first or kind in _ONTO_FIELDS,
            first or ticket.status != status,
            self.excluded,
            asks,
        )
        self._step(step)

    def _step(self, step: Step) -> None:
        for track in self.tracks.values():
            track.step(step, self.tracks)

    # -- what is no event of the ticket but happens to it --------------------------------------------------------

    def _marks(self) -> list[Event]:
        """Stand-ins for exclusion edges, merges into it and versions for the rest, up to `at`; before others of their
        instant, but merges after them."""
        if not (self.exclusions or self.rests or self.absorbed):
            return []
        edges = sorted({edge for x in self.exclusions for edge in (x.start, x.end)})
        marks = [_mark(edge, "edge", "", before=True) for edge in edges]
        marks += [_mark(v.effective_from, "version", str(v.number), before=True) for v in self.rests]
        marks += [_mark(a.merged_by.at, "merge", a.ticket, before=False) for a in self.absorbed]
        # Nothing can happen to a ticket before its first event: an exclusion that began earlier holds from there.
        born = self.past[0].at
        marks = [replace(m, at=born) if m.at < born else m for m in marks]
        return [m for m in marks if m.at <= self.at]

    def _take_mark(self, mark: Event) -> None:
        match mark.data["mark"]:
            case "edge":
                self.excluded = {
                    name: x.reason
                    for x in self.exclusions
                    if x.start <= mark.at < x.end
                    for name in x.commitments
                }
                self._step(self._quiet(mark.at, "exclusion", Reason(ReasonCode.EXCLUSION_BOUNDARY)))
            case "version":
                self._renew(next(v for v in self.rests if str(v.number) == mark.data["of"]), mark.at)
            case _:
                self._absorb(next(a for a in self.absorbed if a.ticket == mark.data["of"]))

    def _quiet(self, at: Micros, name: str, cause: Reason) -> Step:
        ticket = self.ticket
        return Step(at, name, cause, _NOTHING, ticket, ticket.status, False, None, False, True, self.excluded)

    def _renew(self, version: Version, at: Micros) -> None:
        step = self._quiet(at, f"version {version.number}", Reason(ReasonCode.VERSION, version.number))
        agreement = self.agreement = version.agreement
        promised = {c.id: c for c in agreement.commitments}
        for track in self.tracks.values():
            if track.commitment.id in promised:
                track.renew(promised[track.commitment.id], agreement, step)
            elif (clock := track.live) is not None:
                clock.settle(at)
                clock.cancel(at, Reason(ReasonCode.NO_LONGER_PROMISED, version.number))
                track.over = True
        for commitment in agreement.commitments:
            if commitment.id not in self.tracks:
                self.tracks[commitment.id] = self._caught_up(commitment, step)
        self._step(step._replace(fields_changed=True))

    def _caught_up(self, commitment: Commitment, step: Step) -> Track:
        """A commitment that comes with a version: it has followed the past without judging it, and applies from now."""
        track = Track(commitment, self.agreement, muted=True)
        if earlier := [event for event in self.past if event.at < step.at]:
            shadow = Fold(earlier, self.versions[:1], step.at, ())
            shadow.agreement, shadow.tracks = self.agreement, {commitment.id: track}
            shadow.run()
        track.muted = False
        track.renew(commitment, self.agreement, step)
        return track

    def _absorb(self, source: Absorbed) -> None:
        """Where both tickets had the commitment unanswered, the wait began with the earlier of the two."""
        merge = source.merged_by
        # A merge before the one that counts named no ticket, or it would be the one: the wait went on.
        before = [
            e
            for e in in_order(source.events)
            if order_key(e) < order_key(merge) and e.type != "ticket.merged"
        ]
        if not before:
            return
        other = Fold(before, self.versions, merge.at, source.absorbed)
        other.run()
        for name, track in self.tracks.items():
            mine = track.live
            theirs = other.tracks[name].live if name in other.tracks else None
            if mine is None or theirs is None or theirs.dormant or mine.dormant:
                continue
            mine.settle(merge.at)
            # One wait is not missed twice: a breach that the source had is not the target's to repeat.
            if theirs.breached_at is None:
                mine.take_earlier_start(theirs, merge.at)

    def _exclusion(self, event: Event) -> _Exclusion | None:
        try:
            start, end = (micros(datetime.fromisoformat(str(event.data[key]))) for key in ("from", "to"))
        except (KeyError, ValueError):
            self.flags.append(f"unreadable_exclusion:{event.id}")
            return None
        named = event.data.get("commitments")
        commitments = ("*",)
        if isinstance(named, list | tuple) and named:
            commitments = tuple(str(name) for name in cast("Sequence[object]", named))
        params = {name: value for name in ("author", "reason") if (value := event.data.get(name))}
        return _Exclusion(start, end, commitments, Reason(ReasonCode.EXCLUSION, event.id, params))


_MARK: Final = "mark"


def _mark(at: Micros, kind: str, of: str, *, before: bool) -> Event:
    first, last = -1, 1 << 62
    return Event(f"{kind}:{of}", _MARK, "", at, {"mark": kind, "of": of}, first if before else last)


def _ended(event: Event) -> Reason:
    if event.type == "ticket.deleted":
        return Reason(ReasonCode.TICKET_DELETED, event.id)
    into = event.data.get("into")
    return Reason(ReasonCode.MERGED_INTO, event.id, {"into": into} if into else {})


def _shows(derived: DerivedFact, event: Event, ticket: Ticket, assignee: object) -> bool:
    """Whether the event shows a fact that its source does not send."""
    kind = event.type
    if kind not in derived.shown_by:
        assigned = kind == "ticket.updated" and "assigned" in derived.shown_by
        if not (assigned and event.data.get("assignee") and event.data.get("assignee") != assignee):
            return False
    if derived.by_agent:
        author = event.data.get("author")
        if not event.human or author == "customer" or (kind == "ticket.created" and author != "agent"):
            return False
    return derived.where.all_hold(ticket.fields)
