"""The reports of the page, from the same functions as the API: those of the span and those of the one before.

Instants are microseconds UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from app.flow.query.credit_reports import credits_report
from app.flow.query.queue_reports import queue_report
from app.flow.query.report_scope import Answer, Asked
from app.flow.query.reports import ReportKind, clock_report
from app.flow.query.uptime_reports import availability_report
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.sla.budget import TooExpensive
from app.sla.calendar.zone import Zone, zone
from app.sla.report.cut import By
from app.sla.span import Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets.kept_figures import KeptFigures
from app.web.pages.reports.query import FILTERS, OBJECT_FILTERS, QUEUE_FILTERS, Chart, ReportsQuery
from app.web.pages.reports.ranges import Dates, Range, before, dates_of


class TooLong(ValueError):
    """The dates span more than a report may. Choose a shorter span."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the page shows: a desk with its agreement in force, the dates, and those that they are compared with."""

    desk: str
    agreement: Agreement
    wanted: ReportsQuery
    dates: Dates
    earlier: Dates
    now: Micros

    @property
    def zone(self) -> Zone:
        """The desk's time zone."""
        return zone(self.agreement.time_zone)

    @property
    def span(self) -> Span:
        """The instants of the dates."""
        return self.dates.span(self.zone)

    @property
    def earlier_span(self) -> Span:
        """The instants of the dates before."""
        return self.earlier.span(self.zone)

    def asked(self, by: By | None, names: tuple[str, ...]) -> Asked:
        """The question to a report, with those of the filters that it knows."""
        return Asked(self.desk, self.span, self.now, by, only=self.wanted.only(names))


def question(
    conn: Connection, catalogue: Catalogue, settings: Settings, wanted: ReportsQuery, desk: str, now: Micros
) -> Question:
    """What an address asks for. Raises UnknownDesk and TooLong."""
    agreement = catalogue.in_force(conn, desk, at=now).agreement
    chosen, today = wanted.chosen, zone(agreement.time_zone).local_date(now)
    if chosen is Range.OWN and wanted.since and wanted.until:
        dates = Dates(wanted.since, wanted.until)
    else:
        dates = dates_of(chosen, today)
    if dates.days > settings.report_span_max.days:
        longest = settings.report_span_max.days
        raise TooLong(f"the dates span more than {longest} days, the limit SLATIMER_REPORT_SPAN_MAX")
    return Question(desk, agreement, wanted, dates, before(chosen, dates, today), now)


@dataclass(frozen=True, slots=True)
class Compared:
    """A report of the span, and that of the one before. None: it counts too much for one answer, for `problem`."""

    now: Answer | None
    before: Answer | None = None
    problem: str | None = None

    @property
    def to_keep(self) -> list[KeptFigures]:
        """What was counted of ended periods, to be kept."""
        return [each for answer in (self.now, self.before) if answer for each in answer.to_keep]


Reports = dict[Chart, Compared]
_Made = Callable[[Asked], Answer]


@dataclass(frozen=True, slots=True)
class _Report:
    """How a chart's report is made, and which filters it knows."""

    made: _Made
    filters: tuple[str, ...]
    is_compared: bool = True
    """Whether the page shows figures of the dates before."""


def reports(
    conn: Connection,
    catalogue: Catalogue,
    settings: Settings,
    what: Question,
    charts: frozenset[Chart] = frozenset(Chart),
) -> Reports:
    """The reports of these charts. Charts of one report share it."""
    made: dict[ReportKind | str, Compared] = {}
    found: Reports = {}
    for chart in Chart:
        name = _REPORTS[chart]
        if chart in charts and name not in made:
            made[name] = _compared(what, _report(conn, catalogue, settings, name), cut_of(what, chart))
        if chart in charts:
            found[chart] = made[name]
    return found


_REPORTS: dict[Chart, ReportKind | str] = {
    Chart.ATTAINMENT: ReportKind.ATTAINMENT,
    Chart.USAGE: ReportKind.USAGE,
    Chart.STARTS: ReportKind.HEATMAP,
    Chart.BREACH_HOURS: ReportKind.HEATMAP,
    Chart.CAUSES: ReportKind.BREACHES,
    Chart.WAITS: "queues",
    Chart.MOVES: "queues",
    Chart.AVAILABILITY: "availability",
    Chart.CREDITS: "credits",
}


def _report(conn: Connection, catalogue: Catalogue, settings: Settings, name: ReportKind | str) -> _Report:
    if isinstance(name, ReportKind):
        is_compared = name in (ReportKind.ATTAINMENT, ReportKind.BREACHES)
        return _Report(partial(clock_report, conn, catalogue, settings, name), FILTERS, is_compared)
    if name == "queues":
        return _Report(partial(queue_report, conn, catalogue, settings), QUEUE_FILTERS)
    made = availability_report if name == "availability" else credits_report
    return _Report(partial(made, conn, catalogue, settings), OBJECT_FILTERS)


def cut_of(what: Question, chart: Chart) -> By | None:
    """The periods of a chart; None: it shows the whole span."""
    match chart:
        case Chart.ATTAINMENT | Chart.AVAILABILITY:
            return what.dates.by
        case Chart.CREDITS:
            return By.MONTH
        case _:
            return None


def _compared(what: Question, report: _Report, by: By | None) -> Compared:
    """A report of both spans. What is shown of a whole span is added up from its months, whose figures are kept."""
    asked = what.asked(by or By.MONTH, report.filters)
    earlier = replace(asked, span=what.earlier_span, by=By.MONTH)
    try:
        now = report.made(asked)
    except TooExpensive as error:
        return Compared(None, problem=str(error))
    if not report.is_compared:
        return Compared(now)
    try:
        return Compared(now, report.made(earlier))
    except TooExpensive:
        return Compared(now)
