"""The figures of a subscribed report: those of a week or month, each with that of the period before.

Attainment by kind of commitment, uptime by kind, credits by currency. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from app.flow.query.credit_reports import credits_report
from app.flow.query.report_scope import Answer, Asked
from app.flow.query.reports import ReportKind, clock_report
from app.flow.query.serialize import Json, instant_text
from app.flow.query.uptime_reports import availability_report
from app.settings import Settings
from app.sla.budget import TooExpensive
from app.sla.calendar.zone import Zone
from app.sla.report.cut import By
from app.sla.report.subscribed import ended_by, name_of
from app.sla.span import Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection

_FIGURES: Final[Mapping[str, tuple[str, ...]]] = {
    "attainment": ("share", "met", "missed", "excluded"),
    "availability": ("uptime", "downtime_seconds"),
    "credits": ("amount", "due"),
}
"""The figures of each report, the one that people read first."""


@dataclass(frozen=True, slots=True)
class EndedPeriod:
    """A week or month of a desk that has ended."""

    desk: str
    zone: Zone
    by: By
    span: Span

    @property
    def name(self) -> str:
        """Its name: "2026-W48", "2026-11"."""
        return name_of(self.zone, self.by, self.span)


def report_document(
    conn: Connection, catalogue: Catalogue, settings: Settings, period: EndedPeriod, now: Micros
) -> Json:
    """What a signal says of an ended period. A report that counts too much for one answer is named in `left_out`."""
    before = ended_by(period.zone, period.by, period.span.start)
    asked = Asked(period.desk, Span(before.start, period.span.end), now, period.by)
    figures: list[Json] = []
    left_out: list[str] = []
    for report in _FIGURES:
        try:
            figures += _compared(report, _made(report)(conn, catalogue, settings, asked))
        except TooExpensive:
            left_out.append(report)
    return {
        "by": period.by.value,
        "period": period.name,
        "label": period.name,
        "from": instant_text(period.span.start),
        "to": instant_text(period.span.end),
        "figures": figures,
        "left_out": left_out,
        "reports": {report: _address(report, period) for report in _FIGURES},
        "url": settings.public_url.rstrip("/") + _page(period) if settings.public_url else None,
    }


def _made(report: str) -> Callable[[Connection, Catalogue, Settings, Asked], Answer]:
    match report:
        case "attainment":
            return lambda conn, catalogue, settings, asked: clock_report(
                conn, catalogue, settings, ReportKind.ATTAINMENT, asked
            )
        case "availability":
            return availability_report
        case _:
            return credits_report


def _compared(report: str, found: Answer) -> list[Json]:
    """The figures of the later of two periods, with those of the earlier one."""
    by_period: list[dict[str, Mapping[str, Any]]] = [{}, {}]
    for row in found.report.rows:
        (of,) = row.about.values()
        by_period[row.period][str(of or "")] = row.figures
    before, after = by_period
    return [
        {
            "report": report,
            "of": of,
            "figure": figure,
            "value": after.get(of, {}).get(figure),
            "before": before.get(of, {}).get(figure),
        }
        for of in sorted(before.keys() | after.keys())
        for figure in _FIGURES[report]
    ]


def _address(report: str, period: EndedPeriod) -> str:
    query = {
        "desk": period.desk,
        "from": instant_text(period.span.start),
        "to": instant_text(period.span.end),
    }
    return f"/v1/reports/{report}?{urlencode(query)}"


def _page(period: EndedPeriod) -> str:
    """The page of the reports of a period; its dates are those of the desk's zone, both included."""
    first, last = (period.zone.local_date(at) for at in (period.span.start, period.span.end - 1))
    return f"/reports?{urlencode({'desk': period.desk, 'from': first.isoformat(), 'to': last.isoformat()})}"
