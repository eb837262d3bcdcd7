"""Merge graph: the tickets that an event concerns, and all that is read to evaluate them.

A ticket is judged by its own log and by the logs of the tickets merged into it, in turn. So an event of a source
concerns its target, and a ticket that appears concerns those that named it before it was known. A merge into an unknown
ticket or in a ring is stored, flagged and moves nothing. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.flow.query.checkpoints import Checkpoints, Resumed
from app.sla.agreement.agreement import Agreement
from app.sla.clock.evaluation import Evaluation, Version, evaluate
from app.sla.contract_finder import NO_CONTRACTS, ContractFinder, Named, StoredContracts
from app.sla.event import Event, in_order
from app.sla.merge import Absorbed, with_absorbed
from app.sla.span import DAY, Micros
from app.sla.subject import Subject
from app.store.contracts import contracts
from app.store.engine.database import Connection
from app.store.tickets import clocks, ledger, parked_desks
from app.store.tickets.clocks import StoredTicket

RING: Final = "merge_ring"
UNKNOWN_TARGET: Final = "merge_target_unknown"
_CLOCK_MARGIN: Final = DAY
"""Clock margin: a transaction that began earlier may commit later. Seconds, in truth; a day costs nothing, since the log
is partitioned by month."""


@dataclass(slots=True)
class MergeGraph:
    """The tickets of one desk that are concerned, with all that evaluating them needs."""

    desk: str
    concerned: set[str] = field(default_factory=set[str])
    logs: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])
    rows: dict[str, StoredTicket] = field(default_factory=dict[str, StoredTicket])
    merges: dict[str, Event] = field(default_factory=dict[str, Event])
    """The merge of each source, by the source."""
    children: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The sources of each target."""
    resumed: dict[str, Resumed] = field(default_factory=dict[str, Resumed])
    """The tickets that go on from a checkpoint. Their `logs` have only the events after it."""
    postponed: dict[str, float] = field(default_factory=dict[str, float])
    """The long tickets whose logs are not read now, with the seconds that this must wait."""
    contracts: StoredContracts = NO_CONTRACTS
    """The stored contracts that these tickets may belong to."""

    def contract_finder(self, agreement: Agreement) -> ContractFinder | None:
        """Finds the contracts of its tickets; None: the desk has none."""
        return agreement.contract_finder(self.contracts)

    @property
    def never_evaluated(self) -> set[str]:
        """The tickets concerned that were not evaluated before: nothing of an evaluation is stored of them."""
        return self.concerned - self.rows.keys()

    def is_known(self, ticket: str) -> bool:
        """Whether the ticket has any event."""
        return bool(self.logs.get(ticket)) or ticket in self.resumed or ticket in self.postponed

    def read_whole(self, conn: Connection, ticket: str) -> None:
        """Read the whole log of a ticket that cannot go on from its checkpoint after all."""
        del self.resumed[ticket]
        self.logs |= ledger.logs(conn, self.desk, [ticket])

    def fault(self, ticket: str) -> str | None:
        """Why the ticket's own merge cannot stand, if it cannot."""
        merge = self.merges.get(ticket)
        if merge is None:
            return None
        into = _target(merge)
        if not self.is_known(into):
            return f"{UNKNOWN_TARGET}:{into}"
        return RING if self._in_ring(ticket) else None

    def absorbed(self, ticket: str, at: Micros) -> tuple[Absorbed, ...]:
        """The tickets merged into this one by `at`, each with those merged into it."""
        if ticket not in self.children:
            return ()
        found: list[Absorbed] = []
        for source in self.children[ticket]:
            merge = self.merges[source]
            if merge.at <= at and not self._in_ring(source):
                found.append(Absorbed(source, merge, tuple(self.logs[source]), self.absorbed(source, at)))
        return tuple(found)

    def merged_into(self, ticket: str, at: Micros) -> str | None:
        """The ticket into which this one was merged by `at`, where its merge stands."""
        merge = self.merges.get(ticket)
        return None if merge is None or merge.at > at or self.fault(ticket) else _target(merge)

    def merged_from(self, ticket: str, at: Micros) -> tuple[str, ...]:
        """The tickets that were merged into this one by `at`."""
        return tuple(source.ticket for source in self.absorbed(ticket, at))

    def whole_log(self, ticket: str, at: Micros) -> Sequence[Event]:
        """A ticket's events by `at`, with those that happened in its sources after they were merged into it."""
        own, absorbed = self.logs[ticket], self.absorbed(ticket, at)
        return with_absorbed(in_order(own), absorbed) if absorbed else own

    def join(self, other: "MergeGraph") -> None:
        """Know the logs and merges of another graph of the desk as well. Its tickets are not concerned."""
        self.logs |= other.logs
        self.merges |= other.merges
        if other.contracts.exist:
            self.contracts = self.contracts.beside(other.contracts)
        for target, sources in other.children.items():
            self.children[target] = sorted({*self.children.get(target, ()), *sources})

    def _in_ring(self, ticket: str) -> bool:
        passed = {ticket}
        merge = self.merges.get(ticket)
        while merge is not None:
            into = _target(merge)
            if into == ticket:
                return True
            if into in passed:  # a ring further on, of which this ticket is no part
                return False
            passed.add(into)
            merge = self.merges.get(into)
        return False


