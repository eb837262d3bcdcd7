"""What a report is about: a desk's span cut into periods, and its tickets as they were known at an earlier instant.

Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import structlog

from app.flow import metrics
from app.flow.query.failures import NOT_OF_THE_SUBJECT
from app.flow.query.kept_periods import KeptPeriods
from app.flow.query.merge_graph import MergeGraph, gather, judge
from app.flow.query.tickets import EventsDropped
from app.settings import Settings
from app.sla.agreement.version import known_versions
from app.sla.budget import TooExpensive, charge
from app.sla.calendar.zone import Zone, zone
from app.sla.clock.evaluation import Evaluation, NothingKnown
from app.sla.report.clock_report import Report
from app.sla.report.cut import By, TooManyPeriods, cut, pieces
from app.sla.span import Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.batch import pieces as batches
from app.store.engine.database import Connection
from app.store.tickets import archive, unreported
from app.store.tickets.kept_figures import KeptFigures

_log = structlog.stdlib.get_logger()


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
    only: tuple[tuple[str, str | None], ...] = ()
    """Count only what has these values of splits; None: what has none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A report with its periods in the desk's zone.

    `incomplete`: tickets that it does not count: a release without reports has evaluated them last, or, as of an earlier
    instant, they cannot be evaluated.
    """

    zone: Zone
    periods: Sequence[Span]
    report: Report
    incomplete: int
    to_keep: Sequence[KeptFigures] = field(default=(), compare=False)
    """Figures of ended periods that were counted for it, to be kept (`kept_figures.keep`)."""


def too_large(why: str) -> TooExpensive:
    """The error of a report that counts too much, with the remedy."""
    return TooExpensive(f"{why}. Ask for a shorter span, for longer periods or without a split")


class ReportScope:
    """The periods of a report, the agreement in force, and the tickets.

    Raises UnknownDesk, NamesAreOff and, for too many periods, TooExpensive.
    """

    def __init__(self, conn: Connection, catalogue: Catalogue, settings: Settings, asked: Asked) -> None:
        self.conn, self.settings, self.asked = conn, settings, asked
        begun = catalogue.versions(conn, asked.desk, at=self.known_at)
        self.versions = known_versions(begun, asked.as_of)
        self.agreement = self.versions[-1].agreement
        if "assignee" in asked.splits or "assignee" in dict(asked.only):
            self.require_names()
        self.zone: Zone = zone(self.agreement.time_zone)
        try:
            self.periods = cut(self.zone, asked.span, asked.by, settings.report_periods_max)
        except TooManyPeriods as error:
            raise too_large(f"{error}, the limit SLATIMER_REPORT_PERIODS_MAX") from error
        self.pieces = pieces(self.zone, self.periods)
        self.kept: list[KeptPeriods] = []
        """The kept figures that the report reads, and what is to be kept after it."""
        self.failed = 0
        """How many tickets could not be evaluated, and are not counted."""

    @property
    def known_at(self) -> Micros:
        """The instant by whose knowledge the report is made, and up to which it counts."""
        return self.asked.now if self.asked.as_of is None else self.asked.as_of

    def require_names(self) -> None:
        """Raise NamesAreOff where the desk does not allow names."""
        if not self.agreement.names_in_reports:
            raise NamesAreOff(
                "the desk's reports name no assignee: its agreement says [reports] names = false"
            )

    def answer(self, report: Report, incomplete: int | None = None) -> Answer:
        """The report with its periods. Raises TooExpensive for one with too many rows.

        `incomplete`: how many tickets it does not count; None: those that lack what reports count.
        """
        if len(report.rows) > (most := self.settings.report_rows_max):
            raise too_large(f"the report has more than {most} rows, the limit SLATIMER_REPORT_ROWS_MAX")
        if incomplete is None:
            incomplete = self._unreported if self.asked.as_of is None else self.failed
        to_keep = tuple(figures for each in self.kept for figures in each.new)
        return Answer(self.zone, self.periods, report, incomplete, to_keep)

    @cached_property
    def _unreported(self) -> int:
        return unreported.count(self.conn, self.asked.desk)

    @property
    def keeps(self) -> bool:
        """Whether figures of ended periods are read where they are kept, and kept where they are not."""
        is_whole = self.asked.as_of is None and not self.asked.only
        return is_whole and bool(self.settings.report_kept_max) and not self._unreported

    def evaluations(self, *, waiting: bool = False) -> Iterator[tuple[MergeGraph, dict[str, Evaluation]]]:
        """The tickets of which something may lie in the span, evaluated as they were known then, in batches.

        `waiting`: also those that may only have waited in it. Raises TooExpensive and EventsDropped.
        """
        for batch in batches(self._candidates(waiting=waiting)):
            graph = gather(self.conn, self.asked.desk, batch, as_of=self.known_at)
            yield graph, dict(self._evaluated(graph, batch))

    def _evaluated(self, graph: MergeGraph, tickets: Iterable[str]) -> Iterator[tuple[str, Evaluation]]:
        for ticket in tickets:
            charge()
            if not graph.logs[ticket]:
                continue
            try:
                yield ticket, judge(graph, ticket, self.versions, self.known_at)
            except NothingKnown:
                continue
            except NOT_OF_THE_SUBJECT:
                raise
            except Exception:  # noqa: BLE001 - one ticket's own content must not hide the others
                _log.exception("evaluation for a report failed", desk=self.asked.desk, subject=ticket)
                metrics.FAILURES.labels(self.asked.desk).inc()
                self.failed += 1

    def _candidates(self, *, waiting: bool) -> list[str]:
        most, start, desk = self.settings.report_as_of_tickets_max, self.asked.span.start, self.asked.desk
        found = unreported.candidates(self.conn, desk, start, self.known_at, most + 1, waiting=waiting)
        if len(found) > most:
            limit = f"{most} tickets, the limit SLATIMER_REPORT_AS_OF_TICKETS_MAX"
            raise too_large(f"as of an earlier instant the report would evaluate more than {limit}")
        if without := archive.without_events(self.conn, desk, found):
            raise EventsDropped(
                f"the events of {len(without)} tickets of that time are no longer kept, so the report cannot be made as "
                "of an earlier instant. Ask without as_of, or for a later span"
            )
        return found
