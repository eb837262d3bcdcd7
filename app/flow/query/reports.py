"""Reports of a desk's ticket clocks, and the clocks behind each figure.

A report of what is known now counts stored clocks, and takes ended periods from kept figures where they are up to date.
One `as_of` an earlier instant evaluates the tickets again from the events received and the versions recorded by then.
All give the same cells to the same rows, so the report as of an instant equals the one that was made then. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from app.flow.query.kept_periods import KeptPeriods
from app.flow.query.report_scope import Answer, Asked, ReportScope, too_large
from app.settings import Settings
from app.sla.clock.evaluation import Evaluation
from app.sla.queue.duplicate import queue_of
from app.sla.report.clock_report import Report, attainment, breaches, heatmap, usage
from app.sla.report.cut import Piece
from app.sla.report.figures import figures_of
from app.sla.report.measure import (
    INSTANT_OF,
    TICKET_SPLITS,
    Cell,
    Measure,
    ReportedClock,
    Value,
    cells_of,
    is_behind,
)
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import reports
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.reports import TooManyCells

_CELLS_A_ROW: Final = 20
"""Cells that a row is made of, on average: a row of usage has one for each thousandth of the target that occurs."""


class ReportKind(StrEnum):
    """The reports of clocks."""

    ATTAINMENT = "attainment"
    USAGE = "usage"
    HEATMAP = "heatmap"
    BREACHES = "breaches"


def clock_report(
    conn: Connection, catalogue: Catalogue, settings: Settings, kind: ReportKind, asked: Asked
) -> Answer:
    """A report of clocks.

    Raises UnknownDesk, NamesAreOff, EventsDropped, and TooExpensive for one that counts too much.
    """
    query = _Query(ReportScope(conn, catalogue, settings, asked))
    return query.scope.answer(query.report(kind))


def clocks_behind(
    conn: Connection,
    catalogue: Catalogue,
    settings: Settings,
    measure: Measure,
    asked: Asked,
    wanted: Mapping[str, Value],
    cursor: str | None,
    limit: int,
) -> tuple[Sequence[ReportedClock], str | None]:
    """The clocks that a figure counts, by their instants, and the cursor of the next page.

    `wanted`: values of splits, `kind`, and parts of the measure's key, by name. Raises what `clock_report` raises, and
    FaultyCursor.
    """
    scope = ReportScope(conn, catalogue, settings, asked)
    if "assignee" in wanted:
        scope.require_names()
    if asked.as_of is None:
        return reports.clocks_page(conn, asked.desk, measure, scope.pieces, wanted, cursor, limit)
    found = [each for each in _Query(scope).evaluated() if is_behind(each, measure, scope.pieces, wanted)]
    keyed = sorted((clock.at(INSTANT_OF[measure]) or 0, *clock.key, clock) for clock in found)
    after = None if cursor is None else key_of(cursor, int, str, str, int)
    rest = [entry for entry in keyed if after is None or entry[:4] > after]
    following = cursor_of(*rest[limit - 1][:4]) if len(rest) > limit else None
    return [clock for *_, clock in rest[:limit]], following


class _Query:
    """The clocks of one report, stored or evaluated again."""

    def __init__(self, scope: ReportScope) -> None:
        self.scope = scope
        self._evaluated: list[ReportedClock] | None = None

    def report(self, kind: ReportKind) -> Report:
        """The rows and totals."""
        agreement, is_split = self.scope.agreement, bool(self.scope.asked.splits)
        periods, kinds = len(self.scope.periods), {each.kind.value for each in agreement.commitments}
        match kind:
            case ReportKind.ATTAINMENT:
                return attainment(self._cells(Measure.OUTCOMES), periods, kinds, is_split=is_split)
            case ReportKind.USAGE:
                return usage(self._cells(Measure.SHARES), periods, kinds, is_split=is_split)
            case ReportKind.HEATMAP:
                return heatmap(self._cells(Measure.STARTS), self._cells(Measure.LATE_HOURS))
            case ReportKind.BREACHES:
                return breaches(self._cells(Measure.BREACHES), names=agreement.names_in_reports)

    def _cells(self, measure: Measure) -> list[Cell]:
        scope, asked = self.scope, self.scope.asked
        if asked.as_of is not None:
            found = (
                each for each in self.evaluated() if all(each.of(name) == value for name, value in asked.only)
            )
            return cells_of(found, measure, scope.pieces, asked.splits)
        most = scope.settings.report_rows_max * _CELLS_A_ROW

        def count(pieces: Sequence[Piece], left: int) -> list[Cell]:
            return reports.cells(scope.conn, asked.desk, measure, pieces, asked.splits, left, asked.only)

        try:
            if not scope.keeps:
                return count(scope.pieces, most)
            kept = KeptPeriods.of_clocks(scope.conn, asked.desk, measure, asked.splits, asked.span, asked.now)
            scope.kept.append(kept)
            return kept.cells(scope.pieces, most, count)
        except TooManyCells as error:
            raise too_large(
                f"the report has more than {most} figures, by the limit SLATIMER_REPORT_ROWS_MAX"
            ) from error

    def evaluated(self) -> list[ReportedClock]:
        """The clocks of every ticket of which something may lie in the span, as they were known then."""
        if self._evaluated is None:
            self._evaluated = [
                clock
                for _, evaluations in self.scope.evaluations()
                for ticket, evaluation in evaluations.items()
                for clock in reported_clocks(ticket, evaluation)
            ]
        return self._evaluated


def reported_clocks(ticket: str, evaluation: Evaluation) -> Iterable[ReportedClock]:
    """The clocks of an evaluation as reports count them."""
    known = fields_of(evaluation)
    for view in evaluation.clocks:
        account = evaluation.histories[view.commitment, view.cycle_id]
        yield ReportedClock(
            ticket=ticket,
            commitment=view.commitment,
            cycle=view.cycle_id,
            kind=view.kind.value,
            met=view.met,
            breached_at=view.breached_at,
            figures=figures_of(account),
            fields=known,
        )


def fields_of(evaluation: Evaluation) -> dict[str, str | None]:
    """The fields by which reports are split, as the ticket's row has them."""
    fields = evaluation.ticket.fields
    return {name: _text(fields.get(name)) for name in TICKET_SPLITS} | {"queue": queue_of(fields)}


def _text(value: object) -> str | None:
    return None if value is None else str(value).replace("\0", "\ufffd")
