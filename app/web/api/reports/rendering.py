"""Reports as JSON and as tables: rows with the addresses of what they count."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from app.flow.query.report_scope import Answer, Asked
from app.flow.query.serialize import instant_text
from app.sla.report.clock_report import Figure, ReportRow
from app.sla.report.measure import Value
from app.sla.span import Micros, Span
from app.web.api.reports.table import Table
from app.web.api.reports.workbook import Cell

_DECIMAL: Final = ("share", "deciles", "replies_an_hour", "uptime", "amount", "due")
"""Figures whose text is a number."""


def as_json(
    what: Asked, found: Answer, link: Callable[[Span, ReportRow], str], behind: str = "tickets"
) -> dict[str, Any]:
    """The report as JSON; `link` gives the address of what a row of a period counts, written under `behind`."""
    rows = [
        {
            "from": instant_text(span.start),
            "to": instant_text(span.end),
            "split": dict(zip(what.splits, row.split, strict=True)),
            **row.about,
            **row.figures,
            behind: link(span, row),
        }
        for row in found.report.rows
        for span in (found.periods[row.period],)
    ]
    return {"rows": rows, "totals": found.report.totals, "incomplete": found.incomplete}


def link_to(path: str, what: Asked, span: Span, row: ReportRow, about: Mapping[str, Value]) -> str:
    """The address of a list: the span and the split of a row, and what else it is about."""
    query: dict[str, Any] = {
        "desk": what.desk,
        "from": instant_text(span.start),
        "to": instant_text(span.end),
    }
    if what.as_of is not None:
        query["as_of"] = instant_text(what.as_of)
    filters = {**dict(what.only), **dict(zip(what.splits, row.split, strict=True)), **about}
    query |= {name: "" if value is None else value for name, value in filters.items()}
    return f"{path}?{urlencode(query)}"


def as_table(name: str, what: Asked, found: Answer) -> Table:
    """The report as a table; from and to are local times of the desk's zone."""
    rows = found.report.rows
    about = list(rows[0].about) if rows else []
    figures = list(_flat(rows[0].figures)) if rows else []
    is_plain = what.desk.isascii() and what.desk.replace("-", "").isalnum()
    return Table(
        f"{what.desk}-{name}" if is_plain else name,
        ["from", "to", *what.splits, *about, *figures],
        [
            [
                _local(found, span.start),
                _local(found, span.end),
                *row.split,
                *row.about.values(),
                *_flat(row.figures).values(),
            ]
            for row in rows
            for span in (found.periods[row.period],)
        ],
    )


def _local(found: Answer, at: Micros) -> datetime:
    return found.zone.local(at).replace(tzinfo=None)


def _flat(figures: Mapping[str, Figure]) -> dict[str, Cell]:
    """The figures as cells: a list or an object has a column for each of its entries."""
    cells: dict[str, Cell] = {}
    for name, figure in figures.items():
        for column, entry in _entries(name, figure):
            is_number = name in _DECIMAL and isinstance(entry, str)
            cells[column] = Decimal(entry) if is_number and entry is not None else entry
    return cells


def _entries(name: str, figure: Figure) -> Iterable[tuple[str, Value]]:
    if isinstance(figure, tuple):
        return ((f"{name}_{number}", each) for number, each in enumerate(figure, start=1))
    if isinstance(figure, Mapping):
        return ((f"{name}_{key}", each) for key, each in figure.items())
    return ((name, figure),)
