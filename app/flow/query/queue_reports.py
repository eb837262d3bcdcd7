"""The report of a desk's queues, and the steps behind each figure.

What is known now is counted from the stored wait intervals. As of an earlier instant they are derived again, from the
events received and the rules recorded by then. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from app.flow.query.duplicates import AdjacentTickets, adjacent_tickets
from app.flow.query.kept_periods import KeptPeriods, kept_bodies
from app.flow.query.merge_graph import MergeGraph, gather_logs
from app.flow.query.report_scope import Answer, Asked, ReportScope, too_large
from app.flow.query.reports import fields_of
from app.settings import Settings
from app.sla.budget import charge
from app.sla.calendar import NeverOpen, UncoveredYear
from app.sla.clock.evaluation import Evaluation
from app.sla.queue.duplicate import group_key
from app.sla.queue.waiting import WaitInterval, wait_intervals
from app.sla.report.queue_report import QueueStep, QueueTally, steps
from app.sla.span import Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import queues
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.queues import Member

_Split = tuple[str | None, ...]


def queue_report(conn: Connection, catalogue: Catalogue, settings: Settings, asked: Asked) -> Answer:
    """The report of queues. Raises what `clock_report` raises."""
    scope = ReportScope(conn, catalogue, settings, asked)
    tally = QueueTally(scope.pieces)
    periods = _not_kept(scope, tally)
    for span in _runs(periods):
        for found in _wanted_steps(scope, span):
            tally.add(step for step in found if step.at in span)
            if tally.rows > settings.report_rows_max:
                limit = f"{settings.report_rows_max} rows, the limit SLATIMER_REPORT_ROWS_MAX"
                raise too_large(f"the report has more than {limit}")
    for kept in scope.kept:
        for number, span in periods:
            kept.keep(span, 0, tally.kept(number))
    return scope.answer(tally.report(_open_time(scope)))


def _not_kept(scope: ReportScope, tally: QueueTally) -> list[tuple[int, Span]]:
    """Add what is kept to the tally. Returns the other periods, which are to be counted."""
    periods, asked = list(enumerate(scope.periods)), scope.asked
    if not scope.keeps:
        return periods
    kept = KeptPeriods.of_queues(scope.conn, asked.desk, asked.splits, asked.span, asked.now)
    scope.kept.append(kept)
    bodies = kept_bodies(periods, kept)
    for number, body in bodies.items():
        tally.add_kept(number, body)
    return [(number, span) for number, span in periods if number not in bodies]


def _runs(periods: Iterable[tuple[int, Span]]) -> list[Span]:
    """The spans of periods that follow each other, each counted at once."""
    found: list[Span] = []
    for _, span in periods:
        if found and found[-1].end == span.start:
            found[-1] = Span(found[-1].start, span.end)
        else:
            found.append(span)
    return found


def steps_behind(
    conn: Connection,
    catalogue: Catalogue,
    settings: Settings,
    asked: Asked,
    wanted: Mapping[str, str | None],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[QueueStep], str | None]:
    """The steps that a figure counts, by their instants, and the cursor of the next page.

    `wanted`: values of fields of the ticket, and `step`, `queue`, `cause`, by name. Raises what `queue_report` raises,
    and FaultyCursor.
    """
    scope = ReportScope(conn, catalogue, settings, asked)
    if "assignee" in wanted:
        scope.require_names()
    own = {name: wanted[name] for name in ("step", "queue", "cause") if name in wanted}
    fields = tuple(name for name in wanted if name not in own)
    values, tally = tuple(wanted[name] for name in fields), QueueTally(scope.pieces)
    found = sorted(
        step
        for of_ticket in _steps(scope, fields, asked.span)
        for step in of_ticket
        if step.split == values and tally.period_of(step.at) is not None
        if all(getattr(step, name) == value for name, value in own.items())
    )
    after = None if cursor is None else key_of(cursor, int, str, str)
    rest = [step for step in found if after is None or step[:3] > after]
    last = rest[limit - 1] if len(rest) > limit else None
    return rest[:limit], None if last is None else cursor_of(last.at, last.ticket, last.step.value)


def _wanted_steps(scope: ReportScope, span: Span) -> Iterator[list[QueueStep]]:
    """The steps of each ticket that has the values that are asked for, with its values of the splits."""
    asked = scope.asked
    fields = tuple(dict.fromkeys((*asked.splits, *(name for name, _ in asked.only))))
    if not asked.only:
        yield from _steps(scope, fields, span)
        return
    for found in _steps(scope, fields, span):
        of = dict(zip(fields, found[0].split, strict=True)) if found else {}
        if found and all(of[name] == value for name, value in asked.only):
            yield [step._replace(split=step.split[: len(asked.splits)]) for step in found]


def _steps(scope: ReportScope, fields: Sequence[str], span: Span) -> Iterator[list[QueueStep]]:
    """The steps of each ticket that has one in the span, and perhaps others."""
    derived = _stored(scope, fields, span) if scope.asked.as_of is None else _derived(scope, fields)
    for intervals, split in derived:
        yield list(steps(intervals, split))


def _stored(
    scope: ReportScope, fields: Sequence[str], span: Span
) -> Iterator[tuple[Sequence[WaitInterval], _Split]]:
    conn, desk = scope.conn, scope.asked.desk
    # A wait that was going on when the span began may have begun at an earlier place.
    earlier = queues.intervals_before(conn, desk, span.start)
    rows = queues.intervals_in(conn, desk, span, fields)
    for ticket, group in groupby(rows, key=lambda row: row[0].ticket):
        own = list(group)
        yield [*earlier.get(ticket, ()), *(interval for interval, _ in own)], own[0][1]


def _derived(scope: ReportScope, fields: Sequence[str]) -> Iterator[tuple[Sequence[WaitInterval], _Split]]:
    for graph, evaluations in scope.evaluations(waiting=True):
        for group in _groups(scope, evaluations):
            charge()
            derived = _wait_intervals(scope, graph, group)
            for name in sorted(group.within & evaluations.keys()):
                known = fields_of(evaluations[name])
                yield derived[name], tuple(known[field] or None for field in fields)


def _groups(scope: ReportScope, evaluations: Mapping[str, Evaluation]) -> Iterable[AdjacentTickets]:
    """The tickets with those of their duplicate groups that decide where they wait."""
    places: dict[Member, bool] = {}
    alone: list[AdjacentTickets] = []
    for name, evaluation in evaluations.items():
        key, created_at = group_key(evaluation.ticket, scope.agreement), evaluation.ticket.created_at
        if key is None or created_at is None:
            alone.append(AdjacentTickets((name,), frozenset({name})))
        else:
            places[key, created_at, name] = True
    most = scope.agreement.queue.duplicates_max
    near = adjacent_tickets(scope.conn, scope.asked.desk, places, evaluations, most) if places else []
    return [*alone, *near]


def _wait_intervals(
    scope: ReportScope, graph: MergeGraph, group: AdjacentTickets
) -> Mapping[str, tuple[WaitInterval, ...]]:
    at, agreement = scope.known_at, scope.agreement
    gather_logs(scope.conn, graph, group.tickets, as_of=at)
    return wait_intervals(
        {name: graph.whole_log(name, at) for name in group.tickets},
        agreement.queue,
        at,
        reply_ends_pending=agreement.customer_reply_ends_pending,
        faulty_merges=[name for name in group.tickets if graph.fault(name) is not None],
    )


def _open_time(scope: ReportScope) -> dict[int, Micros | None]:
    """The open time of the queues' calendar in each period, up to now; None without a calendar or past its years."""
    calendar, found = scope.agreement.queue.calendar, dict[int, Micros | None]()
    for number, period in enumerate(scope.periods):
        end = max(period.start, min(period.end, scope.known_at))
        try:
            found[number] = None if calendar is None else calendar.within_us(period.start, end)
        except (UncoveredYear, NeverOpen):
            found[number] = None
    return found
