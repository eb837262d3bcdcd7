"""The evaluation of a ticket: the state of all its clocks at an instant.

`evaluate` is pure. From a ticket's events, the versions of the desk's agreement (with their calendars) and an instant it
computes every clock, its transitions and the next instant at which time alone changes something. Receiving, sweeping,
applying and replaying call it, and none of them knows a rule. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import AppliesTo, Version
from app.sla.clock.replay import Replay
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.transition import Transition
from app.sla.clock.view import ClockView, view_of
from app.sla.contract_finder import NO_CONTRACTS, StoredContracts
from app.sla.event import Event, in_order, withdrawals_of_unknown
from app.sla.merge import Absorbed, with_absorbed
from app.sla.queue.duplicate import domains_named, lacks_domain
from app.sla.reason import Reason
from app.sla.span import Micros
from app.sla.ticket import Ticket

__all__ = ["Absorbed", "AppliesTo", "Evaluation", "NothingKnown", "Version", "evaluate"]


class NothingKnown(LookupError):
    """Nothing of this ticket had happened at that instant. Choose a later one."""


@dataclass(slots=True)
class Evaluation:
    """A ticket and its clocks at an instant.

    Never changed; not frozen, which would triple the cost of creation.
    """

    ticket: Ticket
    at: Micros
    agreement: Agreement
    clocks: tuple[ClockView, ...]
    not_applicable: tuple[tuple[str, Reason], ...]
    transitions: tuple[Transition, ...]
    next_at: Micros | None
    flags: tuple[str, ...]
    histories: Mapping[tuple[str, Micros], TimeAccount]
    """The time account of each clock, for explanations, by (commitment, cycle id)."""
    settled: Mapping[str, "Settled"] = field(default_factory=dict[str, "Settled"])
    """The earlier cycles that a checkpoint has left out, by commitment."""

    def is_settled(self, commitment: str, cycle: Micros) -> bool:
        """Whether a cycle is one of those that were left out."""
        settled = self.settled.get(commitment)
        return settled is not None and cycle < settled.before


@dataclass(frozen=True, slots=True)
class Settled:
    """Cycles of a commitment that ended and cannot change: how many, and the identity below which all are meant."""

    count: int
    before: Micros


def evaluate(
    events: Iterable[Event],
    versions: Sequence[Version],
    at: Micros,
    *,
    absorbed: Sequence[Absorbed] = (),
    merge_fault: str | None = None,
    contracts: StoredContracts = NO_CONTRACTS,
) -> Evaluation:
    """Evaluate a ticket at `at` by these events and versions.

    `absorbed` are the tickets merged into it: their waits, and what happens in them later. `merge_fault` says why its
    own merge is invalid (an unknown target, a ring): then the merge is flagged and changes nothing. `contracts` are the
    desk's stored contracts, or those among them that the ticket may belong to. Raises NothingKnown when no event lies
    at or before `at`.
    """
    replay, flags, ahead = replayed(
        events, versions, at, absorbed=absorbed, merge_fault=merge_fault, contracts=contracts
    )
    return result_of(replay, flags, ahead, any_domain=None)


def replayed(
    events: Iterable[Event],
    versions: Sequence[Version],
    at: Micros,
    *,
    absorbed: Sequence[Absorbed] = (),
    merge_fault: str | None = None,
    contracts: StoredContracts = NO_CONTRACTS,
) -> tuple[Replay, list[str], list[Micros]]:
    """The replay of these events up to `at`, its flags, and the instants at which something of it lies ahead.

    Raises NothingKnown when no event lies at or before `at`.
    """
    log = list(events)
    ordered = in_order(log)
    if merge_fault is not None:
        ordered = [replace(e, type=_VOID_MERGE) if e.type == "ticket.merged" else e for e in ordered]
    if not ordered or ordered[0].at > at:
        raise NothingKnown("nothing of this ticket had happened by then")
    if absorbed:
        ordered = with_absorbed(ordered, absorbed)
    replay = Replay(ordered, versions, at, absorbed, contracts)
    replay.run()
    flags = [merge_fault] if merge_fault is not None else []
    flags += [f"withdrawal_of_unknown:{event_id}" for event_id in withdrawals_of_unknown(log)]
    ahead = [event.at + 1 for event in ordered[len(replay.past) :][:1]] + _edges_ahead(replay)
    return replay, flags + replay.flags, ahead


_VOID_MERGE: Final = "ticket.merged (void)"
"""The type that an invalid merge is given: it is a fact, and it changes nothing."""

_CUSTOMER_TYPES: Final = ("ticket.created", "customer.replied")
"""Types whose text may name the ticket's domain. The signature of an agent names the desk's own."""


def _edges_ahead(replay: Replay) -> list[Micros]:
    if not replay.exclusions and not replay.dates:
        return []
    edges = [edge for x in replay.exclusions for edge in (x.start, x.end)]
    edges += [comes.at for comes in replay.dates]
    return [edge + 1 for edge in edges if edge > replay.at]


def names_domain(events: Iterable[Event]) -> bool:
    """Whether the text of a customer's message names a (sub)domain."""
    texts = (str(e.data["text"]) for e in events if e.data.get("text") and e.type in _CUSTOMER_TYPES)
    return any(domains_named({}, (text,)) for text in texts)


