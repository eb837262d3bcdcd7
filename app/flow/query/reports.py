"""Reports of a desk's ticket clocks, and the clocks behind each figure.

A report of what is known now counts stored clocks. One `as_of` an earlier instant evaluates the tickets again from the
events received and the versions recorded by then. Both give the same cells to the same rows, so the report as of an
instant equals the one that was made then. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.flow.query.merge_graph import gather, judge
from app.flow.query.tickets import EventsDropped
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import Version, known_versions
from app.sla.budget import TooExpensive, charge
from app.sla.calendar.zone import Zone, zone
from app.sla.clock.evaluation import Evaluation, NothingKnown
from app.sla.queue.duplicate import queue_of
from app.sla.report.clock_report import Report, attainment, breaches, heatmap, usage
from app.sla.report.cut import By, Piece, TooManyPeriods, cut, pieces
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
from app.sla.span import Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.batch import pieces as batches
from app.store.engine.database import Connection
from app.store.tickets import archive, reports, unreported
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


class NamesAreOff(ValueError):
    """The desk's agreement says `[reports] names = false`: reports are neither split nor filtered by assignee."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about: the span of a desk, cut into periods, and split."""

    desk: str
    span: Span
    now: Micros
    by: By | None = None
    splits: tuple[str, ...] = ()
    as_of: Micros | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A report with its periods in the desk's zone.

    `incomplete`: tickets that a release without reports has evaluated last, and that it does not count.
    """

    zone: Zone
    periods: Sequence[Span]
    report: Report
    incomplete: int


def clock_report(
    conn: Connection, catalogue: Catalogue, settings: Settings, kind: ReportKind, asked: Asked
) -> Answer:
    """A report of clocks. Raises UnknownDesk, NamesAreOff, and TooExpensive for one that counts too much."""
    query = _Query(conn, catalogue, settings, asked)
    report = query.report(kind)
    if len(report.rows) > settings.report_rows_max:
        raise _too_large(
            f"it has more than {settings.report_rows_max} rows, the limit SLATIMER_REPORT_ROWS_MAX"
        )
    incomplete = unreported.count(conn, asked.desk) if asked.as_of is None else 0
    return Answer(query.zone, query.periods, report, incomplete)


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
    query = _Query(conn, catalogue, settings, asked)
    if "assignee" in wanted:
        query.require_names()
    if asked.as_of is None:
        return reports.clocks_page(conn, asked.desk, measure, query.pieces, wanted, cursor, limit)
    found = [clock for clock in query.evaluated() if is_behind(clock, measure, query.pieces, wanted)]
    keyed = sorted((clock.at(INSTANT_OF[measure]) or 0, *clock.key, clock) for clock in found)
    after = None if cursor is None else key_of(cursor, int, str, str, int)
    rest = [entry for entry in keyed if after is None or entry[:4] > after]
    following = cursor_of(*rest[limit - 1][:4]) if len(rest) > limit else None
    return [clock for *_, clock in rest[:limit]], following


class _Query:
    """The clocks of one report, stored or evaluated again."""

    def __init__(self, conn: Connection, catalogue: Catalogue, settings: Settings, asked: Asked) -> None:
        self._conn, self._settings, self._asked = conn, settings, asked
        self._versions: tuple[Version, ...] = known_versions(
            catalogue.versions(conn, asked.desk), asked.as_of
        )
        self._agreement: Agreement = self._versions[-1].agreement
        if "assignee" in asked.splits:
            self.require_names()
        self.zone: Zone = zone(self._agreement.time_zone)
        try:
            self.periods = cut(self.zone, asked.span, asked.by, settings.report_periods_max)
        except TooManyPeriods as error:
            raise _too_large(f"{error}, the limit SLATIMER_REPORT_PERIODS_MAX") from error
        self.pieces: list[Piece] = pieces(self.zone, self.periods)
        self._evaluated: list[ReportedClock] | None = None

    def require_names(self) -> None:
        """Raise NamesAreOff where the desk does not allow them."""
        if not self._agreement.names_in_reports:
            raise NamesAreOff(
                "the desk's reports name no assignee: its agreement says [reports] names = false"
            )

    def report(self, kind: ReportKind) -> Report:
        """The rows and totals."""
        periods, is_split = len(self.periods), bool(self._asked.splits)
        kinds = {commitment.kind.value for commitment in self._agreement.commitments}
        match kind:
            case ReportKind.ATTAINMENT:
                return attainment(self._cells(Measure.OUTCOMES), periods, kinds, is_split=is_split)
            case ReportKind.USAGE:
                return usage(self._cells(Measure.SHARES), periods, kinds, is_split=is_split)
            case ReportKind.HEATMAP:
                return heatmap(self._cells(Measure.STARTS), self._cells(Measure.LATE_HOURS))
            case ReportKind.BREACHES:
                return breaches(self._cells(Measure.BREACHES), names=self._agreement.names_in_reports)

    def _cells(self, measure: Measure) -> list[Cell]:
        asked, most = self._asked, self._settings.report_rows_max * _CELLS_A_ROW
        if asked.as_of is not None:
            return cells_of(self.evaluated(), measure, self.pieces, asked.splits)
        try:
            return reports.cells(self._conn, asked.desk, measure, self.pieces, asked.splits, most)
        except TooManyCells as error:
            raise _too_large(f"{error}, by the limit SLATIMER_REPORT_ROWS_MAX") from error

    def evaluated(self) -> list[ReportedClock]:
        """The clocks of every ticket of which something may lie in the span, by what was known at `as_of`."""
        if self._evaluated is None:
            as_of = self._asked.now if self._asked.as_of is None else self._asked.as_of
            self._evaluated = [
                clock
                for batch in batches(self._candidates(as_of))
                for evaluation, ticket in self._evaluations(batch, as_of)
                for clock in reported_clocks(ticket, evaluation)
            ]
        return self._evaluated

    def _candidates(self, as_of: Micros) -> list[str]:
        most = self._settings.report_as_of_tickets_max
        conn, desk = self._conn, self._asked.desk
        found = unreported.candidates(conn, desk, self._asked.span.start, as_of, most + 1)
        if len(found) > most:
            limit = f"{most} tickets, the limit SLATIMER_REPORT_AS_OF_TICKETS_MAX"
            raise _too_large(f"as of an earlier instant it would evaluate more than {limit}")
        if without := archive.without_events(conn, desk, found):
            raise EventsDropped(
                f"the events of {len(without)} tickets of that time are no longer kept, so the report cannot be made as "
                "of an earlier instant. Ask without as_of, or for a later span"
            )
        return found

    def _evaluations(self, tickets: Sequence[str], as_of: Micros) -> Iterable[tuple[Evaluation, str]]:
        graph = gather(self._conn, self._asked.desk, tickets, as_of=as_of)
        for ticket in tickets:
            charge()
            if not graph.logs[ticket]:
                continue
            try:
                yield judge(graph, ticket, self._versions, min(as_of, self._asked.now)), ticket
            except NothingKnown:
                continue


def _too_large(why: str) -> TooExpensive:
    return TooExpensive(f"{why}. Ask for a shorter span, for longer periods or without a split")


def reported_clocks(ticket: str, evaluation: Evaluation) -> Iterable[ReportedClock]:
    """The clocks of an evaluation as reports count them."""
    fields = evaluation.ticket.fields
    known = {name: _text(fields.get(name)) for name in TICKET_SPLITS} | {"queue": queue_of(fields)}
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


def _text(value: object) -> str | None:
    """A field as the ticket's row has it."""
    return None if value is None else str(value).replace("\0", "\ufffd")