def _target(merge: Event) -> str:
    return str(merge.data.get("into"))


def merge_of(log: Sequence[Event]) -> Event | None:
    """The event that merged the ticket into another: the first of its ends, if that is a merge.

    A merge whose source system does not name the target ends the ticket all the same.
    """
    if not any(event.type == "ticket.merged" for event in log):
        return None
    ends = (event for event in in_order(log) if event.type == "ticket.deleted" or _names_target(event))
    end = next(ends, None)
    return end if end is not None and end.type == "ticket.merged" else None


def _names_target(event: Event) -> bool:
    return event.type == "ticket.merged" and event.data.get("into") is not None


def judge(graph: MergeGraph, ticket: str, versions: Sequence[Version], at: Micros) -> Evaluation:
    """Evaluate a ticket of the graph at an instant: the only call of the core's `evaluate`.

    Raises NothingKnown when nothing had happened to the ticket by then.
    """
    return evaluate(
        graph.logs[ticket],
        versions,
        at,
        absorbed=graph.absorbed(ticket, at),
        merge_fault=graph.fault(ticket),
        contracts=graph.contracts,
    )


def gather(
    conn: Connection,
    desk: str,
    tickets: Iterable[str],
    *,
    as_of: Micros | None = None,
    now: Micros | None = None,
    checkpoints: Checkpoints | None = None,
) -> MergeGraph:
    """Read what evaluating these tickets needs, and which others they concern.

    `as_of`: only what was received by then. `now` is the time of a transaction that has just appended to their logs: the
    log of a ticket that was never evaluated begins there. Of a ticket that has a checkpoint and that no merge concerns
    only the events after it are read.
    """
    return _Gathering(conn, desk, as_of, now, checkpoints).run(set(tickets))


def gather_logs(
    conn: Connection, graph: MergeGraph, tickets: Iterable[str], *, as_of: Micros | None = None
) -> None:
    """Read the logs of these tickets too, where the graph lacks them, and those of the tickets merged into them."""
    unread = [name for name in tickets if name not in graph.logs]
    if unread:
        graph.join(gather(conn, graph.desk, unread, as_of=as_of))