def result_of(
    replay: Replay, flags: list[str], ahead: list[Micros], *, any_domain: bool | None
) -> Evaluation:
    """The evaluation that a replay has come to.

    `ahead`: instants at which something of the ticket is to be looked at again. `any_domain`: whether a message names a
    domain, where that is known; None: the replay's events are searched.
    """
    # A copy: a checkpoint goes on with its own.
    ticket = replay.ticket.copy()
    flags += _flags_of_ticket(replay, ticket, any_domain)
    views: list[ClockView] = []
    histories: dict[tuple[str, Micros], TimeAccount] = {}
    transitions: list[Transition] = []
    reasons: list[tuple[str, Reason]] = []
    for name, track in replay.tracks.items():
        if (reason := track.withheld or track.refused) is not None:
            reasons.append((name, reason))
        shown = [clock for clock in track.clocks if clock.shown]
        if len(shown) > 1:
            shown.sort(key=lambda clock: clock.cycle)
        for number, clock in enumerate(shown, start=track.settled + 1):
            account = TimeAccount(clock, replay.at)
            view = view_of(account, track, number)
            views.append(view)
            histories[name, clock.cycle] = account
            transitions += clock.transitions
            transitions += account.transitions
            if view.next_at is not None:
                ahead.append(view.next_at)
            if view.flags:
                flags += [f"{flag}:{name}" for flag in view.flags]
    return Evaluation(
        ticket=ticket,
        at=replay.at,
        agreement=replay.agreement,
        clocks=tuple(views),
        not_applicable=tuple(reasons),
        transitions=tuple(transitions),
        next_at=min(ahead, default=None),
        flags=tuple(dict.fromkeys(flags)),
        histories=histories,
        settled=_settled(replay),
    )


def _flags_of_ticket(replay: Replay, ticket: Ticket, any_domain: bool | None) -> Iterator[str]:
    """The flags of the ticket itself, none of which is a clock's."""
    if ticket.created_at is None:
        yield "creation_unknown"
    if ticket.contract_flag is not None:
        yield ticket.contract_flag
    if lacks_domain(ticket.fields, (), replay.agreement.queue) and not (
        names_domain(replay.past) if any_domain is None else any_domain
    ):
        yield "domain_missing"


def _settled(replay: Replay) -> dict[str, Settled]:
    """The cycles that a checkpoint has left out, by commitment."""
    return {
        name: Settled(track.settled, track.settled_before)
        for name, track in replay.tracks.items()
        if track.settled_before
    }