class _Gathering:
    def __init__(
        self,
        conn: Connection,
        desk: str,
        as_of: Micros | None,
        now: Micros | None,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.conn, self.as_of, self.now, self.checkpoints = conn, as_of, now, checkpoints
        self.merge_graph = MergeGraph(desk)
        self.rows: dict[str, StoredTicket] = {}

    def run(self, tickets: set[str]) -> MergeGraph:
        merge_graph = self.merge_graph
        self._read(tickets, postpone=True)
        self._concern(tickets)
        self._follow_targets(tickets)
        self._follow_sources()
        for source, merge in merge_graph.merges.items():
            merge_graph.children.setdefault(_target(merge), []).append(source)
        for sources in merge_graph.children.values():
            sources.sort()
        for target in merge_graph.children.keys() & merge_graph.resumed.keys():
            merge_graph.read_whole(self.conn, target)
        if contracts.exist(self.conn, merge_graph.desk):
            merge_graph.contracts = contracts.of_names(
                self.conn, merge_graph.desk, self._named(), as_of=self.as_of
            )
        return merge_graph

    def _named(self) -> Named:
        """The customers and contracts that the events of these tickets name."""
        merge_graph = self.merge_graph
        named = Named.by(event.data for log in merge_graph.logs.values() for event in log)
        for resumed in merge_graph.resumed.values():
            named |= resumed.checkpoint.clocks.named
        return named

    def _read(self, tickets: set[str], *, postpone: bool = False) -> None:
        """`postpone`: leave long tickets unread that must wait. Others are evaluated by those that these name."""
        merge_graph = self.merge_graph
        missing = tickets - merge_graph.logs.keys()
        if not missing:
            return
        self.rows |= clocks.tickets(self.conn, merge_graph.desk, sorted(missing))
        missing = missing - self._resume(missing)
        if postpone:
            merge_graph.postponed = self._postponed(missing)
            missing = missing - merge_graph.postponed.keys()
        for ticket in missing:
            merge_graph.postponed.pop(ticket, None)
        read = ledger.logs(self.conn, merge_graph.desk, sorted(missing), self._since(missing))
        if self.as_of is not None:
            known = self.as_of
            read = {ticket: [e for e in log if e.received_at <= known] for ticket, log in read.items()}
        merge_graph.logs |= read
        merge_graph.merges |= {ticket: merge for ticket, log in read.items() if (merge := merge_of(log))}

    def _resume(self, tickets: set[str]) -> set[str]:
        """Those of these tickets that go on from a checkpoint, with their later events."""
        merge_graph, found = self.merge_graph, dict[str, Resumed]()
        for row in (self.rows[ticket] for ticket in tickets if ticket in self.rows):
            checkpoint = None if self.checkpoints is None else self.checkpoints.get(row)
            if checkpoint is not None:
                later, seq = ledger.later(
                    self.conn, row.desk, row.ticket, checkpoint.seq, checkpoint.since - _CLOCK_MARGIN
                )
                resumed = Resumed(checkpoint, later, seq)
                if not resumed.rewrites_the_past:
                    found[row.ticket] = resumed
        merge_graph.resumed |= found
        merge_graph.logs |= {ticket: list(resumed.later) for ticket, resumed in found.items()}
        return set(found)

    def _postponed(self, tickets: set[str]) -> dict[str, float]:
        if self.checkpoints is None:
            return {}
        desk, replays = self.merge_graph.desk, self.checkpoints.replays
        long = {ticket for ticket in tickets if replays.is_long(desk, ticket)}
        wait = replays.wait(desk) if long else 0.0
        return dict.fromkeys(long, wait) if wait else {}

    def _concern(self, tickets: set[str]) -> None:
        merge_graph = self.merge_graph
        new = tickets - merge_graph.concerned
        merge_graph.concerned |= new
        merge_graph.rows |= {ticket: self.rows[ticket] for ticket in new if ticket in self.rows}

    def _since(self, tickets: set[str]) -> Micros:
        """Lower bound of `received_at` in the logs of these tickets, minus the clock margin."""
        without_row = sorted(tickets - self.rows.keys())
        begins = [self.rows[ticket].known_since for ticket in tickets if ticket in self.rows]
        if without_row:
            parked = parked_desks.parked(self.conn, self.merge_graph.desk, map(Subject.parse, without_row))
            begins += [self.now, *(row.first_at for row in parked.values())]
        return min((0 if begin is None else begin for begin in begins), default=0) - _CLOCK_MARGIN

    def _follow_targets(self, tickets: set[str]) -> None:
        """The targets of these, now and as last evaluated: both look different without, or with, the source."""
        merge_graph = self.merge_graph
        frontier = tickets
        while frontier:
            now = {_target(merge_graph.merges[ticket]) for ticket in frontier if ticket in merge_graph.merges}
            before = {
                row.merged_into
                for ticket in frontier
                if (row := merge_graph.rows.get(ticket)) is not None and row.merged_into is not None
            }
            frontier = (now | before) - merge_graph.concerned
            if frontier:
                self._read(frontier)
                frontier = {ticket for ticket in frontier if merge_graph.is_known(ticket)}
                self._concern(frontier)

    def _follow_sources(self) -> None:
        merge_graph = self.merge_graph
        appeared = {t for t in merge_graph.concerned if t not in merge_graph.rows}
        followed, frontier = set[str](), set(merge_graph.concerned)
        while frontier:
            pairs = clocks.sources(self.conn, merge_graph.desk, sorted(frontier))
            followed |= frontier
            found = {source for source, _ in pairs}
            self._read(found)
            self._concern({source for source, target in pairs if target in appeared})
            frontier = found - followed
